"""TensorFlow's bundles of tensors."""
