import pytest

from voxgraft.config.load import load_config
from voxgraft.config.own_settings import require_own_settings
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError

STILL = "{text_encoder: 0, duration: 0, flow: 0, posterior: 0, decoder: 0, speaker_embedding: 0}"


@pytest.mark.parametrize(
    ("text", "field", "problem", "remedy"),
    [
        ("corpus:\n  shortest: 16\n", "corpus.shortest (line 2)", "no clip is at least 16", "than corpus.longest."),
        ("corpus: {longest: 0.1}\n", "corpus.longest (line 1)", "at most 0.1 seconds", "corpus.shortest"),
        ("training: {batch: 2, accumulate: 3}\n", "training.accumulate (line 1)", "in 3 pieces", "training.batch"),
        (f"voice:\n  learning_rates: {STILL}\n", "rates.text_encoder (line 2)", "nothing would learn", "decoder: 2e-4"),
        (
            "recogniser: {learning_rates: {encoder: 0, adapters: 0, new: 0}}\n",
            "recogniser.learning_rates.encoder (line 1)", "nothing would learn", "new: 3e-3",
        ),
        (
            "recogniser: {learns: head, fresh_adapters: always}\n",
            "recogniser.fresh_adapters (line 1)", "where recogniser.learns is head", "to adapters",
        ),
        (
            "recogniser: {learns: new, thaw_every: 3}\n",
            "recogniser.thaw_every (line 1)", "where recogniser.learns is new", "to all",
        ),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_told_when_they_are_read(tmp_path, text, field, problem, remedy):
    path = tmp_path / "voxgraft.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_config(path)
    assert str(caught.value.field).endswith(field)
    assert caught.value.file == str(path)
    assert remedy in caught.value.remedy


def test_a_part_that_stays_is_no_contradiction():
    RunConfig(recogniser={"learning_rates": {"encoder": 0}}, voice={"learning_rates": {"decoder": 0}})
    RunConfig(training={"batch": 2, "accumulate": 2}, corpus={"shortest": 1, "longest": 1})


@pytest.mark.parametrize(
    ("graft", "fields"),
    [
        ({"from_speaker": "3"}, "graft.from_speaker"),
        ({"keep_speakers": True, "rename": {"a": "b"}}, "graft.keep_speakers, graft.rename"),
    ],
)
def test_from_scratch_nothing_is_asked_of_a_base(graft, fields):
    with pytest.raises(ConfigError, match="from scratch") as caught:
        require_own_settings(RunConfig(base="none", graft=graft), "voice")
    assert caught.value.field == fields
    require_own_settings(RunConfig(base="some", graft=graft), "voice")
    require_own_settings(RunConfig(base="none", graft={"keep_speakers": False}), "voice")
