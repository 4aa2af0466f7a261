"""VITS as Piper has it: the network, its parts, and how to fold its weight normalisation for export."""

from voxgraft.models.vits.vits import PARTS, Posterior, TextEncoding, Vits, VitsOutput
from voxgraft.models.weight_norm import fold_weight_norm

__all__ = ["PARTS", "Posterior", "TextEncoding", "Vits", "VitsOutput", "fold_weight_norm"]
