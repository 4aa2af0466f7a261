"""A vocoder is measured by how near it comes to recordings, beside its base; and exported by the verb of all."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests import paths  # noqa: E402
from tests.training.tasks.vits.tiny_project import corpus  # noqa: E402
from tests.training.tasks.vocoder.tiny_vocoder import BASE  # noqa: E402

from voxgraft.audio.spectrogram import mel_spectrogram  # noqa: E402
from voxgraft.corpus.prepare.prepare import prepare_audio  # noqa: E402
from voxgraft.errors import EvaluationError  # noqa: E402
from voxgraft.export.source import find_source  # noqa: E402
from voxgraft.export.vocoder.load import load_generator  # noqa: E402
from voxgraft.inference.vocoder.vocoder import Vocoder  # noqa: E402
from voxgraft.training.tasks.task import EvaluationRequest, ExportRequest  # noqa: E402
from voxgraft.training.tasks.vocoder.task import TASK  # noqa: E402

OTHER = paths.FIXTURES / "vocoders" / "vocos.safetensors"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    return corpus(tmp_path_factory.mktemp("recordings"), ("abc", "bad cab", "dab"), seconds=0.4)


def test_base_and_result_are_held_against_recordings(recordings):
    opened = TASK.open_result(str(BASE))
    found = TASK.evaluate(opened, EvaluationRequest(corpus=str(recordings), base=str(OTHER)))
    assert list(found.values) == ["base", "result"]
    for role in found.values:
        for value, low, high in found.values[role].values():
            assert 0 < low <= value <= high
    assert found.title == "3 recordings"
    assert len(found.rows) == 2
    audio = prepare_audio(recordings / "wavs" / "0.wav", opened.audio, loudness=None, trim=False)
    audio = audio[: len(audio) // 32 * 32]
    mel = mel_spectrogram(audio, opened.audio)[:, : len(audio) // 32]
    again = load_generator(opened)(torch.from_numpy(mel)[None])[0, 0].numpy()
    distance = np.abs(mel_spectrogram(again, opened.audio) - mel_spectrogram(audio, opened.audio)).mean()
    # One of the three recordings: of the same size as the mean.
    assert found.values["result"]["mel_distance"][1] <= distance <= found.values["result"]["mel_distance"][2]


def test_what_is_no_vocoder_is_left_to_others():
    assert TASK.open_result(str(paths.FIXTURES / "everyvoice" / "text-to-spec.ckpt")) is None
    assert TASK.open_result("no-such-voice") is None
    with pytest.raises(EvaluationError, match="no recordings"):
        TASK.evaluate(TASK.open_result(str(BASE)), EvaluationRequest())


@pytest.mark.parametrize("to", ["onnx", "sherpa"])
def test_the_verb_of_export_writes_it(tmp_path, to):
    checkpoint = TASK.open_result(str(OTHER))
    written = TASK.export(find_source(str(OTHER)), checkpoint, ExportRequest(to=to, out=tmp_path, name="mine"))
    assert (written.to, written.name, written.files) == (to, "mine", (tmp_path / "mine.onnx",))
    assert Vocoder.load(written.files[0], threads=1).speak(np.zeros((8, 9), np.float32)).shape == (288,)
