"""A target's symbols: which rows of the base's table they start from."""
