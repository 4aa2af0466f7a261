"""Spectrograms as a text-to-spec model writes them, frame for frame as long as the recordings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests import paths

torch = pytest.importorskip("torch")
pytest.importorskip("pyworld")

from voxgraft.checkpoints import open_checkpoint  # noqa: E402
from voxgraft.corpus.manifest import Manifest, Utterance  # noqa: E402
from voxgraft.corpus.prepare.frames import PreparedFrames, prepare_frames  # noqa: E402
from voxgraft.errors import CorpusError, ExportError  # noqa: E402
from voxgraft.matching.mel_index import read_index  # noqa: E402
from voxgraft.matching.spectrograms import generate_mels, require_exact  # noqa: E402

ACOUSTIC = paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt"
RATE = 16000
# The second has sentence breaks: cut there, it would have other lengths.
LINES = {"one": "a bad bed", "two": "bed. a bed, a bad bed. bob had a bed.", "three": "bad hob"}


def recordings(folder: Path, lines: dict[str, str], **fields: str) -> Manifest:
    """Hums of several pitches and lengths."""
    folder.mkdir(parents=True, exist_ok=True)
    utterances = []
    for number, (name, text) in enumerate(lines.items()):
        length = int(RATE * 1.3 * (1 + number / 3)) + 7 * number
        time = np.arange(length) / RATE
        sound = sum(np.sin(2 * np.pi * (120 + 30 * number) * k * time) / k for k in range(1, 8))
        path = folder / f"{name}.wav"
        soundfile.write(path, 0.1 * sound, RATE)
        known = {"speaker": "ada", "language": "eng"} | fields
        utterances.append(Utterance(name, str(path), text, length / RATE, RATE, **known))
    return Manifest(tuple(utterances))


def prepared(manifest: Manifest, cache: Path) -> list[PreparedFrames]:
    audio = open_checkpoint(ACOUSTIC).audio
    assert audio is not None
    return prepare_frames(manifest, audio, loudness=None, trim=False, cache_dir=cache, workers=1)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[PreparedFrames]:
    folder = tmp_path_factory.mktemp("corpus")
    return prepared(recordings(folder / "hums", LINES), folder / "cache")


@pytest.fixture(scope="module")
def made(clips, tmp_path_factory):
    return generate_mels(open_checkpoint(ACOUSTIC), clips, tmp_path_factory.mktemp("mels"))


def test_every_spectrogram_is_as_long_as_its_recording(made, clips):
    assert len(made) == len(clips) == 3
    for clip in clips:
        mel = made.mel(clip.utterance.id)
        assert mel.shape == (8, clip.samples // 32) == clip.mel.shape
        assert np.isfinite(mel).all()


def test_durations_are_forced_and_the_rest_predicted(made, clips):
    """What the network itself makes of one utterance, with its own alignment of the recording."""
    from voxgraft.matching.spectrograms import examples_for
    from voxgraft.training.tasks.acoustic.batches import make_batch
    from voxgraft.training.tasks.acoustic.network import whole_network

    checkpoint = open_checkpoint(ACOUSTIC)
    network = whole_network(checkpoint)
    batch = make_batch(examples_for(checkpoint, clips), [1])
    with torch.no_grad():
        durations = network.align(batch.ids, batch.lengths, batch.mel, batch.frames, batch.prior)
        said = network.infer(
            batch.ids,
            batch.lengths,
            speaker=batch.speaker,
            language=batch.language,
            durations=durations,
            style=batch.mel,
        )
    assert int(durations.sum()) == clips[1].frames
    np.testing.assert_allclose(made.mel(clips[1].utterance.id), said.refined[0].numpy(), atol=1e-5)


def test_pitch_and_energy_are_forced_where_asked(made, clips, tmp_path):
    for forced in ({"force_pitch": True}, {"force_energy": True}):
        other = generate_mels(open_checkpoint(ACOUSTIC), clips[:1], tmp_path, **forced)
        assert other.folder != made.folder
        assert np.abs(other.mel(clips[0].utterance.id) - made.mel(clips[0].utterance.id)).max() > 1e-4


def test_what_is_there_is_not_made_again(clips, tmp_path):
    checkpoint = open_checkpoint(ACOUSTIC)
    first = generate_mels(checkpoint, clips[:2], tmp_path)
    files = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*.npy")}
    again = generate_mels(checkpoint, clips, tmp_path)
    assert again.folder == first.folder
    assert read_index(first.folder) == again
    assert len(again) == 3
    assert {path: path.stat().st_mtime_ns for path in files} == files
    assert again.made_with.acoustic == checkpoint.provenance.sha256


def test_a_damaged_spectrogram_is_made_again(clips, tmp_path):
    checkpoint = open_checkpoint(ACOUSTIC)
    first = generate_mels(checkpoint, clips[:1], tmp_path)
    (path,) = first.folder.rglob("*.npy")
    path.write_bytes(path.read_bytes()[:100])
    assert generate_mels(checkpoint, clips[:1], tmp_path).mel(clips[0].utterance.id).shape == clips[0].mel.shape


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"text": "zzz 世界"}, "does not know"),
        ({"speaker": "cy"}, "'cy' is none of the model's, ada, bo"),
        ({"language": "deu"}, "'deu' is none of the model's, eng, fra"),
        ({"text": "a " * 400}, "symbols for"),
    ],
)
def test_what_the_model_cant_follow_is_told_before_anything_is_made(line, words, tmp_path):
    named = {"text": "a bad bed"} | line
    text = named.pop("text")
    checkpoint, clips = (
        open_checkpoint(ACOUSTIC),
        prepared(recordings(tmp_path, {"one": text}, **named), tmp_path / "c"),
    )
    with pytest.raises(CorpusError, match=words) as caught:
        generate_mels(checkpoint, clips, tmp_path / "mels")
    assert "one.wav" in str(caught.value)
    assert not list((tmp_path / "mels").rglob("*.npy"))


def test_a_vocoder_makes_no_spectrograms(clips, tmp_path):
    with pytest.raises(ExportError, match="this is no text-to-spec model"):
        generate_mels(open_checkpoint(ACOUSTIC.with_name("spec-to-wav.ckpt")), clips, tmp_path)


@pytest.mark.parametrize(("frames", "value", "words"), [(1, 0.0, "not as long"), (0, np.nan, "not finite")])
def test_a_spectrogram_of_another_length_or_of_no_numbers_is_refused(frames, value, words, clips):
    mel = np.full((8, clips[0].frames + frames), value, np.float32)
    with pytest.raises(CorpusError, match=words) as caught:
        require_exact(mel, clips[0], 8)
    assert caught.value.field == clips[0].utterance.id


def test_an_index_that_is_damaged_is_one_error(made, tmp_path):
    copy = shutil.copytree(made.folder, tmp_path / "copy")
    index = json.loads((copy / "index.json").read_text())
    for change in ({"format": "x"}, {"audio": {"zzz": 1}}, {"mels": {"a": {"file": "../../x", "frames": 1}}}):
        (copy / "index.json").write_text(json.dumps(index | change))
        with pytest.raises(CorpusError) as caught:
            read_index(copy)
        assert caught.value.file == str(copy / "index.json")
