"""Speaking with exported voices."""
