"""Keeping what an attempt results in though the disk is full: it waits for room, as what is committed does, and hours of work are not lost to a minute."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tidegate.blobs.files import BlobFiles
from tidegate.errors import StoreFull

PAUSE: Final = 0.5
"""Seconds between two looks whether there is room."""


class PatientFiles(BlobFiles):
    """Files that are kept as soon as there is room. The attempt's own timeout goes on meanwhile."""

    def put(self, content: bytes, /) -> str:
        """Keep bytes; return their digest. Errors: `StoreError`, but not for want of room."""
        return _patiently(lambda: super(PatientFiles, self).put(content))

    def put_path(self, path: Path | str, /) -> str:
        """Keep a file's content, or a directory; return the digest. Errors: as above."""
        return _patiently(lambda: super(PatientFiles, self).put_path(path))


def _patiently(put: Callable[[], str]) -> str:
    while True:
        try:
            return put()
        except StoreFull:
            time.sleep(PAUSE)
