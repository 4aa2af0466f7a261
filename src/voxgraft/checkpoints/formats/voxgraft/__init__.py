"""What voxgraft itself writes."""
