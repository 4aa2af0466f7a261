"""What a step does on a GPU: where its tensors lie, what would wait for it, and, where there is one, what comes out."""

import pytest
import torch
from tests.checkpoints.formats.hugging_face.hugging_face_files import HUGGING_FACE
from tests.training.loop.fake_gpu import GPU, NoWaiting, Waits, batch_on_gpu, fake_gpu, moved
from tests.training.tasks.acoustic import tiny_acoustic
from tests.training.tasks.ctc import tiny_recogniser
from tests.training.tasks.ctc.conftest import whisper  # noqa: F401
from tests.training.tasks.vits import tiny_project
from tests.training.tasks.vocoder import tiny_vocoder
from torch._subclasses.fake_tensor import DynamicOutputShapeException, unset_fake_temporarily

from voxgraft.models import discriminators
from voxgraft.models.discriminators import together
from voxgraft.models.vits import vits as vits_model
from voxgraft.training.loop.processes import Processes
from voxgraft.training.loop.step import take_step
from voxgraft.training.tasks.acoustic import setup as acoustic_setup
from voxgraft.training.tasks.ctc import module as ctc_module
from voxgraft.training.tasks.ctc import setup as ctc_setup
from voxgraft.training.tasks.settle import settled_task
from voxgraft.training.tasks.vits import setup as vits_setup
from voxgraft.training.tasks.vocoder import setup as vocoder_setup

ENCODERS = {
    "deepspeech": "none",
    "wav2vec2": HUGGING_FACE / "mms" / "adapter.eng.safetensors",
    "xlsr": HUGGING_FACE / "xlsr",
    "fastconformer": HUGGING_FACE / "parakeet",
    "whisper": None,
}
VOICES = {
    "light": {"discriminator": "light", "discriminator_warmup": 0},
    "piper": {"discriminator": "piper", "discriminator_warmup": 0},
    "alone": {"discriminator": "none"},
    "all-learn": {"learning_rates": tiny_project.EVERYTHING_LEARNS},
    "whole-clips": {"window": None},
}
# Their discriminators, narrower than they are: the spectral norms of HiFi-GAN's are brought up to date there too.
NARROW = {
    "hifigan": {
        "mpd": lambda: discriminators.MultiPeriodDiscriminator((2, 3), (2, 4, 4, 4, 4)),
        "msd": lambda: discriminators.MultiScaleDiscriminator(2, ((4, 15, 1, 1), (8, 41, 2, 4), (8, 5, 1, 1))),
    },
    "univnet": {"mrd": lambda: discriminators.MultiResolutionDiscriminator(width=4)},
}
VOCODERS = {"vocoder-light": "light", "vocoder-full": "hifigan", "vocoder-univnet": "univnet", "vocoder-alone": "none"}

ACOUSTIC = {"fastspeech2": {}, "fastspeech2-frozen": {"freeze": ["text_encoder", "aligner", "postnet"]}}


@pytest.fixture
def begun(tmp_path, request):
    """A run of a task that has not stepped yet, by the name of the case."""

    def begin(name, **training):
        if name in VOICES:
            return vits_setup.begin(tiny_project.project(tmp_path, **VOICES[name] | training))
        if name in VOCODERS:
            request.getfixturevalue("monkeypatch").setattr(together, "KINDS", NARROW)
            weights = {"mel": 45, "stft": 1, "adversarial": 1, "feature": 2}
            config = tiny_vocoder.project(tmp_path, discriminator=VOCODERS[name], weights=weights, **training)
            return vocoder_setup.begin(settled_task(config))
        if name in ACOUSTIC:
            return acoustic_setup.begin(tiny_acoustic.project(tmp_path, training=ACOUSTIC[name] | training))
        base = ENCODERS[name] or request.getfixturevalue("whisper")
        settings = {"steps": 6, "batch": 2} | training
        return ctc_setup.begin(
            tiny_recogniser.project(tmp_path / "run", base, tiny_recogniser.RUSSIAN, training=settings)
        )

    return begin


@pytest.fixture
def engine(monkeypatch):
    """A torch built for CPUs has no engine to go backward on a GPU: gradients of the right shapes come from nowhere.

    How long clips are is found out on the CPU, with true numbers. The losses and searches that have no fake are stood for.
    """

    def backward(loss):
        assert loss.device == GPU
        waiting, seen = [loss.grad_fn], set()
        while waiting:
            node = waiting.pop()
            if node is None or node in seen:
                continue
            seen.add(node)
            leaf = getattr(node, "variable", None)
            if leaf is not None:
                assert leaf.device == GPU
                leaf.grad = torch.zeros_like(leaf)
            waiting += [following for following, _ in node.next_functions]

    def ctc_loss(log_probs, labels, frames, label_lengths, **_):
        assert log_probs.device == labels.device == GPU
        # Torch would copy tensors of lengths to the CPU.
        assert all(type(length) is int for length in (*frames, *label_lengths))
        return log_probs.sum((0, 2))

    frames = ctc_module.output_frames

    def output_frames(network, batch):
        with unset_fake_temporarily():
            return frames(network, batch)

    monkeypatch.setattr(torch.Tensor, "backward", backward)
    monkeypatch.setattr(torch.autograd, "grad", lambda _, leaf, **__: (torch.zeros_like(leaf),))
    monkeypatch.setattr(torch.nn.functional, "ctc_loss", ctc_loss)
    monkeypatch.setattr(ctc_module, "output_frames", output_frames)
    monkeypatch.setattr(vits_model, "maximum_path", lambda scores, mask: torch.zeros_like(scores) * mask)


def batches_of(training, count):
    """Batches of the first steps, whose clips are aligned."""
    found = list(training.batches(0, count, Processes()))
    if hasattr(training.learner, "align"):
        for batch in found:
            training.learner.alignments.update(training.learner.align(batch, list(dict.fromkeys(batch.clips))), 0)
    elif hasattr(training.learner, "alignments"):
        clips = sorted({clip for batch in found for clip in batch.clips})
        alignments = training.learner.alignments
        alignments.update(alignments.align(training.learner.generator.eval(), clips, torch.device("cpu")), 0)
        training.learner.generator.train()
    return found


@pytest.mark.parametrize("name", [*VOICES, *ENCODERS, *VOCODERS, *ACOUSTIC])
def test_a_step_keeps_to_its_device_and_does_not_wait_for_it(begun, engine, name):
    training = begun(name)
    first, second = batches_of(training, 2)
    with fake_gpu() as mode:
        moved(training.learner, mode)
        step(training, batch_on_gpu(first, mode))
        # What is made once, filters and the like, is there now.
        batch = batch_on_gpu(second, mode)
        with NoWaiting():
            terms = step(training, batch)
        assert {value.device for value in terms.values()} == {GPU}
        assert all(p.grad.device == GPU for n in training.learner.networks.values() for p in learned(n))


def learned(network):
    return [parameter for parameter in network.parameters() if parameter.grad is not None]


def step(training, batch):
    config = training.config
    return take_step(training.learner, batch, config.training, training.position, config.seed, Processes())


@pytest.mark.parametrize(
    "waits",
    [
        lambda x: x.sum().item(),
        lambda x: x.tolist(),
        lambda x: float(x.sum()),
        lambda x: bool(x.any()),
        lambda x: x.cpu(),
        lambda x: x[x > 0],
        lambda x: torch.nonzero(x),
        lambda x: x[: x.sum().long()],
        lambda x: torch.zeros(3).to(x.device),
        lambda x: torch.tensor([1, 2], device=x.device),
    ],
)
def test_the_rule_sees_what_waits(waits):
    with fake_gpu():
        there = torch.ones(3).to(GPU)
        with pytest.raises((Waits, DynamicOutputShapeException)), NoWaiting():
            waits(there)
        with pytest.raises(Exception, match="device"):
            there + torch.ones(3)


@pytest.mark.gpu
@pytest.mark.parametrize("name", sorted({*VOICES, *ENCODERS, *VOCODERS} - {"all-learn"}))
def test_a_step_on_a_gpu_is_that_of_the_cpu(begun, name):
    """Without what draws otherwise there: dropout, and the noise that a duration predictor learns with."""
    found = {}
    for device in ("cpu", "cuda"):
        training = begun(name, device=device, precision="fp32")
        batch = batches_of(training, 1)[0]
        parts = [part for network in training.learner.networks.values() for part in network.modules()]
        for part in parts:
            if isinstance(part, torch.nn.Dropout):
                part.p = 0.0
            if isinstance(getattr(part, "dropout", None), float):
                part.dropout = 0.0
        training.learner.to(torch.device(device))
        found[device] = {k: float(v) for k, v in step(training, batch.to(torch.device(device))).items()}
    assert found["cuda"] == pytest.approx(found["cpu"], rel=1e-3, abs=1e-4)
