"""A library of 1,000 bases: listing and picking, each a process of its own. Best of several, in seconds.

The row `python -c pass` is the floor: what any Python process takes here. `cold` is the first call after all
descriptions changed, before the index knows them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASES = 1000
ROUNDS = 5
COMMAND = [sys.executable, "-c", "from voxgraft.cli.main import main; main()"]
LANGUAGES = ("de", "en-us", "fr", "es", "ru", "it", "pl", "nl", "uk", "zh")
QUALITIES = ("x_low", "low", "medium", "high")


def describe(folder: Path) -> None:
    """Descriptions of bases as `add` writes them; listing and picking never look at the files themselves."""
    entries = folder / "library" / "entries"
    entries.mkdir(parents=True)
    for number in range(BASES):
        language, quality = LANGUAGES[number % 10], QUALITIES[number % 4]
        name, content = f"tts_models/{language}/voice{number}/vits-{quality}", f"{number:064x}"
        file = {"name": "epoch=1000-step=200000.ckpt", "sha256": content, "size": 845_000_000}
        entry = {
            "version": 1, "name": name, "family": "vits", "format": "piper-ckpt", "content": content, "sha256": content,
            "files": [file], "main": file["name"], "sample_rate": 22050, "epoch": 1000, "step": 200_000 + number,
            "slot": {"language": language, "voice_type": "MF"[number % 2], "quality": quality}, "licence": "CC0-1.0",
            "source": f"https://example.org/{name}.ckpt", "added": "2026-01-01",
        }  # fmt: skip
        (entries / f"{name.replace('/', '--')}.json").write_text(json.dumps(entry))


def measure(command: list[str], home: Path, rounds: int = ROUNDS) -> float:
    """Seconds of the quickest of some processes."""
    environment = os.environ | {"VOXGRAFT_HOME": str(home)}
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        describe(home)
        pick = ["library", "pick", "--language", "de", "--voice-type", "F", "--quality", "medium"]
        rows = [
            ("python -c pass", measure([sys.executable, "-c", "pass"], home)),
            ("voxgraft --help", measure([*COMMAND, "--help"], home)),
            ("list, cold", measure([*COMMAND, "library", "list"], home, 1)),
            ("list", measure([*COMMAND, "library", "list"], home)),
            ("list --json", measure([*COMMAND, "library", "list", "--json"], home)),
            ("pick", measure([*COMMAND, *pick], home)),
            ("missing de", measure([*COMMAND, "library", "missing", "de"], home)),
        ]
    print(f"{BASES} bases; best of {ROUNDS} processes, in seconds")
    for name, seconds in rows:
        print(f"{name:20} {seconds:6.2f}")


if __name__ == "__main__":
    main()
