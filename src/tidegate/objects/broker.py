"""
Answers workers on this machine, which have no credentials of the object store, or are far from the store: each question on a connection of its own, in a
thread of its own.

A process that can reach the socket can already read the copies and the code that runs here: it is in the home of the store, for its user alone.
"""

import socketserver
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol, assert_never

import msgspec

from tidegate.errors import StoreError, TidegateError
from tidegate.home import socket_address
from tidegate.ports.objects import SOCKET, FileGot, FileWanted

LENGTH = struct.Struct(">I")
LONGEST = 64 * 1024
"""Bytes of a question: a digest, or the names of an attempt."""

PATIENCE = 10.0
"""Seconds in which a worker must have asked."""


class Files(Protocol):
    """The blobs that workers ask for."""

    def size(self, digest: str, /) -> int:
        """Return how many bytes a blob has. Errors: `TidegateError`, here and below."""
        ...

    def fetch(self, digest: str, *, however_large: bool = False) -> bool:
        """Make a copy that workers can read."""
        ...

    def send(self, digest: str) -> None:
        """Store what a worker has put among the copies."""
        ...


class Trees(Protocol):
    """The code that workers ask for."""

    def tree(self, digest: str, /) -> Path:
        """Return the directory of a source tree."""
        ...


class KeepsLogs(Protocol):
    """Where logs are stored."""

    def keep_log(self, execution: str, node: str, attempt: int) -> None:
        """Store the log of an attempt."""
        ...


class Broker(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The socket in a home, and what answers there."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, home: Path, blobs: Files, bundles: Trees, following: KeepsLogs | None
    ) -> None:
        self._home = home
        self.blobs = blobs
        self.bundles = bundles
        self.following = following
        (home / SOCKET).unlink(missing_ok=True)
        with socket_address(home, SOCKET) as where:
            super().__init__(where, _Question)
            Path(where).chmod(0o600)

    def server_close(self) -> None:
        """Stop listening."""
        super().server_close()
        with suppress(OSError):
            (self._home / SOCKET).unlink()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a worker that hung up."""

    def answer(self, wanted: FileWanted) -> FileGot:
        """Return the reply to a question."""
        try:
            match wanted.what:
                case "size":
                    return FileGot(size=self.blobs.size(wanted.digest))
                case "fetch":
                    return FileGot(size=int(self.blobs.fetch(wanted.digest, however_large=True)))
                case "send":
                    self.blobs.send(wanted.digest)
                case "tree":
                    return FileGot(path=str(self.bundles.tree(wanted.digest)))
                case "log":
                    if self.following is not None:
                        self.following.keep_log(wanted.execution, wanted.node, wanted.attempt)
                case _:
                    assert_never(wanted.what)
        except TidegateError as error:
            return FileGot(code=error.code, message=error.message)
        except OSError as error:
            return FileGot(code=StoreError.code, message=error.strerror or str(error))
        return FileGot()


class _Question(socketserver.StreamRequestHandler):
    """One question of a worker."""

    timeout = PATIENCE
    server: Broker

    def handle(self) -> None:
        (size,) = LENGTH.unpack(self.rfile.read(LENGTH.size))
        if size > LONGEST:
            return
        wanted = msgspec.msgpack.decode(self.rfile.read(size), type=FileWanted)
        reply = msgspec.msgpack.encode(self.server.answer(wanted))
        self.connection.settimeout(None)
        self.wfile.write(LENGTH.pack(len(reply)) + reply)


def listening(
    home: Path, blobs: Files, bundles: Trees, following: KeepsLogs | None = None
) -> Broker:
    """Return what answers workers in a home; without `following`, they keep their logs themselves. Errors: `StoreError`."""
    try:
        return Broker(home, blobs, bundles, following)
    except OSError as error:
        raise StoreError(f"{home / SOCKET}: cannot listen there: {error.strerror}") from None
