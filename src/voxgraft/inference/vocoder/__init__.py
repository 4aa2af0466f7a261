"""Vocoders that speak without torch."""
