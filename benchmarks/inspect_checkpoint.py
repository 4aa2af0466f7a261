"""How long `voxgraft inspect` takes on a full-size training checkpoint, and how much memory, beside torch.load.

    python -m benchmarks.inspect_checkpoint [--keep FOLDER]

The checkpoint is a medium voice with discriminators and Adam's state for both: 845 MB, as Piper's trainer writes it.
Its weights are random, its names and shapes are authentic. Each measurement is a fresh process; the file is in the
page cache for both.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import subprocess
import sys
import tempfile
from pathlib import Path

MEASURE = """
import json, resource, sys, time
began = time.perf_counter()
{code}
seconds = time.perf_counter() - began
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([seconds, memory]), file=sys.stderr)
"""
OURS = "import sys; sys.argv = ['voxgraft', 'inspect', {path!r}, '--json']\ntry:\n    from voxgraft.cli.main import main; main()\nexcept SystemExit: pass"
TORCH = "import torch; torch.load({path!r}, weights_only=False, map_location='cpu')"
HASH = "import hashlib; hashlib.file_digest(open({path!r}, 'rb'), 'sha256')"
ROUNDS = 3


def make_checkpoint(path: Path) -> None:
    """A medium voice as Piper's trainer saves it: G and D, and two moments for each of their parameters."""
    import torch

    from voxgraft.config.presets import preset
    from voxgraft.models.discriminators import PiperDiscriminator
    from voxgraft.models.vits import Vits

    keywords = preset("medium")
    rate = keywords.pop("sample_rate")
    networks = {"model_g.": Vits(**keywords), "model_d.": PiperDiscriminator()}
    state, optimizers = {}, []
    for prefix, network in networks.items():
        state |= {prefix + name: tensor for name, tensor in network.state_dict().items()}
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-4)
        for parameter in network.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        optimizers.append(optimizer.state_dict())
    torch.save(
        {
            "epoch": 2164,
            "global_step": 1355540,
            "pytorch-lightning_version": "1.7.7",
            "state_dict": state,
            "optimizer_states": optimizers,
            "hyper_parameters": {"sample_rate": rate, "num_symbols": 256, "num_speakers": 1},
        },
        path,
    )


def measure(code: str, path: Path) -> tuple[float, float]:
    """Best (seconds, MB of resident memory) of a few fresh processes."""
    results = []
    for _ in range(ROUNDS):
        script = MEASURE.format(code=code.format(path=str(path)))
        run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        results.append(json.loads(run.stderr.strip().splitlines()[-1]))
    return min(r[0] for r in results), min(r[1] for r in results)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--keep", type=Path, help="keep the checkpoint in this folder, and use it if it is there")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (chosen.keep or Path(temporary)) / "epoch=2164-step=1355540.ckpt"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            # In a process of its own: what it takes would count as its children's peak.
            maker = multiprocessing.get_context("spawn").Process(target=make_checkpoint, args=(path,))
            maker.start()
            maker.join()
        print(f"{path.stat().st_size / 1e6:.0f} MB; best of {ROUNDS} processes")
        print(f"{'':28} {'seconds':>8} {'MB':>7}")
        for name, code in (
            ("voxgraft inspect", OURS),
            ("of which sha256 alone", HASH),
            ("torch.load (not a peer)", TORCH),
        ):
            seconds, memory = measure(code, path)
            print(f"{name:28} {seconds:8.2f} {memory:7.0f}")


if __name__ == "__main__":
    main()
