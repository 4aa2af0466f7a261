"""Report: what a page may hold. Only the title and the comparison are needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from voxgraft.evaluation.compare import Comparison
from voxgraft.graft.plan import GraftPlan


class ClipFinding(Protocol):
    """What the corpus check says about one clip."""

    @property
    def clip(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def detail(self) -> str: ...

    @property
    def remedy(self) -> str: ...


@dataclass(frozen=True)
class Report:
    """One page. `facts`, `corpus` and `provenance` are name -> value; `history` are rows of metrics.jsonl.

    `languages` of the texts is set for screen readers and hyphenation (`en`). `config` is plain data as in
    voxgraft.yaml.
    """

    title: str
    comparison: Comparison
    lead: str = ""
    language: str = "en"
    facts: Mapping[str, object] = field(default_factory=dict)
    history: Sequence[Mapping[str, object]] = ()
    plan: GraftPlan | None = None
    corpus: Mapping[str, object] = field(default_factory=dict)
    findings: Sequence[ClipFinding] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()
    made_by: str = ""
