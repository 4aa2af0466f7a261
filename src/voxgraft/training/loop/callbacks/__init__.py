"""What happens around the steps: keeping checkpoints, validating, recording, showing progress."""
