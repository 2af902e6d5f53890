"""
The object store of a home: which one it is, whose files are there, and everything of it that one process uses.

The home has the address, with a number, in the file `objects`; the object store has the number in the object `store`. So nobody finds the files of one
store beside the history of another, and no command has to be told again where they are.
"""

import platform
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from msgspec import Struct

from tidegate import disk
from tidegate.errors import ObjectsAway, StoreError
from tidegate.home import BLOBS, BUNDLES, CACHE
from tidegate.logs import Logs
from tidegate.objects.blobs import ObjectBlobs
from tidegate.objects.broker import listening
from tidegate.objects.bucket import AGAIN, Bucket, check_address
from tidegate.objects.bundles import ObjectBundles
from tidegate.objects.cache import Copies
from tidegate.objects.following import Following
from tidegate.objects.logs import ObjectLogs
from tidegate.parts import Part, Parts
from tidegate.ports.objects import ObjectsKey

RECORD: Final = "objects"
"""The file in a home with the address of its object store."""

MARK: Final = "store"
"""The object with the number of the store whose files are there."""


class Record(Struct, frozen=True):
    """Where the files of a home are, and the number that says so there."""

    address: str
    number: str


def recorded(home: Path) -> Record | None:
    """Return where the files of a home are; None if they are in it. Errors: `StoreError`."""
    try:
        return msgspec.json.decode((home / RECORD).read_bytes(), type=Record)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{home / RECORD} cannot be read: {error}") from None


def chosen(home: Path, given: str) -> str:
    """Return the address of the object store of a home: as recorded, or as given; empty if its files are in it. Errors: `StoreError` if both differ."""
    found = recorded(home)
    if not given:
        return "" if found is None else found.address
    address = check_address(given)
    if found is not None and found.address != address:
        raise StoreError(
            f"the files of the store in {home} are in {found.address}, not in {address}: `tidegate store copy` moves them"
        )
    if found is None and has_files(home):
        raise StoreError(
            f"the store in {home} has its files there, not in {address}: `tidegate store copy` moves them"
        )
    return address


def has_files(home: Path) -> bool:
    """Return whether blobs or bundles are in a home."""
    return any(
        any(path.is_file() for path in (home / name).rglob("*")) for name in (BLOBS, BUNDLES)
    )


class ObjectStore:
    """The object store of a home, as one process uses it."""

    def __init__(
        self, home: Path, address: str, most: int | None = None, *, where: str = ""
    ) -> None:
        """`where` stands before what is wrong, if this is not the owner. Errors: `StoreError`. The store is not asked yet."""
        self._home = home
        self.bucket = Bucket(address)
        cache = Copies(home / CACHE, most)
        self.blobs = ObjectBlobs(self.bucket, cache)
        self.bundles = ObjectBundles(self.bucket, cache)
        self._lost = ""
        self._where = where
        self._changed = threading.Event()
        self._number = ""
        self._close: list[Callable[[], None]] = []

    @cached_property
    def _following(self) -> Following:
        return Following(self.bucket, Logs(self._home))

    @property
    def logs(self) -> ObjectLogs:
        """What tasks have printed and published."""
        return ObjectLogs(self.bucket, Logs(self._home))

    @property
    def files(self) -> ObjectBlobs:
        """The blobs."""
        return self.blobs

    @property
    def key(self) -> ObjectsKey:
        """By what processes elsewhere open it."""
        return ObjectsKey(f"{__name__}:{open_on_node.__name__}", self.bucket.address, self._number)

    @property
    def why(self) -> str:
        """Why it is away; empty if it is not, as far as is known."""
        why = self.bucket.why or self._lost
        return f"{self._where}{why}" if why else ""

    def claim(self, number: str = "") -> None:
        """
        Record that the files of this home are here. `number` is that of its database, if that has one.

        Errors: `StoreError` if they are those of another store; `ObjectsAway` if that is not known yet, and cannot be asked.
        """
        known = recorded(self._home)
        self._number = known.number if known is not None else number or uuid.uuid4().hex
        if known is None:
            # What is there is only ours if it says so, or nothing is.
            self._check(self.mark(self._number))
            write_record(self._home, Record(self.bucket.address, self._number))
            return
        with suppress(ObjectsAway):  # everything that needs it waits
            self._look()

    def mark(self, number: str) -> str:
        """Return the number of the store whose files are here, which is this one if there was none. Errors: `ObjectsAway`, `StoreError`."""
        return number if self.bucket.put(MARK, number.encode(), new=True) else self._marked()

    def _marked(self) -> str:
        with suppress(FileNotFoundError):
            return b"".join(self.bucket.read(MARK)).decode(errors="replace")
        return ""

    def _check(self, found: str) -> None:
        if found != self._number:
            raise StoreError(
                f"{self._where}{self.bucket.address} has the files of another store: give a place of its own to this one"
            )

    def look_around(self) -> None:
        """List what is there, so that nothing has to be asked for one by one. Errors: `ObjectsAway`, `StoreError`."""
        self._look()
        if self._lost:
            raise ObjectsAway(self._lost)
        for _ in self.blobs.digests():
            pass

    def _look(self) -> None:
        """Ask whether the files are still there. Errors: `ObjectsAway`, `StoreError`."""
        self.bucket.check()
        found = self._marked()
        self._lost = (
            ""
            if found
            else f"the files of the store are gone from {self.bucket.address}: restore them, or the bucket"
        )
        if found and self._number:
            self._check(found)

    # ---- for the owner of the store ----

    def serve(self, parts: Parts, at: Path | None = None) -> None:
        """Answer workers, in the home or elsewhere, store logs, and watch whether the store is there, until `close`. Errors: `StoreError`."""
        broker = listening(at or self._home, self.blobs, self.bundles, self._following)
        self.bucket.on_away(lambda _: self._changed.set())
        answers = parts.thread("object-workers", lambda: broker.serve_forever(0.5))
        stores, watch = parts.part("object-logs", tidies=True), parts.part("objects", tidies=True)
        stores.run(lambda: self._following.run(stores))
        watch.run(lambda: self._watch(watch))

        def close() -> None:
            for part in (answers, stores, watch):
                part.stop()
            self._changed.set()
            self._following.close()
            broker.shutdown()
            broker.server_close()
            for part in (answers, stores, watch):
                part.join(2 * AGAIN)

        self._close.append(close)

    @contextmanager
    def elsewhere(self) -> Iterator[Path]:
        """Serve workers in a temporary home, which this yields, instead of in that of the store."""
        with TemporaryDirectory(prefix="tidegate-") as name:
            home = Path(name).resolve()
            disk.make_directory(self._home / CACHE)
            (home / CACHE).symlink_to(self._home / CACHE)
            self.serve(Parts(), home)
            try:
                yield home
            finally:
                self.close()

    def follow(self, execution: str, node: str, attempt: int) -> None:
        """Make what an attempt prints and publishes readable elsewhere, while it runs."""
        self._following.follow(execution, node, attempt)

    def settle(self, execution: str, node: str, attempt: int) -> None:
        """Store the log of an attempt that has ended."""
        self._following.settle(execution, node, attempt)

    def close(self) -> None:
        """End what `serve` has begun."""
        while self._close:
            self._close.pop()()

    def _watch(self, part: Part) -> None:
        """Say in health whether the store is there; while it is away, ask every two seconds."""
        while not part.is_stopped:
            if self.why:
                part.failed(self.why)
            try:
                self._look()
            except StoreError as error:
                self._lost = "" if isinstance(error, ObjectsAway) else error.message
            if self.why:
                part.failed(self.why)
                part.pause(AGAIN)
            else:
                part.works()
                self._changed.wait()
            self._changed.clear()


def open_on_node(home: Path, address: str, number: str) -> ObjectStore:
    """
    Open the object store of a store on a node of a cluster, with the credentials of that machine, and serve the workers there, whose home this is.

    Errors: `ObjectsAway` if it cannot be reached, or not read; `StoreError` if the files there are those of another store.
    """
    write_record(home, Record(address, number))
    where = f"node {platform.node()} cannot use the files of the store: "
    store = ObjectStore(home, address, where=where)
    store.claim()
    if store.why:
        raise ObjectsAway(store.why)
    store.serve(Parts())
    return store


def write_record(home: Path, record: Record) -> None:
    """Record in a home where its files are. Errors: `StoreError`."""
    try:
        disk.write(home / RECORD, msgspec.json.encode(record))
    except OSError as error:
        raise disk.failed(f"{home / RECORD} cannot be written", error) from error
