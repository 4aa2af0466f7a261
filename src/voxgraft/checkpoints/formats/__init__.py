"""A file per format: each turns its kind of checkpoint into the neutral Checkpoint."""
