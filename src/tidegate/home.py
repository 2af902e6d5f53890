"""Where a store is on this machine, when nobody says it."""

import os
from pathlib import Path

import platformdirs


def find_home(given: str | None = None) -> Path:
    """Return where the store is: as given, else as `TIDEGATE_HOME` says, else in the user's data directory."""
    chosen = given or os.environ.get("TIDEGATE_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("tidegate", appauthor=False))
