"""
The connection to the process that owns a store: HTTP, as to any server, through a socket in the home of the store.

The owner's door identifies the caller by the socket. Each request uses a new connection. One to a server elsewhere differs only in that its requests
are signed (see `remote.servers`).
"""

import hashlib
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, Protocol, Self

import msgspec
from msgspec import Struct

from tidegate.errors import InvalidValue, StoreError, Unauthenticated
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


class Signing(Struct, frozen=True):
    """How requests to a server elsewhere are signed: the host in them, and what makes the headers from method, target, size and digest of the body."""

    host: str
    sign: Callable[[str, str, int, str], Mapping[str, str]]


class Connection:
    """A connection to the process that owns a store, for one call. `who` is that process in messages, `patience` is in seconds, beyond those that the call itself waits."""

    def __init__(
        self, who: str, line: socket.socket, patience: float, signing: Signing | None = None
    ) -> None:
        self._who = who
        self._line = line
        self._patience = patience
        self._signing = signing

    @property
    def is_afar(self) -> bool:
        """Whether the process may be on another machine."""
        return self._signing is not None

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
        error = error_in(reply.content)
        if self._signing is not None and isinstance(error, Unauthenticated):
            raise OwnerGone(f"{self._who} is another one by now")
        raise error or StoreError(f"unexpected HTTP {status} from {self._who}")

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
        target, host = target_of(call), "localhost"
        if self._signing is not None:
            host, digest = self._signing.host, _digest(call.file, content)
            headers = {**headers, **self._signing.sign(call.method, target, size, digest)}
        lines = [f"{call.method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
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
                f"{self._who} has not replied for {self._patience:.0f} s; it may be stopped or hung:"
                " check it, or end it; everything it acknowledged is safe"
            ) from None
        except (OSError, ValueError) as error:
            raise OwnerGone(f"{self._who} ended before it replied: {error}") from None
        return status, OwnerReply(body, found)


def _digest(file: Path | None, content: bytes) -> str:
    if file is None:
        return hashlib.sha256(content).hexdigest()
    with file.open("rb") as body:
        return hashlib.file_digest(body, "sha256").hexdigest()


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
    who = f"the process that owns {home}"
    return Connection(who, line, REPLY if patience is None else patience)


class AnyDoor(Protocol):
    """A way to the process that owns a store. May be used from any thread."""

    def connect(self, patience: float | None = None, *, stay: bool = False) -> Connection | None:
        """
        Return a connection; None if no process owns the store. `patience` as of `Connection`; with `stay`, only to the process that was reached before.

        Errors: `StoreError` if none of those that own it can be reached.
        """
        ...

    def seek(self, execution: str) -> None:
        """Prefer the server that decides about an execution, from now on."""
        ...

    def is_wrong(self) -> bool:
        """Return whether another server than the one that was reached decides about it by now."""
        ...

    def is_kept(self) -> bool:
        """Return whether nobody can take over what it decides about from the server that was reached, for some seconds."""
        ...


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
