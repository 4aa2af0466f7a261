"""Family: the parts of an architecture and which of its tensors follow symbols, speakers and languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

# What a family's models are for: the task that trains them, or, where nothing trains them yet, what they do.
Task = Literal["voice", "acoustic", "vocoder", "text-to-spec", "spec-to-wav", "recogniser"]
KINDS: Mapping[str, str] = {"acoustic": "text-to-spec", "vocoder": "spec-to-wav"}


@dataclass(frozen=True)
class Part:
    """A part of a model. `speaks`: it is used at inference. `wanted`: a full training checkpoint has it."""

    name: str
    title: str
    speaks: bool = True
    wanted: bool = True


@dataclass(frozen=True)
class Family:
    """An architecture, under one set of canonical tensor names.

    `prefixes` maps the beginning of a tensor's canonical name to the name of its part; the first that fits counts.
    `symbol_axis`, `speaker_axis` and `language_axis` map canonical names to the axis whose rows are symbols (output
    heads included: weight and bias), speakers or languages. `layers` are the layers of a recogniser from input to
    output, each a tuple of prefixes: `--drop-source-layers N` takes the last N. `whole` names parts that are carried
    whole or not at all. `unlike` maps variants whose network is another than voxgraft's to what they are. `switches` are
    keywords of its network that say whether there is a table: of speakers `multispeaker`, of languages `multilingual`.
    """

    name: str
    title: str
    task: Task
    parts: tuple[Part, ...]
    prefixes: tuple[tuple[str, str], ...]
    symbol_axis: Mapping[str, int] = field(default_factory=dict)
    speaker_axis: Mapping[str, int] = field(default_factory=dict)
    language_axis: Mapping[str, int] = field(default_factory=dict)
    layers: tuple[tuple[str, ...], ...] = ()
    whole: frozenset[str] = frozenset()
    unlike: Mapping[str, str] = field(default_factory=dict)
    switches: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What its models do: voice, text-to-spec, spec-to-wav or recogniser."""
        return KINDS.get(self.task, self.task)

    def part_of(self, tensor: str) -> str:
        """The name of the part that a tensor belongs to; `unknown` where no prefix fits."""
        return next((part for prefix, part in self.prefixes if tensor.startswith(prefix)), "unknown")

    def title_of(self, part: str) -> str:
        """A part in words."""
        return next((known.title for known in self.parts if known.name == part), part)

    @property
    def speaking_parts(self) -> frozenset[str]:
        """Parts that are used at inference."""
        return frozenset(part.name for part in self.parts if part.speaks)

    def layers_of(self, tensors: Iterable[str]) -> tuple[tuple[str, ...], ...]:
        """The layers that a model with these tensors has, from input to output."""
        names = list(tensors)
        return tuple(layer for layer in self.layers if any(name.startswith(layer) for name in names))

    def missing(self, tensors: Iterable[str]) -> tuple[str, ...]:
        """Titles of the parts that a full training checkpoint has and these tensors lack."""
        present = {self.part_of(tensor) for tensor in tensors}
        return tuple(part.title for part in self.parts if part.wanted and part.name not in present)
