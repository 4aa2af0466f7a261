"""tts-framework, VoiceSmith and maum-ai: one naming whoever wrote the file, and only what a file tells is told."""

import json

import numpy as np
import pytest
import torch
from tests import paths

from voxgraft.architectures.families import family_of
from voxgraft.checkpoints import open_checkpoint
from voxgraft.checkpoints.formats.tts_framework.symbols import LANGUAGES
from voxgraft.checkpoints.inspect import inspection_of
from voxgraft.errors import CheckpointError

FIXTURES = paths.FIXTURES / "tts_framework"
NAMES = ("delightful.ckpt", "acoustic.pt", "univnet.ckpt", "vocoder.pt", "hifigan.ckpt")
STATES = {
    "delightful.ckpt": "state_dict",
    "acoustic.pt": "gen",
    "univnet.ckpt": "state_dict",
    "vocoder.pt": "generator",
}
SETTINGS = """
audio:
  n_mel_channels: 100
  filter_length: 1024
  hop_length: 256
  win_length: 1024
  sampling_rate: 24000
  mel_fmin: 0.0
  mel_fmax: 12000.0
"""


def told(checkpoint):
    return " ".join(checkpoint.notes)


def content_of(name):
    return torch.load(FIXTURES / name, weights_only=False)


def saved(content, folder, name="model.bin"):
    torch.save(content, folder / name)
    return folder / name


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(path)
    assert caught.value.remedy
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "family", "variant"),
    [
        ("delightful.ckpt", "delightful", "tts-framework"),
        ("acoustic.pt", "delightful", "voicesmith"),
        ("univnet.ckpt", "univnet", "tts-framework"),
        ("vocoder.pt", "univnet", "voicesmith"),
        ("hifigan.ckpt", "hifigan", "tts-framework"),
    ],
)
def test_each_file_is_known_by_what_is_in_it(name, family, variant, tmp_path):
    path = tmp_path / "a.download"
    path.write_bytes((FIXTURES / name).read_bytes())
    checkpoint = open_checkpoint(path)
    assert (checkpoint.family, checkpoint.variant) == (family, variant)
    assert checkpoint.provenance.format == "tts-framework"
    assert checkpoint.missing == ()
    assert {family_of(family).part_of(tensor) for tensor in checkpoint.tensors} <= {
        part.name for part in family_of(family).parts
    }


@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_of_a_model_keeps_its_values(name):
    content, checkpoint = content_of(name), open_checkpoint(FIXTURES / name)
    states = [content[key] for key in ("state_dict", "gen", "generator", "discriminator") if key in content]
    theirs = sorted(
        float(tensor.double().sum())
        for state in states
        for key, tensor in state.items()
        if tensor.is_floating_point() and not key.startswith(("swa_", "loss.", "tacotronSTFT"))
        and not key.endswith("conditioning.sqrt")
    )  # fmt: skip
    ours = sorted(float(checkpoint.tensors[tensor].astype(np.float64).sum()) for tensor in checkpoint.tensors)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_voicesmith_and_tts_framework_come_under_one_naming():
    old, new = open_checkpoint(FIXTURES / "acoustic.pt"), open_checkpoint(FIXTURES / "delightful.ckpt")
    only_old = {name for name in old.tensors if name not in new.tensors}
    only_new = {name for name in new.tensors if name not in old.tensors}
    assert {name.split(".")[0] for name in only_old} == {"pitch_adaptor"}
    # The tiny VoiceSmith is its English one, which has no feed-forward parts.
    assert {name.split(".")[0] if ".ff." not in name else "ff" for name in only_new} == {
        "pitch_adaptor_conv", "energy_adaptor", "ff",
    }  # fmt: skip
    shared = set(old.tensors) & set(new.tensors)
    assert {old.tensors.shapes[name] == new.tensors.shapes[name] for name in shared} == {True}
    theirs = {name for name in content_of("acoustic.pt")["gen"] if not name.endswith(".sqrt")}
    # 4 tensors in each of 3 conformer blocks, 8 in each of 3 predictors; of the full size's 12 blocks it is 72.
    assert len([name for name in shared if name not in theirs]) == 4 * 3 + 8 * 3
    assert "none of it fits there" in told(old)


def test_symbols_mean_what_the_tokenizer_of_tts_framework_says():
    stated = json.loads((FIXTURES / "symbols.json").read_text(encoding="utf-8"))
    table = open_checkpoint(FIXTURES / "delightful.ckpt").symbols
    assert {symbol: ids[0] for symbol, ids in table.ids.items()} == stated["ids"]
    assert (table.rows, table.text_kind, table.voice) == (256, "espeak", "en-us")
    # Their tokenizer makes small letters of capitals first.
    assert list(table.encode(stated["phonemes"].lower()).ids) == stated["tokens"]


def test_ids_of_voicesmith_are_bytes_and_mean_something_else():
    bytes_, ipa = (open_checkpoint(FIXTURES / name).symbols for name in ("acoustic.pt", "delightful.ckpt"))
    assert bytes_.text_kind == "bytes"
    assert bytes_.encode(chr(byte) for byte in "né".encode()).ids == tuple("né".encode())
    assert (bytes_.pad, bytes_.bos, bytes_.eos) == (None, None, None)
    assert [symbol for symbol in ipa.ids if bytes_.ids.get(symbol) == ipa.ids[symbol]] == []


def test_facts_of_an_acoustic_model():
    checkpoint = open_checkpoint(FIXTURES / "acoustic.pt")
    assert (checkpoint.step, checkpoint.epoch, checkpoint.learning_rate) == (400, None, pytest.approx(1.5e-4))
    assert set(checkpoint.training_state) == {"optimizer"}
    assert checkpoint.speakers == ("0", "1", "2")
    assert "names are not in the file" in told(checkpoint)
    assert checkpoint.languages == LANGUAGES
    assert len(LANGUAGES) == 19
    assert LANGUAGES[3] == "en"
    audio = checkpoint.audio
    assert (audio.sample_rate, audio.n_fft, audio.hop, audio.win) == (22050, 1024, 256, 1024)
    assert (audio.n_mels, audio.fmin, audio.fmax, audio.magnitude_floor) == (6, 20, 11025, 1e-9)
    assert "mel bands are 6, not the usual 100" in told(checkpoint)


def test_lightning_s_count_under_manual_optimisation_is_told_and_put_right():
    assert content_of("univnet.ckpt")["global_step"] == 4
    checkpoint = open_checkpoint(FIXTURES / "univnet.ckpt")
    assert (checkpoint.step, checkpoint.epoch) == (2, 1)
    assert checkpoint.learning_rate == pytest.approx(1e-4 * 0.995**2)
    assert "global_step of 4" in told(checkpoint)
    assert "swa_averaged" in told(checkpoint)


def test_one_optimizer_s_count_is_left_alone(tmp_path):
    checkpoint = open_checkpoint(saved(content_of("delightful.ckpt") | {"global_step": 30}, tmp_path))
    assert checkpoint.step == 30


def test_optimizers_without_counts_share_lightning_s(tmp_path):
    content = content_of("univnet.ckpt") | {"global_step": 44480}
    for optimizer in content["optimizer_states"]:
        optimizer["state"] = {}
    assert open_checkpoint(saved(content, tmp_path)).step == 22240


def test_a_vocoder_of_voicesmith():
    checkpoint = open_checkpoint(FIXTURES / "vocoder.pt")
    assert (checkpoint.step, checkpoint.learning_rate) == (250, pytest.approx(9e-5))
    assert set(checkpoint.training_state) == {"optimizer", "discriminator_optimizer"}
    assert inspection_of(checkpoint)["parts"].keys() == {
        "generator", "multi-resolution discriminator", "multi-period discriminator",
    }  # fmt: skip
    assert (checkpoint.audio.sample_rate, checkpoint.audio.hop) == (22050, 256)


def test_what_maum_ai_wrote_records_its_settings(tmp_path):
    old = content_of("vocoder.pt")
    content = {"model_g": old["generator"], "model_d": old["discriminator"], "step": 9, "epoch": 288}
    checkpoint = open_checkpoint(saved(content | {"hp_str": SETTINGS, "optim_g": old["optim_g"]}, tmp_path))
    assert (checkpoint.variant, checkpoint.step, checkpoint.epoch) == ("maum-ai", 9, 288)
    assert (checkpoint.audio.sample_rate, checkpoint.audio.fmax, checkpoint.audio.n_mels) == (24000, 12000, 5)
    assert "the tensors win" in told(checkpoint)
    assert checkpoint.missing == ()


@pytest.mark.parametrize(
    "settings", ["audio: [1, 2", "audio: 3", "- 1", "", 7, "audio: {sampling_rate: -1}", "a: &a [*a]"]
)
def test_settings_that_say_nothing_leave_the_audio_open(settings, tmp_path):
    content = {"model_g": content_of("vocoder.pt")["generator"], "hp_str": settings}
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.audio is None
    assert "settings" in told(checkpoint)


def test_a_hifigan_numbers_its_rows_of_blocks_through_and_knows_its_rate():
    checkpoint = open_checkpoint(FIXTURES / "hifigan.ckpt")
    assert checkpoint.architecture["upsample_rates"] == (8, 8, 4, 2)
    assert (checkpoint.audio.sample_rate, checkpoint.audio.hop) == (44100, 512)
    theirs = content_of("hifigan.ckpt")["state_dict"]
    for stage in range(4):
        for kernel in range(2):
            ours = checkpoint.tensors[f"generator.resblocks.{2 * stage + kernel}.convs2.1.bias"]
            np.testing.assert_array_equal(ours, theirs[f"generator.resblocks.{stage}.{kernel}.convs2.1.bias"].numpy())


def test_a_hifigan_speaks_as_the_original():
    from voxgraft.models.vocoders.hifigan import HifiGan

    checkpoint, said = open_checkpoint(FIXTURES / "hifigan.ckpt"), np.load(FIXTURES / "hifigan.npz")
    model = HifiGan(**checkpoint.architecture).eval()
    prefix = "generator."
    model.load_state_dict(
        {
            name.removeprefix(prefix): torch.tensor(checkpoint.tensors[name])
            for name in checkpoint.tensors
            if name.startswith(prefix)
        }
    )
    with torch.no_grad():
        wave = model(torch.tensor(said["mel"])).numpy()
    assert wave.shape == (1, 1, 3 * 512)
    np.testing.assert_allclose(wave, said["wave"], atol=1e-4)


def test_a_hifigan_for_22_khz_that_speaks_half_as_fast_is_told(tmp_path):
    content = content_of("hifigan.ckpt")
    content["state_dict"]["tacotronSTFT.mel_basis"] = torch.zeros(4, 513)
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.audio.sample_rate == 22050
    assert "lasts 2 times as long" in told(checkpoint)


def test_80_mel_bands_fit_two_rates_and_none_is_guessed(tmp_path):
    content = content_of("delightful.ckpt")
    content["state_dict"] |= {
        "acoustic_model.to_mel.weight": torch.zeros(80, 8), "acoustic_model.to_mel.bias": torch.zeros(80),
    }  # fmt: skip
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.audio is None
    assert "44100" in told(checkpoint)


def test_a_vocoder_inside_is_kept_apart(tmp_path):
    content = content_of("delightful.ckpt")
    alone = open_checkpoint(FIXTURES / "delightful.ckpt")
    inside = content_of("univnet.ckpt")["state_dict"]
    content["state_dict"] |= {f"vocoder_module.{name}": tensor for name, tensor in inside.items()}
    content["state_dict"]["pitches_stat"] = torch.tensor([1.0, 2.0])
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.family == "delightful"
    extra = set(checkpoint.tensors) - set(alone.tensors)
    assert {name.split(".")[0] for name in extra} == {"vocoder"}
    assert {name.removeprefix("vocoder.") for name in extra} == set(open_checkpoint(FIXTURES / "univnet.ckpt").tensors)


def test_a_module_for_demonstration_wraps_both(tmp_path):
    state = {f"delightful_tts.{name}": t for name, t in content_of("delightful.ckpt")["state_dict"].items()}
    state |= {f"hifi_gan.{name}": t for name, t in content_of("hifigan.ckpt")["state_dict"].items()}
    checkpoint = open_checkpoint(saved({"state_dict": state}, tmp_path))
    assert set(open_checkpoint(FIXTURES / "delightful.ckpt").tensors) < set(checkpoint.tensors)
    assert "vocoder.generator.resblocks.7.convs1.0.weight_v" in checkpoint.tensors
    assert "vocoder.discriminator.msd.discriminators.0.conv_post.weight_u" in checkpoint.tensors


def test_a_decoder_that_knows_no_language_is_told_with_what_tts_framework_does(tmp_path):
    content = content_of("acoustic.pt")
    for name in [name for name in content["gen"] if name.startswith("decoder") and "embedding_proj.weight" in name]:
        content["gen"][name] = content["gen"][name][:, :5].clone()
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.architecture["decoder_knows_language"] is False
    assert "widens this to 6 with random numbers" in told(checkpoint)


def test_a_widened_decoder_is_told(tmp_path):
    content = content_of("delightful.ckpt")
    state = content["state_dict"]
    state["acoustic_model.speaker_embed"], state["acoustic_model.lang_embed"] = torch.zeros(3, 384), torch.zeros(19, 1)
    for name in [name for name in state if name.endswith("embedding_proj.weight")]:
        state[name] = torch.zeros(8, 385)
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert "385 wide" in told(checkpoint)
    assert "one number wide" in told(checkpoint)


def test_an_older_table_of_symbols_stays_unnamed(tmp_path):
    content = content_of("acoustic.pt")
    content["gen"]["src_word_emb.embeddings"] = content["gen"].pop("src_word_emb")[:91].clone()
    content["gen"]["src_word_emb.padding_mult"] = torch.ones(91, 1, dtype=torch.int64)
    checkpoint = open_checkpoint(saved(content, tmp_path))
    assert checkpoint.symbols is None
    assert "ARPAbet" in told(checkpoint)


@pytest.mark.parametrize("name", STATES)
def test_a_missing_tensor_is_named(name, tmp_path):
    content = content_of(name)
    state = content[STATES[name]]
    gone = next(key for key in state if "embedding_proj.bias" in key or "input_conv" in key)
    del state[gone]
    message = refusal(saved(content, tmp_path))
    assert "absent" in message
    assert gone.split(".")[-2] in message


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("shape", [(), (0,), (3, 3, 3, 3), (2**20,)])
def test_a_tensor_that_does_not_fit_is_named(name, shape, tmp_path):
    content = content_of(name)
    state = content[STATES[name]]
    key = next(key for key in state if key.endswith((".ln.bias", "kernel_conv.bias")) and "swa" not in key)
    state[key] = torch.zeros(()).expand(shape)
    message = refusal(saved(content, tmp_path))
    assert "fit" in message
    assert key.split(".")[-2] in message


def test_heads_and_layers_that_contradict_each_other_are_refused(tmp_path):
    content = content_of("acoustic.pt")
    for bias in ("u_bias", "v_bias"):
        content["gen"][f"encoder.layer_stack.0.slf_attn.attention.{bias}"] = torch.zeros(3, 2)
    assert "slf_attn" in refusal(saved(content, tmp_path))


def test_two_tensors_of_one_name_are_refused(tmp_path):
    content = content_of("delightful.ckpt")
    name = "acoustic_model.to_mel.bias"
    content["state_dict"][f"delightful_tts.{name}"] = content["state_dict"][name]
    assert "same part" in refusal(saved(content, tmp_path))


class Gadget:
    def __reduce__(self):
        return eval, ("open('ran', 'w')",)


@pytest.mark.parametrize("name", NAMES)
def test_code_in_a_file_is_told_and_never_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint = open_checkpoint(saved(content_of(name) | {"hidden": Gadget()}, tmp_path))
    assert "eval" in told(checkpoint)
    assert any("eval" in unsafe for unsafe in checkpoint.provenance.unsafe_globals)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("rubbish", [None, -7, "text", [], {1: 2}, {"param_groups": [7]}, {"state": {0: None}}])
def test_rubbish_beside_the_weights_is_no_traceback(rubbish, tmp_path):
    acoustic = open_checkpoint(saved(content_of("acoustic.pt") | {"optim": rubbish, "steps": rubbish}, tmp_path, "a"))
    assert (acoustic.step, acoustic.learning_rate) == (None, None)
    content = content_of("univnet.ckpt") | {"optimizer_states": rubbish, "global_step": rubbish, "epoch": rubbish}
    content["state_dict"]["an odd entry"] = rubbish
    univnet = open_checkpoint(saved(content, tmp_path, "b"))
    assert univnet.epoch is None
    assert univnet.learning_rate is None


@pytest.mark.parametrize(
    "content",
    [
        {"gen": {}},
        {"gen": {"src_word_emb": 3}},
        {"gen": 3, "optim": {}, "steps": 1},
        {"generator": {"res_stack.0.kernel_predictor.kernel_conv.bias": torch.zeros(2)}},
        {"state_dict": {"acoustic_model.src_word_emb": torch.zeros(256, 8)}},
        {"state_dict": {"generator.resblocks.0.0.convs1.0.bias": torch.zeros(2)}},
        {"state_dict": {f"univnet.res_stack.{i}.kernel_predictor.kernel_conv.bias": torch.zeros(2) for i in range(3)}},
    ],
)
def test_a_shell_of_a_model_is_refused(content, tmp_path):
    refusal(saved(content, tmp_path))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", [0, 1, 3, 100, 0.25, 0.5, 0.9, 0.999])
def test_a_file_cut_off_is_refused(name, part, tmp_path):
    source = (FIXTURES / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(source[: int(part * len(source)) if part < 1 else part])
    refusal(path)
