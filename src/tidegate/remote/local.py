"""
The client of a running Tidegate: hands requests to the process that owns the store, through a socket in its home.

A message is four bytes of length, the highest first, and that much JSON: a `Request` one way, a view or a `Problem` the other.
Each request has a connection of its own, so one `Connection` may be used from any thread.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import msgspec

from tidegate.errors import InvalidValue, StoreError
from tidegate.remote.problems import error_of
from tidegate.wire import (
    Abort,
    Aborted,
    Answer,
    AnswerReply,
    DeckView,
    EventList,
    ExecutionPage,
    ExecutionView,
    GetDeck,
    GetExecution,
    GetLogs,
    GetWorkflow,
    InboxPage,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListTokens,
    ListVersions,
    ListWorkflows,
    LogList,
    MakeToken,
    Problem,
    Recover,
    Register,
    Relaunch,
    Request,
    RevokeToken,
    SignalList,
    TokenList,
    TokenMade,
    View,
    WorkflowDetail,
    WorkflowList,
)

SOCKET = "door.sock"
MAX_MESSAGE = 64 * 1024 * 1024
REPLY = 120.0
"""Seconds until an owner that does not reply is given up, beyond those that the request itself waits. To import an author's module may take 90."""
CONNECT = 5.0
"""Seconds until an owner whose door takes nobody any more is given up."""
LONGEST_ADDRESS = 100
"""Bytes that fit into a socket address on every system (Linux takes 107, macOS 103)."""

VIEWS: dict[type[Request], type[View]] = {
    Register: WorkflowList,
    Launch: ExecutionView,
    Relaunch: ExecutionView,
    Recover: ExecutionView,
    GetExecution: ExecutionView,
    ListExecutions: ExecutionPage,
    ListInbox: InboxPage,
    ListSignals: SignalList,
    Answer: AnswerReply,
    Abort: Aborted,
    ListEvents: EventList,
    GetLogs: LogList,
    GetDeck: DeckView,
    ListWorkflows: WorkflowList,
    GetWorkflow: WorkflowDetail,
    ListVersions: WorkflowList,
    MakeToken: TokenMade,
    ListTokens: TokenList,
    RevokeToken: TokenList,
}
"""Which view answers which request."""


class OwnerGone(StoreError):
    """The process that owned the store ended before it replied; ask the next owner."""

    code: ClassVar[str] = "owner_gone"


class OwnerSilent(StoreError):
    """The process that owns the store does not reply: it is stopped, or hangs."""

    code: ClassVar[str] = "owner_silent"


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """What comes back: a view, or a problem."""

    view: msgspec.Raw = msgspec.Raw()
    problem: Problem | None = None


class Connection:
    """The way to the process that owns a store."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def send(self, request: Request, patience: float | None = None) -> View:
        """
        Hand over a request and return its view. `patience` is in seconds, beyond those that the request itself waits.

        Errors: what the service raised, raised again; `OwnerGone` if the owner ended meanwhile; `OwnerSilent` when the patience is at its end.
        """
        patience = REPLY if patience is None else patience
        body = msgspec.json.encode(request)
        if len(body) > MAX_MESSAGE:
            raise InvalidValue(f"the request is larger than {MAX_MESSAGE} bytes")
        try:
            with _connected(self._home) as line:
                line.settimeout(patience + getattr(request, "wait", 0.0))
                write_message(line, body)
                reply = read_message(line)
        except TimeoutError:
            raise OwnerSilent(
                f"the process that owns {self._home} has not replied for {patience:.0f} s; it may be stopped or hung:"
                " look at it, or end it; what it acknowledged is safe"
            ) from None
        except OSError as error:
            raise OwnerGone(f"the process that owns {self._home} does not reply: {error}") from None
        if reply is None:
            raise OwnerGone(f"the process that owns {self._home} ended before it replied")
        envelope = msgspec.json.decode(reply, type=Envelope)
        if envelope.problem is not None:
            raise error_of(envelope.problem)
        return msgspec.json.decode(envelope.view, type=VIEWS[type(request)])


def connect(home: Path) -> Connection | None:
    """Return the way to the process that owns the store in `home`; None if there is none."""
    try:
        with _connected(home):
            return Connection(home)
    except OSError:
        return None


@contextmanager
def _connected(home: Path) -> Iterator[socket.socket]:
    with address(home) as where, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(CONNECT)
        line.connect(where)
        yield line


@contextmanager
def address(home: Path) -> Iterator[str]:
    """Give the address of the socket in `home`, short enough for the system, for as long as the block lasts."""
    path = str(home.absolute() / SOCKET)
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield path
        return
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{SOCKET}"
    finally:
        os.close(folder)


def write_message(line: socket.socket, body: bytes) -> None:
    """Send one message."""
    line.sendall(len(body).to_bytes(4, "big") + body)


def read_message(line: socket.socket) -> bytes | None:
    """Receive one message; None if the other side is gone. Errors: `ValueError` if it is too long."""
    head = _read(line, 4)
    if head is None:
        return None
    size = int.from_bytes(head, "big")
    if size > MAX_MESSAGE:
        raise ValueError(f"a message of {size} bytes; the limit is {MAX_MESSAGE}")
    return _read(line, size)


def _read(line: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        part = line.recv(min(size - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
