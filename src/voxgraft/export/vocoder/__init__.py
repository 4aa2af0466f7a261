"""Vocoders written for onnxruntime."""
