"""Making a vocoder fit a text-to-spec model: spectrograms as the model writes them, beside those of the recordings."""
