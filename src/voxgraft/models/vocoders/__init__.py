"""Vocoders: mel spectrograms to waveforms, a network per file."""
