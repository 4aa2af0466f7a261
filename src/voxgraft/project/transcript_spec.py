"""The recogniser that a project's recordings must fit: its base, and the alphabet that it is to write."""

from __future__ import annotations

from pathlib import Path

from voxgraft.audio.mfcc import MfccSpec
from voxgraft.checkpoints import Checkpoint
from voxgraft.config.run import RunConfig
from voxgraft.corpus.checks.alphabet_file import alphabet_findings
from voxgraft.corpus.checks.finding import Finding
from voxgraft.corpus.transcript_spec import TranscriptSpec, transcript_spec_of
from voxgraft.errors import GraftError
from voxgraft.project.alphabet import byte_table, read_alphabet
from voxgraft.project.symbol_file import read_text
from voxgraft.text.alphabet import alphabet_table, parse_alphabet
from voxgraft.text.symbols import SymbolTable


def project_transcript_spec(config: RunConfig, base: Checkpoint | None) -> tuple[TranscriptSpec, list[Finding]] | None:
    """What a project's recogniser hears and writes, and what is wrong with its alphabet file; None for a voice.

    `base` is the project's, opened; None where none is named, or from scratch.

    Raises:
        GraftError: the alphabet holds no labels at all.
    """
    findings: list[Finding] = []
    if config.graft.alphabet is not None:
        symbols, findings = _table_of(Path(config.graft.alphabet), base)
    elif config.graft.bytes:
        symbols = byte_table(base.symbols if base is not None else None)
    elif base is not None and base.symbols is not None and base.symbols.blank is not None:
        symbols = base.symbols
    else:
        return None
    return transcript_spec_of(symbols, base, MfccSpec(), config.recogniser.text), findings


def _table_of(path: Path, base: Checkpoint | None) -> tuple[SymbolTable, list[Finding]]:
    """The table of an alphabet file, as far as it can be read, with all that is wrong with it."""
    text = read_text(path)
    known = base.symbols if base is not None else None
    findings = alphabet_findings(text, str(path), known.blank if known is not None else None)
    try:
        return read_alphabet(path, known), findings
    except GraftError:
        labels = tuple(dict.fromkeys(parse_alphabet(text)))
        if not findings or not labels:
            raise
        return alphabet_table(labels), findings
