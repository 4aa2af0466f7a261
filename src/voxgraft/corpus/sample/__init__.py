"""The bundled sample corpus: 60 prompts of one speaker, 16 kHz, 12 of them held out by text (see LICENSE)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from voxgraft.corpus.importers import import_corpus
from voxgraft.corpus.manifest import Manifest

FOLDER = Path(__file__).parent
ATTRIBUTION = "Asterisk core sounds by Allison Smith, CC-BY-SA-3.0"


@cache
def bundled() -> Manifest:
    """All 60 utterances, held-out ones included."""
    return import_corpus(FOLDER)


@cache
def held_out_ids() -> tuple[str, ...]:
    """Ids of the 12 utterances that are never trained or validated on."""
    return tuple((FOLDER / "held_out.txt").read_text("utf-8").split())
