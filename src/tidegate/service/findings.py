"""What blobs are, as the server finds it: their size and media type. What a value says of a blob is the word of whoever made the value."""

from collections.abc import Iterable
from typing import Final

from tidegate.blobs.media import LOOKED, media_of
from tidegate.engine.cache import Cache
from tidegate.errors import StoreDamaged, UnknownBlob
from tidegate.ir.expr import Value
from tidegate.ports.blobs import Blobs
from tidegate.types.values import named_blobs
from tidegate.wire import BlobView, DescribeBlob

KNOWN: Final = 4 * 1024 * 1024
"""Bytes of findings kept: those of some 10,000 blobs, which never change."""

WEIGHT: Final = 400
"""Bytes of one."""

MOST: Final = 100
"""Blobs of one question that are looked into. Of the others it is said that nobody has looked; each can be asked for by itself."""


class Findings:
    """Looks into blobs. May be used from any thread."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._known: Cache[str, BlobView] = Cache(KNOWN)

    def of(self, request: DescribeBlob) -> BlobView:
        """Return what a blob is. Errors: `UnknownBlob`, `StoreDamaged`, `StoreError`."""
        digest = request.digest
        size = self._blobs.size(digest)
        known = self._known.get(digest)
        if known is not None:
            return known
        beginning = next(self._blobs.read(digest))[:LOOKED]
        found = BlobView(digest=digest, size=size, media=media_of(beginning))
        self._known.put(digest, found, WEIGHT)
        return found

    def among(self, values: Iterable[Value]) -> dict[str, BlobView]:
        """Return what the blobs are that values name and that are there, by digest."""
        found: dict[str, BlobView] = {}
        for digest in (each for value in values for each in named_blobs(value)):
            if len(found) >= MOST:
                break
            if digest not in found:
                try:
                    found[digest] = self.of(DescribeBlob(digest=digest))
                except (UnknownBlob, StoreDamaged):
                    continue  # that it is missing is said elsewhere
        return found
