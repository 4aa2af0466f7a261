"""Hearing with exported recognisers."""
