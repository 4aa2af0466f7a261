"""A target's speakers and languages: which rows of the base's tables they start from."""
