"""Recognisers that are trained with CTC: an encoder each, from features to logits."""
