"""The demo of a two-stage voice: a small pair takes on another speaker's sound, its vocoder is matched, and both are compared."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.run import RunConfig
from voxgraft.demo.voice import check_sample, require_packages, speak
from voxgraft.evaluation.instruments import METRIC_NAMES

if TYPE_CHECKING:
    from voxgraft.evaluation.compare import Comparison
    from voxgraft.matching.match import Matched
    from voxgraft.training.run import RunResult

ACOUSTIC, VOCODER = "tiny-en-acoustic", "tiny-en-vocoder"
# Of fifteen minutes on two CPU cores: the text-to-spec model's, then the vocoder's.
TRAINING_MINUTES = 5.0
MATCHING_MINUTES = 4.0


@dataclass(frozen=True)
class TwoStageResult:
    """What came out; `None` for what was not reached where training was interrupted."""

    run: RunResult
    seconds: float
    matched: Matched | None = None
    comparison: Comparison | None = None
    voice: Path | None = None
    report: Path | None = None
    sample: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """One JSON document."""
        scores = self.comparison.to_dict() if self.comparison else {}
        return {
            "seconds": round(self.seconds, 1),
            "base": scores.get("base"),
            "result": scores.get("result"),
            "recordings": scores.get("recordings"),
            "matching": self.matched.to_dict() if self.matched else None,
            "voice": str(self.voice) if self.voice else None,
            "report": str(self.report) if self.report else None,
            "sample": str(self.sample) if self.sample else None,
            "run": str(self.run.folder),
        }


def two_stage_config(
    folder: Path, minutes: float = TRAINING_MINUTES, seed: int = 0, overrides: Sequence[str] = ()
) -> RunConfig:
    """The demo as a project: the bundled corpus, its 12 texts held out, the bundled pair as bases."""
    from voxgraft.config.load import with_overrides
    from voxgraft.corpus import sample

    config = RunConfig(
        name="allison",
        output=str(folder),
        task="acoustic",
        base=ACOUSTIC,
        seed=seed,
        corpus={
            "path": str(sample.FOLDER),
            "held_out": sample.held_out_ids(),
            "validation": 4,
            "licence": sample.ATTRIBUTION,
            "consent": "published recordings",
        },
        training={"minutes": minutes},
        acoustic={"vocoder": VOCODER},
    )
    return with_overrides(config, overrides)


def run_two_stage(
    folder: Path,
    *,
    minutes: float = TRAINING_MINUTES,
    matching_minutes: float = MATCHING_MINUTES,
    seed: int = 0,
    overrides: Sequence[str] = (),
    matching: Sequence[str] = (),
) -> TwoStageResult:
    """Check, train, match, evaluate, speak, report. Begun again after a stop, it goes on where it was.

    `overrides` change settings of the text-to-spec model's run, `matching` those of the vocoder's.
    """
    from voxgraft.matching.match import match
    from voxgraft.project.run_folder import run_folder
    from voxgraft.training.run import train

    require_packages()
    began = time.monotonic()
    config = two_stage_config(folder, minutes, seed, overrides)
    check_sample(folder)
    result = train(config, resume=run_folder(config).config.exists())
    if not result.finished:
        return TwoStageResult(result, time.monotonic() - began)
    matched = match(config, values=MATCHING | {"training.minutes": matching_minutes}, overrides=matching)
    if not matched.run.finished:
        return TwoStageResult(result, time.monotonic() - began, matched)
    voice = _exported(result.folder, matched.run.folder, folder / "voices" / config.name, config.name)
    base = _exported(str(config.base), str(config.acoustic.vocoder), folder / "voices" / "base", "base")
    comparison = _compare(config, base, voice)
    sample = folder / "hello.wav"
    speak(voice, sample)
    report = folder / "report.html"
    _report(report, config, matched, comparison, time.monotonic() - began)
    return TwoStageResult(result, time.monotonic() - began, matched, comparison, voice, report, sample)


# A small vocoder in a few minutes: EveryVoice's rate of 1e-5 is for days.
MATCHING = {"vocoder.learning_rates.generator": 2e-4, "vocoder.learning_rates.discriminator": 2e-4}


def _exported(text_to_spec: str | Path, vocoder: str | Path, folder: Path, name: str) -> Path:
    """Both as one voice that any Piper runtime speaks."""
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.pair.pair import describe_pair, load_pair
    from voxgraft.export.pair.voice import export_pair
    from voxgraft.export.source import find_source

    pair = load_pair(*(open_checkpoint(find_source(part).path) for part in (text_to_spec, vocoder)))
    return export_pair(pair, describe_pair(pair, name=name, language="en-us"), folder)


def _compare(config: RunConfig, base: Path, voice: Path) -> Comparison:
    from voxgraft.corpus import sample
    from voxgraft.evaluation.compare import compare
    from voxgraft.evaluation.material import from_corpus
    from voxgraft.evaluation.voice import SeededVoice

    held_out, target = from_corpus(sample.bundled(), sample.held_out_ids())
    voices = {"base": SeededVoice(base), "result": SeededVoice(voice)}
    return compare(
        {role: speaker.candidate() for role, speaker in voices.items()},
        held_out,
        target=target,
        seeds=1,
        language="en",
        recogniser=config.evaluation.recogniser,
        metrics=[name for name in METRIC_NAMES if config.evaluation.dnsmos or name != "dnsmos"],
    )


def _report(path: Path, config: RunConfig, matched: Matched, comparison: Comparison, seconds: float) -> None:
    from voxgraft.corpus import sample
    from voxgraft.evaluation.report import Report, write_report
    from voxgraft.evaluation.report.history import read_history
    from voxgraft.files import write_atomically
    from voxgraft.graft.plan import read_plan
    from voxgraft.project.run_folder import run_folder

    run = run_folder(config)
    write_report(
        path,
        Report(
            title="A two-stage voice from five minutes of speech",
            comparison=comparison,
            lead=f"A small pair of models took on the sound of another speaker in {seconds / 60:.0f} minutes, vocoder "
            "matching and evaluation included.",
            language="en",
            facts={"Text-to-spec": ACOUSTIC, "Vocoder": VOCODER, "Matching": matched.report},
            history=read_history(run.metrics),
            plan=read_plan(run.plan),
            config=config.model_dump(mode="json"),
            notes=list(matched.notes),
            provenance={"Bases": "distilled from en_US-joe-medium (CC0)", "Recordings": sample.ATTRIBUTION},
        ),
    )
    write_atomically(run.report, path.read_bytes())
