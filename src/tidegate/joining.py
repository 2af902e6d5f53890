"""
What a command needs that has the address of a store's database and nothing else, while servers share the store: the way to them, and workers for its terminal.

Anyone who has the address is the owner of the store. Decisions and launches go to a server, which also has the files.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from tidegate import disk
from tidegate.bundles.archive import Archive
from tidegate.bundles.sources import STORE
from tidegate.core.shards import home_shard
from tidegate.executors.process import ProcessExecutor
from tidegate.home import CACHE, refuse_held
from tidegate.objects.broker import Broker, listening
from tidegate.remote.door import DoorTransport
from tidegate.remote.fetching import FetchedFiles
from tidegate.remote.local import AnyDoor
from tidegate.remote.servers import ServerDoor
from tidegate.stores.opening import SharedStore, is_home_of, open_beside

log = logging.getLogger(__name__)

FILES = "files"
"""The directory in the home of a terminal's workers in which they find what was fetched."""


class StoreServers:
    """The `Servers` of a store."""

    def __init__(self, store: SharedStore) -> None:
        self._store = store
        self.name = store.database.name
        self.now, self.secret = store.shares.now, store.shares.secret
        self.replicas, self.close = store.shares.replicas, store.close

    def shard_of(self, execution: str) -> int:
        """Return the shard in which an execution is, or would be launched. Errors: `StoreError`."""
        row = self._store.journal.find(execution)
        return home_shard(execution) if row is None else self._store.shares.shard_of(row.key)


def open_door(home: Path, *, only_looks: bool) -> ServerDoor | None:
    """
    Return the way to the servers that share the store; None if none runs, or if the command reads and `home` has the files of the store.

    Errors: `StoreError` and below.
    """
    if only_looks and is_home_of(home / STORE):
        return None
    if not only_looks:
        refuse_held(home)
    store = open_beside(home / STORE)
    return None if store is None else ServerDoor(StoreServers(store))


class AfarWorkers:
    """Makes the workers of a terminal that is not on the machine of the store; `make` as of `open_workers`. They get files from the servers."""

    def __init__(self, door: AnyDoor, make: Callable[[Path, Path], ProcessExecutor]) -> None:
        self._transport = DoorTransport(door)
        self._make = make
        self._files: FetchedFiles | None = None
        self._broker: Broker | None = None
        self._packed: list[Archive] = []

    def keep(self, archive: Archive) -> None:
        """Have code at hand that was packed here."""
        self._packed.append(archive)
        if self._files is not None:
            self._files.keep(archive)

    def __call__(self, home: Path) -> ProcessExecutor:
        """Return workers in this home."""
        if self._broker is None:
            store = home / FILES
            disk.make_directory(store / CACHE, durable=False)
            self._files = files = FetchedFiles(self._transport, store / CACHE)
            for archive in self._packed:
                files.keep(archive)
            self._broker = broker = listening(store, files, files)
            threading.Thread(
                target=broker.serve_forever, name="tidegate-files", daemon=True
            ).start()
        return self._make(home, home / FILES)
