"""Demos on the bundled recordings: a voice, and a two-stage voice."""
