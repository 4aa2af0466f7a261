"""What a text-to-spec model says of itself: where it comes from, and what its pitch and energy are measured against."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from torch import nn

from voxgraft.checkpoints import Checkpoint
from voxgraft.checkpoints.checkpoint import Provenance
from voxgraft.config.run import RunConfig
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.errors import CorpusError
from voxgraft.graft.target import Target
from voxgraft.training.tasks.acoustic.data import AcousticData
from voxgraft.training.tasks.acoustic.phase import SCHEDULE, LossSchedule, done_by

STATISTICS = "statistics"


@dataclass(frozen=True)
class Described:
    """Plain data that a run begins with and keeps. `statistics` are `VarianceStatistics.to_dict`."""

    name: str
    base: str | None
    language: str | None
    licence: str | None
    dataset: str
    statistics: Mapping[str, Any]

    @classmethod
    def of(cls, config: RunConfig, base: Checkpoint | None, data: AcousticData) -> Self:
        """Of a run that begins; both licences bind what comes of it."""
        digest = hashlib.sha256("".join(f"{u.sha256}|{u.text}\n" for u in data.manifest).encode()).hexdigest()
        licences = dict.fromkeys(x for x in (base and base.provenance.licence, config.corpus.licence) if x)
        return cls(
            config.name,
            base.provenance.path.name if base is not None else None,
            config.language,
            ", ".join(licences) or None,
            digest,
            data.statistics.to_dict(),
        )

    def checkpoint(
        self, network: nn.Module, target: Target, schedule: LossSchedule, folder: Path, *, epoch: int, step: int
    ) -> Checkpoint:
        """The network as it is, ready to be written."""
        return Checkpoint(
            family=target.family,
            architecture=target.architecture,
            tensors={name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()},
            provenance=Provenance(folder, "voxgraft-run", "", self.licence, self.base, self.dataset),
            symbols=target.symbols,
            audio=target.audio,
            speakers=target.speakers,
            languages=target.languages,
            epoch=epoch,
            step=step,
            config={
                "name": self.name,
                "base": self.base,
                "language": self.language,
                STATISTICS: dict(self.statistics),
                SCHEDULE: done_by(schedule, step),
            },
        )


def statistics_of(checkpoint: Checkpoint) -> VarianceStatistics | None:
    """What a model's pitch and energy are measured against, as ours and EveryVoice's checkpoints say; None where none does."""
    stated = checkpoint.config.get(STATISTICS) or checkpoint.config.get("stats")
    try:
        return None if stated is None else VarianceStatistics.from_dict(stated)
    except CorpusError:
        return None
