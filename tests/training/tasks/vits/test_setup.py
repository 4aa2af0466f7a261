import json
import shutil

import numpy as np
import pytest
import torch
from tests.training.tasks.vits.tiny_project import EVERYTHING_LEARNS, corpus, fit, project, settings, spelt

from voxgraft.audio.write import write_wav
from voxgraft.config.run import RunConfig
from voxgraft.corpus.importers import import_corpus
from voxgraft.errors import AudioError, CorpusError, GraftError, TrainingError, VoxgraftError
from voxgraft.inference.voice.voice import Voice
from voxgraft.project.run_folder import MANIFEST
from voxgraft.training.loop import device
from voxgraft.training.loop.checkpoints import content_of
from voxgraft.training.loop.device import choose_batch, choose_device
from voxgraft.training.run import train
from voxgraft.training.tasks.vits.new_parts import FROM_SCRATCH
from voxgraft.training.tasks.vits.setup import begin


def nothing_written(folder):
    return not (folder / "runs").exists() and not (folder / "voices").exists()


def test_a_project_without_recordings_is_an_error_and_leaves_nothing(tmp_path):
    base = spelt("single.ckpt", tmp_path / "base")
    with pytest.raises(CorpusError, match="no recordings") as caught:
        train(RunConfig(**settings(tmp_path, base)))
    assert "corpus import" in caught.value.remedy
    assert nothing_written(tmp_path)


def test_where_no_clip_can_be_trained_on_the_commonest_reason_is_said(tmp_path):
    config = project(tmp_path)
    tight = config.model_copy(update={"corpus": config.corpus.model_copy(update={"shortest": 5.0})})
    with pytest.raises(TrainingError, match="none of the 8 utterances") as caught:
        train(tight)
    assert "outside 5 to 15 s" in caught.value.summary
    assert "corpus check" in caught.value.remedy
    assert nothing_written(tmp_path)


def test_clips_that_do_not_fit_are_left_out_and_said(tmp_path, capsys):
    folder = corpus(tmp_path / "recordings", texts=("abc", "cab", "bad cab dab " * 12, "xyz zyx", "dab"))
    import_corpus(folder).write(tmp_path / MANIFEST)
    ready = begin(RunConfig(**settings(tmp_path, spelt("single.ckpt", tmp_path / "base"), batch="auto")))
    said = capsys.readouterr().err
    assert "left out 2: " in said
    assert "the text can't belong to it" in said
    assert "left out 3: 100 % of its letters and sounds are unknown to the voice, such as " in said
    assert {e.prepared.utterance.id for e in ready.data.train} <= {"0", "1", "4"}
    assert "to validate on can be used: " in said
    assert len(ready.data.validation) == 1
    assert said.count("left out: '") == 1, "told by the plan, and not again"
    assert "symbols that the voice does not know" not in said
    assert ready.config.training.batch <= len(ready.data.train), "no batch holds a clip twice"


def test_recordings_that_are_gone_are_named(tmp_path):
    config = project(tmp_path)
    (tmp_path / "recordings" / "wavs" / "3.wav").unlink()
    with pytest.raises(VoxgraftError, match=r"3\.wav") as caught:
        train(config)
    assert caught.value.remedy
    assert nothing_written(tmp_path)


def test_a_recording_that_is_no_audio_any_more_is_named(tmp_path):
    config = project(tmp_path)
    (tmp_path / "recordings" / "wavs" / "3.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"3\.wav"):
        train(config)
    assert nothing_written(tmp_path)


def test_silence_trains_to_no_nan(tmp_path):
    config = project(tmp_path, steps=1, learning_rates=EVERYTHING_LEARNS, batch=8, discriminator="none")
    for path in (tmp_path / "recordings" / "wavs").iterdir():
        write_wav(path, np.zeros(16000, np.float32), 16000)
    import_corpus(tmp_path / "recordings").write(tmp_path / MANIFEST)
    left_out = []
    training = fit(begin(config), lambda _, terms: left_out.append(terms["left_out"]))
    assert all(torch.isfinite(parameter).all() for parameter in training.learner.generator.parameters())
    assert left_out == [0.0]


def test_a_refused_graft_begins_nothing(tmp_path):
    config = project(tmp_path, quality="high")
    with pytest.raises(GraftError, match="refused"):
        train(config)
    assert nothing_written(tmp_path)


def test_a_device_that_is_not_there_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(
        "voxgraft.training.tasks.vits.setup.recover", lambda *_: pytest.fail("minutes of recovery came first")
    )
    with pytest.raises(TrainingError, match=r"training\.device") as caught:
        train(project(tmp_path, "single.onnx", device="cuda"))
    assert "got cuda" in caught.value.summary
    with pytest.raises(TrainingError, match=r"training\.devices"):
        train(project(tmp_path, "single.onnx", devices=9))
    assert nothing_written(tmp_path)
    assert choose_device("auto") == "cpu"


def test_the_batch_fits_memory_and_corpus(started, monkeypatch):
    auto = started().config.training.model_copy(update={"batch": "auto"})
    monkeypatch.setattr(device, "free_memory", lambda _: 10**15)
    assert choose_batch(auto, 1000, "cpu") == device.BATCH_ON_CPU
    assert choose_batch(auto, 1000, "cuda") == device.BATCH_ON_GPU
    assert choose_batch(auto, 3, "cuda") == 3
    monkeypatch.setattr(device, "free_memory", lambda _: device.BYTES_OF_THE_MODEL + 2 * device.BYTES_A_CLIP)
    assert choose_batch(auto, 1000, "cuda") == 2
    monkeypatch.setattr(device, "free_memory", lambda _: 0)
    assert choose_batch(auto, 1000, "cpu") == 1


def test_what_was_left_to_us_is_decided_once(started):
    training = started(batch="auto", precision="auto", device="auto").config.training
    assert isinstance(training.batch, int)
    assert training.precision in ("fp32", "bf16")
    assert training.device in ("cpu", "cuda")


def test_minutes_shorten_a_run_and_measuring_leaves_no_trace(started, monkeypatch):
    plain = started(steps=500)
    ticks = iter(range(1000))
    monkeypatch.setattr("voxgraft.training.loop.time_budget.time.perf_counter", lambda: float(next(ticks)))
    timed = started(steps=500, minutes=2)
    # By this clock every pass and every validation takes a second; validations come every hundred steps.
    assert timed.position.steps == timed.config.training.steps == int(120 / (1.15 + 1 / 100))
    assert started(steps=5, minutes=2).position.steps == 5, "never longer than asked for"
    for (name, one), other in zip(plain.learner.weights().items(), timed.learner.weights().values(), strict=True):
        assert torch.equal(one, other), name
    assert not any(p.grad is not None for p in timed.learner.generator.parameters())
    assert timed.learner.alignments.stale([0], 0) == [0]
    assert timed.position.step == 0


def test_new_symbols_are_learnt_even_though_the_texts_rate_is_0(tmp_path, capsys):
    config = project(tmp_path)
    table = json.loads((tmp_path / "base" / "config.json").read_text())
    table["phoneme_id_map"]["e"] = [30]
    (tmp_path / "symbols.onnx.json").write_text(json.dumps(table))
    config = config.model_copy(
        update={"graft": config.graft.model_copy(update={"symbols": str(tmp_path / "symbols.onnx.json")})}
    )
    ready = begin(config)
    rates = ready.config.voice.learning_rates
    assert (rates.text_encoder, rates.duration) == (FROM_SCRATCH, 0)
    assert "text_encoder has something to learn" in capsys.readouterr().err
    assert any(p.requires_grad for p in ready.learner.generator.enc_p.parameters())
    kept = {"learning_rates": {"text_encoder": 0}}
    named = config.model_copy(update={"voice": RunConfig(voice=settings(tmp_path, "x")["voice"] | kept).voice})
    assert begin(named).config.voice.learning_rates.text_encoder == 0, "what the settings name stays"


def test_what_the_base_did_not_give_learns_at_its_parts_rate(tmp_path):
    config = project(tmp_path, discriminator="none")
    speakers = config.graft.model_copy(update={"speakers": ("ann", "ben")})
    import_corpus(corpus(tmp_path / "more", speakers=("ann", "ben"))).write(tmp_path / MANIFEST)
    module = begin(config.model_copy(update={"graft": speakers})).learner
    (optimiser,) = module.optimisers
    names = {id(p): name for name, p in module.generator.named_parameters()}
    shares = {names[id(g["params"][0])]: g["size"] for g in optimiser.param_groups}
    anew = {name for name in shares if name.startswith(("emb_g.", "dec.cond."))}
    assert len(anew) == 3
    assert all(shares[name] == 1.0 for name in anew), "some begin as zeros: by their size they would never get on"
    assert all(shares[name] != 1.0 for name in shares if name.startswith("dec.ups"))


def test_a_voice_that_keeps_the_bases_noise_is_trained_with_it(tmp_path):
    config = project(tmp_path)
    own = begin(config.model_copy(update={"voice": config.voice.model_copy(update={"noise_scale": None})}))
    assert own.config.voice.latent_noise == own.metadata.scales["noise_scale"] == 0.667


@pytest.mark.usefixtures("without_export")
def test_several_speakers_train_and_each_has_its_row(tmp_path):
    folder = corpus(tmp_path / "recordings", speakers=("ann", "ben"))
    import_corpus(folder).write(tmp_path / MANIFEST)
    base = spelt("single.ckpt", tmp_path / "base")
    config = RunConfig(**settings(tmp_path, base, steps=2, batch=6, learning_rates=EVERYTHING_LEARNS))
    ready = begin(config)
    assert ready.learner.generator.speakers == 2
    assert {example.speaker for example in ready.data.train} == {0, 1}
    before = ready.learner.generator.emb_g.weight.detach().clone()
    fit(ready)
    assert (ready.learner.generator.emb_g.weight != before).any(1).tolist() == [True, True]
    result = train(config)
    assert result.finished
    assert train(config, resume=True).step == 2


@pytest.mark.usefixtures("without_export")
def test_a_base_of_many_becomes_one_of_the_corpus_s_own(tmp_path):
    config = project(tmp_path, "multi.ckpt", steps=1).model_copy()
    config = config.model_copy(update={"graft": config.graft.model_copy(update={"from_speaker": "speaker1"})})
    assert begin(config).learner.generator.speakers == 1
    assert train(config).finished


def tiny_from_scratch(monkeypatch):
    """Presets have millions of parameters: a tiny one takes the place of x_low."""
    from tests.training.tasks.vits.tiny_project import PIPER

    from voxgraft.checkpoints import open_checkpoint

    tiny = dict(open_checkpoint(PIPER / "single.onnx").architecture)
    for name in ("symbols", "speakers", "gin_channels"):
        tiny.pop(name)
    monkeypatch.setattr("voxgraft.graft.target.preset", lambda quality: tiny | {"sample_rate": 16000})


def test_from_scratch_everything_learns_and_a_voice_comes_out(tmp_path, monkeypatch, capsys):
    pytest.importorskip("espeakng_loader")
    tiny_from_scratch(monkeypatch)
    project(tmp_path)
    shutil.rmtree(tmp_path / "base")
    config = RunConfig(**settings(tmp_path, "none", steps=2) | {"quality": "x_low", "language": "en-us"})
    ready = begin(config)
    assert "from scratch" in capsys.readouterr().err
    rates = ready.config.voice.learning_rates.model_dump()
    assert set(rates.values()) == {FROM_SCRATCH}
    assert not ready.config.voice.rates_by_size, "what was drawn at random has a size that means nothing"
    assert ready.config.voice.latent_noise == 1.0, "as VITS is trained"
    assert ready.learner.adversarial_from == 0, "nothing good that new judges could spoil"
    before = {name: p.detach().clone() for name, p in ready.learner.generator.named_parameters()}
    module = fit(ready).learner
    parts = {name.split(".")[0] for name, p in module.generator.named_parameters() if not torch.equal(p, before[name])}
    assert parts == {"enc_p", "dp", "flow", "enc_q", "dec"}
    result = train(config)
    assert result.finished
    assert sum(len(sentence) for sentence in Voice.load(result.voice).speak("a cab")) > 0


def test_what_a_run_writes_down_is_what_it_does(started):
    ready = started(discriminator="none")
    fit(ready)
    content = content_of(ready, {"waited": 0, "best": None})
    assert content["global_step"] == ready.position.step == 6
    assert content["epoch"] == 6 // 3
    assert all(name.startswith("model_g.") for name in content["state_dict"])
    assert len(content["optimizer_states"]) == 1


def test_a_gauge_without_a_judge_hears_the_base_before_the_first_step(started, monkeypatch):
    heard = []
    original = type(started(discriminator="none").assess).measure_base

    def hear(self, model):
        heard.append({name: p.clone() for name, p in model.state_dict().items()})
        return original(self, model)

    monkeypatch.setattr("voxgraft.training.tasks.vits.validate.MelDistance.measure_base", hear)
    ready = started(discriminator="none")
    assert len(heard) == 1
    for name, tensor in ready.learner.generator.state_dict().items():
        assert torch.equal(tensor, heard[0][name])


def test_the_judge_hears_the_base_and_its_error_rate_survives_a_resume(tmp_path, monkeypatch):
    """A judge that finds the base at 4 % and everything later better."""
    from types import SimpleNamespace

    class Judge:
        heard = 0

        def __init__(self, target, *, language, **_):
            assert all(rate == 16000 and len(audio) for audio, rate in target)
            assert language == "en"

        def score(self, clips, sample_rate, texts):
            Judge.heard += 1
            return SimpleNamespace(speaker_similarity=0.5 + Judge.heard / 10, cer=0.04)

    monkeypatch.setattr("voxgraft.training.tasks.vits.setup.Judge", Judge)
    monkeypatch.setattr(
        "voxgraft.training.tasks.vits.export.export_piper", lambda m, meta, folder: folder / "voice.onnx"
    )
    config = project(tmp_path, steps=2, validate_every=1, discriminator="none")
    result = train(config)
    assert (result.best.cer, result.best.speaker_similarity, result.best.step) == (0.04, 0.8, 2)
    from voxgraft.training.loop.checkpoints import newest

    assert newest(result.folder / "checkpoints")[1]["voxgraft_run"]["base_cer"] == 0.04
    assert train(config, resume=True).best == result.best


def test_without_a_recogniser_the_best_is_chosen_by_mel_distance_and_nothing_is_missed(tmp_path, capsys):
    config = project(tmp_path)
    begin(config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"recogniser": "none"})}))
    told = capsys.readouterr().err
    assert "chosen by mel distance, as no recogniser is wanted" in told
    assert "no recogniser by this name" not in told
