from tests.graft.test_plan import plan_for

from voxgraft.graft.table import every_tensor, summary, verdict


def test_a_summary_counts_every_row_once_by_part_action_and_reason(many):
    plan, target = plan_for(many, ("bob",))
    lines = summary(plan)
    assert sum(int(tensors) for _, _, tensors, _, _ in lines) == len(plan.rows)
    assert [part for part, *_ in lines] == sorted((part for part, *_ in lines), key=list(plan.by_part).index)
    assert len({(part, action, why) for part, action, _, _, why in lines}) == len(lines)
    folds = [line for line in lines if line[1] == "fold"]
    assert {line[0]: line[2] for line in folds} == {"duration": "1", "flow": "16", "posterior": "16", "decoder": "1"}
    speaking = {"text_encoder", "duration", "flow", "decoder"}
    parameters = sum(
        int(size.replace(",", "")) for part, action, _, size, _ in lines if part in speaking and action != "drop"
    )
    assert parameters == sum(
        _size(s) for n, s in target.shapes.items() if not n.startswith(("enc_q", "dp.post_", "dp.flows.1."))
    )


def _size(shape) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def test_every_tensor_has_a_line(many):
    plan, _ = plan_for(many, ("bob",))
    lines = every_tensor(plan)
    assert len(lines) == len(plan.rows)
    assert ("dec.conv_pre.bias", "fold") in {line[:2] for line in lines}
    # The conditioning layers live on in the folded biases.
    assert not any(action == "drop" for _, action, *_ in lines)


def test_the_verdict_names_what_is_new(single, many):
    assert verdict(plan_for(single)[0]) == [
        "100.0% of the parameters that speak come from the base",
        "symbols: all 13 keep their rows",
        "state: weights taken; optimiser moments, epoch and step, learning rate, phase of the loss schedule reset; "
        "the learning rates of the settings are used",
    ]
    lines = verdict(plan_for(many, ("zoe", "cy"), graft={"from_speaker": "bob"})[0])
    assert lines[-2] == "speakers: zoe from bob, cy"
