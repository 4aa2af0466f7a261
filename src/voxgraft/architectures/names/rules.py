"""Name rules: how a peer's tensor names become the family's canonical ones, as data."""

from __future__ import annotations

import re
from collections.abc import Sequence

# (pattern that the whole name must fit, what it becomes with the pattern's groups; None: no part of the model).
NameRules = Sequence[tuple[str, str | None]]

# torch's newer spelling of weight norm and of spectral norm.
_PARAMETRISED = re.compile(r"\.parametrizations\.weight\.(original[01]?|0\._[uv])$")
_PLAIN = {
    "original0": "weight_g",
    "original1": "weight_v",
    "original": "weight_orig",
    "0._u": "weight_u",
    "0._v": "weight_v",
}


def canonical_name(name: str, rules: NameRules) -> str | None:
    """What the first rule that fits makes of a name, weight norm as `weight_g`, `weight_v`, spectral norm as `weight_orig`,
    `weight_u`, `weight_v`; None where it drops it or none fits."""
    plain = _PARAMETRISED.sub(lambda match: f".{_PLAIN[match[1]]}", name)
    for pattern, target in rules:
        fit = re.fullmatch(pattern, plain)
        if fit:
            return None if target is None else fit.expand(target)
    return None
