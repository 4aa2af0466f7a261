"""The voxgraft.yaml of a new project: the settings that matter, with what they mean; the others are documented elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from voxgraft.config.document import yaml_of
from voxgraft.config.moved import moved
from voxgraft.config.run import RunConfig
from voxgraft.config.section import Section

HEADING = """\
# A voxgraft project. Every setting: docs/configuration.md, or the Python class RunConfig.
# Settings behind a # have the value shown.
"""

SHOWN = (
    "name", "base", "language", "voice_type", "seed",
    "graft.speakers", "graft.from_speaker", "corpus.path", "corpus.validation", "corpus.held_out",
    "training.steps", "training.minutes", "training.batch", "training.freeze",
    "training.device", "voice.quality", "voice.discriminator",
)  # fmt: skip


def project_text(values: Mapping[str, Any]) -> str:
    """The text of a voxgraft.yaml in which `values` (nested as in the file) are set and others shown as comments."""
    return HEADING + "\n" + "\n".join(_section(RunConfig, moved(values), "", 0)) + "\n"


def _section(model: type[Section], values: Mapping[str, Any], prefix: str, depth: int) -> list[str]:
    lines: list[str] = []
    indent = "  " * depth
    for name, field in model.settings().items():
        place = f"{prefix}{name}"
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            inner = _section(kind, values.get(name, {}), f"{place}.", depth + 1)
            # A section of nothing but comments would be null.
            opened = any(line.strip() and not line.lstrip().startswith("#") for line in inner)
            if inner:
                lines += ["", f"{indent}{'' if opened else '# '}{name}:"]
                lines += inner if opened else [_commented(line, indent) for line in inner]
        elif name in values or place in SHOWN:
            comment = textwrap.wrap(field.description or "", 110 - len(indent))
            lines += [f"{indent}# {line}" for line in comment]
            setting = _yaml(name, values.get(name, field.default))
            lines.append(f"{indent}{setting}" if name in values else f"{indent}# {setting}")
    return lines


def _commented(line: str, indent: str) -> str:
    inner = line.removeprefix(indent)
    return line if inner.lstrip().startswith("# ") or not inner.strip() else f"{indent}# {inner}"


def _yaml(name: str, value: object) -> str:
    return f"{name}: {yaml_of(list(value) if isinstance(value, tuple) else value, one_line=True)}"
