"""The door of a store as a transport, and as a place for files: for what a command brings to a store that another process owns."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tidegate.ports.blobs import Blobs
from tidegate.remote.local import AnyDoor, OwnerGone, OwnerReply
from tidegate.remote.requests import HttpCall
from tidegate.wire import Stored
from tidegate.wire.bindings import API

PATH: Final = f"{API}/blobs"
CHUNK: Final = 1024 * 1024


class DoorTransport:
    """A `Transport` to the process that owns a store."""

    def __init__(self, door: AnyDoor) -> None:
        self._door = door

    def reply(self, call: HttpCall, /) -> OwnerReply:
        """Send a call, and return its reply. Errors: those of the service; `OwnerGone` if there is no owner."""
        connection = self._door.connect()
        if connection is None:
            raise OwnerGone("no process owns the store")
        with connection:
            return connection.reply(call)


class DoorBlobs:
    """
    An adapter of the port `Blobs`: stored content is sent to the owner of the store, if there is one; `blobs` are those of the store, as they can be read here.

    A caller that may use the door may read them there.
    """

    def __init__(self, door: AnyDoor, blobs: Blobs) -> None:
        self._transport = DoorTransport(door)
        self._blobs = blobs

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Keep a content; return its digest. Errors: those of the service, `StoreError`."""
        with tempfile.NamedTemporaryFile(prefix="tidegate-") as file:
            file.writelines(chunks)
            file.flush()
            try:
                call = HttpCall(method="POST", path=PATH, file=Path(file.name))
                reply = self._transport.reply(call)
            except OwnerGone:
                file.seek(0)
                return self._blobs.put(iter(lambda: file.read(CHUNK), b""))
        return msgspec.json.decode(reply.content, type=Stored).digest

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `UnknownBlob`, `StoreError`."""
        return self._blobs.size(digest)

    def total(self) -> int:
        """Return how many bytes all blobs have together. Errors: `StoreError`."""
        return self._blobs.total()

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes. Errors: as of `read`."""
        return self._blobs.beginning(digest, most)

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        return self._blobs.read(digest)

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield bytes of a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`."""
        return self._blobs.part(digest, start, stop)
