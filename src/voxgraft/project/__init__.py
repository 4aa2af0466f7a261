"""A user's folder: its base, recordings, symbols, and the names in it."""
