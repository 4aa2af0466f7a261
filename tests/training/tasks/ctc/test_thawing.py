"""What learns in a real run, tensor by tensor: what thaws, what adapters leave alone, what stays to the bit."""

import numpy as np
import pytest
from tests.checkpoints.fixture_files import DEEPSPEECH
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.training.tasks.ctc.tiny_recogniser import RUSSIAN, project

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.errors import GraftError
from voxgraft.graft.plan import read_plan
from voxgraft.project.run_folder import checkpoints_in
from voxgraft.training.loop.checkpoints import load
from voxgraft.training.run import train
from voxgraft.training.tasks.ctc.layers import places_of

MMS = HUGGING_FACE / "mms" / "adapter.eng.safetensors"
TRAINING = {"validate_every": 100, "batch": 2, "warmup": 0, "decay": "none"}
BASES = {
    "deepspeech": DEEPSPEECH / "english",
    "whisper": None,
    "wav2vec2": MMS,
    "xlsr": HUGGING_FACE / "xlsr",
    "fastconformer": HUGGING_FACE / "parakeet",
}
pytestmark = pytest.mark.usefixtures("without_export")


def changes(config):
    """Places (part, layer) of a run's network in which something is no longer as the graft left it, and its result."""
    result = train(config)
    content = load(checkpoints_in(result.folder / "checkpoints")[-1])
    start = open_checkpoint(next((result.folder / "best").glob("*step=0.safetensors")))
    family = family_of(start.family)
    place_of = places_of(family, start.tensors)
    changed = {
        place_of(name)
        for name, tensor in content["state_dict"].items()
        if tensor.numpy().tobytes() != np.asarray(start.tensors[name], tensor.numpy().dtype).tobytes()
    }
    return changed, result


def run(tmp_path, base, monkeypatch, **changed):
    """A run whose best stays the graft before its first step, so that it can be compared with what became of it."""
    monkeypatch.setattr("voxgraft.training.loop.validation.is_better", lambda verdict, best: best is None)
    sections = {"training": TRAINING | changed.pop("training", {})} | changed
    return changes(project(tmp_path / "run", base, RUSSIAN, **sections))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("deepspeech", {1: {("layer_6", 5)}, 3: {("layer_6", 5), ("layer_5", 4)}}),
        ("whisper", {1: {("head", 3)}, 3: {("head", 3), ("encoder", 2), ("encoder", None)}}),
        (
            "wav2vec2",
            {1: {("head", 4)}, 3: {("head", 4), ("encoder", 3), ("adapters", 3), ("encoder", None)}},
        ),
        ("fastconformer", {1: {("head", 3)}, 3: {("head", 3), ("encoder", 2)}}),
    ],
)
@pytest.mark.parametrize("steps", [1, 3])
def test_layers_thaw_from_the_output_on_and_the_others_stay_to_the_bit(
    tmp_path, monkeypatch, whisper, name, expected, steps
):
    recogniser = {"thaw_every": 2, "dropout": 0.1}
    changed, _ = run(tmp_path, BASES[name] or whisper, monkeypatch, training={"steps": steps}, recogniser=recogniser)
    assert changed == expected[steps]


@pytest.mark.parametrize("name", ["deepspeech", "whisper", "wav2vec2", "fastconformer"])
def test_after_all_have_thawed_all_have_learned(tmp_path, monkeypatch, whisper, name):
    base = BASES[name] or whisper
    changed, result = run(tmp_path, base, monkeypatch, training={"steps": 8}, recogniser={"thaw_every": 1})
    plan = read_plan(result.folder / "plan.json")
    names = [row.target for row in plan.rows if row.target is not None]
    place_of = places_of(family_of(plan.family), names)
    # Whisper's positions are stored, and wav2vec 2.0's ears stay as they are.
    assert changed == {place_of(n) for n in names} - {("positions", 0), ("features", 0)}


def test_layers_that_start_anew_learn_from_the_beginning_alone_of_their_part(tmp_path, monkeypatch):
    changed, _ = run(
        tmp_path, BASES["fastconformer"], monkeypatch, training={"steps": 1}, recogniser={"thaw_every": 50},
        graft={"drop_source_layers": 2},
    )  # fmt: skip
    assert changed == {("head", 3), ("encoder", 2)}


@pytest.mark.parametrize("name", ["wav2vec2", "xlsr"])
def test_adapters_and_the_output_layer_learn_alone(tmp_path, monkeypatch, name):
    changed, result = run(tmp_path, BASES[name], monkeypatch, training={"steps": 2}, recogniser={"learns": "adapters"})
    assert {part for part, _ in changed} == {"adapters", "head"}
    plan = read_plan(result.folder / "plan.json")
    assert {row.action for row in plan.rows if row.part == "adapters" and row.target} == {"init"}
    carried = {row.action for row in plan.rows if row.target and row.part not in ("adapters", "head")}
    assert carried == {"copy"} or name == "xlsr"


def test_a_language_that_the_base_has_keeps_its_adapters(tmp_path, monkeypatch):
    texts = ("abba", "cab", "bac cab", "acca", "baba cab", "cabc", "bacca", "abba bc")
    monkeypatch.setattr("voxgraft.training.loop.validation.is_better", lambda verdict, best: best is None)
    kept = project(tmp_path / "kept", MMS, texts, training=TRAINING | {"steps": 1}, recogniser={"learns": "adapters"})
    changed, result = changes(kept)
    plan = read_plan(result.folder / "plan.json")
    assert not plan.symbols.new
    assert {row.action for row in plan.rows if row.part == "adapters"} == {"copy"}
    assert {part for part, _ in changed} == {"adapters", "head"}


def test_where_there_are_no_adapters_the_families_that_have_them_are_named(tmp_path, monkeypatch, whisper):
    monkeypatch.setattr("voxgraft.training.tasks.ctc.setup.corpora_of", lambda _: pytest.fail("the corpus was read"))
    for base, title in ((whisper, "Whisper"), (DEEPSPEECH / "english", "DeepSpeech"), ("none", "from scratch")):
        with pytest.raises(GraftError, match=rf"{title}.* has no adapters .*MMS, XLS-R") as caught:
            train(project(tmp_path / "run", base, RUSSIAN, recogniser={"learns": "adapters"}))
        assert "recogniser.learns=head" in caught.value.remedy
    assert not (tmp_path / "run" / "runs").exists()
