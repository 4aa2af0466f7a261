"""NVIDIA NeMo's recognisers."""
