"""Blobs of a server, with copies of them on this machine: what is put is sent there, what is asked for is fetched from there once."""

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
    """An adapter of the port `Blobs`. Copies are kept below `root`, a directory for temporary files."""

    def __init__(self, transport: Transport, root: Path) -> None:
        self._copies = BlobDirectory(root, sync=False)
        self._transport = transport
        self._sent: set[str] = set()

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Send a content; return its digest."""
        digest = self._copies.put(chunks)
        if digest not in self._sent:
            content = b"".join(self._copies.read(digest))
            # What is sent is named by what it is, so sending it twice changes nothing.
            call = HttpCall(method="POST", path=PATH, content=content)
            stored = msgspec.json.decode(self._transport.reply(call).content, type=Stored)
            if stored.digest != digest:
                raise StoreDamaged(f"the blob {digest} did not arrive as it was")
            self._sent.add(digest)
        return digest

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has, which is fetched if it is not here. Errors: `UnknownBlob`."""
        check_digest(digest)
        try:
            return self._copies.size(digest)
        except UnknownBlob:
            reply = self._transport.reply(HttpCall(method="GET", path=f"{PATH}/{digest}"))
        if self._copies.put((reply.content,)) != digest:
            raise StoreDamaged(f"the blob {digest} came with another content")
        return len(reply.content)

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces; it is fetched if it is not here. Errors: `UnknownBlob`, `StoreDamaged`."""
        self.size(digest)
        return self._copies.read(digest)


def remote_files(transport: Transport, root: Path) -> BlobFiles:
    """Return where the files of values go and come from: a server, with copies below `root`."""
    return BlobFiles(RemoteBlobs(transport, root / "blobs"), root / "files")
