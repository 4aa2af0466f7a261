"""The graft of a recogniser: base, alphabet and network brought together, and weights written into a module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.alphabet_from import derive_alphabet
from voxgraft.corpus.checks.alphabet_file import UNUSABLE, alphabet_findings
from voxgraft.corpus.checks.usable import warn
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.transcript_spec import TranscriptSpec
from voxgraft.errors import GraftError
from voxgraft.graft.adapters import require_adapters, with_adapters
from voxgraft.graft.apply import grafted
from voxgraft.graft.graft import Graft
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.target import Target, target_for
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.progress import notice
from voxgraft.project.alphabet import framed_alphabet
from voxgraft.project.symbol_file import read_text
from voxgraft.project.symbols import project_symbols
from voxgraft.text.symbols import SymbolTable

if TYPE_CHECKING:
    from torch import nn

FROM_SCRATCH = "deepspeech"
HIDDEN_FROM_SCRATCH = 512
# Above this share of characters that the base's alphabet lacks, they are no slips of the pen but another alphabet.
MOST_SLIPS = 0.002


def require_recogniser(base: Checkpoint | None, config: RunConfig) -> None:
    """GraftError where the base can't become a recogniser of ours, before anything is read of the corpus."""
    from voxgraft.models.ctc.networks import NETWORKS, require_consistent

    require_adapters(base, config)
    if base is None:
        return
    family, path = family_of(base.family), base.provenance.path
    if base.family not in NETWORKS:
        titles = ", ".join(family_of(name).title for name in NETWORKS)
        raise GraftError(
            f"{family.title} can't be trained as a recogniser",
            file=path,
            field="base",
            expected=titles,
            got=family.title,
            remedy="Take a base of one of these, or `base: none` to start from scratch.",
        )
    require_consistent(base)
    wanted, found = config.recogniser.n_hidden, base.architecture.get("n_hidden")
    if wanted is not None and found is not None and wanted != found:
        raise GraftError(
            "the base's layers have another width, and a width can't be changed",
            file=path,
            field="recogniser.n_hidden (--n_hidden)",
            expected=found,
            got=wanted,
            remedy="Leave the setting out: the width is read from the base's own tensors.",
        )


def plan_recogniser(config: RunConfig, base: Checkpoint | None, labels: Sequence[str] | None) -> Graft:
    """The graft onto a recogniser that writes `labels`; None is the alphabet that the settings or the base name."""
    if labels is None:
        _tell_of_alphabet(config, base)
        target = _target(config, base, None)
    else:
        target = _target(config, base, framed_alphabet(labels, base.symbols if base is not None else None))
    if target.symbols is None:
        raise GraftError(
            "what the base's outputs mean is not known",
            file=base.provenance.path if base is not None else None,
            field="graft.alphabet",
            remedy="Put its alphabet.txt beside it, or name one (--alphabet_config_path, graft.alphabet).",
        )
    return Graft(base, target, make_plan(base, target) if base is not None else scratch_plan(target))


def _tell_of_alphabet(config: RunConfig, base: Checkpoint | None) -> None:
    """What of a named alphabet file is worth a look, but no error."""
    if config.graft.alphabet is None:
        return
    path = Path(config.graft.alphabet)
    known = base.symbols if base is not None else None
    findings = alphabet_findings(read_text(path), str(path), known.blank if known is not None else None)
    warn(f for f in findings if f.kind != UNUSABLE)


def derived_labels(config: RunConfig, base: Checkpoint | None, train: Manifest) -> tuple[str, ...] | None:
    """An alphabet derived from the transcripts, or None where one is named or the base's will do."""
    settings = config.recogniser
    if config.graft.alphabet is not None or config.graft.bytes:
        return None
    labels = derive_alphabet(train, settings.text).labels
    own = base.symbols if base is not None else None
    if own is not None and own.blank is not None and settings.alphabet != "corpus":
        strange = _beyond(TranscriptSpec(Labels.of(own), settings.text), train)
        if own.text_kind == "bytes" or settings.alphabet == "base" or strange <= MOST_SLIPS:
            return None
        notice(
            f"the base's alphabet lacks {100 * strange:.1f} % of the characters of the corpus, and no other is named"
        )
    notice(f"the alphabet of the corpus, {len(labels)} labels: {''.join(labels)!r}")
    return labels


def _beyond(transcript_spec: TranscriptSpec, train: Manifest) -> float:
    """The share of characters that a recogniser can't write."""
    texts = [transcript_spec.transcript(u.text) for u in train]
    unknown = sum(sum(transcript_spec.labels.spell(text).unknown.values()) for text in texts)
    return unknown / max(1, sum(len(text) for text in texts))


def graft_network(graft: Graft, seed: int) -> nn.Module:
    """The target's module with the weights that the plan gives it; the rest as the module starts by itself."""
    from voxgraft.models.ctc.networks import build_network, canonical_state, load_canonical

    target = graft.target
    module = build_network(target.family, target.architecture, seed)
    state = canonical_state(target.family, module, target.architecture)
    state |= grafted(graft.plan, graft.base, {name: array.shape for name, array in state.items()})
    load_canonical(target.family, module, state, target.architecture)
    return module


def whole_network(base: Checkpoint) -> nn.Module:
    """The very recogniser that a base is, to be tested."""
    from voxgraft.models.ctc.networks import build_network, load_canonical, require_consistent

    require_consistent(base)
    module = build_network(base.family, base.architecture)
    load_canonical(base.family, module, base.tensors, base.architecture)
    return module.eval()


def with_alphabet(config: RunConfig, path: Path) -> RunConfig:
    """The same settings with an alphabet file."""
    graft = config.graft.model_copy(update={"alphabet": str(path), "bytes": False})
    return config.model_copy(update={"graft": graft})


def _target(config: RunConfig, base: Checkpoint | None, alphabet: SymbolTable | None) -> Target:
    from voxgraft.models.ctc.networks import NETWORKS

    if base is not None:
        target = target_for(config, base, (), alphabet)
        if target.symbols is None:
            return target
        target = with_adapters(target, base, config)
        # Without what a base has besides: a decoder, what it was pre-trained with.
        return replace(target, shapes=NETWORKS[base.family].shapes(target.architecture))
    symbols, settings = alphabet or project_symbols(config, None), config.recogniser
    assert symbols is not None, "named, or derived from the corpus by then"
    architecture: dict[str, Any] = {
        "symbols": symbols.rows,
        "n_hidden": settings.n_hidden or HIDDEN_FROM_SCRATCH,
        "layer_norm": settings.layer_norm,
    }
    network = NETWORKS[FROM_SCRATCH]
    return Target(
        family=FROM_SCRATCH,
        quality=None,
        sample_rate=network.features.sample_rate,
        architecture=architecture,
        symbols=symbols,
        speakers=(),
        shapes=network.shapes(architecture),
        graft=config.graft,
        frozen=config.training.freeze,
    )
