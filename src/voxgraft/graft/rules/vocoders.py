"""Vocoders: why a tensor may be new or unused."""

from __future__ import annotations

from voxgraft.graft.rules.rules import Rules

_WHY_NEW = "the base has no such discriminator: learned, alone in the first steps"
_WHY_DROPPED = "this run trains no discriminator of this kind"
_KINDS = ("period_discriminator", "scale_discriminator", "resolution_discriminator", "light_discriminator")

RULES = Rules(why_new=dict.fromkeys(_KINDS, _WHY_NEW), why_dropped=dict.fromkeys(_KINDS, _WHY_DROPPED))
