"""Training of acoustic models: text to mel spectrogram, whatever the family."""
