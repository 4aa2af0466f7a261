"""Which recordings are used: the one place that stops for those that can't be, or leaves them out and says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from voxgraft.corpus.checks.finding import WHOLE, Finding
from voxgraft.corpus.manifest import Manifest
from voxgraft.errors import CorpusError
from voxgraft.progress import notice

# A kind of finding of single clips -> the kind that sums them up for the whole corpus, by what is wrong.
_SUMMARIES = {"outside the alphabet": "missing characters"}
_LISTED, _TOLD, _CLIPS_SHOWN = 3, 20, 3
_SKIP = "leave them out with --skip-bad (corpus.skip_bad: true)"


def without(manifest: Manifest, findings: Iterable[Finding]) -> Manifest:
    """Those that no finding keeps out."""
    blocked = {f.clip for f in findings if f.blocking}
    return Manifest(tuple(u for u in manifest if u.id not in blocked))


def usable(
    kept: Manifest, findings: Sequence[Finding], source: str | Path | None = None, *, skip_bad: bool = False
) -> Manifest:
    """`kept`, where no finding keeps anything out, or with `skip_bad`, which says what is left out.

    CorpusError names what can't be used, with its line and reason; it does so always where nothing is kept.
    """
    bad = [f for f in findings if f.blocking]
    files = {f.file for f in bad}
    source = next(iter(files)) if source is None and len(files) == 1 else source
    if bad and not skip_bad:
        told, remedies = _summed_up(bad, findings)
        remedy = remedies[0] if len(remedies) == 1 else "Correct them (`voxgraft corpus check` lists them all)."
        raise CorpusError(
            f"{len(bad)} recording{'s' if len(bad) > 1 else ''} can't be used: {told}",
            file=source,
            remedy=f"{remedy.removesuffix('.')}, or {_SKIP}.",
        )
    if not kept.utterances:
        raise CorpusError(
            "no usable recordings",
            file=source,
            got=_listed(bad) if bad else "no rows",
            remedy="Check that the recordings lie in wavs/ beside the table, and that it names them.",
        )
    tell_left_out(bad)
    return kept


def tell_left_out(findings: Iterable[Finding]) -> None:
    """Say what can't be used, and why: a line each."""
    bad = [f for f in findings if f.blocking]
    named = len({f.file for f in bad}) > 1
    for f in bad[:_TOLD]:
        notice(f"left out: {_place(f, named)}{f.clip}: {f.kind}: {f.detail}")
    if len(bad) > _TOLD:
        notice(f"left out: {len(bad)} recordings in all (`voxgraft corpus check` lists them)")


def warn(findings: Iterable[Finding]) -> None:
    """Say what keeps nothing out but is worth knowing: a line each kind."""
    kinds: dict[str, list[Finding]] = {}
    for f in findings:
        if f.clip == WHOLE:
            notice(f"warning: {_place(f, named=True)}{f.kind}: {f.detail}. {f.remedy}")
        elif not f.blocking:
            kinds.setdefault(f.kind, []).append(f)
    for kind, found in kinds.items():
        shown = "; ".join(f"{f.clip}: {f.detail}" for f in found[:_CLIPS_SHOWN])
        more = f" and {len(found) - _CLIPS_SHOWN} more" if len(found) > _CLIPS_SHOWN else ""
        notice(f"warning: {kind}: {shown}{more}. {found[0].remedy} `voxgraft corpus check` lists them all.")


def _place(finding: Finding, named: bool) -> str:
    """Where a finding stands, with a colon: its line, and its file where it is to be `named`."""
    file = Path(finding.file).name if finding.file and named else ""
    line = f"line {finding.line}" if finding.line else ""
    return f"{' '.join(part for part in (file, line) if part)}: " if file or line else ""


def _summed_up(bad: Sequence[Finding], findings: Sequence[Finding]) -> tuple[str, list[str]]:
    """What is wrong, and what to do about it: a kind that another sums up in its words, the rest clip by clip."""
    kinds = dict.fromkeys(_SUMMARIES.get(f.kind) for f in bad)
    sums = [f for kind in kinds for f in findings if f.clip == WHOLE and f.kind == kind][:1]
    rest = [f for f in bad if f.kind not in _SUMMARIES]
    told = [f.detail for f in sums] + ([_listed(rest)] if rest else [])
    return "; ".join(told), list(dict.fromkeys(f.remedy for f in (*sums, *rest)))


def _listed(findings: Sequence[Finding]) -> str:
    named = len({f.file for f in findings}) > 1
    shown = [f"{_place(f, named)}{f.clip}: {f.kind} ({f.detail})" for f in findings[:_LISTED]]
    more = [f"and {len(findings) - _LISTED} more"] if len(findings) > _LISTED else []
    return "; ".join([*shown, *more])
