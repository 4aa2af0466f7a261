"""Transcribing: real-time factor and memory, of minutes and of an hour, whole and as a stream.

    python -m benchmarks.transcribe [MODEL] [--minutes 5 60] [--stream-minutes 5]

MODEL is an exported recogniser; by default a DeepSpeech of the release's size with random weights, which takes as long
and writes nonsense. The sound is the sample corpus again and again. A fresh process each; memory is its peak.
No peer: neither Coqui STT nor DeepSpeech has a wheel for a Python that is maintained.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np

RATE = 16000
MINUTES, STREAM_MINUTES = (5, 60), (5,)
CHUNK_SECONDS = 0.1
SAMPLE = Path(__file__).parents[1] / "src/voxgraft/corpus/sample/audio"


def random_deepspeech(folder: Path) -> Path:
    """A DeepSpeech as large as the published ones, untrained."""
    from voxgraft.checkpoints.checkpoint import Checkpoint, Provenance
    from voxgraft.export.recogniser.onnx import export_recogniser
    from voxgraft.models.ctc.networks import NETWORKS, build_network, canonical_state
    from voxgraft.text.alphabet import alphabet_table

    symbols = alphabet_table([" ", *"abcdefghijklmnopqrstuvwxyz", "'"])
    architecture = {"symbols": symbols.rows, "n_hidden": 2048}
    module = build_network("deepspeech", architecture)
    checkpoint = Checkpoint(
        family="deepspeech",
        architecture=architecture,
        tensors=canonical_state("deepspeech", module, architecture),
        provenance=Provenance(folder, "random", ""),
        symbols=symbols,
        features=NETWORKS["deepspeech"].features,
    )
    return export_recogniser(checkpoint, folder, "deepspeech")


def write_sound(path: Path, minutes: float) -> None:
    """The sample's recordings with a second between them, over and over."""
    import soundfile

    from voxgraft.audio.read import read_audio
    from voxgraft.audio.resample import resample

    clips = [resample(*read_audio(clip), RATE) for clip in sorted(SAMPLE.glob("*.flac"))]
    left = int(minutes * 60 * RATE)
    with soundfile.SoundFile(path, "w", RATE, 1, "PCM_16") as file:
        for clip in itertools.cycle(clips):
            part = np.concatenate([clip, np.zeros(RATE, np.float32)])[:left]
            file.write(part)
            left -= len(part)
            if not left:
                break


def whole(model: Path, sound: Path) -> dict[str, float]:
    """Transcribe a file."""
    from voxgraft.inference.recogniser.recogniser import Recogniser

    recogniser = Recogniser.load(model)
    began = time.perf_counter()
    last = 0.0
    for segment in recogniser.transcribe_file(sound):
        last = segment.end
    return {"seconds": time.perf_counter() - began, "sound": last}


def stream(model: Path, sound: Path) -> dict[str, float]:
    """The same as a stream, a tenth of a second at a time."""
    from voxgraft.audio.read import audio_blocks
    from voxgraft.inference.recogniser.recogniser import Recogniser
    from voxgraft.inference.recogniser.streaming import StreamingSession

    session = StreamingSession(Recogniser.load(model), RATE)
    times, count = [], 0
    with audio_blocks(sound, CHUNK_SECONDS) as blocks:
        for block in blocks:
            began = time.perf_counter()
            session.feed(block)
            session.take_segments()
            times.append(time.perf_counter() - began)
            count += len(block)
    return {"seconds": sum(times), "sound": count / RATE, "slowest": float(np.percentile(times, 99))}


def in_a_process(task: str, model: Path, sound: Path) -> dict[str, float]:
    """What a task reports, and its peak memory in MB."""
    command = [sys.executable, "-m", "benchmarks.transcribe", task, str(model), str(sound)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def report(name: str, found: dict[str, float]) -> None:
    """A row of the table."""
    late = f"{1000 * found['slowest']:>42.1f}" if "slowest" in found else ""
    print(f"{name:<28}{found['seconds'] / found['sound']:>18.4f}{found['mb']:>8.0f}{late}", flush=True)


def main(arguments: list[str]) -> None:
    """Print the table, or do one task in a process of its own."""
    if arguments[:1] in (["whole"], ["stream"]):
        found = {"whole": whole, "stream": stream}[arguments[0]](Path(arguments[1]), Path(arguments[2]))
        print(json.dumps(found | {"mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", type=Path)
    parser.add_argument("--minutes", nargs="*", type=float, default=MINUTES)
    parser.add_argument("--stream-minutes", nargs="*", type=float, default=STREAM_MINUTES)
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = chosen.model or random_deepspeech(folder)
        print(f"{date.today()}, {model.name}")
        print(f"{'':<28}{'real-time factor':>18}{'MB':>8}{'a piece of 0.1 s, 99th percentile, ms':>42}")
        for title, task, all_minutes in (
            ("transcribe", "whole", chosen.minutes),
            ("stream", "stream", chosen.stream_minutes),
        ):
            for minutes in all_minutes:
                sound = folder / "sound.wav"
                write_sound(sound, minutes)
                report(f"{title}, {minutes:g} min", in_a_process(task, model, sound))


if __name__ == "__main__":
    main(sys.argv[1:])
