"""Names of tensors, as data."""
