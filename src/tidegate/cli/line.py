"""
The way from a command to the engine, whoever runs it at the moment.

If another process owns the store, the request goes to it through the door; if nobody does, the command opens the store itself, as far as it needs to:
to look at it, to store an answer, or to run what waits. Owners come and go: a request whose owner ended is sent again to the next,
which is safe, as every request can be repeated.
"""

import threading
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Self, TypeVar

from tidegate.blobs import BlobDirectory
from tidegate.bundles.archive import Archive, install
from tidegate.cli.render import tell
from tidegate.errors import StoreError, StoreLocked, TidegateError
from tidegate.remote.local import OwnerGone, OwnerSilent, connect
from tidegate.runtime import Runtime, open_reader
from tidegate.wire import Request, View

PATIENCE = 5.0
"""Seconds in which a new owner must have opened its door."""

RETURN = 3.0
"""Seconds in which an owner that has gone may come back, before somebody else takes the store: a server is restarted so."""

LOOK = 5.0
"""Seconds that whoever only looks waits for an owner that does not reply, before he looks into the store himself."""

PAUSE = 0.05

Opener = Callable[[Path], Runtime]

V = TypeVar("V")


class Line:
    """Sends requests to whoever owns the store; becomes that with `opener` if nobody does. May be used from any thread."""

    def __init__(self, home: Path, opener: Opener) -> None:
        self.home = home
        self._opener = opener
        self._only_looks = opener is open_reader
        self._lock = threading.Lock()
        self._own: Runtime | None = None
        # From when on the store may be taken; never, as long as there is an owner.
        self._take_at = 0.0
        self._closed = False

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        return self._own is not None

    def send(self, request: Request) -> View:
        """Have a request handled. Errors: those of the service; `StoreLocked` if the owner cannot be reached."""
        give_up = time.monotonic() + PATIENCE
        while True:
            own = self._own
            if own is not None:
                return own.service.handle(request)
            try:
                connection = connect(self.home)
                if connection is not None:
                    self._take_at = inf
                    return connection.send(request, LOOK if self._only_looks else None)
                if self._may_take():
                    self._open()
                else:
                    time.sleep(PAUSE)
            except OwnerGone:
                # There was an owner until now, and it may have been asked long ago: only from here on nobody replies.
                give_up = time.monotonic() + PATIENCE
                time.sleep(PAUSE)
            except OwnerSilent:
                if not self._only_looks:
                    raise
                tell(
                    f"the process that owns {self.home} does not reply: it is stopped, or hangs; this is what is stored"
                )
                self._open()
            except StoreLocked as error:
                if time.monotonic() > give_up:
                    raise _unreachable(self.home, error) from None
                time.sleep(PAUSE)

    def ask(self, request: Request, kind: type[V]) -> V:
        """Have a request handled whose view is of this kind."""
        view = self.send(request)
        assert isinstance(view, kind), f"{type(request).__name__} gave {type(view).__name__}"
        return view

    @property
    def blobs(self) -> BlobDirectory:
        """Where files go that are values."""
        return BlobDirectory(self.home / "blobs")

    def install(self, archive: Archive) -> None:
        """Unpack a packed source tree where workers look for it."""
        install(archive, self.home)

    def close(self) -> None:
        """Let go of the store, if this process owns it."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def __enter__(self) -> Self:
        """Enter a block at whose end the line is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the line."""
        self.close()

    def _may_take(self) -> bool:
        if self._take_at == inf:
            self._take_at = time.monotonic() + RETURN
        return time.monotonic() >= self._take_at

    def _open(self) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("the command is ending")
            if self._own is None:
                self._own = self._opener(self.home)


def _unreachable(home: Path, error: TidegateError) -> StoreLocked:
    return StoreLocked(
        f"the store in {home} is in use, and its owner does not reply: {error.message}"
    )
