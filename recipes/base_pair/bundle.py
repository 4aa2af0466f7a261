"""Write the best of a run as a small base: half precision, without discriminators.

python recipes/base_pair/bundle.py RUN OUT.safetensors [--source TEXT]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from voxgraft import open_checkpoint
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.export.source import find_source

SOURCE = "distilled from en_US-joe-medium (CC0) by recipes/base_pair"


def main() -> None:
    """Write it, and say how large it is."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("run", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("--source", default=SOURCE)
    chosen = arguments.parse_args()
    found = open_checkpoint(find_source(chosen.run).path)
    tensors = {name: halved(found.tensors[name]) for name in found.shapes if not name.startswith("discriminator.")}
    provenance = replace(found.provenance, licence="CC0-1.0", source=chosen.source, dataset=chosen.out.stem)
    # Places on the machine that trained it are nobody's business.
    config = {name: value for name, value in found.config.items() if name not in ("base", "generated")}
    config["name"] = chosen.out.stem
    write_safetensors(chosen.out, replace(found, tensors=tensors, provenance=provenance, config=config))
    print(f"{chosen.out}: {chosen.out.stat().st_size / 2**20:.1f} MB, {found.step} steps")


def halved(array: np.ndarray) -> np.ndarray:
    """Float tensors as float16: what base and graft make of them is computed in float32 again."""
    return array.astype(np.float16) if array.dtype.kind == "f" else array


if __name__ == "__main__":
    main()
