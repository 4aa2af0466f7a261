"""Evaluation: base and result side by side on texts that neither was trained on."""
