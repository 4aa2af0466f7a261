"""From a base to the model that is trained: what carries over, row by row, and the one place that applies it."""
