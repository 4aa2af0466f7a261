"""Save: what a file of tts-framework, VoiceSmith or maum-ai's UnivNet holds, whichever way it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voxgraft.checkpoints.containers.torch.optimizer_state import rate_of, steps_of

# A name that only such a model has.
_UNIVNET = "res_stack.0.kernel_predictor.kernel_conv.bias"
_DELIGHTFUL = re.compile(r"(?:\w+\.)?acoustic_model\.src_word_emb(?:\.embeddings)?")
# Residual blocks in rows, STAGE.KERNEL: its HiFi-GAN's, and no other's.
_HIFIGAN = re.compile(r"generator\.resblocks\.0\.0\.convs1\.0\.(?:bias|weight\w*)")


@dataclass(frozen=True)
class Save:
    """Tensors under the names of whoever wrote the file, with the key of their state before them where it has several.

    `steps` are optimizer steps; `notes` say where the file counts in another way.
    """

    family: str
    variant: str
    state: Mapping[str, Any]
    epoch: int | None
    steps: int | None
    learning_rate: float | None
    training_state: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def save_in(content: object) -> Save | None:
    """What is in a file of torch.save, if it is one of theirs."""
    if not isinstance(content, dict):
        return None
    return _lightning(content) or _acoustic(content) or _vocoder(content)


def _lightning(content: Mapping[Any, Any]) -> Save | None:
    """tts-framework's modules, as Lightning saves them."""
    state = _named(content.get("state_dict"))
    if f"univnet.{_UNIVNET}" in state:
        family = "univnet"
    elif any(map(_HIFIGAN.fullmatch, state)):
        family = "hifigan"
    else:
        family = ""
    if any(map(_DELIGHTFUL.fullmatch, state)):
        family = "delightful"
    if not family:
        return None
    optimizers = content.get("optimizer_states")
    optimizers = [row for row in optimizers if isinstance(row, dict)] if isinstance(optimizers, list) else []
    counted = _count(content.get("global_step"))
    notes = []
    # With manual optimisation Lightning counts the steps of every optimizer in one number.
    if counted and len(optimizers) > 1:
        own = steps_of(optimizers[0])
        each = counted // len(optimizers) if own is None else own
        notes.append(f"its global_step of {counted} adds up its {len(optimizers)} optimizers: {each} steps of each")
        counted = each
    kept = ("optimizer_states", "lr_schedulers", "loops", "callbacks")
    return Save(
        family=family,
        variant="tts-framework",
        state=state,
        epoch=_count(content.get("epoch")),
        steps=counted,
        learning_rate=rate_of(optimizers[0]) if optimizers else None,
        training_state={name: content[name] for name in kept if content.get(name)},
        notes=tuple(notes),
    )


def _acoustic(content: Mapping[Any, Any]) -> Save | None:
    """VoiceSmith's `{gen, optim, steps}`, which tts-framework took its first weights from."""
    state = _named(content.get("gen"))
    if not {"src_word_emb", "src_word_emb.embeddings"} & set(state):
        return None
    return _plain("delightful", "voicesmith", content, state, {"optimizer": "optim"})


def _vocoder(content: Mapping[Any, Any]) -> Save | None:
    """VoiceSmith's `{generator, discriminator, optim_g, optim_d, steps}`; maum-ai calls the first two model_g, model_d."""
    optimizers = {"optimizer": "optim_g", "discriminator_optimizer": "optim_d"}
    for variant, keys in (("voicesmith", ("generator", "discriminator")), ("maum-ai", ("model_g", "model_d"))):
        if _UNIVNET in _named(content.get(keys[0])):
            state = {f"{key}.{name}": tensor for key in keys for name, tensor in _named(content.get(key)).items()}
            return _plain("univnet", variant, content, state, optimizers)
    return None


def _plain(
    family: str,
    variant: str,
    content: Mapping[Any, Any],
    state: Mapping[str, Any],
    optimizers: Mapping[str, str],
) -> Save:
    first = content.get(next(iter(optimizers.values())))
    return Save(
        family=family,
        variant=variant,
        state=state,
        epoch=_count(content.get("epoch")),
        steps=_count(content.get("steps", content.get("step"))),
        learning_rate=rate_of(first),
        training_state={name: content[key] for name, key in optimizers.items() if isinstance(content.get(key), dict)},
    )


def _named(state: object) -> dict[str, Any]:
    return {name: value for name, value in state.items() if isinstance(name, str)} if isinstance(state, dict) else {}


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None
