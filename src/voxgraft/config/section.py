"""Section: a part of the configuration."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator


class Section(BaseModel):
    """A part of the configuration: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, value: Any, field: ValidationInfo) -> Any:
        # YAML's `yes` would pass for the number 1.
        if isinstance(value, bool) and field.field_name and cls.model_fields[field.field_name].annotation is not bool:
            raise ValueError("must not be a switch (yes/no, true/false)")
        return value
