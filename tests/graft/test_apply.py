from dataclasses import replace

import numpy as np
import pytest
from tests.graft.test_plan import folded, plan_for
from tests.graft.tiny_vits import SYMBOLS, as_checkpoint, make_vits

from voxgraft.errors import GraftError
from voxgraft.graft.apply import apply_plan, build
from voxgraft.text.symbols import SymbolTable

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

IDS = torch.tensor([[1, 0, 4, 0, 7, 0, 9, 0, 10, 0, 5, 0, 2]])


def graft(base, speakers=(), seed=0, **settings):
    plan, target = plan_for(base, speakers, **settings)
    model = build(target, seed)
    apply_plan(plan, base, model)
    return model.eval()


def speak(model, speaker=None, ids=IDS):
    with torch.no_grad():
        who = None if speaker is None else torch.tensor([speaker])
        return model.infer(ids, torch.tensor([ids.shape[1]]), noise_scale=0.0, noise_w=0.0, speaker=who)


def losses(model, speaker=None):
    who = None if speaker is None else torch.tensor([speaker])
    frames = torch.rand(1, 33, 40, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        out = model(
            IDS, torch.tensor([13]), frames, torch.tensor([40]), who, segment_frames=8,
            generator=torch.Generator().manual_seed(4),
        )  # fmt: skip
    return out.duration_loss, out.audio, out.z_p


def test_a_copy_speaks_and_trains_the_same(single):
    original = make_vits(1, 1)
    model = graft(single)
    assert torch.equal(speak(model), speak(original))
    for ours, theirs in zip(losses(model), losses(original), strict=True):
        assert torch.equal(ours, theirs)


def test_an_exported_voice_speaks_the_same(single):
    assert torch.allclose(speak(graft(folded(single))), speak(make_vits(1, 1)), atol=1e-6)


@pytest.mark.parametrize("speaker", [0, 1, 2])
@pytest.mark.parametrize("exported", [False, True])
def test_many_to_one_is_exact(many, speaker, exported):
    original = make_vits(2, 3)
    base = folded(many) if exported else many
    model = graft(base, graft={"from_speaker": many.speakers[speaker]})
    assert model.speakers == 1
    assert speak(model).shape == speak(original, speaker).shape
    assert torch.allclose(speak(model), speak(original, speaker), atol=1e-6)
    assert not torch.allclose(speak(model), _same_length(speak(original, (speaker + 1) % 3), speak(model)), atol=1e-3)
    if not exported:
        for ours, theirs in zip(losses(model), losses(original, speaker), strict=True):
            assert torch.allclose(ours, theirs, atol=1e-4)


def _same_length(audio, like):
    return torch.nn.functional.pad(audio, (0, max(0, like.shape[-1] - audio.shape[-1])))[..., : like.shape[-1]]


@pytest.mark.parametrize("speaker", [0, 1])
def test_one_to_many_starts_as_the_base_and_can_learn(single, speaker):
    model = graft(single, ("ann", "ben"))
    assert torch.allclose(speak(model, speaker), speak(make_vits(1, 1)), atol=1e-6)
    model.train()
    frames = torch.rand(1, 33, 40)
    out = model(IDS, torch.tensor([13]), frames, torch.tensor([40]), torch.tensor([speaker]), segment_frames=8)
    (out.audio.square().sum() + out.z_p.square().sum() + out.duration_loss).backward()
    for name in ("dec.cond.weight", "dp.cond.weight", "flow.flows.0.enc.cond_layer.weight_g"):
        assert model.get_parameter(name).grad.abs().sum() > 0, name


def test_kept_speakers_sound_as_before_and_a_new_one_as_its_start(many):
    original = make_vits(2, 3)
    model = graft(many, ("zoe", "cy", "ada"), graft={"from_speaker": "bob"})
    for here, there in ((0, 1), (1, 2), (2, 0)):
        assert torch.equal(speak(model, here), speak(original, there))


def test_a_shuffled_alphabet_speaks_the_same(single):
    names = list(SYMBOLS.ids)[::-1]
    table = SymbolTable({name: (index,) for index, name in enumerate(names)}, 16, "espeak", voice="en-us")
    model = graft_with(single, table)
    places = torch.tensor([[names.index(SYMBOLS.symbols[i]) for i in IDS[0].tolist()]])
    assert torch.equal(speak(model, ids=places), speak(make_vits(1, 1)))


def graft_with(base, table):
    plan, target = plan_for(base, target_changes={"symbols": table})
    model = build(target, 0)
    apply_plan(plan, base, model)
    return model.eval()


def test_new_symbols_start_near_or_from_the_mean(single):
    table = SymbolTable({s: (i,) for i, s in enumerate("_^$ é漢")}, 16, "espeak")
    weight = graft_with(single, table).enc_p.emb.weight
    source = torch.tensor(single.tensors["enc_p.emb.weight"])
    assert torch.equal(weight[4], source[8])
    assert torch.allclose(weight[5], source[:4].mean(0), atol=1e-6)


def test_new_parts_depend_on_the_seed_alone(single):
    first, second, other = (graft(folded(single), seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["enc_q.pre.weight"], other["enc_q.pre.weight"])
    assert torch.equal(first["dec.conv_pre.weight"], other["dec.conv_pre.weight"])


def test_a_silent_channel_of_a_folded_weight_stays_silent(single):
    base = folded(single)
    weight = base.tensors["dec.ups.0.weight"].copy()
    weight[3] = 0
    base = replace(base, tensors={**base.tensors, "dec.ups.0.weight": weight})
    audio = speak(graft(base))
    assert torch.isfinite(audio).all()


def _rejected(base, plan, target, match):
    model = build(target, 0)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(GraftError, match=match):
        apply_plan(plan, base, model)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_nothing_changes_where_a_graft_fails(single, many):
    plan, target = plan_for(single)
    poisoned = {
        **single.tensors,
        "flow.flows.6.post.bias": np.full_like(single.tensors["flow.flows.6.post.bias"], np.nan),
    }
    _rejected(replace(single, tensors=poisoned), plan, target, r"flow\.flows\.6\.post\.bias.*finite")
    _rejected(many, plan, target, "another base")
    fewer = {name: tensor for name, tensor in single.tensors.items() if name != "dec.conv_post.weight"}
    _rejected(replace(single, tensors=fewer), plan, target, "another base")
    _rejected(single, replace(plan, rows=plan.rows[1:]), target, "another model")
    _rejected(single, replace(plan, rows=(*plan.rows, plan.rows[0])), target, "another model")
    _rejected(single, replace(plan, refusals=("no",)), target, "refused")
    _rejected(many, *plan_for(many, ("stranger",)), "refused")


def test_half_precision_bases_are_widened():
    import ml_dtypes

    tensors = make_vits(1, 1).state_dict()
    base = as_checkpoint(tensors)
    narrow = {name: array.astype(ml_dtypes.bfloat16) for name, array in base.tensors.items()}
    model = graft(replace(base, tensors=narrow))
    assert all(tensor.dtype == torch.float32 for tensor in model.state_dict().values())
    assert torch.allclose(model.dec.conv_pre.weight, tensors["dec.conv_pre.weight"], rtol=1e-2)
