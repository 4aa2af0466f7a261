"""Text-to-spec networks as ONNX graphs."""
