"""Training folders of Coqui STT and DeepSpeech: the right save, what its outputs mean, how it was trained; faults."""

import os
import random
import shutil

import numpy as np
import pytest
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.tiny_bundle import HEADER, write_bundle, write_index

from voxgraft.architectures.families import family_of
from voxgraft.architectures.names.deepspeech import LSTM, canonical_shapes
from voxgraft.audio.mfcc import MfccSpec
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.deepspeech.folder import parse_flags
from voxgraft.checkpoints.formats.voxgraft.write import write_safetensors
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError

NAMES = ("english", "cyrillic", "bytes", "norm")
BEST, LAST = "best_dev_checkpoint", "checkpoint"
DATA = ".data-00000-of-00001"


def copy_of(name, tmp_path):
    return shutil.copytree(DEEPSPEECH / name, tmp_path / name)


def refused(path):
    """The one error, and nothing on disk has changed."""
    folder = path if path.is_dir() else path.parent
    before = {file: file.lstat().st_mtime_ns for file in folder.iterdir()}
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert str(folder) in caught.value.summary
    assert caught.value.remedy
    assert {file: file.lstat().st_mtime_ns for file in folder.iterdir()} == before
    return caught.value


def noted(checkpoint, words):
    return any(words in note for note in checkpoint.notes)


def network(symbols=6, **settings):
    """The tensors of a right network."""
    shapes = canonical_shapes(symbols, **{"n_hidden": 2} | settings)
    return {name: np.ones(shape, np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ("name", "hidden", "symbols", "variant", "state"),
    [
        ("english", 8, 29, "cpu", ["adam", "counters"]),
        ("cyrillic", 12, 37, "cudnn", ["adam", "counters", "cudnn"]),
        ("bytes", 8, 256, "cpu", ["adam", "counters"]),
        ("norm", 8, 29, "amp", ["adam", "counters", "loss_scale"]),
    ],
)
def test_facts(name, hidden, symbols, variant, state):
    checkpoint = open_checkpoint(DEEPSPEECH / name)
    assert checkpoint.family == "deepspeech"
    assert checkpoint.architecture == {
        "n_hidden": hidden,
        "n_input": 26,
        "n_context": 9,
        "symbols": symbols,
        "layer_norm": name == "norm",
        "relu_clip": 20.0,
    }
    assert checkpoint.variant == variant
    assert checkpoint.step == (3 if name == "bytes" else 2)
    assert checkpoint.learning_rate == 0.001
    assert sorted(checkpoint.training_state) == state
    assert checkpoint.features == MfccSpec()
    assert checkpoint.audio is None
    assert checkpoint.symbols.rows == len(checkpoint.symbols) == symbols
    assert checkpoint.symbols.ids[checkpoint.symbols.blank] == (symbols - 1,)
    assert set(checkpoint.tensors) == set(canonical_shapes(symbols, hidden, layer_norm=name == "norm"))
    assert checkpoint.missing == ()


def test_alphabets():
    english, cyrillic = (open_checkpoint(DEEPSPEECH / name).symbols for name in ("english", "cyrillic"))
    assert english.symbols[:-1] == (" ", *"abcdefghijklmnopqrstuvwxyz", "'")
    assert cyrillic.symbols[:-1] == (" ", *"абвгдеёжзийклмнопрстуфхцчшщъыьэюя", "#", "-")
    assert english.text_kind == cyrillic.text_kind == "ctc"
    assert open_checkpoint(DEEPSPEECH / "bytes").symbols.text_kind == "bytes"


def test_the_best_of_a_folder_or_the_save_that_is_named():
    best, last = (open_checkpoint(DEEPSPEECH / "english" / name) for name in ("best_dev-2.index", "train-3.index"))
    chosen = open_checkpoint(DEEPSPEECH / "english")
    assert (best.step, last.step) == (2, 3)
    assert chosen.provenance.sha256 == best.provenance.sha256 != last.provenance.sha256
    assert noted(chosen, "best_dev-2 is taken, the best")
    assert noted(chosen, "train-3.index")
    assert chosen.symbols == best.symbols == last.symbols
    np.testing.assert_array_equal(chosen.tensors["layer_6/bias"], best.tensors["layer_6/bias"])
    assert not np.array_equal(last.tensors["layer_6/bias"], best.tensors["layer_6/bias"])
    assert noted(open_checkpoint(DEEPSPEECH / "bytes"), "train-3 is taken, the last")


def test_a_pointer_of_another_machine_stays_in_its_folder():
    assert "/home/Анна/" in (DEEPSPEECH / "cyrillic" / BEST).read_text("utf-8")
    assert noted(open_checkpoint(DEEPSPEECH / "cyrillic"), "best_dev-2 is taken")


@pytest.mark.parametrize(
    "line",
    [
        'model_checkpoint_path: "best_dev-2"',
        "model_checkpoint_path: 'best_dev-2'",
        'all_model_checkpoint_timestamps: 1.5\n  model_checkpoint_path:"../../best_dev-2"\n',
        r'model_checkpoint_path: "C:\\models\\best_dev-2"',
        r'model_checkpoint_path: "/home/\320\220\320\275\320\275\320\260/best\x5fdev-2"',
    ],
)
def test_pointers(tmp_path, line):
    folder = copy_of("english", tmp_path)
    (folder / BEST).write_text(line)
    (tmp_path / "best_dev-2.index").write_text("not this one")
    assert noted(open_checkpoint(folder), "best_dev-2 is taken, the best")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"nonsense", b'model_checkpoint_path: ""', b'model_checkpoint_path: "a/.."', b'model_checkpoint_path: "best',
        b'model_checkpoint_path: "x\\0"', b"\xff\xfe\x00", b'model_checkpoint_path: "\\9"x', b'all_model_checkpoint_paths: "a"',
    ],
)  # fmt: skip
def test_a_pointer_that_names_nothing(tmp_path, content):
    folder = copy_of("english", tmp_path)
    (folder / BEST).write_bytes(content)
    assert BEST in refused(folder).summary or "best_dev_checkpoint names it" in refused(folder).problem


def test_a_pointer_to_a_save_that_is_gone_names_the_other(tmp_path):
    folder = copy_of("english", tmp_path)
    (folder / "best_dev-2.index").unlink()
    fault = refused(folder)
    assert "best_dev-2.index" in fault.summary
    assert f"{BEST} names it" in fault.summary
    assert str(folder / "train-3.index") in fault.remedy
    (folder / "train-3.index").unlink()
    assert "Or give" not in refused(folder).remedy


@pytest.mark.parametrize("left", [None, 0, 1000])
def test_an_unfinished_save_names_the_other(tmp_path, left):
    folder = copy_of("english", tmp_path)
    shard = folder / f"best_dev-2{DATA}"
    shard.unlink() if left is None else os.truncate(shard, left)
    fault = refused(folder)
    assert shard.name in fault.summary
    assert str(folder / "train-3.index") in fault.remedy
    os.truncate(folder / "train-3.index", 700)
    assert "train-3" not in refused(folder).remedy


def test_folders_without_pointers(tmp_path):
    folder = copy_of("english", tmp_path)
    (folder / BEST).unlink()
    assert noted(open_checkpoint(folder), "train-3 is taken, the last")
    (folder / LAST).unlink()
    fault = refused(folder)
    assert "several saves" in fault.problem
    assert "best_dev-2.index, train-3.index" in fault.summary
    (folder / "train-3.index").unlink()
    assert noted(open_checkpoint(folder), "the only one")
    (folder / "best_dev-2.index").unlink()
    refused(folder)


def test_a_folder_of_pointers_alone(tmp_path):
    folder = copy_of("english", tmp_path)
    for file in folder.glob("*-*"):
        file.unlink()
    assert "not in the folder" in refused(folder).problem


def test_links_out_of_the_folder(tmp_path):
    folder = copy_of("english", tmp_path)
    for name in ("best_dev-2.index", f"train-3{DATA}"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
    assert "not in the folder" in refused(folder).problem
    assert "link out of the folder" in refused(folder / "train-3.index").problem


def test_without_an_alphabet(tmp_path):
    folder = copy_of("cyrillic", tmp_path)
    (folder / "alphabet.txt").unlink()
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols is None
    assert noted(checkpoint, "37 outputs mean is not recorded")
    assert inspection_of(checkpoint)["symbols"] == 37


def test_an_alphabet_of_another_size_is_not_used(tmp_path):
    folder = copy_of("english", tmp_path)
    shutil.copy(DEEPSPEECH / "cyrillic" / "alphabet.txt", folder)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols is None
    assert noted(checkpoint, "36 labels")


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_other_line_endings(tmp_path, ending):
    folder = copy_of("english", tmp_path)
    text = (folder / "alphabet.txt").read_text("utf-8")
    (folder / "alphabet.txt").write_bytes(text.replace("\n", ending).encode())
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols == open_checkpoint(DEEPSPEECH / "english").symbols
    assert noted(checkpoint, "lines end in")


def test_a_byte_order_mark(tmp_path):
    folder = copy_of("english", tmp_path)
    text = (folder / "alphabet.txt").read_text("utf-8")
    (folder / "alphabet.txt").write_text("\ufeff" + text, "utf-8")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols == open_checkpoint(DEEPSPEECH / "english").symbols
    assert noted(checkpoint, "byte-order mark, which is passed over")
    # A network that was trained with the mark before a comment has a label too many.
    labels = text.removesuffix("# The end.\n").rstrip("\n").split("\n")[:-1]
    (folder / "alphabet.txt").write_text("\ufeff" + "\n".join(labels) + "\n", "utf-8")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols.ids[" "] == (1,)
    assert noted(checkpoint, "made a label of the first line")


def test_an_alphabet_with_a_label_twice(tmp_path):
    folder = copy_of("english", tmp_path)
    text = (folder / "alphabet.txt").read_text("utf-8")
    (folder / "alphabet.txt").write_text(text.replace("\nb\n", "\na\n"), "utf-8")
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols.ids["a"] == (2,)
    assert checkpoint.symbols.rows == 29
    assert noted(checkpoint, "'a' comes 2 times")


@pytest.mark.parametrize("name", ["alphabet.txt", "flags.txt"])
@pytest.mark.parametrize("content", [b"a\nb\n\xff\xfe\n", b"a\n" * 2**19])
def test_texts_that_are_none(tmp_path, name, content):
    folder = copy_of("english", tmp_path)
    (folder / name).write_bytes(content)
    fault = refused(folder)
    assert name in fault.summary
    assert fault.field in ("line 3", None)


def test_byte_output(tmp_path):
    folder = copy_of("bytes", tmp_path)
    (folder / "alphabet.txt").write_bytes(bytes(range(1, 256)))  # never read: the flags say bytes
    assert open_checkpoint(folder).symbols.text_kind == "bytes"
    (folder / "alphabet.txt").unlink()
    (folder / "flags.txt").unlink()
    checkpoint = open_checkpoint(folder)
    assert checkpoint.symbols.text_kind == "bytes"
    assert noted(checkpoint, "taken for byte output")
    assert noted(checkpoint, "no flags.txt")
    letters = "\n".join(chr(0x4E00 + number) for number in range(255))
    (folder / "alphabet.txt").write_text(letters, "utf-8")
    assert open_checkpoint(folder).symbols.text_kind == "ctc"


@pytest.mark.parametrize(
    ("text", "words", "features"),
    [
        ('{"n_hidden": 2048}', "tensors win", MfccSpec()),
        ('{"audio_sample_rate": 8000}', "", MfccSpec(sample_rate=8000, win=256, hop=160)),
        ('{"audio_sample_rate": 1e9}', "can't be", MfccSpec()),
        ('{"audio_sample_rate": "16000"}', "can't be", MfccSpec()),
        ('{"audio_sample_rate": true}', "can't be", MfccSpec()),
        ('{"feature_win_len": 10}', "can't be", MfccSpec()),
        ('{"feature_win_len": 25, "feature_win_step": 10}', "", MfccSpec(win=400, hop=160)),
        ("--audio_sample_rate=8000\n--feature_win_len=32\n", "", MfccSpec(sample_rate=8000, win=256, hop=160)),
        ("[1, 2]", "", MfccSpec()),
        ("[" * 100_000, "", MfccSpec()),
        ("nonsense", "", MfccSpec()),
    ],
)
def test_flags(tmp_path, text, words, features):
    folder = copy_of("english", tmp_path)
    (folder / "flags.txt").write_text(text)
    checkpoint = open_checkpoint(folder)
    assert checkpoint.features == features
    assert noted(checkpoint, words) or not words


def test_deepspeechs_lines_of_flags():
    text = "--noearly_stop\n--normalize_sample_rate\n--n_hidden=2048\n--lm_alpha=0.93\n--learning_rate=1e-4\n--x=\n--y=a=b\nz\n"
    assert parse_flags(text) == {
        "early_stop": False,
        "normalize_sample_rate": True,
        "n_hidden": 2048,
        "lm_alpha": 0.93,
        "learning_rate": 1e-4,
        "x": "",
        "y": "a=b",
    }


def test_training_with_another_clip(tmp_path):
    folder = copy_of("english", tmp_path)
    (folder / "flags.txt").write_text('{"relu_clip": 6}')
    assert open_checkpoint(folder).architecture["relu_clip"] == 6.0


def test_cudnn_and_mixed_precision_are_named():
    assert noted(open_checkpoint(DEEPSPEECH / "cyrillic"), "CuDNN")
    assert noted(open_checkpoint(DEEPSPEECH / "norm"), "mixed precision")
    state = open_checkpoint(DEEPSPEECH / "cyrillic").training_state
    assert "cudnn_lstm/opaque_kernel/Adam" in state["cudnn"]
    assert not any(LSTM in name for name in state["adam"])


def test_a_network_alone(tmp_path):
    write_bundle(tmp_path, network())
    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.step, checkpoint.learning_rate, checkpoint.training_state) == (None, None, None)
    assert checkpoint.variant == "cpu"


def test_another_context_and_strangers(tmp_path):
    write_bundle(tmp_path, network(n_context=4) | {"dev/loss": np.float32(1)})
    checkpoint = open_checkpoint(tmp_path)
    assert checkpoint.architecture["n_context"] == 4
    assert noted(checkpoint, "1 tensors are no part of the network")


@pytest.mark.parametrize(
    "change",
    [
        {"layer_6/bias": None},
        {"layer_6/bias": np.ones(5, np.float32)},
        {"layer_1/weights": None},
        {"layer_1/weights": np.ones((494, 3), np.float32)},
        {"layer_1/weights": np.ones((493, 2), np.float32)},
        {"layer_1/weights": np.ones((520, 2), np.float32)},
        {"layer_1/weights": np.ones((0, 2), np.float32)},
        {"layer_1/weights": np.ones(494, np.float32)},
        {"layer_6/weights": np.ones((2, 0), np.float32)},
        {f"{LSTM}/kernel": None},
        {f"{LSTM}/kernel": np.ones((4, 6), np.float32)},
        {"layer_2/LayerNorm/beta": np.ones(2, np.float32)},
        {"layer_2/scale": np.ones(2, np.float32)},
    ],
)
def test_networks_that_are_no_deepspeech(tmp_path, change):
    arrays = {name: array for name, array in (network() | change).items() if array is not None}
    fault = refused(write_bundle(tmp_path, arrays))
    assert "not a DeepSpeech network" in fault.problem
    assert fault.field


@pytest.mark.parametrize(
    ("counters", "step", "rate"),
    [
        ({"global_step": np.int64(7), "learning_rate": np.float32(1e-4)}, 7, 1e-4),
        ({"global_step": np.int32(7), "learning_rate": np.float64(0.3)}, 7, 0.3),
        ({"global_step": np.int64(-7), "learning_rate": np.float32("nan")}, None, None),
        ({"global_step": np.float32(7), "learning_rate": np.int64(1)}, None, None),
        ({"global_step": np.arange(3), "learning_rate": np.float32([0.1])}, None, None),
    ],
)
def test_counters(tmp_path, counters, step, rate):
    checkpoint = open_checkpoint(write_bundle(tmp_path, network() | counters))
    assert (checkpoint.step, checkpoint.learning_rate) == (step, rate)


def test_other_tensorflow_checkpoints_are_told_apart(tmp_path):
    index = write_bundle(tmp_path, {"dense/kernel": np.ones((2, 2), np.float32)})
    assert "TensorFlow checkpoint" in refused(index).summary
    assert "folder" in refused(tmp_path).summary


@pytest.mark.parametrize("cut", [6, 20, 500, 1296, 1300, 1343])
def test_an_index_that_is_cut_off_is_still_known(tmp_path, cut):
    path = shutil.copy(DEEPSPEECH / "english" / "best_dev-2.index", tmp_path / "best_dev-2.index")
    os.truncate(path, cut)
    assert "missing" in refused(path).problem
    assert "missing" in refused(tmp_path).problem


def test_a_table_that_only_begins_like_an_index(tmp_path):
    write_index(tmp_path, [(b"", HEADER), (b"layer_6/weights", b"\xff")])
    assert "cut off" in refused(tmp_path).problem


def test_a_mangled_folder_opens_or_is_refused_and_nothing_else(tmp_path):
    folder = copy_of("english", tmp_path)
    files = [BEST, LAST, "alphabet.txt", "flags.txt", "best_dev-2.index", f"best_dev-2{DATA}"]
    originals = {name: (folder / name).read_bytes() for name in files}
    dice = random.Random(5)
    refusals = 0
    for _ in range(60):
        name = dice.choice(files)
        raw = bytearray(originals[name])
        for _ in range(dice.randrange(1, 4)):
            raw[dice.randrange(len(raw))] = dice.randrange(256)
        (folder / name).write_bytes(raw)
        try:
            checkpoint = open_checkpoint(folder)
            assert all(checkpoint.tensors[tensor].size for tensor in checkpoint.tensors)
        except CheckpointError:
            refusals += 1
        (folder / name).write_bytes(originals[name])
    assert refusals


def test_the_layers_from_input_to_output():
    family = family_of("deepspeech")
    names = canonical_shapes(29, 8, layer_norm=True)
    assert {family.part_of(name) for name in names} == {part.name for part in family.parts}
    taken = [name for name in names if name.startswith(sum(family.layers[-3:], ()))]
    assert {family.part_of(name) for name in taken} == {"lstm", "layer_5", "layer_6"}
    for name, axis in family.symbol_axis.items():
        assert names[name][axis] == 29


def test_what_is_written_as_ours_reads_back(tmp_path):
    source, path = open_checkpoint(DEEPSPEECH / "norm"), tmp_path / "norm.safetensors"
    write_safetensors(path, source)
    copy = open_checkpoint(path)
    for field in ("family", "architecture", "symbols", "features", "audio", "step", "config"):
        assert getattr(copy, field) == getattr(source, field), field
    for name in source.tensors:
        np.testing.assert_array_equal(copy.tensors[name], source.tensors[name], err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_what_inspect_says(name):
    facts = inspection_of(open_checkpoint(DEEPSPEECH / name), tensors=True)
    assert facts["sample_rate"] == 16000
    assert facts["audio"]["coefficients"] == 26
    assert facts["parts"]["output layer"] == (facts["architecture"]["n_hidden"] + 1) * facts["symbols"]
    assert facts["parameters"] == sum(facts["parts"].values()) == sum(row["parameters"] for row in facts["tensors"])
    assert len(facts["sha256"]) == 64
    assert facts["unsound"] == {}
