"""
Answers workers on this machine, which have no credentials of the object store: each question on a connection of its own, in a thread of its own.

A process that can reach the socket can already read the copies and the code that runs here: it is in the home of the store, for its user alone.
"""

import socketserver
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any, assert_never

import msgspec

from tidegate.errors import StoreError, TidegateError
from tidegate.home import socket_address
from tidegate.objects.blobs import ObjectBlobs
from tidegate.objects.bundles import ObjectBundles
from tidegate.objects.following import Following
from tidegate.ports.objects import SOCKET, FileGot, FileWanted

LENGTH = struct.Struct(">I")
LONGEST = 64 * 1024
"""Bytes of a question: a digest, or the names of an attempt."""

PATIENCE = 10.0
"""Seconds in which a worker must have asked."""


class Broker(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The socket in a home, and what answers there."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self, home: Path, blobs: ObjectBlobs, bundles: ObjectBundles, following: Following
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
    home: Path, blobs: ObjectBlobs, bundles: ObjectBundles, following: Following
) -> Broker:
    """Return what answers workers in a home. Errors: `StoreError`."""
    try:
        return Broker(home, blobs, bundles, following)
    except OSError as error:
        raise StoreError(f"{home / SOCKET}: cannot listen there: {error.strerror}") from None
