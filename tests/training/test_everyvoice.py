"""EveryVoice's way to train: a configuration becomes a run of ours, and goes on with --resume."""

import json

import pytest

from voxgraft.config.everyvoice import Asked
from voxgraft.errors import ConfigError, TrainingError
from voxgraft.project.symbol_file import read_symbols
from voxgraft.training.everyvoice import config_of, train_everyvoice


def test_symbols_of_a_model_from_scratch_are_everyvoice_s(tmp_path):
    asked = Asked({"task": "acoustic", "base": "none"}, tmp_path, {"mine_characters": ["b", "a", "ch"]})
    config = config_of(asked, "text-to-spec")
    listed = json.loads((tmp_path / "everyvoice-symbols.json").read_text())
    assert listed[:2] == ["\x80", " "]
    assert {"a", "b", "ch", "!", "…", "<SIL>", "<EXCL>"} <= set(listed)
    table = read_symbols(tmp_path / "everyvoice-symbols.json")
    assert (table.pad, table.bos, table.encode("ab").ids) == (None, None, (listed.index("a"), listed.index("b")))
    assert (config.name, config.graft.symbols) == ("text-to-spec-1", str(tmp_path / "everyvoice-symbols.json"))


def test_each_run_has_a_name_of_its_own_and_ours_go_before(tmp_path):
    (tmp_path / "runs" / "spec-to-wav-1").mkdir(parents=True)
    asked = Asked({"task": "vocoder", "base": "none", "training.steps": 5}, tmp_path)
    assert config_of(asked, "spec-to-wav").name == "spec-to-wav-2"
    config = config_of(asked, "spec-to-wav", ["training.steps=7"], {"name": "mine"})
    assert (config.name, config.training.steps, config.output) == ("mine", 7, str(tmp_path))


def test_nothing_is_trained_where_the_configuration_is_wrong(tmp_path):
    (tmp_path / "c.yaml").write_text("training: {finetune_checkpoint: gone.ckpt}\n")
    with pytest.raises(ConfigError, match=r"c\.yaml: training\.finetune_checkpoint: no such checkpoint"):
        train_everyvoice(tmp_path / "c.yaml", "spec-to-wav")
    assert {path.name for path in tmp_path.iterdir()} == {"c.yaml"}


def test_resuming_needs_a_run(tmp_path):
    for part in ("training", "validation"):
        (tmp_path / f"{part}_filelist.psv").write_text("basename|characters\n")
    (tmp_path / "c.yaml").write_text("preprocessing: {save_dir: .}\n")
    with pytest.raises(TrainingError, match="no run to go on with"):
        train_everyvoice(tmp_path / "c.yaml", "spec-to-wav", resume=True)
