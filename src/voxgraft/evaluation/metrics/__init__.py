"""Measures of speech: each takes arrays and a sample rate, and says what it needs if it can't be had."""
