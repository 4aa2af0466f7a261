"""abilities_of: what voxgraft can do with a checkpoint, and where it can't, what is in the way."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from voxgraft.architectures.families import Family, families, family_of
from voxgraft.checkpoints.checkpoint import Checkpoint
from voxgraft.config.presets import quality_of_network
from voxgraft.config.tasks.registry import is_trained
from voxgraft.text.g2p import DEFAULT_VOICE, unreadable

_NEW_LAYER = "  # with an alphabet of your own and a new output layer"
_NO_RATE = "the file does not say its sample rate: put its configuration beside it"
_NO_SYMBOLS = "the file does not say what its symbols are: put its configuration beside it"


@dataclass(frozen=True)
class Ability:
    """Something that a user may want. `how` is the command that does it, ready to paste, or why it can't be done."""

    name: str
    possible: bool
    how: str


def abilities_of(checkpoint: Checkpoint, named: str | None = None) -> tuple[Ability, ...]:
    """Speak now, fine-tune, transfer, match a vocoder, export: each with its command or its obstacle.

    `named` is what the user calls the checkpoint; its path by default.
    """
    facts = _Facts(checkpoint, family_of(checkpoint.family))
    name = named or str(checkpoint.provenance.path)
    where = shlex.quote(f"./{name}" if name.startswith("-") else name)
    steps = (
        (
            "speak",
            _unspoken(facts),
            f'voxgraft say {where} "Some words."{facts.vocoder}{facts.language} -o words.wav{facts.remark}',
        ),
        ("fine-tune", _untrainable(facts), _fine_tune(facts, where)),
        ("transfer", _untransferable(facts), _transfer(facts, where)),
        (
            "match",
            _unmatchable(facts.family),
            f"voxgraft match --text-to-spec TEXT_TO_SPEC --vocoder {where} --corpus RECORDINGS",
        ),
        ("export", _unexportable(facts), _export(facts, where)),
    )
    return tuple(Ability(what, not why, why or how) for what, why, how in steps)


@dataclass(frozen=True)
class _Facts:
    """What of a checkpoint decides; commands need flags for what it leaves open."""

    checkpoint: Checkpoint
    family: Family

    @property
    def listens(self) -> bool:
        return self.family.task == "recogniser"

    @property
    def vocoder(self) -> str:
        """The flag without which a text-to-spec model is not heard."""
        return " --vocoder VOCODER" if self.family.kind == "text-to-spec" else ""

    @property
    def has_symbols(self) -> bool:
        """Whether the network has a table of symbols, or a layer that writes them."""
        return any(name in self.checkpoint.shapes for name in self.family.symbol_axis)

    @property
    def needs_alphabet(self) -> bool:
        """A recogniser that can't tell what it writes: it takes an alphabet, and a new output layer."""
        return self.listens and (not self.has_symbols or self.checkpoint.symbols is None)

    @property
    def absent(self) -> str:
        """Parts without which nothing goes; a recogniser's output layer can be made anew."""
        heads = {self.family.part_of(name) for name in self.family.symbol_axis} if self.listens else set()
        needed = [part.title for part in self.family.parts if part.speaks and part.wanted and part.name not in heads]
        lacking = set(self.family.missing(self.checkpoint.shapes))
        return ", ".join(title for title in needed if title in lacking)

    @property
    def language(self) -> str:
        """The flag for a voice that reads phonemes of a language that nobody recorded."""
        symbols = self.checkpoint.symbols
        unknown = symbols is not None and symbols.text_kind == "espeak" and symbols.voice is None
        return f" --language {DEFAULT_VOICE}" if unknown else ""

    @property
    def remark(self) -> str:
        return "  # the language is not recorded: name its own" if self.language else ""

    @property
    def quality(self) -> str:
        """The flag that tells the sample rate of a voice that does not record it, where its network is that of a preset."""
        if self.checkpoint.audio is not None or self.family.name != "vits":
            return ""
        found = quality_of_network(self.checkpoint.architecture)
        return f" --quality {found}" if found is not None else ""


def _obstacle(facts: _Facts) -> str:
    """Why the model as a whole can't be used; empty where it can."""
    if facts.absent:
        return f"the file lacks what it {'listens' if facts.listens else 'speaks'} with: {facts.absent}"
    obstacle = facts.checkpoint.network_obstacle
    if obstacle is not None:
        return obstacle.why
    return _NO_SYMBOLS if facts.has_symbols and facts.checkpoint.symbols is None and not facts.listens else ""


def _unspoken(facts: _Facts) -> str:
    return _obstacle(facts) or _not_a_voice(facts) or _unread(facts) or _unlike_its_settings(facts.checkpoint)


def _not_a_voice(facts: _Facts) -> str:
    family = facts.family
    if family.task == "acoustic" and is_trained(family.task):
        return _not_heard(facts.checkpoint)
    if family.task != "voice":
        return f"{family.title} alone is a {family.kind} model"
    if not is_trained(family.task):
        return f"voxgraft does not run {family.title} yet"
    return "" if facts.checkpoint.audio is not None else _NO_RATE


def _not_heard(checkpoint: Checkpoint) -> str:
    """Why a text-to-spec model can't be heard through any vocoder; empty where it can."""
    if checkpoint.symbols is None:
        return "it reads phonological features, which nothing here makes of a text"
    return "" if checkpoint.audio is not None else "the file does not say how its spectrograms are made"


def _unread(facts: _Facts) -> str:
    """A kind of text that nothing here makes of sentences; empty where something does."""
    symbols = facts.checkpoint.symbols
    if symbols is None or facts.family.task not in ("voice", "acoustic"):
        return ""
    return unreadable(symbols.text_kind) or ""


def _unlike_its_settings(checkpoint: Checkpoint) -> str:
    """An exported voice takes the speaker that its settings name, if it takes one."""
    stated = checkpoint.config.get("num_speakers")
    if checkpoint.provenance.format != "piper-onnx" or not isinstance(stated, int):
        return ""
    several = stated > 1 and checkpoint.architecture["speakers"] < 2
    return "its settings name several speakers, and the model has one: take the .onnx.json of this voice" * several


def _untrainable(facts: _Facts) -> str:
    trained = ", ".join(known.title for known in families().values() if is_trained(known.task))
    if not is_trained(facts.family.task):
        return _obstacle(facts) or f"voxgraft trains {trained}, not {facts.family.title} yet"
    return _obstacle(facts) or _unread(facts) or _unknown_rate(facts) or _unknown_spectrogram(facts)


def _unknown_spectrogram(facts: _Facts) -> str:
    unknown = facts.family.kind == "spec-to-wav" and facts.checkpoint.audio is None
    return "the file does not say how its spectrograms are made: put its configuration beside it" * unknown


def _unknown_rate(facts: _Facts) -> str:
    return _NO_RATE if facts.family.name == "vits" and facts.checkpoint.audio is None and not facts.quality else ""


def _fine_tune(facts: _Facts, where: str) -> str:
    if not facts.listens:
        flags = f"{facts.quality}{facts.language}{facts.remark}"
        name = "my-vocoder" if facts.family.kind == "spec-to-wav" else "my-voice"
        return f"voxgraft new {name} --base {where} --corpus RECORDINGS{flags}"
    if not facts.needs_alphabet:
        return f"voxgraft new my-recogniser --recogniser --base {where} --corpus RECORDINGS"
    drop = " --drop_source_layers 1" * facts.has_symbols
    return (
        f"voxgraft train-stt --load_checkpoint_dir {where} --save_checkpoint_dir my-recogniser --alphabet_config_path "
        f"ALPHABET{drop} --train_files TRAIN.csv --dev_files DEV.csv{_NEW_LAYER}"
    )


def _untransferable(facts: _Facts) -> str:
    if not facts.family.symbol_axis:
        return f"{facts.family.title} has no symbols: it fits any language"
    return _obstacle(facts) or _unknown_rate(facts)


def _transfer(facts: _Facts, where: str) -> str:
    if not facts.listens:
        return f"voxgraft plan --base {where} --symbols SYMBOLS{facts.quality}"
    drop = " --drop-source-layers 1" * (facts.needs_alphabet and facts.has_symbols)
    return f"voxgraft plan --base {where} --alphabet ALPHABET{drop}{_NEW_LAYER * facts.needs_alphabet}"


def _unmatchable(family: Family) -> str:
    return "" if family.kind == "spec-to-wav" else f"{family.title} is no vocoder"


def _unexportable(facts: _Facts) -> str:
    if facts.family.kind == "spec-to-wav" and is_trained(facts.family.task):
        return _obstacle(facts)
    if not facts.listens:
        return _obstacle(facts) or _not_a_voice(facts)
    if not facts.has_symbols:
        return f"{facts.family.title} has no output layer over letters yet: train one first"
    no_alphabet = "the file does not say what its outputs mean: put its alphabet or vocabulary beside it"
    return _obstacle(facts) or _untrainable(facts) or (no_alphabet if facts.checkpoint.symbols is None else "")


def _export(facts: _Facts, where: str) -> str:
    onnx = facts.listens or facts.family.kind == "spec-to-wav"
    to = "onnx" if onnx else f"piper{facts.vocoder}{facts.language}{facts.remark}"
    return f"voxgraft export {where} --to {to}"
