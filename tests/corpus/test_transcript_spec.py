"""A transcript spec counts frames as the networks themselves do, without any of them."""

import numpy as np
import pytest

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.audio.recogniser_features import feature_count
from voxgraft.checkpoints import open_checkpoint
from voxgraft.corpus.transcript_spec import TranscriptSpec, transcript_spec_for
from voxgraft.inference.recogniser.labels import Labels
from voxgraft.text.alphabet import alphabet_table

LETTERS = Labels.of(alphabet_table((" ", "a", "b", "c", "-")))


@pytest.mark.parametrize(
    ("text", "kind", "written"),
    [
        ("Abba, cab!", "plain", "abba cab"),
        ("Abba, cab!", "as_is", "Abba, cab!"),
        ("Bac–cab…", "plain", "bac cab"),
        ("a-b, c", "plain", "a-b c"),
    ],
)
def test_transcripts_lose_what_is_not_said_but_for_signs_of_the_alphabet(text, kind, written):
    assert TranscriptSpec(LETTERS, kind).transcript(text) == written


@pytest.mark.parametrize(
    "name", ["hugging_face/mms", "hugging_face/parakeet", "hugging_face/whisper", "deepspeech/english"]
)
def test_frames_are_those_of_the_network(name):
    torch = pytest.importorskip("torch")
    from voxgraft.models.ctc.networks import NETWORKS

    base = open_checkpoint(f"tests/fixtures/{name}")
    spec = base.features or base.audio or MfccSpec()
    symbols = base.symbols if base.symbols is not None and base.symbols.blank else alphabet_table((" ", "a"))
    transcript_spec = transcript_spec_for(symbols, base.family, base.architecture, spec, "plain")
    with torch.device("meta"):
        network = NETWORKS[base.family].build({"symbols": symbols.rows, **base.architecture})
    samples = np.concatenate([np.arange(0, 3000, 37), np.arange(15000, 17000, 61)])
    features = torch.tensor([feature_count(int(count), spec) for count in samples])
    assert [transcript_spec.frames(count / spec.sample_rate) for count in samples] == network.output_lengths(
        features
    ).tolist()
