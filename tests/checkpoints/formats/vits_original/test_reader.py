"""The original VITS: saves of its own code become Piper's names, speak as they did, and say what is not in them."""

import json
import shutil
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import CheckpointError

FIXTURES = paths.FIXTURES / "vits_original"
REFERENCE = np.load(FIXTURES / "reference.npz")
VCTK, LJS = FIXTURES / "vctk" / "G_10.pth", FIXTURES / "ljs" / "G_0.pth"


def told(checkpoint):
    return " ".join(checkpoint.notes)


def spoken(checkpoint, speaker):
    """Audio by our model with the checkpoint's tensors, without noise."""
    torch = pytest.importorskip("torch")
    model = import_module("voxgraft.models.vits").Vits(**checkpoint.architecture)
    ours = {name: torch.from_numpy(np.array(checkpoint.tensors[name])) for name in checkpoint.tensors}
    judges = {name for name in ours if name.startswith("discriminator.")}
    model.load_state_dict({name: tensor for name, tensor in ours.items() if name not in judges})
    ids = torch.from_numpy(REFERENCE["ids"]).unsqueeze(0)
    who = None if speaker is None else torch.tensor([speaker])
    with torch.no_grad():
        audio = model.eval().infer(ids, torch.tensor([ids.shape[1]]), noise_scale=0.0, noise_w=0.0, speaker=who)
    return audio.squeeze().numpy()


@pytest.mark.parametrize(("path", "name", "speaker"), [(VCTK, "vctk", 2), (LJS, "ljs", None)], ids=["vctk", "ljs"])
def test_our_model_speaks_as_the_original_did(path, name, speaker):
    np.testing.assert_allclose(spoken(open_checkpoint(path), speaker), REFERENCE[name], atol=1e-4)


def test_facts_of_a_run_of_several_speakers():
    checkpoint = open_checkpoint(VCTK)
    assert (checkpoint.family, checkpoint.provenance.format) == ("vits", "vits-original")
    assert (checkpoint.epoch, checkpoint.step, checkpoint.missing) == (2, 10, ())
    assert checkpoint.learning_rate == pytest.approx(2e-4 * 0.999875**2)
    assert checkpoint.speakers == ("0", "1", "2")
    assert checkpoint.architecture["gin_channels"] == 4
    assert checkpoint.architecture["resblock_dilations"] == ((1, 3, 5), (1, 2, 6))
    assert (checkpoint.audio.sample_rate, checkpoint.audio.n_fft, checkpoint.audio.hop) == (16000, 128, 32)
    assert set(checkpoint.training_state) == {"optimizer", "discriminator_optimizer"}
    assert checkpoint.config["train"]["batch_size"] == 64


def test_its_table_of_symbols_is_the_originals():
    checkpoint = open_checkpoint(LJS)
    theirs = {symbol: (number,) for number, symbol in enumerate(REFERENCE["symbols"].tolist())}
    assert dict(checkpoint.symbols.ids) == theirs
    assert (checkpoint.symbols.rows, checkpoint.symbols.voice, checkpoint.symbols.text_kind) == (178, "en-us", "espeak")
    assert checkpoint.symbols.encode("həlˈoʊ, wˈɜːld.").ids == tuple(REFERENCE["ids"].tolist())
    assert "not in its files" in told(checkpoint)


def test_a_generator_alone_lacks_its_discriminators(tmp_path):
    alone = open_checkpoint(Path(shutil.copy(VCTK, tmp_path / "voice.bin")))
    assert alone.missing == ("discriminators",)
    assert alone.audio is None
    assert "config.json is not beside it" in told(alone)
    assert not any(name.startswith("discriminator") for name in alone.tensors)


def test_discriminators_alone_point_to_their_generator():
    with pytest.raises(CheckpointError, match="without its voice") as caught:
        open_checkpoint(FIXTURES / "vctk" / "D_10.pth")
    assert "G_10.pth" in caught.value.remedy


def test_discriminators_are_named_as_pipers():
    names = set(open_checkpoint(VCTK).tensors)
    assert {"discriminator.discriminators.0.convs.0.weight_g", "discriminator.discriminators.5.conv_post.bias"} <= names


def run_folder(tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(FIXTURES / "vctk", folder)
    return folder


def resaved(source, target, change):
    torch = pytest.importorskip("torch")
    content = torch.load(source, weights_only=True)
    change(content)
    torch.save(content, target)


def aged(content):
    for state in content["optimizer"]["state"].values():
        state["step"] = 4


def test_a_folder_gives_its_newest_save_by_what_is_inside(tmp_path):
    folder = run_folder(tmp_path)
    resaved(VCTK, folder / "G_9999.pth", aged)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.provenance.path == folder / "G_10.pth"
    assert checkpoint.step == 10
    assert "2 saves" in told(checkpoint)


def test_a_damaged_neighbour_is_passed_over_and_named(tmp_path):
    folder = run_folder(tmp_path)
    (folder / "G_11.pth").write_bytes(VCTK.read_bytes()[:5000])
    (folder / "D_10.pth").write_bytes(b"PK\x03\x04 and no more")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.missing == ("discriminators",)
    assert "G_11.pth is passed over" in told(checkpoint)
    assert "D_10.pth beside it is not used" in told(checkpoint)


def test_discriminators_of_another_save_are_not_mixed_in(tmp_path):
    folder = run_folder(tmp_path)
    resaved(folder / "D_10.pth", folder / "D_10.pth", lambda content: content.update(iteration=1))
    checkpoint = open_checkpoint(folder / "G_10.pth")
    assert checkpoint.missing == ("discriminators",)
    assert "no discriminators of the same save" in told(checkpoint)


def test_discriminators_that_a_link_brings_in_are_not_read(tmp_path):
    folder = run_folder(tmp_path)
    shutil.move(folder / "D_10.pth", tmp_path / "outside.pth")
    (folder / "D_10.pth").symlink_to(tmp_path / "outside.pth")
    checkpoint = open_checkpoint(folder / "G_10.pth")
    assert checkpoint.missing == ("discriminators",)
    assert "leads out of the folder" in told(checkpoint)


def with_config(tmp_path, change):
    folder = run_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    change(config)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return open_checkpoint(folder)


def test_a_config_that_contradicts_the_tensors_loses(tmp_path):
    checkpoint = with_config(
        tmp_path, lambda c: (c["model"].update(hidden_channels=192), c["data"].update(n_speakers=9))
    )
    assert checkpoint.architecture["hidden_channels"] == 4
    assert "hidden_channels=192" in told(checkpoint)
    assert "num_speakers=9" in told(checkpoint)


def test_symbols_and_speakers_that_descendants_write_into_the_config(tmp_path):
    def described(config):
        config["symbols"] = ["_", *"abcdefghij"]
        config["speakers"] = {"ada": 0, "bo": 2}
        config["data"] |= {"text_cleaners": ["basic_cleaners"], "add_blank": False}

    checkpoint = with_config(tmp_path, described)
    assert checkpoint.speakers == ("ada", "1", "bo")
    assert checkpoint.symbols.text_kind == "text"
    assert checkpoint.symbols.encode("abc").ids == (1, 2, 3)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["data"].update(sampling_rate=-5, mel_fmin="x", hop_length=0, text_cleaners=7),
        lambda c: c["data"].update(sampling_rate="22050", n_speakers="many"),
        lambda c: c.update(speakers=[{}, 3], symbols=[1, 2]),
        lambda c: c.update(symbols=["a"] * 500),
    ],
)
def test_absurd_configs_do_not_break_reading(tmp_path, change):
    checkpoint = with_config(tmp_path, change)
    assert checkpoint.architecture["speakers"] == 3
    assert checkpoint.audio is None or checkpoint.audio.sample_rate == 16000


@pytest.mark.parametrize("config", ["{", "[]", '{"model": 3}', "\xff"])
def test_a_config_of_another_kind_is_noted_and_not_used(tmp_path, config):
    folder = run_folder(tmp_path)
    (folder / "config.json").write_text(config, "latin-1")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.audio is None
    assert "is not used" in told(checkpoint)


def test_rows_that_are_not_the_originals_leave_the_symbols_open(tmp_path):
    torch = pytest.importorskip("torch")
    path = tmp_path / "G_1.pth"
    resaved(VCTK, path, lambda c: c["model"].update({"enc_p.emb.weight": torch.zeros(90, 4)}))
    checkpoint = open_checkpoint(path)
    assert checkpoint.symbols is None
    assert "90 rows" in told(checkpoint)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda m: m.pop("dec.conv_post.weight"), "dec.conv_post.weight"),
        (lambda m: m.pop("dec.ups.0.weight_v"), "dec.ups.0"),
        (lambda m: m.update({"enc_p.emb.weight": "x"}), "enc_p.emb.weight"),
        (lambda m: m.pop("enc_p.proj.weight"), "enc_p.proj.weight"),
    ],
)
def test_incomplete_voices_are_refused_by_the_tensors_name(tmp_path, change, named):
    resaved(VCTK, tmp_path / "x.pth", lambda content: change(content["model"]))
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(tmp_path / "x.pth")
    assert named in caught.value.summary


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_truncated_files_are_refused_with_their_name(tmp_path, share):
    data = VCTK.read_bytes()
    path = tmp_path / "G_10.pth"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert "G_10.pth" in caught.value.summary


def test_a_gadget_in_the_optimizer_does_not_run(tmp_path):
    torch = pytest.importorskip("torch")
    mark = tmp_path / "ran"

    class Gadget:
        def __reduce__(self):
            return (exec, (f"open({str(mark)!r}, 'w')",))

    content = torch.load(VCTK, weights_only=True)
    content["optimizer"]["state"][0]["step"] = Gadget()
    torch.save(content, tmp_path / "G_10.pth")
    checkpoint = open_checkpoint(tmp_path / "G_10.pth")
    assert checkpoint.step == 10
    assert any("exec" in name for name in checkpoint.provenance.unsafe_globals)
    assert not mark.exists()


@pytest.mark.parametrize("step", ["ten", -1, float("inf"), None, [3]])
def test_absurd_counts_are_left_out(tmp_path, step):
    def spoil(content):
        for state in content["optimizer"]["state"].values():
            state["step"] = step
        content |= {"iteration": step, "learning_rate": "fast"}
        content["optimizer"]["param_groups"][0]["lr"] = step

    resaved(VCTK, tmp_path / "x.pth", spoil)
    checkpoint = open_checkpoint(tmp_path / "x.pth")
    assert (checkpoint.epoch, checkpoint.step) == (None, None)
    assert checkpoint.learning_rate is None
