"""Recordings as models take them, computed once and kept in a cache."""
