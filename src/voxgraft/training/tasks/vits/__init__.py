"""Training of VITS voices."""
