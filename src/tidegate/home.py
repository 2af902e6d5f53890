"""
Where a store is on this machine, and the names of what lies in its home.

Only the composition root and the processes that it starts join these names to a home; everybody else is handed what lies there.
"""

import os
from pathlib import Path
from typing import Final

import platformdirs

from tidegate.errors import StoreError

BLOBS: Final = "blobs"
BUNDLES: Final = "bundles"
SCRATCH: Final = "scratch"


def find_home(given: str | None = None) -> Path:
    """
    Return where the store is: as given, else as `TIDEGATE_HOME` says, else in the user's data directory.

    Errors: `StoreError` if that needs a home directory of the user's, and there is none.
    """
    chosen = given or os.environ.get("TIDEGATE_HOME")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        usual = Path(platformdirs.user_data_dir("tidegate", appauthor=False))
    except RuntimeError:
        usual = Path()
    if not usual.is_absolute():
        # Older versions of platformdirs return a path that begins with `~`, and would have a directory of that name made.
        raise StoreError(
            f"{chosen}: there is no such user; give a path with --home or TIDEGATE_HOME"
            if chosen
            else f"no directory for the store: HOME is not set, and user {os.getuid()} has no home directory;"
            " give --home DIR, or set TIDEGATE_HOME"
        )
    return usual
