"""
The connection to the process that owns a store: HTTP, as to any server, through a socket in the home of the store.

The owner's door identifies the caller by the socket. Each request uses a new connection.
"""

import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Self

import msgspec
from msgspec import Struct

from tidegate.errors import InvalidValue, StoreError
from tidegate.home import socket_address
from tidegate.remote.problems import error_in
from tidegate.remote.requests import BYTES, HttpCall, content_of, target_of
from tidegate.wire import Health

SOCKET = "door.sock"
HEALTH = "/api/v1/health"
MAX_MESSAGE = 64 * 1024 * 1024
"""Bytes of a request: fits into memory several times, and is more than anybody types."""
REPLY = 120.0
"""Seconds until an unresponsive owner is given up, beyond those that the request itself waits. Importing an author's module may take 90."""
CONNECT = 5.0
"""Seconds until an owner that accepts no connection is given up."""


class OwnerGone(StoreError):
    """The process that owned the store ended before it replied; ask the next owner."""

    code: ClassVar[str] = "owner_gone"


class OwnerSilent(StoreError):
    """The process that owns the store does not reply: it is stopped or hung."""

    code: ClassVar[str] = "owner_silent"


class OwnerReply(Struct, frozen=True):
    """What was received."""

    content: bytes
    headers: Mapping[str, str]


class Connection:
    """A connection to the process that owns a store, for one call. `patience` is in seconds, beyond those that the call itself waits."""

    def __init__(self, home: Path, line: socket.socket, patience: float) -> None:
        self._home = home
        self._line = line
        self._patience = patience

    def __enter__(self) -> Self:
        """Enter a block at whose end the connection is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._line.close()

    def reply(self, call: HttpCall) -> OwnerReply:
        """
        Send a call, and return its reply.

        Errors: those of the service, raised again; `OwnerGone` if the owner ended meanwhile; `OwnerSilent` when the patience has run out.
        """
        status, reply = self._exchange(call)
        if status < 400:
            return reply
        raise error_in(reply.content) or StoreError(
            f"unexpected HTTP {status} from the owner of {self._home}"
        )

    def health(self) -> Health:
        """Return the status of the owner, part by part. Errors: `OwnerGone`, `OwnerSilent`."""
        _, reply = self._exchange(HttpCall(method="GET", path=HEALTH))
        return msgspec.json.decode(reply.content, type=Health)

    def _exchange(self, call: HttpCall) -> tuple[int, OwnerReply]:
        content, headers = content_of(call)
        size = len(content)
        if call.file is not None:
            size, headers = call.file.stat().st_size, {"content-type": BYTES, **call.headers}
        elif call.body is not None and size > MAX_MESSAGE:
            raise InvalidValue(f"the request is larger than {MAX_MESSAGE:,} bytes")
        self._line.settimeout(self._patience + call.wait)
        lines = [
            f"{call.method} {target_of(call)} HTTP/1.1",
            "Host: localhost",
            "Connection: close",
        ]
        lines += [f"{name}: {text}" for name, text in headers.items()]
        lines += [f"Content-Length: {size}", "", ""]
        try:
            self._line.sendall("\r\n".join(lines).encode() + content)
            if call.file is not None:
                with call.file.open("rb") as file:
                    self._line.sendfile(file, count=size)
            pieces = iter(lambda: self._line.recv(1 << 20), b"")
            status, found, body = _read(b"".join(pieces))
        except TimeoutError:
            raise OwnerSilent(
                f"the process that owns {self._home} has not replied for {self._patience:.0f} s; it may be stopped or hung:"
                " check it, or end it; everything it acknowledged is safe"
            ) from None
        except (OSError, ValueError) as error:
            raise OwnerGone(
                f"the process that owns {self._home} ended before it replied: {error}"
            ) from None
        return status, OwnerReply(body, found)


def _read(reply: bytes) -> tuple[int, dict[str, str], bytes]:
    """
    Return the status, headers and body of a received reply. Errors: `ValueError` if it is incomplete.

    Our own server wrote it, with its length. `http.client` could parse more, but importing it takes a tenth of the time of a command.
    """
    head, _, body = reply.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    if len(body) != int(headers.get("content-length", -1)):
        raise ValueError("the reply is incomplete")
    return int(first.split(" ")[1]), headers, body


def connect(home: Path, patience: float | None = None) -> Connection | None:
    """Return a connection to the process that owns the store in `home`; None if there is none."""
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(CONNECT)
    try:
        with address(home) as where:
            line.connect(where)
    except OSError:
        line.close()
        return None
    return Connection(home, line, REPLY if patience is None else patience)


def is_owned(home: Path) -> bool:
    """Return whether a process owns the store in `home` and has a door."""
    found = connect(home)
    if found is None:
        return False
    with found:
        return True


def address(home: Path) -> AbstractContextManager[str]:
    """Yield the address of the socket in `home` for the duration of the block. Errors: `OSError`."""
    return socket_address(home, SOCKET)
