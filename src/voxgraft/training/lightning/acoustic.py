"""AcousticModule: a text-to-spec model as a LightningModule.

module = AcousticModule(checkpoint_path_v1="text-to-spec.ckpt")
Trainer(max_epochs=1).fit(module, train_dataloaders=module.train_dataloader("recordings"))
mel = AcousticModule.load_from_checkpoint("last.ckpt").synthesise("Some words.")
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning
import torch

from voxgraft.checkpoints import Checkpoint, open_checkpoint
from voxgraft.checkpoints.checkpoint import Provenance
from voxgraft.checkpoints.formats.voxgraft.metadata import KEY, metadata_of
from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest
from voxgraft.corpus.prepare.frames import prepare_frames
from voxgraft.corpus.prepare.variance import VarianceStatistics
from voxgraft.errors import TrainingError
from voxgraft.graft.apply import apply_plan, build
from voxgraft.graft.make import make_plan, scratch_plan
from voxgraft.graft.target import target_for
from voxgraft.text.encode import encode_text
from voxgraft.training.lightning.acoustic_batches import acoustic_loader
from voxgraft.training.loop.draws import generator
from voxgraft.training.tasks.acoustic.batches import Batch
from voxgraft.training.tasks.acoustic.bins import as_the_base_has_them
from voxgraft.training.tasks.acoustic.data import spec_of, usable_examples
from voxgraft.training.tasks.acoustic.describe import STATISTICS, statistics_of
from voxgraft.training.tasks.acoustic.families.registry import acoustic_family
from voxgraft.training.tasks.acoustic.module import BETAS, EPSILON, hold_still
from voxgraft.training.tasks.acoustic.phase import EPOCHS, SCHEDULE, LossSchedule, done_by, share_at_begin
from voxgraft.training.tasks.acoustic.rates import loss_weights, parameter_groups, with_rates
from voxgraft.training.tasks.graft_notice import notice_plan

SETTINGS = "acoustic"
LANGUAGE = "language"
_PREFIX = "network."
# EveryVoice's steps in which the rates rise from scratch, and ours on a base.
WARMUP, WARMUP_OF_A_BASE = 1000, 20


class AcousticModule(lightning.LightningModule):
    """A text-to-spec `network`, which a checkpoint holds under its family's canonical names.

    `checkpoint_path_v1` is a base in any format that voxgraft opens, older ones of tts-framework and VoiceSmith too: it is
    grafted by plan, which is said and kept as `plan`. Without one, `family` and `size` are those of a network from scratch
    that reads `symbols` (a file of them), or the IPA of `language`. `speakers` and `languages` are the names of the tables'
    rows; empty keeps the base's. Further arguments are settings of the section `acoustic`, such as `learning_rates`, `phase`
    or `weights`. Raises VoxgraftError where the base can't be opened or grafted, or a setting is wrong.
    """

    def __init__(
        self,
        *,
        checkpoint_path_v1: str | Path | None = None,
        symbols: str | Path | None = None,
        language: str | None = None,
        speakers: Sequence[str] = (),
        languages: Sequence[str] = (),
        seed: int = 0,
        **acoustic: Any,
    ) -> None:
        super().__init__()
        self.base = open_checkpoint(checkpoint_path_v1) if checkpoint_path_v1 is not None else None
        config = RunConfig(
            task="acoustic",
            base=str(checkpoint_path_v1 or "none"),
            seed=seed,
            language=language or (self.base.config.get(LANGUAGE) if self.base is not None else None),
            graft={
                "symbols": str(symbols) if symbols is not None else None,
                "speakers": list(speakers),
                "languages": list(languages),
            },
            acoustic=_inherited(self.base) | acoustic,
        )
        self.target = target_for(config, self.base, tuple(speakers) or None)
        self.audio = spec_of(self.target)
        self.family = acoustic_family(self.target.family)
        self.plan = make_plan(self.base, self.target) if self.base is not None else scratch_plan(self.target)
        self.plan.require_accepted()
        notice_plan(self.plan, self.base)
        self.settings = with_rates(config, self.family, self.plan)
        self.weights = loss_weights(config, self.family)
        self.statistics = statistics_of(self.base) if self.base is not None else None
        self.network = self._grafted(None)
        self.done = share_at_begin(self.family, config, self.base)
        self.schedule: LossSchedule | None = None
        self._began = False

    def _grafted(self, statistics: VarianceStatistics | None) -> torch.nn.Module:
        """The base on a fresh network. Until the corpus' statistics are known, what follows them is as the base has it."""
        network = build(self.target, self.settings.seed)
        if statistics is not None:
            self.family.take_up(network, statistics)
            plan = self.family.refined(self.plan, self.base, network)
        else:
            plan = as_the_base_has_them(self.plan, self.base)
        apply_plan(plan, self.base, network)
        return network

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        """The weighted sum of all losses; clips are aligned by the network as it is."""
        if batch.durations is None:
            batch = batch.with_durations(self.family.align(self.network, batch))
        assert self.schedule is not None
        progress = self.schedule.at(self.global_step)
        terms = self.family.losses(self.network, batch, progress)
        self.log_dict({f"train/{name}": value.detach() for name, value in terms.items()}, batch_size=len(batch))
        ramped = self.family.ramp.terms
        found = [self.weights[n] * (progress.ramp if n in ramped else 1.0) * value for n, value in terms.items()]
        return torch.stack(found).sum()

    def on_train_start(self) -> None:
        """From here on the network is trained, and the schedule of its losses is known in steps."""
        self._began = True
        if self.schedule is None:
            ramp, each = self.family.ramp, self.trainer.accumulate_grad_batches
            steps = max(1, math.ceil(int(self.trainer.num_training_batches) / each))
            length = self.settings.acoustic.ramp_steps or ramp.length or EPOCHS * steps
            self.schedule = LossSchedule(ramp.begin, length, round((ramp.begin + length) * self.done))

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Dropout is a function of the step, so that a resume repeats it; what is frozen holds still."""
        place = (self.current_epoch, batch_idx, self.global_rank)
        torch.manual_seed(int(generator(self.settings.seed, "step", *place).integers(2**63)))
        hold_still(self.network)

    def configure_optimizers(self) -> Any:
        """AdamW, a group a part; from scratch rates rise and fall as EveryVoice's do (Noam), on a base they rise and stay."""
        groups = [
            {"params": group["params"], "lr": group["rate"]}
            for group in parameter_groups(self.network, self.family, self.settings)
        ]
        decay = self.settings.acoustic.weight_decay
        optimiser = torch.optim.AdamW(groups, betas=BETAS, eps=EPSILON, weight_decay=decay)
        warmup = WARMUP if self.base is None else WARMUP_OF_A_BASE

        def factor(step: int) -> float:
            rise = min(1.0, (step + 1) / warmup)
            return rise if self.base is not None else min(rise, math.sqrt(warmup / (step + 1)))

        scheduler = torch.optim.lr_scheduler.LambdaLR(optimiser, factor)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def forward(self, ids: torch.Tensor, speaker: int = 0, language: int = 0) -> torch.Tensor:
        """ids [N] -> mel [M, T]."""
        return self.family.synthesise(self.network, ids, speaker=speaker, language=language)[0]

    def synthesise(
        self,
        text: str,
        *,
        speaker: str | int = 0,
        language: str | int = 0,
        pace: float = 1.0,
        pitch: float = 1.0,
        energy: float = 1.0,
    ) -> torch.Tensor:
        """A text as a log mel [M, T], as `audio` has it. Speaker and language by name or number."""
        assert self.target.symbols is not None
        encodings = encode_text(text, self.target.symbols)
        ids = torch.tensor([i for encoding in encodings for i in encoding.ids], device=self.device)
        was_training = self.network.training
        self.network.eval()
        mel, _ = self.family.synthesise(
            self.network,
            ids,
            speaker=_row(speaker, self.target.speakers, "speaker"),
            language=_row(language, self.target.languages, "language"),
            pace=pace,
            pitch=pitch,
            energy=energy,
        )
        self.network.train(was_training)
        return mel

    def train_dataloader(  # type: ignore[override]
        self,
        corpus: str | Path | Manifest | None = None,
        *,
        batch: int = 16,
        cache: str | Path | None = None,
        loudness: float | None = -23.0,
        trim: bool = True,
        workers: int = 0,
    ) -> Any:
        """Batches of a corpus, a folder or a table of recordings, as functions of epoch and place: the same again on a resume.

        The first corpus of a network that has not trained yet decides what follows its statistics, such as the bins of pitch.
        Prepared recordings are kept in the folder `cache`. CorpusError: it can't be used.
        """
        if corpus is None:
            raise TrainingError(
                "there is nothing to train on",
                field="train_dataloaders",
                remedy="Give `trainer.fit` train_dataloaders=module.train_dataloader(CORPUS).",
            )
        manifest = corpus if isinstance(corpus, Manifest) else import_corpus(Path(corpus))
        folder = Path(cache) if cache is not None else Path(tempfile.gettempdir()) / "voxgraft-cache"
        prepared = prepare_frames(manifest, self.audio, loudness=loudness, trim=trim, cache_dir=folder)
        statistics = VarianceStatistics.of(prepared)
        if not self._began:
            self.network.load_state_dict(self._grafted(statistics).state_dict())
            self.statistics = statistics
        examples = usable_examples(prepared, self.target, self.settings, self.audio, statistics)
        aligns = self.family.aligns(self.network)
        loader = acoustic_loader(
            examples, batch, self.settings.seed, lambda: self.current_epoch, aligns=aligns, workers=workers
        )
        if not self._began:
            self.family.meet(self.network, lambda: loader.dataset[0])
        return loader

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Canonical names, and what the weights are, so that voxgraft opens the file as any other."""
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {name.removeprefix(_PREFIX): tensor for name, tensor in state.items()}
        step = int(checkpoint.get("global_step", 0))
        if self.schedule is not None:
            checkpoint[SCHEDULE] = asdict(self.schedule)
        described = Checkpoint(
            family=self.target.family,
            architecture=self.target.architecture,
            tensors={},
            provenance=Provenance(Path("."), "voxgraft-lightning", ""),
            symbols=self.target.symbols,
            audio=self.audio,
            speakers=self.target.speakers,
            languages=self.target.languages,
            epoch=int(checkpoint.get("epoch", 0)),
            step=step,
            config={
                SETTINGS: self.settings.acoustic.model_dump(mode="json"),
                LANGUAGE: self.settings.language,
                STATISTICS: self.statistics.to_dict() if self.statistics is not None else None,
                SCHEDULE: self.done if self.schedule is None else done_by(self.schedule, step),
            },
        )
        checkpoint[KEY] = metadata_of(described)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Of a Trainer's resume: everything goes on where it was, the schedule of the losses too."""
        state = checkpoint["state_dict"]
        checkpoint["state_dict"] = {_PREFIX + name: tensor for name, tensor in state.items()}
        if SCHEDULE in checkpoint:
            self.schedule = LossSchedule(**checkpoint[SCHEDULE])

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: Any = None, **acoustic: Any
    ) -> AcousticModule:
        """The module that a file holds: one of ours, of EveryVoice, tts-framework or any other that voxgraft opens. Nothing
        in the file is run. Settings that are given go over those that it was trained with."""
        module = cls(checkpoint_path_v1=checkpoint_path, **acoustic)
        return module if map_location is None else module.to(map_location)


def _inherited(base: Checkpoint | None) -> dict[str, Any]:
    """The settings of the module that wrote a file, but for its rates and phase, which are settled anew; none for other files."""
    stored: Any = base.config.get(SETTINGS, {}) if base is not None else {}
    known: Mapping[str, Any] = stored if isinstance(stored, dict) else {}
    return {name: value for name, value in known.items() if name not in ("learning_rates", "phase")}


def _row(wanted: str | int, names: Sequence[str], what: str) -> int:
    """Of a table, by name or number. TrainingError where there is none."""
    if isinstance(wanted, int) and 0 <= wanted < max(1, len(names)):
        return wanted
    if wanted in names:
        return list(names).index(str(wanted))
    raise TrainingError(
        f"the model has no such {what}",
        field=what,
        expected=", ".join(names) or "0, the only one",
        got=wanted,
        remedy="Give one of these, by name or by number.",
    )
