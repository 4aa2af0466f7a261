"""Preparing a corpus for a text-to-spec model (sound, mel, pitch, energy, statistics), next to `everyvoice preprocess`.

    python -m benchmarks.corpus_preparation CORPUS [--peer PYTHON] [--clips 500] [--workers 2]

CORPUS is a folder with metadata.csv and wavs/; PYTHON that of an environment with everyvoice 0.5.0. Each runs in a process of
its own, from recordings to what training reads, on an empty disk. Like work only: its check of loudness, which takes seconds a
clip on a CPU, is switched off, text and attention priors are left out, and we neither trim nor match loudness (a last row
has both). Wall and CPU seconds, those of child processes among them; imports are not counted, but those of processes that the
peer starts for its work are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from voxgraft.cli.output import print_table

RATE = 22050
_CLOCK = """
import json, os, resource, sys, time
def cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
def timed(work):
    wall, used = time.perf_counter(), cpu()
    work()
    return {"wall": time.perf_counter() - wall, "cpu": cpu() - used}
def peak():
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
"""
OURS = (
    _CLOCK
    + """
import warnings
from pathlib import Path
from voxgraft.audio.loudness import loudness
from voxgraft.corpus.export_everyvoice import everyvoice_spec
from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.prepare.frames import prepare_frames, require_world
from voxgraft.corpus.prepare.variance import VarianceStatistics
import numpy as np, soxr
require_world("measuring"); loudness(np.zeros(9), 16000)
corpus, cache, workers, whole = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4] == "whole"
manifest = import_corpus(corpus)
def work():
    entries = prepare_frames(
        manifest, everyvoice_spec(int(sys.argv[5])), loudness=-23.0 if whole else None, trim=whole, cache_dir=cache, workers=workers
    )
    VarianceStatistics.of(entries)
print(json.dumps({"all": timed(work), "peak": peak(), "clips": len(manifest), "seconds": manifest.seconds}))
"""
)
# For every process of the peer's: recordings are read and written by soundfile, where torchaudio wants TorchCodec, and the
# check of loudness is off.
SHIM = """
import soundfile, torch, torchaudio
def load(path, **options):
    x, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    return torch.from_numpy(x.T.copy()), rate
def save(path, audio, rate, **options):
    soundfile.write(str(path), audio.numpy().T, rate, subtype="PCM_16")
class Loud:
    def __init__(self, rate): pass
    def __call__(self, x): return torch.tensor(-20.0)
torchaudio.load, torchaudio.save, torchaudio.transforms.Loudness = load, save, Loud
"""
THEIRS = (
    _CLOCK
    + """
import torch
torch.set_num_threads(int(sys.argv[3]))
from everyvoice.model.feature_prediction.config import FeaturePredictionConfig
from everyvoice.preprocessor import Preprocessor
import pyworld, librosa.filters
corpus, out, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
source = {"label": "x", "permissions_obtained": True, "data_dir": corpus + "/wavs", "filelist": corpus + "/list.psv", "sox_effects": []}
config = FeaturePredictionConfig(
    contact={"contact_name": "A", "contact_email": "a@example.com"},
    preprocessing={"save_dir": out, "source_data": [source], "audio": {"min_audio_length": 0.1, "max_audio_length": 60}},
)
own = Preprocessor(config)
found, used = {}, cpu()
for step in ("audio", "spec", "energy", "pitch"):
    found[step] = timed(lambda: own.preprocess(cpus=workers, to_process=(step,)))
def statistics():
    energy, pitch, *_ = own.compute_stats(char_length=False, phone_length=False)
    own.normalize_stats(energy, pitch)
found["statistics"] = timed(statistics)
found["all"] = {"wall": sum(part["wall"] for part in found.values())}
# What its workers used is known when they have ended.
from joblib.externals.loky import get_reusable_executor
get_reusable_executor().shutdown(wait=True)
found["all"]["cpu"] = cpu() - used
found["peak"] = peak()
with open(out + "/found.json", "w") as file:
    json.dump(found, file)
"""
)


def ours(corpus: Path, workers: int, whole: bool = False) -> dict:
    """Seconds, peak of memory in MB and clips of our preparation."""
    with tempfile.TemporaryDirectory() as cache:
        command = [
            sys.executable,
            "-c",
            OURS,
            str(corpus),
            cache,
            str(workers),
            "whole" if whole else "alike",
            str(RATE),
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        return json.loads(done.stdout)


def theirs(python: Path, corpus: Path, workers: int) -> dict:
    """Seconds of each step of the peer's."""
    with tempfile.TemporaryDirectory() as out:
        script = Path(out) / "preprocess.py"
        script.write_text(THEIRS)
        (Path(out) / "sitecustomize.py").write_text(SHIM)
        command = [str(python), str(script), str(corpus), f"{out}/done", str(workers)]
        (Path(out) / "done").mkdir()
        own = {**os.environ, "PYTHONPATH": out}
        done = subprocess.run(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"the peer failed:\n{done.stdout[-3000:]}")
        return json.loads((Path(out) / "done" / "found.json").read_text())


def part_of(corpus: Path, clips: int, folder: Path) -> Path:
    """The first clips of a corpus as one of its own, with a filelist of the peer's."""
    rows = (corpus / "metadata.csv").read_text("utf-8").splitlines()[:clips]
    folder.mkdir()
    (folder / "wavs").symlink_to((corpus / "wavs").absolute())
    (folder / "metadata.csv").write_text("".join(f"{row}\n" for row in rows), "utf-8")
    cells = [row.replace("\\", "").replace('"', "").split("|")[:2] for row in rows]
    listed = "".join(f"{name}|{text}\n" for name, text in cells)
    (folder / "list.psv").write_text(f"basename|characters\n{listed}", "utf-8")
    return folder


def main() -> None:
    """Print two tables: ours beside the peer's, and how ours grows with the corpus."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--peer", type=Path)
    parser.add_argument("--clips", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        whole = part_of(asked.corpus, asked.clips, Path(folder) / "all")
        rows = []
        for workers in dict.fromkeys((1, asked.workers)):
            mine = ours(whole, workers)
            other = theirs(asked.peer, whole, workers) if asked.peer else None
            for name, found in ((("everyvoice", other),) if other else ()) + (("ours", mine),):
                faster = f"{other['all']['wall'] / found['all']['wall']:.2f}×" if other else ""
                less = f"{other['all']['cpu'] / found['all']['cpu']:.2f}×" if other else ""
                steps = ", ".join(
                    f"{k} {v['wall']:.1f}" for k, v in found.items() if isinstance(v, dict) and k != "all"
                )
                rows.append((workers, name, *_seconds(found), faster, less, steps))
        both = ours(whole, asked.workers, whole=True)
        rows.append((asked.workers, "ours, trimmed and at one loudness", *_seconds(both), "", "", ""))
        headings = ("workers", "system", "wall s", "cpu s", "peak MB", "faster", "less cpu", "wall s of each step")
        print_table(f"{mine['clips']} clips at {RATE} Hz", headings, rows)
        growth = []
        for share in (4, 2, 1):
            found = ours(part_of(asked.corpus, asked.clips // share, Path(folder) / f"1-{share}"), asked.workers)
            growth.append(
                (
                    found["clips"],
                    f"{found['seconds']:.0f}",
                    *_seconds(found),
                    f"{1000 * found['all']['cpu'] / found['seconds']:.2f}",
                )
            )
        print_table(
            "ours, by clips", ("clips", "seconds", "wall s", "cpu s", "peak MB", "cpu ms a second of sound"), growth
        )


def _seconds(found: dict) -> tuple[str, str, str]:
    return f"{found['all']['wall']:.1f}", f"{found['all']['cpu']:.1f}", f"{found['peak']:.0f}"


if __name__ == "__main__":
    main()
