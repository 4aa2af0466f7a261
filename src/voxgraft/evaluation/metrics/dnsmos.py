"""Dnsmos: how clean speech sounds, as a network trained on people's ratings guesses it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from voxgraft.audio.resample import resample
from voxgraft.errors import EvaluationError, MissingExtra

RATE = 16_000
WINDOW = 144_160
OVERALL = (-0.06766283, 1.11546468, 0.04602535)
MODEL = Path("dnsmos_models") / "sig_bak_ovr.onnx"


class Dnsmos:
    """DNSMOS P.835 (Reddy et al. 2022), overall quality, 1 to 5: the ONNX file inside the package speechmos.

    Run on onnxruntime directly: speechmos itself goes through librosa for a second score that is not used here,
    which costs half a minute on the first call on a machine. Clips under 9.01 s are repeated to that length and
    scored once (speechmos doubles them and averages over windows that hold the same clip again); longer ones
    are scored at every second and averaged, as in speechmos.
    """

    def __init__(self, threads: int = 2) -> None:
        """Raises MissingExtra without speechmos."""
        import onnxruntime

        spec = find_spec("speechmos")
        if spec is None or not spec.submodule_search_locations:
            raise MissingExtra("speechmos", "eval", "measuring sound quality (DNSMOS)")
        file = Path(spec.submodule_search_locations[0]) / MODEL
        if not file.is_file():
            raise EvaluationError(
                "the package speechmos holds no DNSMOS model",
                file=file,
                remedy="Reinstall it: `pip install --force-reinstall speechmos`.",
            )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def score(self, audio: np.ndarray, sample_rate: int) -> float:
        """Overall quality of one clip [T], 1 (bad) to 5 (excellent)."""
        audio = np.clip(resample(audio, sample_rate, RATE), -1, 1)
        if not len(audio):
            raise EvaluationError("an empty clip has no sound quality", remedy="Leave empty clips out.")
        if len(audio) < WINDOW:
            audio = np.tile(audio, -(-WINDOW // len(audio)))[:WINDOW]
        hops = int(len(audio) // RATE - WINDOW / RATE) + 1
        windows = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::RATE][: max(1, hops)]
        raw = [self._session.run(None, {"input_1": window[None].astype(np.float32)})[0][0][2] for window in windows]
        return float(np.mean(np.polyval(OVERALL, raw)))
