"""What to evaluate on: held-out recordings of a corpus, a file of texts, or built-in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from voxgraft.audio.read import read_audio
from voxgraft.config.run import RunConfig
from voxgraft.corpus.manifest import Manifest, Utterance
from voxgraft.corpus.split import text_key
from voxgraft.errors import EvaluationError
from voxgraft.evaluation.compare import MOST_TARGET_CLIPS, spread
from voxgraft.evaluation.instruments import Clip
from voxgraft.evaluation.judge import HeldOut
from voxgraft.evaluation.sentences import validation_sentences
from voxgraft.files import open_regular
from voxgraft.project.corpora import voice_split

MOST_TEXTS = 50
_LARGEST = 16 * 2**20


def from_corpus(
    manifest: Manifest, held_out: Collection[str] = (), *, most: int = MOST_TEXTS
) -> tuple[list[HeldOut], list[Clip]]:
    """Held-out texts with their recordings, and the recordings of all other texts as the target voice.

    Without `held_out` at most `most` utterances are taken, evenly over the corpus, and there is no other target.
    EvaluationError for an id that the corpus lacks, AudioError for a recording that can't be read.
    """
    if not held_out:
        return [_held_out(u) for u in spread(manifest.utterances, most)], []
    unknown = sorted(set(held_out) - {u.id for u in manifest})
    if unknown:
        raise EvaluationError(
            f"no such utterance: {', '.join(unknown[:5])}",
            field="held_out",
            remedy="`voxgraft corpus stats PROJECT --json` lists the ids.",
        )
    texts = {text_key(u.text) for u in manifest if u.id in held_out}
    lines = [_held_out(u) for u in manifest if text_key(u.text) in texts]
    return lines, recordings(u for u in manifest if text_key(u.text) not in texts)


def from_project(config: RunConfig, manifest: Manifest) -> tuple[list[HeldOut], list[Clip]]:
    """Held-out texts of a project, else those of its run's validation, and training recordings as the target voice.

    The split is the one that the run made, by its settings, so that nothing that was trained on is spoken.
    """
    parts = voice_split(config, manifest)
    spoken = parts.held_out if config.corpus.held_out else parts.validation
    return [_held_out(u) for u in spoken], recordings(parts.train)


def from_text_file(path: Path) -> list[HeldOut]:
    """Texts of a file, one a line, as `text` or `id|text`; empty lines are passed over."""
    found = []
    for number, line in _lines(path):
        name, bar, text = line.partition("|")
        text = (text if bar else name).strip()
        if text:
            found.append(HeldOut(name.strip() if bar else f"line {number}", text))
    if not found:
        raise EvaluationError(
            "holds no text", file=path, expected="a text a line", remedy="Write some sentences in it."
        )
    repeated, times = Counter(line.id for line in found).most_common(1)[0]
    if times > 1:
        raise EvaluationError("an id occurs twice", file=path, field=repeated, remedy="Give every text its own id.")
    return found


def read_ids(path: Path) -> list[str]:
    """Ids of held-out utterances, one a line; what follows a `|` is passed over, so that metadata will do."""
    found = [line.partition("|")[0].strip() for _, line in _lines(path)]
    if not any(found):
        raise EvaluationError("holds no id", file=path, expected="an id a line", remedy="Write some ids in it.")
    return [name for name in found if name]


def _lines(path: Path) -> list[tuple[int, str]]:
    try:
        with open_regular(path) as file:
            content = file.read(_LARGEST + 1)
    except OSError as fault:
        raise EvaluationError(f"can't be read: {fault.strerror}", file=path, remedy="Check the path.") from fault
    if len(content) > _LARGEST:
        raise EvaluationError(f"is larger than {_LARGEST} bytes", file=path, remedy="Give fewer lines.")
    try:
        return list(enumerate(content.decode("utf-8-sig").splitlines(), 1))
    except UnicodeDecodeError as fault:
        raise EvaluationError(
            "is not UTF-8",
            file=path,
            got=f"byte {fault.object[fault.start]:#x} at {fault.start}",
            remedy="Convert it to UTF-8 first, for example with iconv.",
        ) from fault


def from_sentences(language: str) -> list[HeldOut]:
    """The built-in sentences of a language: no recordings, so no similarity, MCD or pitch error."""
    return [HeldOut(f"sentence {number}", text) for number, text in enumerate(validation_sentences(language, 8), 1)]


def recordings(utterances: Iterable[Utterance]) -> list[Clip]:
    """Recordings that stand for the voice: all, or enough of them."""
    return [_clip(u) for u in spread(list(utterances), MOST_TARGET_CLIPS)]


def _held_out(utterance: Utterance) -> HeldOut:
    return HeldOut(utterance.id, utterance.text, _clip(utterance))


def _clip(utterance: Utterance) -> Clip:
    return Clip(*read_audio(utterance.audio))
