"""How tensors lie in a file, whoever made it."""
