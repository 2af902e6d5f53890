"""Storing the results of an attempt on a full disk: it waits for room, like commits do, so that hours of work are not lost to one minute."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tidegate.blobs.files import BlobFiles
from tidegate.errors import StoreFull

PAUSE: Final = 0.5
"""Seconds between two checks whether there is room."""


class PatientFiles(BlobFiles):
    """Files that are stored as soon as there is room. The attempt's own timeout continues meanwhile."""

    def put(self, content: bytes, /) -> str:
        """Store bytes; return their digest. Errors: `StoreError`, but not for lack of room."""
        return _patiently(lambda: super(PatientFiles, self).put(content))

    def put_path(self, path: Path | str, /) -> str:
        """Store a file's content, or a directory; return the digest. Errors: as above."""
        return _patiently(lambda: super(PatientFiles, self).put_path(path))


def _patiently(put: Callable[[], str]) -> str:
    while True:
        try:
            return put()
        except StoreFull:
            time.sleep(PAUSE)
