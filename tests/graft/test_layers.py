from dataclasses import replace

import numpy as np
import pytest
from tests import paths

from voxgraft.checkpoints import open_checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.errors import GraftError
from voxgraft.graft.apply import _value
from voxgraft.graft.make import make_plan
from voxgraft.graft.target import target_for

FIXTURES = paths.FIXTURES
COQUI_ORDER = ["layer_2", "layer_3", "lstm", "layer_5", "layer_6"]


@pytest.fixture(scope="module")
def english():
    return open_checkpoint(FIXTURES / "deepspeech" / "english")


def _plan(base, **graft):
    return make_plan(base, target_for(RunConfig(graft=graft), base, None))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_layers_start_anew_from_the_output_as_in_coqui_stt(english, count):
    plan = _plan(english, drop_source_layers=count, allow_partial=True)
    assert plan.refusals == ()
    new = {row.part for row in plan.rows if row.action == "init"}
    assert new == set(COQUI_ORDER[-count:])
    assert {row.part for row in plan.rows if row.action == "copy"} == {"layer_1", *COQUI_ORDER[:-count]}


@pytest.mark.parametrize("count", [6, 7, 100])
def test_more_layers_than_there_are_is_refused_with_the_range(english, count):
    (refusal,) = _plan(english, drop_source_layers=count).refusals
    assert "takes 1 to 5" in refusal


def test_families_without_an_order_of_layers_refuse_to_drop():
    base = open_checkpoint(FIXTURES / "coqui_tts" / "glow_tts.pth")
    (refusal,) = _plan(base, drop_source_layers=1).refusals
    assert "--freeze" in refusal


@pytest.fixture
def alphabet(tmp_path):
    path = tmp_path / "alphabet.txt"
    path.write_text("# ours\nb\nж\n \na\n", "utf-8")
    return str(path)


def test_letters_keep_weights_and_bias_whatever_their_order(english, alphabet):
    plan = _plan(english, alphabet=alphabet)
    rows = {row.target: row for row in plan.rows}
    assert english.symbols is not None
    old = english.symbols.ids
    order = {0: old["b"][0], 2: old[" "][0], 3: old["a"][0], 4: old[english.symbols.blank][0]}
    for name, axis in (("layer_6/weights", 1), ("layer_6/bias", 0)):
        row = rows[name]
        assert (row.action, row.rows, row.axis) == ("remap", order, axis)
        value = np.moveaxis(_value(row, english.tensors), axis, 0)
        source = np.moveaxis(np.asarray(english.tensors[name]), axis, 0)
        for here, there in order.items():
            assert np.array_equal(value[here], source[there])
        assert row.near == {1: {old["j"][0]: 1.0}}
        assert np.array_equal(value[1], source[old["j"][0]])
    assert plan.symbols.new == ("ж",)


def test_no_map_letters_starts_the_output_anew(english, alphabet):
    plan = _plan(english, alphabet=alphabet, map_letters="never")
    assert {row.part for row in plan.rows if row.action == "init"} == {"layer_6"}
    assert plan.symbols.mapped == ()
    assert any("the output layer starts anew, as asked" in warning for warning in plan.warnings)


def test_letters_keep_their_rows_where_the_layer_before_is_new_and_that_is_said(english, alphabet):
    plan = _plan(english, alphabet=alphabet, drop_source_layers=2, allow_partial=True)
    assert {row.part for row in plan.rows if row.action == "init"} == {"layer_5"}
    assert any("since the layers before start anew" in warning for warning in plan.warnings)


def test_bytes_and_alphabets_meet_in_named_warnings(english, alphabet):
    assert any(w.startswith("byte mode:") for w in _plan(english, bytes=True).warnings)
    of_bytes = open_checkpoint(FIXTURES / "deepspeech" / "bytes")
    plan = _plan(of_bytes, bytes=True)
    assert plan.counts == {"copy": len(of_bytes.tensors)}
    assert any("--bytes" in w for w in _plan(of_bytes, alphabet=alphabet).warnings)
    with pytest.raises(GraftError, match="more than one symbol table"):
        _plan(of_bytes, alphabet=alphabet, bytes=True)


@pytest.mark.parametrize(("variant", "said"), [("cudnn", "CuDNN:"), ("amp", "AMP:"), ("cudnn-amp", "CuDNN:")])
def test_cudnn_and_mixed_precision_are_explained(english, variant, said):
    plan = _plan(replace(english, variant=variant))
    assert any(warning.startswith(said) for warning in plan.warnings)
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", None, "no labels"),
        (b"#\n", None, "no labels"),
        (b" \na\nb\na\n", 4, "a (U+0061) stands in line 2 already"),
        (b" \na\n<blank>\n", 3, "<blank> is the blank, not a letter"),
        (b" \na\n[BLANK]\na\n", 3, "[BLANK] is the blank, not a letter; 1 more lines are wrong"),
        (" \né\ne\u0301\n".encode(), 3, "spelt otherwise"),
        (b" \na\n\xe9\n", 3, "is not UTF-8 text"),
    ],
)
def test_bad_alphabets_end_in_one_clear_error_that_names_the_line(english, tmp_path, content, line, said):
    path = tmp_path / "alphabet.txt"
    path.write_bytes(content)
    with pytest.raises(GraftError) as caught:
        _plan(english, alphabet=str(path))
    assert said in caught.value.problem
    assert caught.value.file == str(path)
    assert caught.value.field == (f"line {line}" if line else None)


def test_a_decomposed_letter_is_read_as_one(english, tmp_path):
    path = tmp_path / "alphabet.txt"
    path.write_text(" \na\ne\u0301\n", "utf-8")
    plan = _plan(english, alphabet=str(path))
    assert plan.symbols.new == ("é",)
    assert not [warning for warning in plan.warnings if "several characters" in warning]


def test_an_encoder_without_a_head_gets_one_for_the_alphabet(alphabet):
    base = open_checkpoint(FIXTURES / "hugging_face" / "whisper")
    plan = _plan(base, alphabet=alphabet)
    head = {row.target: row.target_shape for row in plan.rows if row.action == "init"}
    width = base.shapes["model.encoder.layer_norm.weight"][0]
    assert head == {"ctc_head.weight": (5, width), "ctc_head.bias": (5,)}
    assert {row.part for row in plan.rows if row.action == "drop"} == {"decoder"}
