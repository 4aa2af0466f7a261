"""Our losses of a FastSpeech 2, and their gradients, are EveryVoice's."""

from __future__ import annotations

import numpy as np
import pytest
from tests import paths

torch = pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.models.alignment_losses import binarisation, forward_sum  # noqa: E402
from voxgraft.models.fastspeech2 import FastSpeech2  # noqa: E402
from voxgraft.models.fastspeech2.losses import WEIGHTS, losses  # noqa: E402

FIXTURES = paths.FIXTURES / "everyvoice"
# Their names of the terms.
THEIRS = {"mel": "spec"}
EPOCHS = (0, 30, 200)


def restored(name):
    """In training, but for the dropout of the postnet."""
    checkpoint = open_checkpoint(FIXTURES / f"{name}.ckpt")
    model = FastSpeech2(**checkpoint.architecture)
    model.load_state_dict({key: torch.from_numpy(np.array(checkpoint.tensors[key])) for key in checkpoint.tensors})
    model.train()
    if hasattr(model, "postnet"):
        model.postnet.eval()
    return model


def arrays(file, prefix):
    with np.load(FIXTURES / file) as found:
        return {key.removeprefix(prefix): found[key] for key in found if key.startswith(prefix)}


def inputs(file, prefix):
    found = {name: torch.from_numpy(value) for name, value in arrays(file, prefix).items()}
    return {name: value.long() if value.dtype == torch.int32 else value for name, value in found.items()}


def terms_of(model, batch, text, **more):
    mel, frames = batch["mel"].transpose(1, 2), batch["mel_lens"]
    output = model(text, batch["src_lens"], mel, frames, batch["pitch"], batch["energy"], **more)
    mask = torch.arange(text.shape[1]) < batch["src_lens"][:, None]
    return losses(
        output,
        mel,
        mask.float(),
        batch["src_lens"].tolist(),
        frames.tolist(),
        postnet=hasattr(model, "postnet"),
    )


@pytest.fixture(params=["aligned", "searched", "features"])
def case(request):
    """A model, its terms of the batch, and EveryVoice's answers; with durations from the search within the pass or before."""
    if request.param == "features":
        batch = inputs("losses.npz", "features.in.")
        # Theirs comes averaged by phone.
        by_frame = [torch.repeat_interleave(e, d) for e, d in zip(batch["energy"], batch["duration"], strict=True)]
        batch["energy"] = torch.nn.utils.rnn.pad_sequence(by_frame, batch_first=True)
        model = restored("features")
        terms = terms_of(model, batch, batch["pfs"], durations=batch["duration"])
        return model, terms, arrays("losses.npz", "features.")
    batch = inputs("reference.npz", "training.in.")
    model, found = restored("text-to-spec"), None
    if request.param == "searched":
        mel = batch["mel"].transpose(1, 2)
        found = model.align(batch["text"], batch["src_lens"], mel, batch["mel_lens"], batch["duration"])
    terms = terms_of(
        model,
        batch,
        batch["text"],
        prior=batch["duration"],
        durations=found,
        speaker=batch["speaker_id"],
        language=batch["language_id"],
    )
    return model, terms, arrays("losses.npz", "text-to-spec.")


def test_every_term_equals_everyvoices(case):
    _, terms, theirs = case
    for epoch in EPOCHS:
        ramp = {"attn_bin": min(epoch / 100, 1.0)}
        ours = {THEIRS.get(n, n): v.item() * WEIGHTS[n] * ramp.get(n, 1.0) for n, v in terms.items()}
        ours["total"] = sum(ours.values())
        prefix = f"loss.{epoch}."
        wanted = {n.removeprefix(prefix): float(v) for n, v in theirs.items() if n.startswith(prefix)}
        assert ours == pytest.approx(wanted, rel=1e-4, abs=1e-6)


def test_gradients_equal_everyvoices(case):
    model, terms, theirs = case
    sum(WEIGHTS[name] * value for name, value in terms.items()).backward()
    names = str(theirs["parameters"]).split("\n")
    ours = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    # Theirs has one name for both kinds of input.
    renamed = {name.replace("feature_input_layer", "text_input_layer"): grad for name, grad in ours.items()}
    assert set(renamed) == set(names)
    norms = torch.stack([renamed[name].norm() for name in names])
    torch.testing.assert_close(norms, torch.from_numpy(theirs["gradients"]), rtol=1e-3, atol=1e-4)


def test_parts_of_a_batch_add_up_where_no_normalisation_looks_across_it():
    batch = inputs("reference.npz", "training.in.")
    model = restored("text-to-spec").eval()

    def terms(rows):
        some = {name: value[rows] for name, value in batch.items()}
        mel = some["mel"].transpose(1, 2)
        output = model(
            some["text"], some["src_lens"], mel, some["mel_lens"], some["pitch"], some["energy"],
            prior=some["duration"], speaker=some["speaker_id"], language=some["language_id"],
        )  # fmt: skip
        mask = (torch.arange(some["text"].shape[1]) < some["src_lens"][:, None]).float()
        share = len(mel) / len(batch["mel"])
        found = losses(
            output, mel, mask, some["src_lens"].tolist(), some["mel_lens"].tolist(),
            total_frames=int(batch["mel_lens"].sum()) * share,
        )  # fmt: skip
        return {name: value.item() * share for name, value in found.items()}

    whole, first, second = terms(slice(None)), terms(slice(0, 1)), terms(slice(1, 2))
    assert {name: first[name] + second[name] for name in whole} == pytest.approx(whole, rel=1e-5)


def test_the_forward_sum_is_low_where_the_frames_are_right_and_skips_what_has_no_alignment():
    right = torch.full((2, 4, 2), -9.0)
    right[:, :2, 0] = right[:, 2:, 1] = 0.0
    good, bad = forward_sum(right, [2, 2], [4, 4]), forward_sum(right.flip(1), [2, 2], [4, 4])
    assert good < 0.5 * bad
    assert forward_sum(right, [2, 2], [1, 1]) == 0


def test_the_binarisation_is_zero_on_the_path_alone():
    path = torch.tensor([[[1.0, 1, 0], [0, 0, 1]]])
    assert binarisation(path.transpose(1, 2), path, 3) == 0
    soft = torch.full((1, 3, 2), 0.5)
    assert binarisation(soft, path, 3) == pytest.approx(np.log(2))
