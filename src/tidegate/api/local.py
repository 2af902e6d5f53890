"""
The door for commands of the same user on the same machine: HTTP, as over the network, on a Unix socket in the home of the store.

The owner of the store opens it, so there is never more than one; the file left by a killed owner is replaced.

Rule 1: the socket has mode 0600 and belongs to the owner of the store; the system identifies the caller, not the request (see `accept`). Only the
        owner's user and root are served, and no task: code must not decide what its own workflow asks of people.
Rule 2: a run starts an event loop for it only when the first client connects: most runs end without one, and do not pay for it.
"""

import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tidegate.disk import ROOT
from tidegate.errors import StoreError
from tidegate.parts import Part
from tidegate.remote.local import SOCKET, address

BACKLOG = 64
"""The listen backlog: no more commands than this start in the same millisecond."""

ASK = "ask as its owner, as root, or over the network with a token"

CLOSING = 5.0
"""Seconds for closing the connections. It takes milliseconds, unless the machine is overloaded."""


class LocalDoor:
    """Listens on the socket in a home, once it is opened. Connections are accepted by a server's loop, or by the door's own: `run`."""

    def __init__(
        self, home: Path, part: Part, is_worker: Callable[[int], bool] = lambda _: False
    ) -> None:
        self._home = home
        self._is_worker = is_worker
        self.part = part
        self._listener: socket.socket | None = None
        self._owner = os.geteuid()
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None

    @property
    def listener(self) -> socket.socket:
        """Where it listens."""
        assert self._listener is not None, "it is open"
        return self._listener

    @property
    def users(self) -> frozenset[int]:
        """Who may come in: the user of this process, root, and the owner of the store, if root has opened it."""
        return frozenset({os.geteuid(), ROOT, self._owner})

    def refusal(self, user: int, process: int) -> str:
        """Return why a process of a user is refused; empty if it may ask."""
        if user not in self.users:
            return f"the store belongs to another user: {ASK}"
        if self._is_worker(process):
            return "a task of this store cannot use its local door: code must not decide what its own workflow asks of people"
        return ""

    def open(self) -> None:
        """
        Start listening. Only the owner of the store may call it, after it has become that.

        Errors: `StoreError` if this home cannot hold a socket.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._owner = self._home.stat().st_uid if os.geteuid() == ROOT else os.geteuid()
            (self._home / SOCKET).unlink(missing_ok=True)
            with address(self._home) as where:
                listener.bind(where)
                Path(where).chmod(0o600)
                os.chown(where, self._owner, -1, follow_symlinks=False)
            listener.listen(BACKLOG)
        except OSError as error:
            listener.close()
            raise StoreError(
                f"{self._home / SOCKET}: cannot listen there: {error.strerror}"
            ) from None
        listener.setblocking(False)
        self._listener = listener

    def run(self, make: Callable[[], Any]) -> None:
        """Accept connections in a separate thread. `make` is called there for the application, when the first client has connected."""
        self.part.run(lambda: self._run(make))

    def close(self) -> None:
        """Stop listening, and hang up on everybody. Call it only while the store is still owned."""
        self.part.stop()
        if self._listener is None:
            return
        (self._home / SOCKET).unlink(missing_ok=True)
        with self._lock:
            if self._end is not None:
                self._end()
        # Wakes the thread if nobody has connected yet. On some systems a socket that only listens cannot be shut down.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self.part.join(CLOSING)
        self._listener.close()

    def _run(self, make: Callable[[], Any]) -> None:
        # Not `select.select`, which cannot handle descriptors above 1,023.
        somebody = select.poll()
        somebody.register(self.listener, select.POLLIN)
        somebody.poll()
        if self.part.is_stopped:
            return
        # Loaded here, because it takes longer than the start of a run.
        from tidegate.api.accept import run  # noqa: PLC0415

        run(self.listener, make(), self.part, self._begun, self.refusal)

    def _begun(self, end: Callable[[], None]) -> None:
        with self._lock:
            self._end = end
            if self.part.is_stopped:
                end()
