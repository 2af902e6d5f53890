"""Blobs of a server, as a directory of them on this machine: what is put is sent there, what is asked for comes from there once."""

from pathlib import Path

import msgspec
from msgspec import Struct

from tidegate.blobs import BlobDirectory
from tidegate.errors import StoreDamaged
from tidegate.remote.transport import HttpCall, Transport

PATH = "/api/v1/blobs"


class _Stored(Struct):
    digest: str


class RemoteBlobs(BlobDirectory):
    """The blobs of a server. Copies are kept below `root`, which is a directory for temporary files."""

    def __init__(self, transport: Transport, root: Path) -> None:
        super().__init__(root / "blobs", scratch=root / "files", sync=False)
        self._transport = transport
        self._sent: set[str] = set()

    def put(self, content: bytes, /) -> str:
        """Send bytes; return their digest."""
        return self._send(super().put(content))

    def put_path(self, path: Path | str, /) -> str:
        """Send a file's content, or that of the files of a directory; return the digest."""
        return self._send(super().put_path(path))

    def path(self, digest: str, /) -> Path:
        """Return a file with this content, which is fetched if it is not here. Errors: `UnknownBlob`."""
        place = self._place(digest)
        if not place.is_file():
            content = self._transport.send(HttpCall(method="GET", path=f"{PATH}/{digest}"))
            if super().put(content) != digest:
                raise StoreDamaged(f"the blob {digest} came with another content")
        return place

    def _send(self, digest: str) -> str:
        if digest not in self._sent:
            content = super().path(digest).read_bytes()
            # What is sent is named by what it is, so sending it twice changes nothing.
            call = HttpCall(method="POST", path=PATH, content=content)
            stored = msgspec.json.decode(self._transport.send(call), type=_Stored)
            if stored.digest != digest:
                raise StoreDamaged(f"the blob {digest} did not arrive as it was")
            self._sent.add(digest)
        return digest
