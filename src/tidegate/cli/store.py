"""
The way from a command to the store of this machine, whichever process owns it at the moment.

If another process owns the store, the request goes to it through the local door; if none does, the command opens the store itself, as far as needed:
to read it, to store an answer, or to run what waits. Owners come and go: a request whose owner has ended is sent to the next one,
which is safe because every request can be repeated.
"""

import os
import threading
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from msgspec import Struct

from tidegate.blobs.files import BlobFiles
from tidegate.bundles.archive import Archive
from tidegate.cli.ending import opened
from tidegate.cli.render import tell
from tidegate.errors import StoreError, StoreLocked, TidegateError
from tidegate.remote.door import DoorBlobs, DoorTransport
from tidegate.remote.local import Connection, OwnerGone, OwnerSilent, connect, is_owned
from tidegate.remote.registering import upload
from tidegate.remote.requests import ask
from tidegate.wire import Ask

PATIENCE = 5.0
"""Seconds in which a new owner must have opened its door."""

RETURN = 3.0
"""Seconds in which a departed owner may come back before a command takes the store: as long as a server takes to restart."""

LOOK = 5.0
"""Seconds that a read-only command waits for a reply of the owner, before it reads the store itself."""

PAUSE = 0.05

LOSSES = 8
"""How many owners a request may lose before it is given up: with pauses that double up to a second, after 5 s of an owner that only hangs up."""

LONGEST_PAUSE = 1.0

V = TypeVar("V")


class Owned(Protocol):
    """The store, opened by this process. `passes_on`: others own it, and what decides is passed on to them."""

    passes_on: bool

    def handle(self, request: Ask[V], /) -> V:
        """Handle a request, as the user of this process."""
        ...

    def close(self) -> None:
        """Close the store."""
        ...


Opener = Callable[[Path], Owned]

# The engine is loaded when this process opens the store: a command that finds an owner, as most do, does not need it.


def open_reader(home: Path) -> Owned:
    """Open the store for reading."""
    from tidegate.runtime import open_reader  # noqa: PLC0415 - as above

    return open_reader(home)


def open_briefly(home: Path) -> Owned:
    """Open the store to change something in it, without running anything."""
    from tidegate.runtime import open_briefly  # noqa: PLC0415 - as above

    return open_briefly(home)


def is_elsewhere(workers: object) -> bool:
    """Return whether tasks run on a cluster, and not in processes of this machine."""
    return not isinstance(workers, int | None)


class Staff(Struct, frozen=True):
    """The workers of a command that runs tasks: how many (None: one per processor), or the cluster, as of `open_runtime`; `strict` is that of `ProcessExecutor`, `anywhere` that of `Surroundings`."""

    workers: Any = None
    strict: bool | None = None
    anywhere: str = ""


def open_engine(home: Path, staff: Staff) -> Owned:
    """Open the store, and run what is in it."""
    from tidegate.runtime import open_runtime  # noqa: PLC0415 - as above

    return opened(
        lambda: open_runtime(
            home, workers=staff.workers, strict=staff.strict, anywhere=staff.anywhere
        )
    )


class StoreWay:
    """Sends requests to the owner of the store; becomes the owner with `opener` if there is none. May be used from any thread."""

    def __init__(self, home: Path, opener: Opener) -> None:
        self.home = home
        self._opener = opener
        self._only_looks = opener is open_reader
        self._lock = threading.Lock()
        self._own: Owned | None = None
        # From when on the store may be taken; never, as long as there is an owner.
        self._take_at = 0.0
        self._closed = False

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        return self._own is not None and not self._own.passes_on

    def ask(self, request: Ask[V]) -> V:
        """Handle a request, and return its view. Errors: those of the service; `StoreLocked` if the owner cannot be reached."""
        return self._through(
            lambda own: own.handle(request), lambda connection: ask(connection, request)
        )

    def open(self) -> None:
        """Become the owner of the store, if there is none. Errors: those of `ask`."""
        self._through(lambda _: None, lambda _: None)

    def _through(self, here: Callable[[Owned], V], there: Callable[[Connection], V]) -> V:
        """Do something with the store: `here` if this process owns it, else `there`, by its owner."""
        give_up = time.monotonic() + PATIENCE
        lost = 0
        while True:
            own = self._own
            if own is not None:
                return here(own)
            try:
                connection = connect(self.home, LOOK if self._only_looks else None)
                if connection is not None:
                    self._take_at = inf
                    with connection:
                        return there(connection)
                if self._may_take():
                    self._open()
                else:
                    time.sleep(PAUSE)
            except OwnerGone as error:
                lost += 1
                if lost >= LOSSES:
                    raise _unreachable(self.home, error) from None
                # There was an owner until now, and the request may have waited for long: the waiting time starts here.
                give_up = time.monotonic() + PATIENCE
                time.sleep(min(PAUSE * 2**lost, LONGEST_PAUSE))
            except OwnerSilent:
                if not self._only_looks:
                    raise
                tell(
                    f"the process that owns {self.home} does not reply: it is stopped or hung; showing what is stored"
                )
                self._open()
            except StoreLocked as error:
                if time.monotonic() > give_up:
                    raise _unreachable(self.home, error) from None
                time.sleep(PAUSE)

    @property
    def blobs(self) -> BlobFiles:
        """Where files used as values are stored."""
        from tidegate.runtime import artifacts_in, blobs_beside  # noqa: PLC0415 - as above

        if self._own is not None:
            return BlobFiles(artifacts_in(self.home).blobs)
        return BlobFiles(DoorBlobs(self.home, blobs_beside(self.home)))

    def install(self, archive: Archive) -> None:
        """Unpack a packed source tree where workers look for it; if another process owns the store, it does that."""
        from tidegate.runtime import PRIVATE, artifacts_in  # noqa: PLC0415 - as above

        while not self.is_owner and is_owned(self.home):
            try:
                upload(DoorTransport(self.home), archive)
            except OwnerGone:
                # The next owner takes it, which may be this process.
                self.open()
            else:
                return
        umask = os.umask(PRIVATE)
        try:
            artifacts_in(self.home).bundles.put(archive)
        finally:
            os.umask(umask)

    def close(self) -> None:
        """Release the store, if this process owns it."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def __enter__(self) -> Self:
        """Enter a block at whose end this is closed."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
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
