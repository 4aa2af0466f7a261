"""What is known about each architecture, as data: a file per family."""

from voxgraft.architectures.families.family import Family, Part
from voxgraft.architectures.families.registry import families, family_of, part_of

__all__ = ["Family", "Part", "families", "family_of", "part_of"]
