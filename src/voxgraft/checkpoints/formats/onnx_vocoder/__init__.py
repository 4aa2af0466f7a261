"""Vocoders that were exported to ONNX, by whomever."""
