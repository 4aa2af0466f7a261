"""From frames of probabilities to text."""
