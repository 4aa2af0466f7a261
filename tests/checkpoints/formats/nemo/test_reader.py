"""NVIDIA's .nemo archives: read in place, under the names that `transformers` gives the same weights."""

import io
import re
import tarfile

import numpy as np
import pytest
import yaml
from safetensors.numpy import load_file
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError

torch = pytest.importorskip("torch")

# Names of `transformers` -> NeMo's, as its conversion script has them the other way round.
BACK = (
    (r"encoder\.subsampling\.layers\.", "encoder.pre_encode.conv."),
    (r"encoder\.subsampling\.linear\.", "encoder.pre_encode.out."),
    (r"\.conv\.norm\.", ".conv.batch_norm."),
    (r"ctc_head\.", "decoder.decoder_layers.0."),
    (r"\.([qkv])_proj\.", r".linear_\1."),
    (r"\.o_proj\.", ".linear_out."),
    (r"\.relative_k_proj\.", ".linear_pos."),
    (r"\.bias_([uv])$", r".pos_bias_\1"),
)
CONFIG = {
    "target": "nemo.collections.asr.models.ctc_bpe_models.EncDecCTCModelBPE",
    "preprocessor": {"sample_rate": 16000, "window_size": 0.025, "window_stride": 0.01, "n_fft": 512, "features": 80},
    "encoder": {"d_model": 8, "n_layers": 2, "n_heads": 2, "feat_in": 80, "xscaling": False, "subsampling_factor": 8},
    "decoder": {"vocabulary": ["<unk>", "▁t", "▁the", "a", "b", "é", "▁", "ing"]},
    "tokenizer": {"dir": "nemo:abc_tokenizer.model", "type": "bpe"},
}


def state():
    named = load_file(HUGGING_FACE / "parakeet" / "model.safetensors")
    weights = {"preprocessor.featurizer.window": torch.ones(400), "preprocessor.featurizer.fb": torch.ones(1, 80, 257)}
    for name, value in named.items():
        for pattern, target in BACK:
            name = re.sub(pattern, target, name)
        weights[name] = torch.from_numpy(value)
    return weights


def archive(path, config=CONFIG, weights=None, prefix="./", more=(), mode="w"):
    buffer = io.BytesIO()
    torch.save(state() if weights is None else weights, buffer)
    text = config if isinstance(config, bytes) else yaml.safe_dump(config, allow_unicode=True).encode()
    with tarfile.open(path, mode) as tar:
        for name, raw in (
            (f"{prefix}model_config.yaml", text),
            (f"{prefix}model_weights.ckpt", buffer.getvalue()),
            *more,
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(raw)
            tar.addfile(entry, io.BytesIO(raw))
    return path


@pytest.mark.parametrize("prefix", ["./", "", "model/../"])
def test_the_same_tensors_as_transformers(tmp_path, prefix):
    path = tmp_path / "x.nemo"
    archive(path, prefix=prefix)
    if ".." in prefix:
        with pytest.raises(CheckpointError, match="climbs out"):
            open_checkpoint(path)
        return
    ours, theirs = open_checkpoint(path), open_checkpoint(HUGGING_FACE / "parakeet")
    assert (ours.family, ours.provenance.format) == ("fastconformer", "nemo")
    assert set(ours.tensors) == set(theirs.tensors)
    for name in ours.tensors:
        np.testing.assert_array_equal(ours.tensors[name], theirs.tensors[name])
    assert {**ours.architecture, "scale_input": True} == theirs.architecture
    assert ours.architecture["scale_input"] is False
    assert ours.audio == theirs.audio
    assert ours.symbols.blank == "<blank>"
    assert ours.symbols.ids["▁the"] == (2,)
    assert ours.notes == ()
    assert list(tmp_path.iterdir()) == [path]


def test_characters_and_a_vocabulary_that_does_not_fit(tmp_path):
    path = archive(tmp_path / "x", CONFIG | {"tokenizer": None})
    assert open_checkpoint(path).symbols.text_kind == "ctc"
    path = archive(tmp_path / "y", CONFIG | {"decoder": {"vocabulary": ["a"]}})
    checkpoint = open_checkpoint(path)
    assert checkpoint.symbols is None
    assert any("vocabulary" in note for note in checkpoint.notes)


def test_other_models_of_nemos_are_refused_by_name(tmp_path):
    weights = {"encoder.pre_encode.conv.0.weight": torch.zeros(4, 1, 3, 3), "joint.enc.weight": torch.zeros(2, 2)}
    path = archive(tmp_path / "x.nemo", CONFIG | {"target": "nemo.EncDecRNNTBPEModel"}, weights)
    with pytest.raises(CheckpointError, match="EncDecRNNTBPEModel"):
        open_checkpoint(path)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"target: [", "not YAML"),
        (b"- 1", "not a YAML mapping"),
        (b"a: &x [1]\nb: *x", "refers back"),
        (b"!!python/object/apply:os.system ['true']", "not YAML"),
        (b"\xff\xfe", "not YAML"),
        (b"a: " + b"x" * (5 * 2**20), "too large"),
        (CONFIG | {"preprocessor": {"sample_rate": -1}}, "preprocessor.sample_rate"),
    ],
)
def test_configurations_that_cannot_be(tmp_path, config, words):
    with pytest.raises(CheckpointError, match=words):
        open_checkpoint(archive(tmp_path / "x.nemo", config))


def test_a_compressed_archive_says_what_to_do(tmp_path):
    with pytest.raises(CheckpointError, match="gzip"):
        open_checkpoint(archive(tmp_path / "x.nemo", mode="w:gz"))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_off(tmp_path, share):
    path = archive(tmp_path / "x.nemo")
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(CheckpointError):
        open_checkpoint(path)


def test_links_and_other_tars_are_not_taken(tmp_path):
    path = tmp_path / "x.nemo"
    with tarfile.open(path, "w") as tar:
        for name in ("model_config.yaml", "model_weights.ckpt"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
    with pytest.raises(CheckpointError, match="tar archive"):
        open_checkpoint(path)


def test_a_gadget_in_the_weights_never_runs(tmp_path):
    canary = tmp_path / "canary"

    class Gadget:
        def __reduce__(self):
            import os

            return os.mkdir, (str(canary),)

    path = archive(tmp_path / "x.nemo", weights={**state(), "extra": Gadget()})
    checkpoint = open_checkpoint(path)
    assert checkpoint.provenance.unsafe_globals == ("posix.mkdir",)
    assert not canary.exists()


@pytest.mark.parametrize(
    "where",
    [
        {"aux_ctc": {"decoder": {"vocabulary": CONFIG["decoder"]["vocabulary"]}}},
        {"joint": {"vocabulary": CONFIG["decoder"]["vocabulary"]}},
        {"aux_ctc": {"decoder": {"vocabulary": [1, 2, 3, "a", "b", "é", "▁", "ing"]}}},
    ],
)
def test_the_vocabulary_of_a_hybrid(tmp_path, where):
    """A hybrid's decoder is its transducer's; the CTC head has a place of its own."""
    weights = {name.replace("decoder.decoder_layers", "ctc_decoder.decoder_layers"): t for name, t in state().items()}
    weights["decoder.prediction.embed.weight"] = torch.zeros(9, 4)
    config = (
        {name: value for name, value in CONFIG.items() if name != "decoder"} | {"decoder": {"pred_hidden": 4}} | where
    )
    symbols = open_checkpoint(archive(tmp_path / "x.nemo", config, weights)).symbols
    assert (symbols.blank, symbols.rows, symbols.ids["ing"]) == ("<blank>", 9, (7,))
