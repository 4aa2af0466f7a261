"""Coqui TTS' fixtures, and copies of them to alter."""

import json
import shutil

from tests import paths

COQUI = paths.FIXTURES / "coqui_tts"
SPOKEN = {"noise_scale": 0.0, "noise_w": 0.0}


def altered(name, path, change):
    """The checkpoint `name` in `path`, its content changed by `change(content, torch)`."""
    import torch

    content = torch.load(COQUI / f"{name}.pth", weights_only=True)
    change(content, torch)
    torch.save(content, path)
    return path


def release(folder, **changes):
    """A copy of the release folder; `changes` alter its config.json."""
    shutil.copytree(COQUI / "vits", folder)
    config = folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | changes))
    return folder
