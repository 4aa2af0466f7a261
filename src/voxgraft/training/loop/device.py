"""Where and in which numbers a run computes."""

from __future__ import annotations

from pathlib import Path

import torch

from voxgraft.config.run import Device, TrainingConfig
from voxgraft.errors import TrainingError

# Clips a step where memory says nothing against it; more gain little in quality on small corpora.
BATCH_ON_CPU = 6
BATCH_ON_GPU = 32
# Measured with a window of 80 frames and a segment of 32, medium, light discriminators.
BYTES_A_CLIP = 500 * 2**20
BYTES_OF_THE_MODEL = 2 * 2**30
# Where the system doesn't say, as on macOS and Windows.
MEMORY_ASSUMED = 8 * 2**30
MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def choose_device(wanted: Device) -> str:
    """`cpu`, `cuda` or `mps`. Raises TrainingError for one that isn't there."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return "cuda" if there["cuda"] else "cpu"
    if not there[wanted]:
        raise TrainingError(
            "this device is not available to torch",
            field="training.device",
            expected=" or ".join(name for name, found in there.items() if found),
            got=wanted,
            remedy="Choose one that is there, or install a torch that was built for yours.",
        )
    return wanted


def choose_precision(wanted: str, device: str) -> torch.dtype | None:
    """bf16 where the hardware multiplies it natively, else None: float32."""
    if wanted == "auto":
        return torch.bfloat16 if multiplies_bf16(device) else None
    return torch.bfloat16 if wanted == "bf16" else None


def multiplies_bf16(device: str) -> bool:
    """Whether bf16 products have their own instructions here; elsewhere they are emulated, slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def choose_batch(settings: TrainingConfig, clips: int, device: str) -> int:
    """Clips a step, of all processes together: as set, or as many as memory takes and the corpus makes sensible.

    TrainingError where a process would be left without a clip.
    """
    if settings.batch != "auto":
        batch = min(settings.batch, clips)
    else:
        processes = settings.devices * settings.nodes
        most = BATCH_ON_GPU * processes if device == "cuda" else BATCH_ON_CPU
        fit = (free_memory(device) - BYTES_OF_THE_MODEL) // BYTES_A_CLIP
        batch = int(max(1, min(most, fit * (processes if device == "cuda" else 1), clips)))
    return require_clips(batch, settings.devices * settings.nodes)


def shared_batch(settings: TrainingConfig, clips: int, each: int) -> int:
    """Clips a step, of all processes together: as set, or `each` a process; no more than there are.

    TrainingError where a process would be left without a clip.
    """
    processes = settings.devices * settings.nodes
    return require_clips(min(each * processes if settings.batch == "auto" else settings.batch, clips), processes)


def require_clips(batch: int, processes: int) -> int:
    """The same batch. TrainingError where a process would be left without a clip."""
    if batch < processes:
        raise TrainingError(
            "more processes than clips in a batch",
            field="training.devices",
            expected=f"at most {batch}",
            got=processes,
            remedy="Take fewer devices, or set a larger training.batch.",
        )
    return batch


def free_memory(device: str) -> int:
    """Bytes that can still be had; the file cache counts as free, a container's limit as the end."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return min(_available(MEMINFO), _left_in_container(CGROUP))


def _available(meminfo: Path) -> int:
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return MEMORY_ASSUMED
    sizes = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return sizes[0] if sizes else MEMORY_ASSUMED


def _left_in_container(folder: Path) -> int:
    """What the control groups, version 2 or 1, leave; no limit where there is none."""
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            return int((folder / limit).read_text()) - int((folder / used).read_text())
        except (OSError, ValueError):
            continue
    return 2**63
