"""What blobs are, as the server determines it: size and media type. A value's own claims about a blob come from its author and are not trusted."""

from collections.abc import Iterable
from typing import Final

from tidegate.blobs.media import LOOKED, media_of
from tidegate.engine.cache import Cache
from tidegate.errors import ObjectsAway, StoreDamaged, UnknownBlob
from tidegate.ir.expr import Value
from tidegate.ports.blobs import Blobs
from tidegate.types.values import named_blobs
from tidegate.wire import BlobView, DescribeBlob

KNOWN: Final = 4 * 1024 * 1024
"""Bytes of cached findings: some 10,000 blobs, which never change."""

WEIGHT: Final = 400
"""Bytes of one finding."""

MOST: Final = 100
"""Most blobs of one question that are inspected. The rest are marked as not inspected; each can be requested individually."""


class Findings:
    """Inspects blobs. May be used from any thread."""

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
        beginning = self._blobs.beginning(digest, LOOKED)
        found = BlobView(digest=digest, size=size, media=media_of(beginning))
        self._known.put(digest, found, WEIGHT)
        return found

    def among(self, values: Iterable[Value]) -> dict[str, BlobView]:
        """Return the findings of the stored blobs that values name, by digest."""
        found: dict[str, BlobView] = {}
        for digest in (each for value in values for each in named_blobs(value)):
            if len(found) >= MOST:
                break
            if digest not in found:
                try:
                    found[digest] = self.of(DescribeBlob(digest=digest))
                except (UnknownBlob, StoreDamaged, ObjectsAway):
                    continue  # a missing blob is reported elsewhere
        return found
