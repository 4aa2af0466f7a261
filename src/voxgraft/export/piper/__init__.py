"""Voices as Piper and its trainer have them."""
