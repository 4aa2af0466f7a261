"""Our recognisers in sherpa-onnx, against our own runtime."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from tests import paths
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.export.recogniser.taught_recogniser import RATE, TEXTS, recordings, taught

from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.recogniser.onnx import export_recogniser
from voxgraft.export.recogniser.pack import write_recogniser_pack
from voxgraft.export.recogniser.sherpa import NEMO, OMNILINGUAL, sherpa_onnx_of, sherpa_tokens
from voxgraft.inference.recogniser.recogniser import Recogniser
from voxgraft.text.alphabet import alphabet_table, byte_table


@pytest.fixture(scope="module")
def learned():
    return taught("fastconformer")


def heard_by(loader, model, clips, **arguments):
    sherpa = pytest.importorskip("sherpa_onnx")
    recogniser = getattr(sherpa.OfflineRecognizer, loader)(str(model), str(model.with_name("tokens.txt")), **arguments)
    streams = []
    for clip in clips:
        streams.append(recogniser.create_stream())
        streams[-1].accept_waveform(RATE, clip)
    recogniser.decode_streams(streams)
    return [stream.result for stream in streams]


def test_sherpa_hears_what_we_hear_with_its_own_features(learned, tmp_path, capsys):
    model = export_recogniser(learned, tmp_path, "tiny")
    assert "runs in sherpa-onnx too: OfflineRecognizer.from_nemo_ctc(" in capsys.readouterr().err
    ours = Recogniser.load(model)
    clips = recordings()
    assert [ours.transcribe(clip, RATE).text for clip in clips] == [*TEXTS.values()]
    times = [
        [word.start for word in segment.words] for clip in clips for segment in ours.transcribe(clip, RATE).segments
    ]
    # Both at once, the shorter one padded; and each alone.
    for found in (heard_by(NEMO, model, clips), [heard_by(NEMO, model, [clip])[0] for clip in clips]):
        assert [result.text.strip() for result in found] == [*TEXTS.values()]
        for result, words in zip(found, times, strict=True):
            np.testing.assert_allclose(result.timestamps, words, atol=0.081)


def test_sherpa_hears_samples_as_we_do(tmp_path):
    model = export_recogniser(taught("wav2vec2"), tmp_path, "tiny")
    ours = Recogniser.load(model)
    assert [ours.transcribe(clip, RATE).text for clip in recordings()] == [*TEXTS.values()]
    assert [result.text.strip() for result in heard_by(OMNILINGUAL, model, recordings())] == [*TEXTS.values()]


def test_what_sherpa_cannot_hear_is_said_to_be_ours_alone(tmp_path, capsys):
    checkpoint = open_checkpoint(DEEPSPEECH / "english")
    pack = write_recogniser_pack(checkpoint, tmp_path, "tiny")
    note = "this recogniser runs in voxgraft alone: sherpa-onnx has no loader for models that hear as deepspeech does"
    assert note in capsys.readouterr().err
    assert f"* {note}.\n" in (pack.folder / "card.md").read_text("utf-8")
    assert not (pack.folder / "tokens.txt").exists()
    whisper = open_checkpoint(HUGGING_FACE / "whisper")
    assert sherpa_onnx_of("whisper", whisper.audio, checkpoint.symbols).loader is None


def test_a_pack_holds_the_tokens_and_says_how_to_load(learned, tmp_path):
    pack = write_recogniser_pack(learned, tmp_path, "tiny")
    assert pack.folder / "tokens.txt" in pack.files
    assert "OfflineRecognizer.from_nemo_ctc(" in (pack.folder / "card.md").read_text("utf-8")


def test_features_that_sherpa_makes_otherwise_are_named(learned):
    hearing = learned.audio
    assert sherpa_onnx_of("fastconformer", replace(hearing, n_mels=128), learned.symbols).arguments == {
        "feature_dim": 128
    }
    other = sherpa_onnx_of("fastconformer", replace(hearing, win=320, preemphasis=0.0), learned.symbols)
    assert other.loader is None
    assert "preemphasis, win" in other.note
    assert sherpa_onnx_of("fastconformer", hearing, byte_table()).loader is None


def test_tokens_hold_every_number_once():
    table = replace(alphabet_table([" ", "a", "#"]), rows=6)
    assert sherpa_tokens(table) == "▁ 0\na 1\n# 2\n<blk> 3\n<unused_4> 4\n<unused_5> 5\n"


def test_the_documentation_runs(learned, tmp_path, monkeypatch):
    import re

    pytest.importorskip("sherpa_onnx")
    export_recogniser(learned, tmp_path, "ann")
    soundfile.write(tmp_path / "recording.wav", recordings()[0], RATE)
    monkeypatch.chdir(tmp_path)
    document = paths.ROOT / "docs" / "runtimes.md"
    blocks = re.findall(r"```python\n(.*?)```", document.read_text("utf-8"), re.DOTALL)
    names: dict = {}
    exec(compile(next(block for block in blocks if "from_nemo_ctc" in block), str(document), "exec"), names)
    assert names["text"] == next(iter(TEXTS.values()))
