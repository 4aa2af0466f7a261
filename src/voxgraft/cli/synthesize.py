"""`voxgraft synthesize`: many texts at once with a text-to-spec model, as sound, spectrograms, TextGrids or read-alongs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voxgraft.cli.output import print_json
from voxgraft.progress import notice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voxgraft.export.ready import Ready, ReadyVocoder
    from voxgraft.inference.acoustic.controls import Controls
    from voxgraft.matching.lines import Line
    from voxgraft.matching.names import Names

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Synthesise many texts with a text-to-spec model, or sound of spectrograms.",
)
_USUAL_RATE = 22050


@app.command("from-text")
def from_text(
    model: Annotated[str, typer.Argument(help="A text-to-spec model: a checkpoint, a run, or an exported .onnx.")],
    text: Annotated[list[str] | None, typer.Option("-t", "--text", help="A text; may be given several times.")] = None,
    filelist: Annotated[
        Path | None,
        typer.Option("-f", "--filelist", help="Texts: EveryVoice's .psv, .csv, .jsonl, or a text file, a line each."),
    ] = None,
    output_type: Annotated[
        list[str] | None,
        typer.Option(
            "-O",
            "--output-type",
            help="wav, spec, textgrid, readalong-xml or readalong-html; may be given several times. wav by default.",
        ),
    ] = None,
    vocoder: Annotated[
        str | None,
        typer.Option("-v", "--vocoder", "--vocoder-path", help="Renders the spectrograms; the run's own by default."),
    ] = None,
    output_dir: Annotated[Path, typer.Option("-o", "--output-dir", help="Folder to write into.")] = Path("synthesised"),
    speaker: Annotated[str | None, typer.Option("-s", "--speaker", help="Where the line names none.")] = None,
    language: Annotated[str | None, typer.Option("-l", "--language", help="Where the line names none.")] = None,
    duration_control: Annotated[
        float | None, typer.Option("-D", "--duration-control", "--pace", help="Above 1 speaks slower.")
    ] = None,
    pitch: Annotated[float | None, typer.Option(help="Factor on the predicted pitch.")] = None,
    energy: Annotated[float | None, typer.Option(help="Factor on the predicted energy.")] = None,
    teacher_forcing: Annotated[
        Path | None,
        typer.Option(
            "-T",
            "--teacher-forcing-directory",
            "--teacher-forcing-folder",
            help="Recordings of these texts, such as EveryVoice's preprocessed folder: durations are forced to theirs.",
        ),
    ] = None,
    force_pitch: Annotated[bool, typer.Option("--force-pitch", help="Force the recordings' pitch too.")] = False,
    force_energy: Annotated[bool, typer.Option("--force-energy", help="Force the recordings' energy too.")] = False,
    simple_filenames: Annotated[
        bool, typer.Option("--simple-filenames", help="Name files after the text alone.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="The same seed says it the same way again.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Synthesise texts, each into files of its own, named as EveryVoice names them."""
    forms = _forms(output_type)
    if bool(text) == (filelist is not None):
        raise typer.BadParameter("give texts, or a filelist", param_hint="--text / --filelist")
    if (force_pitch or force_energy) and teacher_forcing is None:
        raise typer.BadParameter("needs the recordings", param_hint="--teacher-forcing-directory")
    from voxgraft.export.ready import ready_acoustic, ready_vocoder
    from voxgraft.inference.acoustic.controls import Controls
    from voxgraft.matching.lines import lines_of_texts, read_lines
    from voxgraft.matching.names import Names
    from voxgraft.matching.synthesize import NEEDS_VOCODER

    lines = read_lines(filelist) if filelist is not None else lines_of_texts(text or ())
    ready = ready_acoustic(model, seed=seed)
    heard = NEEDS_VOCODER & set(forms) or vocoder is not None
    renders = ready_vocoder(vocoder, ready) if heard else None
    names = Names(
        output_dir,
        ready.acoustic.settings.audio,
        (_step(ready), _step(renders)),
        simple_filenames,
        ".pt" if _is_everyvoices(ready) else ".npy",
    )
    if teacher_forcing is not None:
        done = _forced(ready, renders, lines, teacher_forcing, forms, names, (force_pitch, force_energy))
    else:
        controls = Controls(duration_control, pitch, energy, None, speaker, language)
        done = _free(ready, renders, lines, forms, names, controls)
    _report(done, json)


@app.command("from-spec")
def from_spec(
    spectrograms: Annotated[
        list[Path], typer.Option("-i", "--input", help="A spectrogram, .npy or .pt; may be given several times.")
    ],
    vocoder: Annotated[
        str,
        typer.Option("-m", "--model", "-v", "--vocoder", help="The vocoder: a checkpoint, a run, an exported .onnx."),
    ],
    output_dir: Annotated[
        Path | None, typer.Option("-o", "--output-dir", help="Folder to write into; beside the input by default.")
    ] = None,
    time_oriented: Annotated[
        bool, typer.Option("--time-oriented", help="The files hold frames by bands, not bands by frames.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make sound of spectrograms: FILE becomes FILE.wav."""
    from voxgraft.export.ready import alone
    from voxgraft.matching.rendered import rendered

    renders = alone(vocoder).vocoder
    rate = renders.sample_rate or _USUAL_RATE
    if renders.sample_rate is None:
        notice(f"note: the vocoder does not say its sample rate: {rate} Hz is taken")
    files, seconds = [], 0.0
    for path in spectrograms:
        out = (output_dir or path.parent) / f"{path.name}.wav"
        seconds += rendered(renders, path, out, rate, time_oriented=time_oriented)
        files.append(out)
    _report({"files": files, "seconds": seconds, "unknown": {}}, json)


def _forms(asked: list[str] | None) -> tuple[str, ...]:
    from voxgraft.matching.names import FORMS, WAV

    chosen = tuple(dict.fromkeys(asked or (WAV,)))
    unknown = [form for form in chosen if form not in FORMS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(FORMS)}", param_hint="-O / --output-type")
    return chosen


def _free(
    ready: Ready,
    renders: ReadyVocoder | None,
    lines: Sequence[Line],
    forms: tuple[str, ...],
    names: Names,
    controls: Controls,
) -> dict[str, Any]:
    """At the durations that the model predicts."""
    from voxgraft.export.ready import pair_of
    from voxgraft.matching.synthesize import synthesize

    speaker = pair_of(ready, renders) if renders is not None else ready.acoustic
    done = synthesize(speaker, lines, forms, names, controls)
    return {"files": done.files, "seconds": done.seconds, "unknown": dict(done.unknown.most_common())}


def _forced(
    ready: Ready,
    renders: ReadyVocoder | None,
    lines: Sequence[Line],
    recordings: Path,
    forms: tuple[str, ...],
    names: Names,
    force: tuple[bool, bool],
) -> dict[str, Any]:
    """At the recordings' own durations."""
    from voxgraft.matching.forced import FORMS, forced

    if ready.checkpoint is None:
        raise typer.BadParameter("an exported model has no aligner: give its checkpoint", param_hint="MODEL")
    odd = [form for form in forms if form not in FORMS]
    if odd:
        raise typer.BadParameter(
            f"{odd[0]} can't be teacher-forced: {' or '.join(FORMS)}", param_hint="-O / --output-type"
        )
    files = forced(
        ready.checkpoint,
        lines,
        recordings,
        forms,
        names,
        vocoder=renders.vocoder if renders is not None else None,
        force_pitch=force[0],
        force_energy=force[1],
    )
    return {"files": files, "seconds": None, "unknown": {}}


def _step(ready: Ready | ReadyVocoder | None) -> int | None:
    return ready.checkpoint.step if ready is not None and ready.checkpoint is not None else None


def _is_everyvoices(ready: Ready) -> bool:
    """Whose spectrograms EveryVoice's own trainer of vocoders may be given."""
    return ready.checkpoint is not None and ready.checkpoint.provenance.format == "everyvoice"


def _report(done: dict[str, Any], json: bool) -> None:
    if done["unknown"]:
        listed = ", ".join(f"{symbol!r} × {count}" for symbol, count in list(done["unknown"].items())[:8])
        notice(f"The model doesn't know these symbols and left them out: {listed}")
    files = [str(path) for path in done["files"]]
    if json:
        print_json({"files": files, "seconds": done["seconds"], "unknown": done["unknown"]})
        return
    for file in files:
        print(file)
