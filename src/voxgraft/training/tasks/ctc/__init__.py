"""Training of recognisers: any encoder with a CTC head, from a graft to a tested model."""
