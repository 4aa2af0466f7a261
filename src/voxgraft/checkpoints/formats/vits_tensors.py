"""Canonical names of a VITS checkpoint's tensors, from the names that trainers save them under."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxgraft.checkpoints.containers.tensor_store import LazyTensor, TensorStore
from voxgraft.checkpoints.containers.torch.tensor import TorchTensor

# Prefix in the file -> prefix here; the longest that fits counts. None drops: no part of the voice.
PREFIXES: dict[str, str | None] = {
    "model_g.": "",
    "model_d.": "discriminator.",
    "model_mrd.": "discriminator_mrd.",
    "discriminator.": "discriminator.",
    "discriminator_mrd.": "discriminator_mrd.",
    "enc_p.": "enc_p.",
    "enc_q.": "enc_q.",
    "flow.": "flow.",
    "dp.": "dp.",
    "dec.": "dec.",
    "emb_g.": "emb_g.",
}

# torch's newer spelling of weight norm.
_PARAMETRISED = re.compile(r"\.parametrizations\.weight\.original([01])$")
_EMBEDDING = "enc_p.emb.weight"
_ROOT = re.compile(rf"^(?:.*\.)?{re.escape(_EMBEDDING)}$")


def looks_like_vits(names: Mapping[Any, Any]) -> bool:
    """True where there is a text encoder's embedding, as every VITS checkpoint has."""
    return any(isinstance(name, str) and _ROOT.search(name) for name in names)


def canonical_tensors(state: Mapping[Any, Any], path: Path) -> tuple[TensorStore, tuple[str, ...]]:
    """The tensors under canonical names, and the names of what was left out."""
    tensors: dict[str, LazyTensor] = {}
    left_out: list[str] = []
    holder = _holder(state)
    for name, tensor in state.items():
        canonical = canonical_name(name.removeprefix(holder)) if isinstance(name, str) else None
        if canonical is None or not isinstance(tensor, TorchTensor):
            left_out.append(str(name)[:120])
        else:
            tensors[canonical] = LazyTensor(tensor.shape, tensor.load)
    return TensorStore(tensors, path), tuple(left_out)


def _holder(state: Mapping[Any, Any]) -> str:
    """What the whole voice lies in, as `net_g.` in someone's own trainer; empty where nothing or what is known."""
    roots = (
        match.group()[: -len(_EMBEDDING)] for name in state if isinstance(name, str) and (match := _ROOT.search(name))
    )
    return next((root for root in roots if root and root not in PREFIXES), "")


def canonical_name(name: str) -> str | None:
    """The canonical name; None for what is no part of the voice."""
    prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix)), None)
    if prefix is None:
        return None
    target = PREFIXES[prefix]
    if target is None:
        return None
    return _PARAMETRISED.sub(lambda match: f".weight_{'gv'[int(match[1])]}", target + name.removeprefix(prefix))


def folded_names(names: Mapping[str, Any]) -> set[str]:
    """Names as an exported voice has them: a pair of weight norm counts as one weight."""
    return {
        name[:-2] if name.endswith(".weight_v") and f"{name[:-1]}g" in names else name
        for name in names
        if not name.endswith(".weight_g")
    }
