"""A VITS generator as an ONNX graph: Piper's inputs and outputs, every weight under its own name."""

from __future__ import annotations

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from voxgraft.errors import MissingExtra

if TYPE_CHECKING:
    import onnx
    import torch
    from torch import nn

    from voxgraft.models.vits import Vits

OPSET = 15
# Parts that only training uses; the tracer drops what it never reaches, this saves copying them.
TRAINING_ONLY = ("enc_q",)
EXAMPLE_IDS = (1, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 2)


def folded_copy(model: Vits) -> Vits:
    """A copy of the generator in fp32 on the CPU, weight norm folded into plain weights; `model` stays as it is."""
    import torch

    from voxgraft.models.vits import fold_weight_norm

    # deepcopy takes what the memo holds instead of copying: the parts that only training uses become None.
    left_out: dict[int, Any] = {id(part): None for name in TRAINING_ONLY if (part := getattr(model, name)) is not None}
    twin = copy.deepcopy(model, left_out).to(device="cpu", dtype=torch.float32)
    fold_weight_norm(twin)
    return twin.requires_grad_(False).eval()


def trace(twin: Vits) -> onnx.ModelProto:
    """ONNX graph of a folded generator.

    Inputs: `input` int64 [batch, phonemes], `input_lengths` int64 [batch], `scales` float32 [3] = noise, length,
    noise_w, and `sid` int64 [1] where there are several speakers. Output: `output` float32 [batch, 1, time].
    """
    import torch

    try:
        import onnx
    except ImportError as fault:
        raise MissingExtra("onnx", "train", "exporting a voice") from fault

    ids = torch.tensor([EXAMPLE_IDS]).clamp(max=twin.enc_p.emb.num_embeddings - 1)
    inputs: tuple[torch.Tensor, ...] = (ids, torch.tensor([ids.shape[1]]), torch.tensor([0.667, 1.0, 0.8]))
    names = ["input", "input_lengths", "scales"]
    if twin.speakers > 1:
        inputs, names = (*inputs, torch.tensor([0])), [*names, "sid"]
    buffer = io.BytesIO()
    with quietly(), torch.no_grad():
        torch.onnx.export(
            _graph_module(twin),
            inputs,
            buffer,
            dynamo=False,
            # Folding here would drop the names of what it folds; onnxruntime folds the same at load.
            do_constant_folding=False,
            opset_version=OPSET,
            input_names=names,
            output_names=["output"],
            dynamic_axes={
                "input": {0: "batch", 1: "phonemes"},
                "input_lengths": {0: "batch"},
                "output": {0: "batch", 2: "time"},
            },
        )
    return onnx.load_from_string(buffer.getvalue())


def _graph_module(twin: Vits) -> nn.Module:
    """The generator's parts under their own names, with inference as the forward pass."""
    from torch import nn

    class PiperGraph(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, part in twin.named_children():
                self.add_module(name, part)

        def train(self, mode: bool = True) -> PiperGraph:
            """Stay marked as training while every part is in evaluation.

            The exporter merges weights of equal value, and with them their names, unless the outermost module trains.
            """
            self.training = True
            return self

        def forward(
            self,
            ids: torch.Tensor,
            lengths: torch.Tensor,
            scales: torch.Tensor,
            speaker: torch.Tensor | None = None,
        ) -> torch.Tensor:
            return twin.infer(
                ids, lengths, noise_scale=scales[0], length_scale=scales[1], noise_w=scales[2], speaker=speaker
            )

    return PiperGraph().train()


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without the tracer's warnings about Python branches (verify.py tests what they warn of) and its prints."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
