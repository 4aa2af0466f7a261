"""Recognisers in ONNX."""
