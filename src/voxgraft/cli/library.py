"""`voxgraft library`: the bases that are kept, what could be fetched, and which one fits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json, print_table
from voxgraft.progress import notice

if TYPE_CHECKING:
    from voxgraft.library.entry import Entry
    from voxgraft.library.shelve import Shelved, Stated

app = typer.Typer(
    help="Keep bases by language, voice type and quality; fetch, add, check and pick them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Language = Annotated[str | None, typer.Option(help="Language, such as de or en-us.")]
VoiceType = Annotated[str | None, typer.Option(help="M, F or other.")]
Quality = Annotated[str | None, typer.Option(help="x_low, low, medium or high.")]
As = Annotated[str | None, typer.Option("--as", help="Name in the library: type/lang/dataset/model.")]
Licence = Annotated[str | None, typer.Option(help="Licence, where no file beside it states one.")]
Note = Annotated[str | None, typer.Option(help="A line of your own.")]


@app.command("list")
def list_(
    language: Language = None,
    voice_type: VoiceType = None,
    quality: Quality = None,
    catalogue: Annotated[bool, typer.Option("--catalogue", help="What could be fetched instead.")] = False,
    json: AsJson = False,
) -> None:
    """List the bases at hand, with their slots and the disk they take; * marks the default of a slot."""
    from voxgraft.cli.library_tables import CATALOGUE_COLUMNS, ENTRY_COLUMNS, catalogue_row, entry_row, lines, listed
    from voxgraft.library.entry import size_words
    from voxgraft.library.store import Library

    _check(voice_type, quality)
    if catalogue:
        from voxgraft.library.catalogue import load_catalogue

        bases = listed(load_catalogue().bases.values(), language, voice_type, quality)
        if json:
            print_json([catalogue_row(base) for base in bases])
            return
        print(lines(CATALOGUE_COLUMNS, [tuple(catalogue_row(base).values()) for base in bases]))
        notice(f"{len(bases)} bases, not verified by download; fetch one with `voxgraft library fetch NAME`")
        return
    library = Library()
    contents = library.contents()
    entries = listed(contents.entries, language, voice_type, quality)
    for fault in contents.faults:
        notice(f"warning: {fault.summary}")
    loose, used = library.loose(), library.disk_use()
    if json:
        rows = [{**entry.to_dict(), "size": entry.size, "path": str(library.path(entry))} for entry in entries]
        document = {"folder": str(library.folder), "bytes": used, "entries": rows, "loose": [p.name for p in loose]}
        # Not indented: that takes most of the time of a thousand bases.
        print_json(document, indent=None)
        return
    print(lines(ENTRY_COLUMNS, [entry_row(entry) for entry in entries]))
    notice(f"{len(entries)} bases, {size_words(used)} in {library.folder}")
    if loose:
        notice(f"not described yet: {', '.join(p.name for p in loose[:8])}; `voxgraft library add PATH` does that")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="A checkpoint or a folder with one, of any format and name.")],
    language: Language = None,
    voice_type: VoiceType = None,
    name: As = None,
    licence: Licence = None,
    note: Note = None,
    replace: Annotated[bool, typer.Option(help="Take the place of what has this name.")] = False,
    json: AsJson = False,
) -> None:
    """Copy a checkpoint into the library; what it is, is read from its content."""
    from voxgraft.library.shelve import Stated, shelve
    from voxgraft.library.store import Library

    _check(voice_type, None, name)
    stated = Stated(name=name, language=language, voice_type=voice_type, licence=licence, note=note)
    stated = _asked(file, stated)
    _tell(shelve(file, Library(), stated, replacing=replace), json)


@app.command()
def fetch(
    what: Annotated[str, typer.Argument(help="A language, `generic`, a name of the catalogue, or an address.")],
    language: Language = None,
    voice_type: VoiceType = None,
    quality: Quality = None,
    every: Annotated[bool, typer.Option("--all", help="All bases of the language, not one for each slot.")] = False,
    name: As = None,
    json: AsJson = False,
) -> None:
    """Fetch bases into the library: verified, gone on with where it was stopped. What is there stays as it is."""
    from voxgraft.errors import CheckpointError, VoxgraftError
    from voxgraft.library.entry import size_words
    from voxgraft.library.obtain import obtain, wanted_bases
    from voxgraft.library.store import Library

    _check(voice_type, quality, name)
    bases = wanted_bases(what, language, voice_type, quality, every, name)
    library, done, failed = Library(), [], 0
    for base in bases:
        known = "in the library already" if library.find(base.name) else f"fetching ({size_words(base.size)})"
        notice(f"{base.name}: {known}")
        try:
            done.append(obtain(base, library))
        except VoxgraftError as fault:
            if len(bases) == 1:
                raise
            failed += 1
            notice(f"error: {base.name}: {fault.summary}")
            notice(f"  {fault.remedy}")
            continue
        for remark in done[-1].remarks:
            notice(f"note: {remark}")
    if json:
        print_json([_facts(shelved.entry) for shelved in done])
    else:
        for shelved in done:
            print(f"{shelved.entry.name}: {library.path(shelved.entry)}")
    if failed:
        raise CheckpointError(
            f"{failed} of {len(bases)} could not be fetched",
            file=what,
            remedy="What came is kept; fetch again to go on.",
        )


@app.command()
def pick(
    language: Language = None,
    voice_type: VoiceType = None,
    quality: Quality = None,
    sample_rate: Annotated[int | None, typer.Option(help="In Hz; any by default.")] = None,
    json: AsJson = False,
) -> None:
    """Say which base `base: auto` would take for such a voice, why, and what else was near."""
    from voxgraft.library.entry import Slot, size_words
    from voxgraft.library.pick import pick as best

    _check(voice_type, quality)
    found = best(Slot(language, voice_type, quality), sample_rate)
    if json:
        near = [{"name": choice.name, "behind": why} for choice, why in found.near]
        better = found.better.name if found.better else None
        path = str(found.choice.path)
        print_json(
            {"name": found.choice.name, "path": path, "why": list(found.reasons), "near": near, "better": better}
        )
        return
    print(found.choice.name)
    for reason in found.reasons:
        print(f"  {reason}")
    for choice, why in found.near:
        print(f"near: {choice.name} ({why})")
    if found.better is not None:
        how = found.better.by_hand or f"voxgraft library fetch {found.better.name}"
        print(f"better, but not here: {found.better.name}, {size_words(found.better.size)}: {how}")


@app.command("import-conf")
def import_conf(
    files: Annotated[list[Path], typer.Argument(help="TextyMcSpeechy's languages/*.conf.")],
    fetched: Annotated[bool, typer.Option("--fetch", help="Fetch what TextyMcSpeechy would have.")] = False,
    json: AsJson = False,
) -> None:
    """Take the links of TextyMcSpeechy's .conf files into your catalogue; the files are read, never executed."""
    from voxgraft.library.catalogue import keep_imported
    from voxgraft.library.textymcspeechy import bases_of, read_conf

    confs = [read_conf(path) for path in files]
    for conf in confs:
        for remark in conf.remarks:
            notice(f"note: {conf.path.name}: {remark}")
    rows = []
    for conf in confs:
        bases = bases_of(conf)
        kept = keep_imported(f"textymcspeechy-{conf.language}", bases)
        rows.append({"conf": str(conf.path), "language": conf.language, "links": len(bases), "file": str(kept)})
        if not json:
            print(f"{conf.path.name}: {len(bases)} links, kept in {kept}")
    if json:
        print_json(rows)
    if fetched:
        for conf in confs:
            fetch(conf.language)


@app.command("import-models")
def import_models(
    file: Annotated[Path, typer.Argument(help="Coqui TTS's .models.json.")], json: AsJson = False
) -> None:
    """Take the models of Coqui's list into your catalogue, under their own names."""
    from voxgraft.library.catalogue import keep_imported
    from voxgraft.library.coqui_models import read_models

    bases, remarks = read_models(file)
    for remark in remarks:
        notice(f"note: {remark}")
    kept = keep_imported("coqui-models", bases)
    if json:
        print_json({"models": len(bases), "left_out": len(remarks), "file": str(kept)})
    else:
        print(f"{len(bases)} models, kept in {kept}")


@app.command("import-tree")
def import_tree(
    folder: Annotated[Path, typer.Argument(help="TextyMcSpeechy's PRETRAINED_CHECKPOINTS, or its default folder.")],
    language: Language = None,
    json: AsJson = False,
) -> None:
    """Copy the checkpoints of a PRETRAINED_CHECKPOINTS folder; qualities are read from the files, not the folders."""
    from voxgraft.library.shelve import Stated, shelve
    from voxgraft.library.store import Library
    from voxgraft.library.textymcspeechy import read_tree

    placed, remarks = read_tree(folder, language)
    for remark in remarks:
        notice(f"note: {remark}")
    library, done = Library(), []
    for place in placed:
        stated = Stated(language=place.slot.language, voice_type=place.slot.voice_type)
        done.append(shelve(place.path, library, stated))
        entry = done[-1].entry
        if entry.slot.quality != place.slot.quality:
            notice(f"note: {place.path}: in a folder {place.slot.quality!r}, and really {entry.slot.quality}")
        for remark in done[-1].remarks:
            notice(f"note: {place.path.name}: {remark}")
    if json:
        print_json([_facts(shelved.entry) for shelved in done])
    else:
        for shelved in done:
            print(f"{shelved.entry.name}: {library.path(shelved.entry)}")


@app.command()
def promote(
    run: Annotated[str, typer.Argument(help="A run's folder, or a checkpoint of one.")],
    best: Annotated[bool, typer.Option("--best", help="The best voice's weights, not the last whole state.")] = False,
    language: Language = None,
    voice_type: VoiceType = None,
    name: As = None,
    licence: Licence = None,
    note: Note = None,
    json: AsJson = False,
) -> None:
    """Put a trained checkpoint of your own into the library, as a base for the next voice."""
    from voxgraft.export.source import find_source
    from voxgraft.library.shelve import Stated, shelve
    from voxgraft.library.store import Library

    _check(voice_type, None, name)
    source = find_source(run)
    # What has discriminators and posterior encoder is the better base; the best voice was kept without them.
    path = source.path if best or source.last is None else source.last
    dataset = source.run.path.resolve().name if source.run is not None else None
    stated = Stated(name, dataset, language, voice_type, licence, None, note or f"promoted from {path}")
    _tell(shelve(path, Library(), stated), json)


@app.command()
def choose(name: Annotated[str, typer.Argument(help="A base of the library.")]) -> None:
    """Make a base the default of its slot: `base: auto` takes it before the others there."""
    from voxgraft.library.store import Library

    entry = Library().choose(name)
    print(f"{entry.name} is the default for {entry.slot}")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Bases; all by default.")] = None, json: AsJson = False
) -> None:
    """Hash the files of the library again and compare."""
    from voxgraft.errors import CheckpointError
    from voxgraft.library.store import Library
    from voxgraft.progress import track

    library = Library()
    contents = library.contents()
    entries = [library.get(name) for name in names] if names else contents.entries
    found = {entry.name: library.verify(entry) for entry in track(entries, "verifying")}
    found |= {str(fault.file): [fault.summary] for fault in contents.faults} if not names else {}
    damaged = {name: problems for name, problems in found.items() if problems}
    if json:
        print_json({"checked": len(found), "damaged": damaged})
    for name, problems in damaged.items():
        notice(f"{name}: {'; '.join(problems)}")
    if damaged:
        raise CheckpointError(
            f"{len(damaged)} of {len(found)} bases are damaged",
            file=library.folder,
            remedy="Remove them with `voxgraft library remove NAME` and fetch or add them again.",
        )
    if not json:
        print(f"{len(found)} bases are as they were added")


@app.command()
def remove(names: Annotated[list[str], typer.Argument(help="Bases of the library.")], json: AsJson = False) -> None:
    """Delete bases from the library; files that another base shares stay."""
    from voxgraft.library.entry import size_words
    from voxgraft.library.store import Library

    library = Library()
    chosen = [library.get(name) for name in names]
    removed = [library.remove(entry.name) for entry in chosen]
    if json:
        print_json([_facts(entry) for entry in removed])
        return
    for entry in removed:
        print(f"removed {entry.name} ({size_words(entry.size)})")


@app.command()
def missing(
    language: Annotated[str, typer.Argument(help="Language, such as de or en-us.")], json: AsJson = False
) -> None:
    """Say which voice types and qualities of a language the library lacks, and what could fill them."""
    from voxgraft.cli.library_tables import SLOT_COLUMNS, slots
    from voxgraft.library.catalogue import load_catalogue
    from voxgraft.library.store import Library

    rows = slots(language, Library().entries(), load_catalogue())
    if json:
        print_json(rows)
        return
    print_table("", SLOT_COLUMNS, [tuple(row.values()) for row in rows])
    slotted = [row for row in rows if row["voice_type"] in ("M", "F")]
    lacking = sum(row["library"] is None for row in slotted)
    notice(f"{lacking} of {len(slotted)} slots are empty; `base: auto` falls back on the generic set or a neighbour")


def _asked(file: Path, stated: Stated) -> Stated:
    """Ask a person at a terminal for the language where nothing says it."""
    import sys
    from dataclasses import replace

    from voxgraft.library.shelve import language_of

    if stated.language is not None or not sys.stdin.isatty():
        return stated
    if language_of(file) is None:
        return replace(stated, language=typer.prompt("Which language does it speak (as in de, en-us)?", err=True))
    return stated


def _check(voice_type: str | None, quality: str | None, name: str | None = None) -> None:
    """Options that have few values, or a form."""
    from voxgraft.library.entry import QUALITIES, VOICE_TYPES, is_name

    if voice_type is not None and voice_type not in VOICE_TYPES:
        raise typer.BadParameter(f"choose one of {', '.join(VOICE_TYPES)}", param_hint="--voice-type")
    if quality is not None and quality not in QUALITIES:
        raise typer.BadParameter(f"choose one of {', '.join(QUALITIES)}", param_hint="--quality")
    if name is not None and not is_name(name):
        raise typer.BadParameter("write type/lang/dataset/model, as in tts_models/de/anna/mine", param_hint="--as")


def _tell(shelved: Shelved, json: bool) -> None:
    from voxgraft.library.store import Library

    for remark in shelved.remarks:
        notice(f"note: {remark}")
    if json:
        print_json(_facts(shelved.entry))
        return
    print(f"{shelved.entry.name} ({shelved.entry.slot}): {Library().path(shelved.entry)}")


def _facts(entry: Entry) -> dict[str, Any]:
    from voxgraft.library.store import Library

    return {**entry.to_dict(), "size": entry.size, "path": str(Library().path(entry))}
