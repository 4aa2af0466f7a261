"""The task of vocoders: from mel spectrograms to waveforms."""
