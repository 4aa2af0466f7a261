"""Models as Hugging Face's `transformers` saves them, a file per kind of model."""
