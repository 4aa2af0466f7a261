import json

from voxgraft.training.loop.records import Records


def begin(folder, step=0):
    records = Records(folder)
    records.begin(step)
    return records


def lines(folder):
    def no_constant(name):
        raise ValueError(f"{name} is not JSON")

    return [
        json.loads(line, parse_constant=no_constant) for line in (folder / "metrics.jsonl").read_text().splitlines()
    ]


def test_a_line_a_step_that_any_reader_understands(tmp_path):
    records = begin(tmp_path)
    terms = {"mel": 1.23456789, "kl": float("nan"), "gradient_norm": float("inf"), "learning_rate": 3e-4}
    records.write(1, "train", terms)
    records.write(1, "validation", {"score": 0.5, "best": True})
    records.close()
    first, second = lines(tmp_path)
    assert first.pop("seconds") >= 0
    assert first == {
        "step": 1, "kind": "train", "mel": 1.234568, "kl": None, "gradient_norm": None, "learning_rate": 3e-4,
    }  # fmt: skip
    assert (second["kind"], second["best"]) == ("validation", True)


def test_a_resume_drops_what_it_does_again(tmp_path):
    records = begin(tmp_path)
    for step in range(1, 6):
        records.write(step, "train", {"mel": 1.0})
    records.close()
    with open(tmp_path / "metrics.jsonl", "a") as file:
        file.write('{"step": 6, "ki')
    records = begin(tmp_path, step=3)
    records.write(4, "train", {"mel": 2.0})
    records.close()
    assert [(line["step"], line["mel"]) for line in lines(tmp_path)] == [(1, 1.0), (2, 1.0), (3, 1.0), (4, 2.0)]
