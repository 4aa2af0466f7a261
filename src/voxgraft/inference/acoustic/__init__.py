"""Text-to-spec models and vocoders on onnxruntime, without torch."""
