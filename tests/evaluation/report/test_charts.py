import math

import pytest

from voxgraft.evaluation.report.charts import MOST_POINTS, curve, nice_ticks, whiskers
from voxgraft.evaluation.report.history import curves, read_history


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-3.2, 7.7), (0.0123, 0.0131), (5, 5), (0, 0), (1e6, 3e6)])
def test_ticks_span_the_values(low, high):
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 2 <= len(ticks) <= 7


def test_a_long_curve_is_thinned():
    drawn = curve("mel", {"": [(step, math.sin(step / 500)) for step in range(10_000)]})
    points = drawn.partition('points="')[2].partition('"')[0].split()
    assert MOST_POINTS / 2 < len(points) <= MOST_POINTS


def test_a_curve_says_where_it_goes():
    drawn = curve("CER", {"": [(0, 0.5), (100, 0.25)]})
    assert 'aria-label="CER over steps 0 to 100: CER from 0.5 to 0.25"' in drawn


def test_numbers_that_are_not_finite_are_not_drawn():
    drawn = curve("mel", {"": [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]})
    assert "nan" not in drawn
    assert "inf" not in drawn
    assert curve("mel", {"": [(0, math.nan)]}) == ""


def test_whiskers_stay_inside():
    drawn = whiskers({"base": (0.5, 0.4, 0.6), "result": None, "recordings": (0.9, 0.9, 0.9)})
    places = [float(piece.split('"')[0]) for piece in drawn.split('cx="')[1:]]
    assert len(places) == 2
    assert all(4 <= place <= 116 for place in places)
    assert whiskers({"base": None}) == ""


def test_history_becomes_lines_of_charts():
    rows = [
        {"step": 1, "train/mel": 3.0, "validation/mel": 4.0, "time": 9.0, "flag": True, "note": "x", "still": 1.0},
        {"step": 2, "train/mel": 2.0, "still": 1.0},
        {"train/mel": 1.0},
    ]
    assert curves(rows) == {"mel": {"train": [(1, 3), (2, 2)], "validation": [(1, 4)]}}


def test_rows_with_a_phase_are_lines_too():
    rows = [{"step": s, "phase": phase, "loss": s} for phase in ("recovery", "training") for s in (1, 2)]
    assert set(curves(rows)["loss"]) == {"recovery", "training"}


def test_a_half_written_line_is_passed_over(tmp_path):
    file = tmp_path / "metrics.jsonl"
    file.write_bytes(b'{"step": 1, "mel": 2.0}\n[1]\n{"step": 2, "me')
    assert read_history(file) == [{"step": 1, "mel": 2.0}]
    assert read_history(tmp_path / "none.jsonl") == []
