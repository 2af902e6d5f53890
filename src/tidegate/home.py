"""
Where a store is on this machine, and the names of what lies in its home.

Only the composition root and the processes that it starts join these names to a home; everybody else is handed what lies there.
"""

import os
from pathlib import Path
from typing import Final

import platformdirs

BLOBS: Final = "blobs"
BUNDLES: Final = "bundles"
SCRATCH: Final = "scratch"


def find_home(given: str | None = None) -> Path:
    """Return where the store is: as given, else as `TIDEGATE_HOME` says, else in the user's data directory."""
    chosen = given or os.environ.get("TIDEGATE_HOME")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(platformdirs.user_data_dir("tidegate", appauthor=False))
