"""
The way from a command to its store, whichever process owns it at the moment.

If another process owns the store, the request goes to it through the local door; or to a server elsewhere, if servers share a store on Postgres and none
is here. If nobody owns it, the command opens the store itself, as far as needed: to read it, to store an answer, or to run what waits. Owners come and
go: a request whose owner has ended is sent to the next one, which is safe because every request can be repeated.
"""

import os
import threading
import time
from collections.abc import Callable
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, Self, TypeVar

from msgspec import Struct

from tidegate.blobs.files import BlobFiles
from tidegate.bundles.archive import Archive
from tidegate.cli.ending import opened
from tidegate.cli.render import tell
from tidegate.errors import StoreError, StoreLocked, TidegateError
from tidegate.home import find_store
from tidegate.ports.blobs import Blobs
from tidegate.remote.blobs import RemoteBlobs
from tidegate.remote.door import DoorBlobs, DoorTransport
from tidegate.remote.local import Connection, OwnerGone, OwnerSilent, connect
from tidegate.remote.registering import upload
from tidegate.remote.requests import ask
from tidegate.remote.servers import OutOfReach, ServerDoor
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
    """The store, opened by this process, and its blobs."""

    blobs: Blobs

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


def open_access(home: Path) -> Owned:
    """Open the store to change tokens."""
    from tidegate.runtime import open_access  # noqa: PLC0415 - as above

    return open_access(home)


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


class StoreDoor:
    """An `AnyDoor`: the local one in `home`, and the way to servers elsewhere once that is open."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.servers: ServerDoor | None = None

    @property
    def is_afar(self) -> bool:
        """Whether servers elsewhere are asked."""
        return self.servers is not None

    def connect(self, patience: float | None = None, *, stay: bool = False) -> Connection | None:
        """Return a connection, as of `AnyDoor`."""
        found = connect(self._home, patience)
        if found is None and self.servers is not None:
            return self.servers.connect(patience, stay=stay)
        return found

    def seek(self, execution: str) -> None:
        """Prefer the server that decides about an execution."""
        if self.servers is not None:
            self.servers.seek(execution)

    def is_wrong(self) -> bool:
        """Return whether another server decides about it by now."""
        return self.servers is not None and self.servers.is_wrong()

    def is_kept(self) -> bool:
        """Return whether nobody can take over what the server decides about, for some seconds."""
        return self.servers is None or self.servers.is_kept()

    def open(self, *, only_looks: bool) -> bool:
        """Look for servers elsewhere; return whether there are any. Errors: `StoreError`."""
        if not find_store():
            return False
        from tidegate.joining import open_door  # noqa: PLC0415 - as above

        self.close()
        self.servers = open_door(self._home, only_looks=only_looks)
        return self.servers is not None

    def close(self) -> None:
        """Release the database."""
        servers, self.servers = self.servers, None
        if servers is not None:
            servers.close()


class StoreWay:
    """Sends requests to the owner of the store; becomes the owner with `opener` if there is none. May be used from any thread."""

    def __init__(self, home: Path, opener: Opener) -> None:
        self.home = home
        self._opener = opener
        self.door = StoreDoor(home)
        self._only_looks = opener is open_reader
        self._needs_owner = opener is not open_access
        self._lock = threading.Lock()
        self._own: Owned | None = None
        # From when on the store may be taken; never, as long as there is an owner.
        self._take_at = 0.0
        self._closed = False
        self._copies: TemporaryDirectory[str] | None = None

    @property
    def is_owner(self) -> bool:
        """Whether this process runs the engine."""
        return self._own is not None

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
                connection = self.door.connect(LOOK if self._only_looks else None)
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
                self._open(alone=True)
            except OutOfReach as error:
                if not self._only_looks:
                    raise
                tell(f"{error.message}; showing what the database has, without files")
                self._open(alone=True)
            except StoreLocked as error:
                if find_store():
                    raise
                if time.monotonic() > give_up:
                    raise _unreachable(self.home, error) from None
                time.sleep(PAUSE)

    @property
    def blobs(self) -> BlobFiles:
        """Where files used as values are stored."""
        from tidegate.runtime import blobs_beside  # noqa: PLC0415 - as above

        if self._own is not None:
            return BlobFiles(self._own.blobs)
        if self.door.is_afar:
            self._copies = self._copies or TemporaryDirectory(prefix="tidegate-")
            copies = RemoteBlobs(DoorTransport(self.door), Path(self._copies.name))
            return BlobFiles(DoorBlobs(self.door, copies))
        return BlobFiles(DoorBlobs(self.door, blobs_beside(self.home)))

    def install(self, archive: Archive) -> None:
        """Unpack a packed source tree where workers look for it; if another process owns the store, it does that."""
        from tidegate.runtime import PRIVATE, artifacts_in  # noqa: PLC0415 - as above

        if find_store():
            self.open()  # servers elsewhere may have it
        while not self.is_owner and self._is_owned():
            try:
                upload(DoorTransport(self.door), archive)
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

    def _is_owned(self) -> bool:
        connection = self.door.connect()
        if connection is None:
            return False
        with connection:
            return True

    def close(self) -> None:
        """Release the store, if this process owns it."""
        with self._lock:
            self._closed = True
            own, self._own = self._own, None
        if own is not None:
            own.close()
        self.door.close()
        if self._copies is not None:
            self._copies.cleanup()

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

    def _open(self, *, alone: bool = False) -> None:
        with self._lock:
            if self._closed:
                raise StoreError("the command is ending")
            if self._own is not None:
                return
            seeks = self._needs_owner and not alone
            if not (seeks and self.door.open(only_looks=self._only_looks)):
                self._own = self._opener(self.home)


def _unreachable(home: Path, error: TidegateError) -> StoreLocked:
    return StoreLocked(
        f"the store in {home} is in use, and its owner does not reply: {error.message}"
    )
