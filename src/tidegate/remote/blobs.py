"""Blobs of a server, with local copies: stored content is sent there, requested content is fetched once."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tidegate.blobs.directory import BlobDirectory, check_digest
from tidegate.blobs.files import BlobFiles
from tidegate.errors import StoreDamaged, UnknownBlob
from tidegate.remote.requests import HttpCall, Transport
from tidegate.wire import Stored
from tidegate.wire.bindings import API

PATH = f"{API}/blobs"


class RemoteBlobs:
    """An adapter of the port `Blobs`. Copies are kept below `root`, a temporary directory."""

    def __init__(self, transport: Transport, root: Path) -> None:
        self._copies = BlobDirectory(root, sync=False)
        self._transport = transport
        self._sent: set[str] = set()

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Send a content; return its digest."""
        digest = self._copies.put(chunks)
        if digest not in self._sent:
            content = b"".join(self._copies.read(digest))
            # Content is named by its digest, so sending it twice changes nothing.
            call = HttpCall(method="POST", path=PATH, content=content)
            stored = msgspec.json.decode(self._transport.reply(call).content, type=Stored)
            if stored.digest != digest:
                raise StoreDamaged(f"the blob {digest} was altered in transit")
            self._sent.add(digest)
        return digest

    def size(self, digest: str, /) -> int:
        """Return the size of a blob in bytes, fetching it if needed. Errors: `UnknownBlob`."""
        check_digest(digest)
        try:
            return self._copies.size(digest)
        except UnknownBlob:
            reply = self._transport.reply(HttpCall(method="GET", path=f"{PATH}/{digest}"))
        if self._copies.put((reply.content,)) != digest:
            raise StoreDamaged(f"the blob {digest} was received with different content")
        return len(reply.content)

    def total(self) -> int:
        """Return how many bytes the copies have together. Errors: `StoreError`."""
        return self._copies.total()

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes, fetching all of them if needed. Errors: as of `read`."""
        return next(self.read(digest))[:most]

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield a part in pieces, fetching the whole if needed. Errors: as of `read`."""
        self.size(digest)
        return self._copies.part(digest, start, stop)

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces, fetching it if needed. Errors: `UnknownBlob`, `StoreDamaged`."""
        self.size(digest)
        return self._copies.read(digest)


def remote_files(transport: Transport, root: Path) -> BlobFiles:
    """Return where the files of values are stored: on a server, with copies below `root`."""
    return BlobFiles(RemoteBlobs(transport, root / "blobs"), root / "files")
