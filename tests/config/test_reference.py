from tests import paths

from voxgraft.config.explain import setting_names
from voxgraft.config.reference import reference, settings
from voxgraft.config.run import RunConfig

PAGE = paths.ROOT / "docs" / "configuration.md"


def test_the_page_is_current():
    assert PAGE.read_text("utf-8") == reference(), "run: python -m voxgraft.config.reference docs/configuration.md"


def test_every_setting_is_described_with_its_default_and_range():
    rows = {row.name: row for _, _, section in settings() for row in section}
    assert set(rows) == set(setting_names(RunConfig))
    assert [row.name for row in rows.values() if not row.description] == []
    assert rows["training.steps"].kind == "whole number, at least 1"
    assert rows["training.batch"].kind == "whole number or `auto`"
    assert rows["training.batch"].default == '"auto"'
    assert rows["training.freeze"].kind == "list of text"
