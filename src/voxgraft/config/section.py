"""Section: a part of the configuration; marks that say more of a setting than its type does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError


@dataclass(frozen=True)
class Only:
    """Marks a setting in a shared section that only these tasks have."""

    tasks: tuple[str, ...]


class Section(BaseModel):
    """A part of the configuration: frozen, and a misspelt key is an error."""

    # Names may be numbers: speakers are often called 1, 2, 3.
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)

    @classmethod
    def settings(cls) -> Mapping[str, FieldInfo]:
        """Settings and inner sections by their names."""
        return cls.model_fields

    @classmethod
    def field(cls, name: str) -> FieldInfo | None:
        """A setting or an inner section; None where there is none of this name."""
        return cls.model_fields.get(name)

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, value: Any, field: ValidationInfo) -> Any:
        # YAML's `yes` would pass for the number 1.
        if isinstance(value, bool) and field.field_name and cls.model_fields[field.field_name].annotation is not bool:
            raise ValueError("must not be a switch (yes/no, true/false)")
        return value


CONTRADICTION = "contradiction"


def contradiction(setting: str, problem: str, remedy: str) -> PydanticCustomError:
    """For validators of a section: settings that are right alone but not together; `setting` is one of them."""
    return PydanticCustomError(CONTRADICTION, "{problem}", {"setting": setting, "problem": problem, "remedy": remedy})


def inner_section(field: FieldInfo) -> type[Section] | None:
    """The section that a field holds; None where it is a setting."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None
