"""Where the user's things are kept."""

from __future__ import annotations

import os
from pathlib import Path


def home() -> Path:
    """$VOXGRAFT_HOME, or the platform's place for data."""
    named = os.environ.get("VOXGRAFT_HOME")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("voxgraft")


def library_folder() -> Path:
    """Where the user's bases are kept."""
    return home() / "library"
