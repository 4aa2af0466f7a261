"""Networks as plain torch modules, with the pieces that train them: alignment, spectrograms, discriminators, losses."""
