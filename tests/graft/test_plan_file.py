from tests.graft.test_plan import folded, plan_for
from tests.graft.tiny_vits import SYMBOLS

from voxgraft.graft.plan import read_plan
from voxgraft.text.symbols import SymbolTable


def test_a_plan_reads_back_as_it_was_written(tmp_path, single):
    for number, (plan, _) in enumerate([plan_for(folded(single)), plan_for(single, ("ann", "bob"))]):
        path = tmp_path / f"{number}.json"
        plan.write(path)
        assert read_plan(path) == plan


def test_remapped_rows_keep_their_numbers(tmp_path, single):
    fewer = dict(list(SYMBOLS.ids.items())[:-1])
    table = SymbolTable(fewer | {"ʘ": (len(SYMBOLS.ids) - 1,)}, SYMBOLS.rows, SYMBOLS.text_kind, SYMBOLS.voice)
    plan, _ = plan_for(single, target_changes={"symbols": table})
    plan.write(tmp_path / "plan.json")
    back = read_plan(tmp_path / "plan.json")
    assert [row.rows for row in back.rows] == [row.rows for row in plan.rows]
    assert any(row.rows for row in back.rows)
