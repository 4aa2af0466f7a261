"""A pair with everything that its next owner needs."""

from __future__ import annotations

import zipfile

import pytest
from tests.export.pair.conftest import ACOUSTIC, VOCODER

pytest.importorskip("torch")

from voxgraft.checkpoints import open_checkpoint
from voxgraft.export.pair.pack import write_pair_pack
from voxgraft.export.pair.pair import describe_pair, load_pair


def test_a_pack_holds_the_voice_and_the_weights_of_both(pair, tmp_path):
    pack = write_pair_pack(pair, describe_pair(pair, name="ada"), tmp_path, archive=True)
    names = {file.name for file in pack.files}
    voice = "und-ada-custom.onnx"
    weights = {"text-to-spec.safetensors", "vocoder.safetensors"}
    assert names == {voice, f"{voice}.json", "tokens.txt", "card.md", *weights}
    again = load_pair(*(open_checkpoint(pack.folder / name) for name in sorted(weights)))
    assert again.acoustic.audio == open_checkpoint(ACOUSTIC).audio
    assert again.acoustic.languages == ("eng", "fra")
    assert not any("discriminator" in name for name in again.vocoder.tensors)
    card = (pack.folder / "card.md").read_text("utf-8")
    assert f"Vocoder: {VOCODER.name}" in card
    assert "acoustic.vocoder: vocoder.safetensors" in card
    assert pack.archive is not None
    with zipfile.ZipFile(pack.archive) as archive:
        assert {name.rpartition("/")[2] for name in archive.namelist()} == names


def test_a_voice_is_called_as_the_run_that_made_its_model(pair):
    """Whose weights lie in a file named after a step, in a folder `best`."""
    from dataclasses import replace

    own = replace(pair, acoustic=replace(pair.acoustic, config={"name": "ann"}))
    assert describe_pair(own).voice_name == "und-ann-custom"
    odd = replace(pair, acoustic=replace(pair.acoustic, config={"name": "a/../b"}))
    assert describe_pair(odd).voice_name == "und-text_to_spec-custom"
