"""A model's dimensions from the shapes of its tensors."""
