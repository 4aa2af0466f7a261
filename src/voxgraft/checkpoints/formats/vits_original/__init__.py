"""Saves of the original VITS."""
