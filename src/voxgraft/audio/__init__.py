"""Audio as arrays: read, resample, loudness, trim, spectrograms. Arrays in, arrays out; no torch."""
