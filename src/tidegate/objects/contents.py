"""
Contents in a bucket, each under its digest: what blobs and bundles have in common.

Rule 1: a content is sent once. What is there already is compared by its tag with what this process has sent or read, and otherwise read once.
Rule 2: what is known to be there is not asked for again for five minutes.
"""

import hashlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.objects.bucket import Bucket

KNOWN: Final = 50_000
"""Contents whose size and tag are remembered: some 10 MB."""

KNOWN_FOR: Final = 300.0
"""Seconds."""


class _Known(NamedTuple):
    size: int
    tag: str
    whole: bool
    """It had the right digest when it had this tag."""
    until: float


class Contents:
    """The contents below a folder of a bucket. May be used from any thread."""

    def __init__(self, bucket: Bucket, folder: str) -> None:
        self.bucket = bucket
        self._folder = folder
        self._known: dict[str, _Known] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def name(self, digest: str) -> str:
        """Return the name of the object."""
        return f"{self._folder}/{digest[:2]}/{digest[2:]}"

    def turn(self, digest: str) -> threading.Lock:
        """Return the lock of a content: it is sent, and fetched, once at a time."""
        with self._lock:
            if len(self._locks) > KNOWN:
                self._locks = {key: each for key, each in self._locks.items() if each.locked()}
            return self._locks.setdefault(digest, threading.Lock())

    def send(self, digest: str, content: Path | bytes) -> bool:
        """Store a content; return whether it was not there yet, or damaged. Errors: `ObjectsAway`, `StoreError`, `OSError` of the file."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        name = self.name(digest)
        if self._is_whole(digest, size):
            return False
        if isinstance(content, bytes):
            tag = self.bucket.put(name, content)
        else:
            tag = self.bucket.put_file(name, content)
        self._note(digest, size, tag, whole=True)
        return True

    def size(self, digest: str) -> int | None:
        """Return how many bytes a content has; None if it is not there. Errors: `ObjectsAway`, `StoreError`."""
        known = self._known.get(digest)
        if known is not None and time.monotonic() < known.until:
            return known.size
        found = self.bucket.find(self.name(digest))
        if found is None:
            self._known.pop(digest, None)
            return None
        whole = known is not None and known.whole and known.tag == found.tag
        self._note(digest, found.size, found.tag, whole=whole)
        return found.size

    def read(self, digest: str) -> Iterator[bytes]:
        """Yield a content in parts, unchecked. Errors: `FileNotFoundError`, `ObjectsAway`, `StoreError`."""
        return self.bucket.read(self.name(digest))

    def part(self, digest: str, start: int, end: int) -> bytes:
        """Return a part of a content, unchecked. Errors: as above."""
        return b"".join(self.bucket.read(self.name(digest), start, end))

    def digests(self) -> Iterator[tuple[str, int]]:
        """Yield every content with its size, and remember that it is there. Errors: `ObjectsAway`, `StoreError`."""
        for each in self.bucket.list(f"{self._folder}/"):
            digest = "".join(each.name.split("/")[-2:])
            self._note(digest, each.size, each.tag, whole=False)
            yield digest, each.size

    def is_whole(self, digest: str) -> bool:
        """Return whether a content is there, with its digest; it is read if that is not known. Errors: `ObjectsAway`, `StoreError`."""
        return self._is_whole(digest, None)

    def _is_whole(self, digest: str, size: int | None) -> bool:
        found = self.bucket.find(self.name(digest))
        if found is None or (size is not None and found.size != size):
            return False
        known = self._known.get(digest)
        if known is not None and known.whole and known.tag == found.tag:
            return True
        seen = hashlib.sha256()
        for piece in self.read(digest):
            seen.update(piece)
        whole = seen.hexdigest() == digest
        self._note(digest, found.size, found.tag, whole=whole)
        return whole

    def _note(self, digest: str, size: int, tag: str, *, whole: bool) -> None:
        if len(self._known) >= KNOWN:
            self._known.clear()
        self._known[digest] = _Known(size, tag, whole, time.monotonic() + KNOWN_FOR)
