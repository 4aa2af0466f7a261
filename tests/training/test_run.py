"""What several processes have to agree on when a run goes on."""

from types import SimpleNamespace

from voxgraft.config.load import with_overrides
from voxgraft.config.run import RunConfig
from voxgraft.config.run_file import load_run_config, write_run_config
from voxgraft.project.run_folder import RunFolder
from voxgraft.training.run import _keep_settings


def test_other_minutes_give_every_process_the_steps_that_the_first_measured(tmp_path):
    folder = RunFolder(tmp_path / "runs" / "mine")
    kept = RunConfig(name="mine", output=str(tmp_path), task="voice", training={"steps": 4, "minutes": 1})
    write_run_config(kept, folder.config)
    longer = with_overrides(kept, ["training.minutes=2"])
    position = SimpleNamespace(steps=4)

    def measured():
        position.steps = 9

    second = SimpleNamespace(is_first=False, gather=lambda steps: [7, steps])
    _keep_settings(SimpleNamespace(config=longer, position=position, refit=measured), longer, folder, second)
    assert position.steps == 7
    assert load_run_config(folder.config).training.minutes == 1, "only the first writes"
    first = SimpleNamespace(is_first=True, gather=lambda steps: [steps, 8])
    _keep_settings(SimpleNamespace(config=longer, position=position, refit=measured), longer, folder, first)
    assert position.steps == 9
    assert load_run_config(folder.config).training.minutes == 2
