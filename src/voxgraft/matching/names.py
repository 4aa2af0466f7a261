"""What synthesised files are called and where they lie: as EveryVoice has it, so that its tools find them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from voxgraft.audio.spec import AudioSpec

WAV, SPEC, TEXTGRID, XML, HTML = FORMS = ("wav", "spec", "textgrid", "readalong-xml", "readalong-html")
_FOLDERS = {
    WAV: "wav",
    SPEC: "synthesized_spec",
    TEXTGRID: "textgrids",
    XML: "readalongs",
    HTML: "readalongs",
}
_SUFFIXES = {WAV: ".wav", TEXTGRID: ".TextGrid", XML: ".readalong", HTML: ".html"}
UNNAMED = "default"
UNDETERMINED = "und"
SEPARATOR = "--"


@dataclass(frozen=True)
class Names:
    """`steps` are those of the model and of the vocoder, where they are known; `simple` names are the text's alone. `spec_suffix`
    is that of spectrograms: `.npy`, or `.pt` as EveryVoice reads them."""

    folder: Path
    audio: AudioSpec
    steps: tuple[int | None, int | None] = (None, None)
    simple: bool = False
    spec_suffix: str = ".npy"

    def path(self, form: str, name: str, speaker: str | None, language: str | None) -> Path:
        """Where a text's file of a form lies."""
        suffix = self.spec_suffix if form == SPEC else _SUFFIXES[form]
        folder = self.folder / _FOLDERS[form]
        if self.simple:
            return folder / f"{name}{suffix}"
        parts = [name, speaker or UNNAMED, language or UNDETERMINED]
        kind = f"{self.audio.sample_rate}-{spec_type(self.audio)}"
        if form == WAV:
            marks = zip(("ckpt", "v_ckpt"), self.steps, strict=True)
            parts += [f"{mark}={step}" for mark, step in marks if step is not None]
            parts.append("pred")
        elif form == SPEC:
            parts.append(f"spec-pred-{kind}")
        else:
            parts.append(kind)
        return folder / f"{SEPARATOR.join(parts)}{suffix}"


def spec_type(audio: AudioSpec) -> str:
    """What EveryVoice calls such spectrograms."""
    return "mel" if audio.mel_scale == "htk" else "mel-librosa"
