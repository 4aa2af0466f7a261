"""Batches of a vocoder: the same stretch of spectrogram and sound, as functions of the step; and what was generated."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.training.tasks.vocoder.tiny_vocoder import TINY, project  # noqa: E402

from voxgraft.audio.spec import AudioSpec  # noqa: E402
from voxgraft.audio.spectrogram import mel_spectrogram  # noqa: E402
from voxgraft.errors import TrainingError  # noqa: E402
from voxgraft.training.tasks.vocoder.batches import Cutting, generated_places, make_batch  # noqa: E402
from voxgraft.training.tasks.vocoder.data import data_of  # noqa: E402

SPEC = AudioSpec(magnitude_floor=1e-9, **TINY)
SEGMENT = 64


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return project(tmp_path_factory.mktemp("project"), base="none")


@pytest.fixture(scope="module")
def data(config):
    return data_of(config, SPEC, 0)


def with_generated(config, folder, share=1.0):
    vocoder = config.vocoder.model_copy(update={"generated": str(folder), "generated_share": share})
    return config.model_copy(update={"vocoder": vocoder})


def generated(folder, data, change=lambda mel: mel, **index):
    """Spectrograms that are the recordings' own less 1, in a folder with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, example in enumerate((*data.train, *data.validation)):
        mel = np.array(example.prepared.mel) - 1
        np.save(folder / f"{number}.npy", change(mel) if number == 2 else mel)
        files[example.prepared.utterance.id] = {"file": f"{number}.npy"}
    (folder / "index.json").write_text(json.dumps({"mels": files, **index}), "utf-8")
    return folder


def test_sound_and_spectrogram_are_of_the_same_stretch(data):
    batch = make_batch(data.train, [0, 3, 1], Cutting(SEGMENT), 7, 5)
    for clip, mel, audio in zip(batch.clips, batch.mel, batch.audio, strict=True):
        whole = data.train[clip].prepared
        place = next(
            b for b in range(whole.frames) if np.array_equal(whole.audio_between(b * 32, (b + SEGMENT) * 32), audio)
        )
        np.testing.assert_array_equal(mel, whole.mel[:, place : place + SEGMENT])
        # Its middle is the spectrogram of the stretch alone, too.
        alone = mel_spectrogram(audio.numpy(), SPEC)
        np.testing.assert_allclose(mel[:, 4:-4], alone[:, 4:-4], atol=1e-3)


def test_a_step_is_the_same_in_parts_and_again(data):
    whole = make_batch(data.train, [0, 1, 2, 3], Cutting(SEGMENT, 2), 7, 5)
    again = make_batch(data.train, [0, 1, 2, 3], Cutting(SEGMENT, 2), 7, 5)
    part = make_batch(data.train, [2, 3], Cutting(SEGMENT, 2), 7, 5, first=2, total=4)
    other = make_batch(data.train, [0, 1, 2, 3], Cutting(SEGMENT, 2), 7, 6)
    for name in ("mel", "audio", "noise"):
        assert torch.equal(getattr(whole, name), getattr(again, name))
        assert torch.equal(getattr(whole.part(2, 4), name), getattr(part, name))
        assert not torch.equal(getattr(whole, name), getattr(other, name))
    assert whole.noise.shape == (4, 2, SEGMENT)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.6, 1.0])
def test_over_the_steps_the_share_is_what_is_asked_for(share):
    counts = [len(generated_places(4, share, 0, step)) for step in range(400)]
    assert np.mean(counts) / 4 == pytest.approx(share, abs=0.03)
    assert max(counts) - min(counts) <= 1
    assert len({generated_places(4, 0.5, 0, step) for step in range(20)}) > 1


def test_only_what_goes_in_is_generated(config, data, tmp_path):
    found = data_of(with_generated(config, generated(tmp_path / "mels", data), share=0.5), SPEC, 0)
    assert found.cutting.generated_share == 0.5
    batch = make_batch(found.train, [0, 1, 2, 3], found.cutting, 7, 5)
    own = make_batch(data.train, [0, 1, 2, 3], Cutting(SEGMENT), 7, 5)
    assert torch.equal(batch.audio, own.audio)
    lower = [torch.allclose(a, b - 1) for a, b in zip(batch.mel, own.mel, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(batch.mel, own.mel, strict=True)]
    assert (sum(lower), sum(same)) == (2, 2)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda mel: mel[:, :-1], "other frames"),
        (lambda mel: np.pad(mel, ((0, 0), (0, 3))), "other frames"),
        (lambda mel: mel[:-1], "other mel bands"),
        (lambda mel: np.where(mel > mel.mean(), np.nan, mel), "no finite numbers"),
        (lambda mel: mel[0], "no spectrogram"),
    ],
)
def test_what_does_not_belong_to_its_recording_is_named(config, data, tmp_path, change, said):
    folder = generated(tmp_path / "mels", data, change)
    with pytest.raises(TrainingError, match=said) as fault:
        data_of(with_generated(config, folder), SPEC, 0)
    assert fault.value.file == str(folder / "2.npy")
    assert fault.value.field == "vocoder.generated"


def test_another_kind_of_spectrogram_is_named_by_its_field(config, data, tmp_path):
    folder = generated(tmp_path / "mels", data, audio=SPEC.to_dict() | {"fmax": 7600.0})
    with pytest.raises(TrainingError, match="another kind") as fault:
        data_of(with_generated(config, folder), SPEC, 0)
    assert (fault.value.field, fault.value.expected, fault.value.got) == ("audio.fmax", 8000, 7600.0)


def test_one_that_is_missing_is_named(config, data, tmp_path):
    folder = generated(tmp_path / "mels", data)
    (folder / "3.npy").unlink()
    with pytest.raises(TrainingError, match="no generated spectrogram"):
        data_of(with_generated(config, folder), SPEC, 0)
    with pytest.raises(TrainingError, match="no such folder"):
        data_of(with_generated(config, tmp_path / "nowhere"), SPEC, 0)


def test_everyvoices_own_files_are_taken(config, data, tmp_path):
    folder = tmp_path / "synthesized_spec"
    folder.mkdir()
    for example in (*data.train, *data.validation):
        name = f"{example.prepared.utterance.id}--default--und--spec-pred-16000-mel-librosa.pt"
        torch.save(torch.from_numpy(np.array(example.prepared.mel) + 2), folder / name)
    found = data_of(with_generated(config, folder), SPEC, 0)
    first = found.train[0]
    np.testing.assert_allclose(first.input_between(3, 9, generated=True), first.prepared.mel[:, 3:9] + 2)


def test_files_outside_of_the_folder_are_not_taken(config, data, tmp_path):
    folder = generated(tmp_path / "mels", data)
    index = json.loads((folder / "index.json").read_text())
    name = next(iter(index["mels"]))
    np.save(tmp_path / "outside.npy", np.zeros((8, 3)))
    index["mels"][name]["file"] = "../outside.npy"
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(TrainingError, match="no generated spectrogram"):
        data_of(with_generated(config, folder), SPEC, 0)
