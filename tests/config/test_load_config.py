import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxgraft.config.explain import setting_names
from voxgraft.config.kinds import path_mark
from voxgraft.config.load import dump_config, load_config, parse_overrides, with_overrides
from voxgraft.config.reference import settings as reference_of
from voxgraft.config.run import RunConfig
from voxgraft.errors import ConfigError, VoxgraftError


def _load(folder: Path, text: str, *overrides: str) -> RunConfig:
    (folder / "voxgraft.yaml").write_text(text, "utf-8")
    return load_config(folder, overrides)


def _fault(folder: Path, text: str, *overrides: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        _load(folder, text, *overrides)
    assert "\n" not in caught.value.summary
    return caught.value


def test_file_then_overrides_then_defaults(tmp_path):
    config = _load(tmp_path, "name: anna\ntraining: {steps: 7, batch: 4}\n", "training.steps=9", "base=none")
    assert (config.name, config.training.steps, config.training.batch, config.base) == ("anna", 9, 4, "none")
    assert config.voice.segment == RunConfig().voice.segment


def test_yaml_overrides_and_python_give_one_configuration(tmp_path):
    by_file = _load(tmp_path, "voice:\n  learning_rates:\n    decoder: 1e-5\ntraining:\n  freeze: [flow]\n")
    overrides = ["voice.learning_rates.decoder=1e-5", "training.freeze=[flow]", f"output={tmp_path}"]
    by_override = load_config(None, overrides)
    by_python = RunConfig(
        output=str(tmp_path), voice={"learning_rates": {"decoder": 1e-5}}, training={"freeze": ["flow"]}
    )
    assert by_file == by_override == by_python == with_overrides(RunConfig(), overrides)


def test_values_are_taken_as_they_are_and_overrides_win(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = {"base": Path("a b.onnx"), "graft.rename": {"3": "anna"}, "training.freeze": ["flow"], "training.steps": 7}
    (tmp_path / "voxgraft.yaml").write_text("training: {steps: 5, patience: 2}\n", "utf-8")
    (tmp_path / "a b.onnx").touch()
    config = load_config(tmp_path, ["training.steps=9"], values)
    assert (config.base, config.graft.rename) == (str(tmp_path / "a b.onnx"), {"3": "anna"})
    assert (config.training.freeze, config.training.steps, config.training.patience) == (("flow",), 9, 2)
    assert with_overrides(RunConfig(), values={"language": "yes"}).language == "yes"
    assert parse_overrides(["seed=2"], {"seed": 1, "corpus.trim": False}) == {"seed": 2, "corpus": {"trim": False}}
    with pytest.raises(ConfigError, match=r"training\.stepz") as caught:
        load_config(None, values={"training.stepz": 1})
    assert caught.value.file is None


def test_a_dumped_configuration_loads_equal_from_anywhere(tmp_path):
    config = _load(
        tmp_path,
        "name: cedilla1\ncorpus: {path: wavs, held_out: ['1', '007', 'yes']}\n"
        "training: {minutes: 1.5}\nvoice: {learning_rates: {decoder: 1.0e-7}, sentences: ['Grüße: # no comment']}\n",
    )
    other = tmp_path / "runs" / "a" / "config.yaml"
    dump_config(config, other)
    assert load_config(other) == config


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=40), st.floats(1e-9, 1, exclude_min=True), st.integers(0, 2**32 - 1))
def test_any_text_and_number_survives_a_dump(tmp_path_factory, text, rate, seed):
    config = RunConfig(seed=seed, voice={"recovery": {"learning_rate": rate}, "sentences": [text]})
    path = tmp_path_factory.mktemp("dump") / "c.yaml"
    dump_config(config, path)
    loaded = load_config(path)
    assert (loaded.seed, loaded.voice) == (config.seed, config.voice)


def test_relative_paths_of_the_file_lie_beside_it_and_those_of_overrides_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "project"
    (project / "base").mkdir(parents=True)
    config = _load(project, "base: base\ncorpus: {path: ../wavs}\n")
    assert config.output == str(project)
    assert config.base == str(project / "base")
    assert config.corpus.path == str(tmp_path / "wavs")
    config = _load(project, "base: en_US-joe-medium\n", "corpus.path=here", "output=there")
    assert config.base == "en_US-joe-medium"
    assert (config.corpus.path, config.output) == (str(tmp_path / "here"), str(tmp_path / "there"))


@pytest.mark.parametrize(
    ("text", "field", "remedy"),
    [
        ("nam: x", "nam (line 1)", "`name`"),
        ("a_b: 1\n", "a_b (line 1)", "Known here are name, "),
        ("voice:\n  segment: 3\n  learning_rates:\n    decodr: 1e-4\n", "decodr (line 4)", "rates.decoder`"),
        ("name: x\n\nsteps: 3\n", "steps (line 3)", "`training.steps` or `voice.recovery.steps`"),
    ],
)
def test_a_misspelt_key_names_its_line_and_the_nearest_right_one(tmp_path, text, field, remedy):
    fault = _fault(tmp_path, text)
    assert fault.file == str(tmp_path / "voxgraft.yaml")
    assert str(fault.field).endswith(field)
    assert remedy in fault.remedy


@pytest.mark.parametrize(
    ("text", "field", "problem"),
    [
        ("training:\n  steps: -3", "training.steps (line 2)", "must be greater than or equal to 1"),
        ("training:\n  steps: yes", "training.steps (line 2)", "must not be a switch"),
        ("training:\n  batch: lots", "training.batch (line 2)", "must be a whole number or must be 'auto'"),
        ("training: 4", "training (line 1)", "must be a section"),
        ("training:\n  freeze:\n  - flow\n  - [3]", "training.freeze.1 (line 4)", "must be text"),
        ("training: {minutes: .inf}", "training.minutes (line 1)", "must be a finite number"),
        ("voice: {cer_margin: .nan}", "voice.cer_margin (line 1)", "must be"),
        ("training: {steps: 1.5}", "training.steps (line 1)", "must be a whole number"),
        ("corpus: {trim: 3}", "corpus.trim (line 1)", "must be true or false"),
        ("corpus: {held_out: a}", "corpus.held_out (line 1)", "must be a list"),
        ("name: ../evil", "name (line 1)", "must be letters, digits"),
        ("voice: {quality: best}", "voice.quality (line 1)", "must be 'x_low'"),
        ("seed: 1\nname: x\nseed: 2", "seed", "set twice, on lines 1 and 3"),
    ],
)
def test_a_wrong_value_is_one_line(tmp_path, text, field, problem):
    fault = _fault(tmp_path, text)
    assert fault.field == field
    assert problem in fault.summary


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: &x [1]\nb: *x\n", "line 2: aliases"),
        (b"[" * 5000, "nested deeper"),
        (
            b"quality: !!python/object/apply:os.system ['true']",
            "tags (!!python/object/apply:os.system) are not allowed",
        ),
        (b"seed: !mine 3", "tags (!mine) are not allowed"),
        (b"seed: 2020-13-45", "not valid YAML"),
        (b"seed: " + b"1" * 5000, "not valid YAML"),
        (b"? !!bool foo\n: 1", "tags (!!bool) are not allowed"),
        (b"name: x\n---\nname: y\n", "second document"),
        (b"name: [\n", "line 2"),
        (b"name: \xff\xfe\n", "not UTF-8"),
        (b"name: a\x00b\n", "not valid YAML"),
        (b"- 1\n- 2\n", "holds no settings"),
        (b"1: 2\n", "must be a word"),
        (b"{? [a]: 1}", "must be a word"),
        (b'base: "a\\0b"\noutput: "a\\0b"\nnam: 1', "no such setting"),
        (b"base: " + b"x" * 5000 + b"\nnam: 1", "no such setting"),
        (b"name: " + b"x" * 1_000_001, "larger than"),
    ],
)
def test_hostile_files_end_in_one_clear_error(tmp_path, content, problem):
    path = tmp_path / "voxgraft.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    assert problem in caught.value.summary


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_no_file_whatever_ends_in_another_exception(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "voxgraft.yaml"
    path.write_bytes(content)
    try:
        config = load_config(path)
    except VoxgraftError:
        return
    assert isinstance(config, RunConfig)


def test_an_empty_file_means_the_defaults(tmp_path):
    assert _load(tmp_path, "# nothing\n") == RunConfig(output=str(tmp_path))


@pytest.mark.parametrize("override", ["training.stps=3", "trainig.steps=3", "training.steps", "=3", "a..b=1"])
def test_a_bad_override_is_named(override):
    with pytest.raises(ConfigError) as caught:
        load_config(None, [override])
    assert caught.value.file == "--set"


@pytest.mark.parametrize(
    "tag",
    [
        "null",
        "bool",
        "int",
        "float",
        "binary",
        "timestamp",
        "omap",
        "pairs",
        "set",
        "seq",
        "map",
        "merge",
        "value",
        "yaml",
        "python/none",
    ],
)
@pytest.mark.parametrize("value", ["foo", "", "[a]", "{a: b}", "'x'", "-", "2020-99-99"])
def test_no_tag_falls_over(tmp_path, tag, value):
    for place in ("seed", "name", "graft: {rename", "corpus: {held_out"):
        text = f"{place}: !!{tag} {value}" + ("}" if "{" in place else "")
        with pytest.raises(ConfigError):
            _load(tmp_path, text)
        with pytest.raises(ConfigError):
            load_config(None, [f"seed=!!{tag} {value}"])


def test_text_is_text_whatever_yaml_takes_it_for(tmp_path):
    config = _load(
        tmp_path,
        "name: 007\nlanguage: no\nbase: null\n"
        "graft: {speakers: [1, 02, yes, 2024-01-01], from_speaker: 3, rename: {1: 2, no: 1e3}}\n"
        "corpus: {held_out: [!!str 001, 0x10]}\n",
    )
    assert (config.name, config.language, config.base, config.graft.from_speaker) == ("007", "no", None, "3")
    assert config.graft.speakers == ("1", "02", "yes", "2024-01-01")
    assert config.graft.rename == {"1": "2", "no": "1e3"}
    assert config.corpus.held_out == ("001", "0x10")


def test_text_of_an_override_needs_no_quotes():
    overrides = ["graft.from_speaker=007", "language=no", "corpus.licence=CC: BY # 4", "corpus.path=/data/[a] #1"]
    config = load_config(None, [*overrides, "graft.speakers=[1, 02]", "graft.rename={3: 4}", "corpus.consent='a b'"])
    assert (config.graft.from_speaker, config.language) == ("007", "no")
    assert (config.corpus.licence, config.corpus.path) == ("CC: BY # 4", "/data/[a] #1")
    assert (config.graft.speakers, config.graft.rename, config.corpus.consent) == (("1", "02"), {"3": "4"}, "a b")
    assert load_config(None, ["language=de", "language=null"]).language is None


def test_numbers_are_names_in_python_too(tmp_path):
    config = RunConfig(output=tmp_path, graft={"speakers": [1, 2], "from_speaker": 3}, recogniser={"train": [tmp_path]})
    assert (config.graft.speakers, config.graft.from_speaker) == (("1", "2"), "3")
    assert (config.output, config.recogniser.train) == (str(tmp_path), (str(tmp_path),))


def test_every_path_is_anchored(tmp_path, monkeypatch):
    """A setting that is a file or a folder by its description is marked as one."""
    monkeypatch.chdir(tmp_path)
    paths = {name for name in setting_names(RunConfig) if path_mark(tuple(name.split(".")), RunConfig)}
    lists = {name for name in setting_names(RunConfig) if path_mark((*name.split("."), 0), RunConfig)}
    assert lists == {"recogniser.train", "recogniser.dev", "recogniser.test", "recogniser.source_test"}
    for _, _, rows in reference_of():
        for row in rows:
            if re.search(r"\b(files?|folders?|corpora)\b", row.description, re.I) and "text" in row.kind:
                assert row.name in paths | lists, row.name
    project = tmp_path / "project"
    project.mkdir()
    config = _load(project, "recogniser: {source_test: [a.csv, ../b, ~/c]}\ngraft: {symbols: s.json}\n")
    wanted = (str(project / "a.csv"), str(tmp_path / "b"), str(Path("~/c").expanduser()))
    assert config.recogniser.source_test == wanted
    assert config.graft.symbols == str(project / "s.json")
    changed = load_config(project, ["recogniser={test: [t.csv]}", "corpus={path: w}"], {"recogniser.dev": [Path("d")]})
    assert (changed.recogniser.test, changed.corpus.path) == ((str(tmp_path / "t.csv"),), str(tmp_path / "w"))


def test_a_fault_of_an_override_is_not_the_files(tmp_path):
    fault = _fault(tmp_path, "training: {steps: 3}\n", "training.steps=0")
    assert (fault.file, fault.field) == ("--set", "training.steps")
    (tmp_path / "voxgraft.yaml").write_text("training: {steps: 3}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, values={"training.steps": 0})
    assert (caught.value.file, caught.value.field) == (None, "training.steps")


def test_python_mistakes_are_config_errors_too():
    with pytest.raises(ConfigError, match="no such setting") as caught:
        RunConfig(trainig={})  # type: ignore[call-arg]
    assert "`training`" in caught.value.remedy


def test_a_missing_project_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="no such project") as caught:
        load_config(tmp_path / "nowhere")
    assert "voxgraft new" in caught.value.remedy
