"""The demo's time and scores: base, result and the speaker's own recordings on the held-out texts.

    python -m benchmarks.demo [--folder FOLDER] [--minutes M] [--set voice.discriminator=piper] [--corpus FOLDER]

--corpus takes a larger corpus of the same speaker, which holds the bundled clips under their ids: the held-out texts stay
the bundled twelve, and clips with those texts are left out of training.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from datetime import date
from pathlib import Path

from voxgraft.cli.output import print_table
from voxgraft.demo.voice import TRAINING_MINUTES

METRICS = ("cer", "wer", "speaker_similarity", "dnsmos", "mcd", "f0_rmse")


def main() -> None:
    """Run the demo from nothing, recovery included, and print one table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--folder", type=Path, help="where to work; a temporary folder by default")
    arguments.add_argument("--minutes", type=float, default=TRAINING_MINUTES)
    arguments.add_argument("--corpus", type=Path)
    arguments.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    chosen = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        os.environ["VOXGRAFT_HOME"] = str(folder / "home")
        from voxgraft.demo.voice import run_demo

        result = run_demo(folder / "demo", minutes=chosen.minutes, corpus=chosen.corpus, overrides=chosen.set).to_dict()
    print(json.dumps(result), flush=True)
    roles = ("base", "result", "recordings")
    rows = [[name, *(_cell(result[role], name) for role in roles)] for name in METRICS]
    threads = os.cpu_count()
    print_table(
        f"{date.today()}, {threads} CPU threads, Python {platform.python_version()}: {result['seconds']:.0f} s in all",
        ["", *roles],
        rows,
    )


def _cell(scores: dict[str, list[float] | None] | None, name: str) -> str:
    found = scores.get(name) if scores else None
    if found is None:
        return ""
    value, low, high = (f"{100 * x:.1f}" if name in ("cer", "wer") else f"{x:.3g}" for x in found)
    return f"{value}{' %' if name in ('cer', 'wer') else ''} ({low} … {high})"


if __name__ == "__main__":
    main()
