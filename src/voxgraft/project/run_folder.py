"""Names and places in the folders of a project and of a run, in one place. Paths alone: nothing is read or written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from voxgraft.config.load import PROJECT_FILE
from voxgraft.config.run import RunConfig

# What the run of a matched vocoder is called after its model's.
MATCHED = "-matched-vocoder"
MANIFEST = Path("corpus", "manifest.jsonl")
_CHECKPOINT = re.compile(r"epoch=(\d+)-step=(\d+)\.(ckpt|safetensors)")


@dataclass(frozen=True)
class ProjectFolder:
    """A project's folder, wherever it lies now."""

    path: Path

    @property
    def settings(self) -> Path:
        """voxgraft.yaml."""
        return self.path / PROJECT_FILE

    @property
    def corpus(self) -> Path:
        """What is known of the recordings, which may lie elsewhere."""
        return self.path / "corpus"

    @property
    def manifest(self) -> Path:
        """The imported recordings and their texts."""
        return self.path / MANIFEST

    @property
    def check_page(self) -> Path:
        """What `corpus check` found, as a page."""
        return self.corpus / "check.html"

    @property
    def cache(self) -> Path:
        """Prepared recordings."""
        return self.corpus / "cache"

    @property
    def synthesized_spec(self) -> Path:
        """Spectrograms that text-to-spec models made of the recordings, a folder for each model."""
        return self.corpus / "synthesized_spec"

    @property
    def runs(self) -> Path:
        """A folder for each run."""
        return self.path / "runs"

    @property
    def voices(self) -> Path:
        """Exported voices."""
        return self.path / "voices"

    @property
    def recognisers(self) -> Path:
        """Exported recognisers."""
        return self.path / "recognisers"

    @property
    def vocoders(self) -> Path:
        """Exported vocoders."""
        return self.path / "vocoders"

    def run(self, name: str) -> RunFolder:
        """The folder of the run of that name."""
        return RunFolder(self.runs / name)


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run, PROJECT/runs/NAME, wherever it lies now."""

    path: Path

    @property
    def name(self) -> str:
        """Of the run, and of what it exports."""
        return self.path.name

    @property
    def project(self) -> ProjectFolder:
        """The project that the run belongs to."""
        return ProjectFolder(self.path.parent.parent)

    @property
    def config(self) -> Path:
        """The settings that the run began with, resolved."""
        return self.path / "config.yaml"

    @property
    def plan(self) -> Path:
        """The graft plan that the run began with."""
        return self.path / "plan.json"

    @property
    def alphabet(self) -> Path:
        """The labels that a recogniser took from its corpus."""
        return self.path / "alphabet.txt"

    @property
    def checkpoints(self) -> Path:
        """Everything that a resume needs, of the last steps."""
        return self.path / "checkpoints"

    @property
    def best(self) -> Path:
        """Weights of the best so far, alone."""
        return self.path / "best"

    @property
    def best_record(self) -> Path:
        """What the best validation measured."""
        return self.path / "best.json"

    @property
    def metrics(self) -> Path:
        """A JSON line for each step that is recorded."""
        return self.path / "metrics.jsonl"

    @property
    def samples(self) -> Path:
        """What each validation spoke."""
        return self.path / "samples"

    @property
    def test(self) -> Path:
        """What a recogniser scored on recordings that were set aside."""
        return self.path / "test.json"

    @property
    def report(self) -> Path:
        """The report, as a page."""
        return self.path / "report.html"

    @property
    def voice(self) -> Path:
        """Where the run's best voice is exported to, PROJECT/voices/NAME."""
        return self.project.voices / self.name

    @property
    def recogniser(self) -> Path:
        """Where the run's best recogniser is exported to, PROJECT/recognisers/NAME."""
        return self.project.recognisers / self.name

    @property
    def recogniser_model(self) -> Path:
        """The exported recogniser itself."""
        return self.recogniser / f"{self.name}.onnx"

    @property
    def vocoder(self) -> Path:
        """Where the run's best vocoder is exported to, PROJECT/vocoders/NAME.onnx."""
        return self.project.vocoders / f"{self.name}.onnx"

    @property
    def matched(self) -> RunFolder:
        """The run of the vocoder that was matched to this run's text-to-spec model."""
        return self.project.run(f"{self.name}{MATCHED}")

    @property
    def is_run(self) -> bool:
        """Whether a run began here."""
        return self.config.is_file() and self.checkpoints.is_dir()


def project_folder(config: RunConfig) -> ProjectFolder:
    """The folder of the project that these settings are of."""
    return ProjectFolder(Path(config.output))


def run_folder(config: RunConfig) -> RunFolder:
    """The folder of the run that these settings are of: OUTPUT/runs/NAME."""
    return project_folder(config).run(config.name)


def checkpoint_name(epoch: int, step: int, suffix: str = ".ckpt") -> str:
    """`epoch=E-step=S.ckpt`, or of another kind of file."""
    return f"epoch={epoch}-step={step}{suffix}"


def step_of(path: Path) -> int | None:
    """The step in the name of a checkpoint; None for another file."""
    match = _CHECKPOINT.fullmatch(path.name)
    return int(match[2]) if match else None


def checkpoints_in(folder: Path) -> list[Path]:
    """Whole checkpoints of a folder, oldest step first; half-written files have other names."""
    steps = {path: step for path in folder.glob("epoch=*") if (step := step_of(path)) is not None}
    return sorted(steps, key=lambda path: steps[path])
