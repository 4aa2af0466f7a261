"""What a run learns from, validates on and is tested on, told from its settings alone."""

import pytest

from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.errors import CorpusError
from voxgraft.project.corpora import voice_split


def manifest(count: int, texts: int | None = None) -> Manifest:
    return Manifest(
        tuple(Utterance(str(n), f"{n}.wav", f"text number {n % (texts or count)}", 1.0, 16000) for n in range(count))
    )


@pytest.mark.parametrize(("asked", "validation"), [(None, 1), (1, 1), (3, 3), (4, 4), (7, 4), (100, 4)])
def test_what_is_asked_for_is_obeyed_as_long_as_most_is_learned_from(asked, validation):
    config = RunConfig.model_validate({"corpus": {} if asked is None else {"validation": asked}})
    parts = voice_split(config, manifest(9))
    assert (len(parts.train), len(parts.validation)) == (9 - validation, validation)


@pytest.mark.parametrize("corpus", [manifest(1), manifest(5, texts=1)])
def test_one_text_is_refused_before_anything_is_prepared(corpus):
    with pytest.raises(CorpusError, match="too few texts to set one aside") as caught:
        voice_split(RunConfig(), corpus)
    assert "texts in" in caught.value.summary
