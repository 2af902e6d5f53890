"""
Blobs and bundles for workers of a store whose files are in an object store: the owner of the store is asked for them (see `ports.objects`).

Copies are exchanged in the owner's directory of copies: a new blob is written there, and the owner sends it before `put` returns.
"""

import socket
import struct
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from tidegate import disk
from tidegate.blobs.directory import CHUNK, BlobDirectory, check_digest
from tidegate.bundles.directory import BundleDirectory
from tidegate.errors import (
    CodeError,
    ObjectsAway,
    StoreDamaged,
    StoreError,
    StoreFull,
    UnknownBlob,
)
from tidegate.executors.frames import Run, Setup
from tidegate.executors.layers import LayeredBlobs, layered
from tidegate.home import BLOBS, BUNDLES, CACHE, socket_address
from tidegate.ports.blobs import Blobs
from tidegate.ports.executor import MISSING, NO_OBJECTS
from tidegate.ports.objects import SOCKET, FileGot, FileWanted
from tidegate.types.values import named_blobs

LENGTH = struct.Struct(">I")
PATIENCE: Final = 120.0
"""Seconds without a byte from the owner, after which it counts as gone. It ends each of its own requests much earlier."""

PAUSE: Final = 1.0
"""Seconds between two attempts of a task to reach an object store that is away."""

ERRORS = {
    each.code: each for each in (UnknownBlob, StoreDamaged, StoreFull, ObjectsAway, CodeError)
}


class Owner:
    """The process that owns a store, as its workers ask it."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def ask(self, wanted: FileWanted) -> FileGot:
        """Ask, and wait. Errors: those of what is asked for; `ObjectsAway` if nobody replies."""
        body = msgspec.msgpack.encode(wanted)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(PATIENCE)
                with socket_address(self.home, SOCKET) as where:
                    line.connect(where)
                line.sendall(LENGTH.pack(len(body)) + body)
                (size,) = LENGTH.unpack(_exactly(line, LENGTH.size))
                got = msgspec.msgpack.decode(_exactly(line, size), type=FileGot)
        except (OSError, EOFError) as error:
            why = f"the process that owns the store in {self.home} does not answer its workers"
            raise ObjectsAway(why) from error
        if got.code:
            raise ERRORS.get(got.code, StoreError)(got.message)
        return got

    def ask_patiently(self, wanted: FileWanted) -> FileGot:
        """Ask until the object store is there: an attempt's own timeout continues meanwhile. Errors: those of what is asked for."""
        while True:
            try:
                return self.ask(wanted)
            except ObjectsAway:
                time.sleep(PAUSE)

    def keep_log(self, execution: str, node: str, attempt: int) -> None:
        """Have the log of an attempt stored. Errors: `StoreError`; then it is stored later."""
        self.ask(FileWanted("log", execution=execution, node=node, attempt=attempt))


class OwnerBlobs:
    """An adapter of the port `Blobs`. For the attempts of a worker it waits while the object store is away; without `patience` it says so."""

    def __init__(self, owner: Owner, *, patience: bool = True) -> None:
        self._ask = owner.ask_patiently if patience else owner.ask
        self._copies = BlobDirectory(owner.home / CACHE / "blobs", sync=False)

    def put(self, chunks: Iterable[bytes], /) -> str:
        """Store a content that comes in pieces; return its digest. Errors: `StoreFull`, `StoreError`."""
        digest = self._copies.put(chunks)
        try:
            with self._copies.path(digest).open("rb") as kept:
                try:
                    self._ask(FileWanted("send", digest))
                except UnknownBlob:
                    # Copies may be removed at any time, also while this waits.
                    self._copies.put(iter(partial(kept.read, CHUNK), b""))
                    self._ask(FileWanted("send", digest))
        except OSError as error:
            raise disk.failed("a blob cannot be stored", error) from error
        return digest

    def size(self, digest: str, /) -> int:
        """Return the size of a blob in bytes. Errors: `UnknownBlob`, `StoreError`."""
        check_digest(digest)
        return self._ask(FileWanted("size", digest)).size

    def total(self) -> int:
        """Return the total size of the copies in bytes. Errors: `StoreError`."""
        return self._copies.total()

    def beginning(self, digest: str, most: int, /) -> bytes:
        """Return at most this many of the first bytes. Errors: as of `read`."""
        return next(self.read(digest))[:most]

    def read(self, digest: str, /) -> Iterator[bytes]:
        """Yield a blob in pieces. Errors: `UnknownBlob`, `StoreDamaged`, `StoreError`."""
        check_digest(digest)
        self._ask(FileWanted("fetch", digest))
        return self._copies.read(digest)

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        """Yield bytes of a blob in pieces. Errors: as of `read`."""
        check_digest(digest)
        self._ask(FileWanted("fetch", digest))
        return self._copies.part(digest, start, stop)


class OwnerBundles:
    """The source trees of a worker."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def tree(self, digest: str, /) -> Path:
        """Return the directory of a source tree. Errors: `CodeError` if it is missing or was changed, or cannot be asked for now; `StoreError`."""
        try:
            path = Path(self._owner.ask(FileWanted("tree", digest)).path)
        except ObjectsAway as error:
            raise CodeError(error.message, held=NO_OBJECTS) from None
        return BundleDirectory(path.parent).tree(digest)


class Trees(Protocol):
    """Where a worker gets the source tree of its bundle."""

    def tree(self, digest: str, /) -> Path:
        """Return the directory of a source tree. Errors: `CodeError` if it is missing or was changed, or cannot be had now."""
        ...


class WorkerFiles(Struct, frozen=True):
    """What a worker reads and makes; `owner` has it if it is in an object store, and stores its logs if they have one home."""

    blobs: Blobs
    bundles: Trees
    owner: Owner | None = None
    keeps_logs: bool = False

    def look_for(self, run: Run) -> None:
        """Look for the files that an attempt is given. Errors: `CodeError` if one is missing, or cannot be looked for now: then the attempt is held."""
        if self.owner is None:
            return
        for digest in (each for value in run.inputs.values() for each in named_blobs(value)):
            try:
                self.owner.ask(FileWanted("size", digest))
            except UnknownBlob:
                raise CodeError(
                    f"the file {digest[:12]}, an input of node {run.node} of execution {run.id}, is missing:"
                    " upload the same file again, or restore it from a backup; the node then continues by itself",
                    held=MISSING,
                    passes=True,
                ) from None
            except ObjectsAway as error:
                raise CodeError(error.message, held=NO_OBJECTS, passes=True) from None

    def keep_log(self, run: Run, log: Path) -> None:
        """Have the log of an attempt stored, if there is one, and it is to be elsewhere. Errors: `StoreError`; then it is stored later."""
        if self.owner is not None and self.keeps_logs and log.exists():
            self.owner.keep_log(run.id, run.node, run.attempt)


def files_of(setup: Setup) -> WorkerFiles:
    """Return what a worker reads and makes, and where."""
    home, store = Path(setup.home), Path(setup.store)
    if not setup.asks:
        blobs = layered(BlobDirectory(home / BLOBS), BlobDirectory(store / BLOBS))
        return WorkerFiles(blobs, BundleDirectory(store / BUNDLES))
    owner = Owner(Path(setup.asks))
    asked, bundles = OwnerBlobs(owner), OwnerBundles(owner)
    if owner.home == home:
        return WorkerFiles(asked, bundles, owner, keeps_logs=True)
    # What it makes stays in its own home, and is sent from there.
    return WorkerFiles(LayeredBlobs(BlobDirectory(home / BLOBS), asked), bundles, owner)


def _exactly(line: socket.socket, size: int) -> bytes:
    got = bytearray()
    while len(got) < size:
        piece = line.recv(size - len(got))
        if not piece:
            raise EOFError
        got += piece
    return bytes(got)
