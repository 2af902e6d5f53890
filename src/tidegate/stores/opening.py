"""
Opens the store of a home: the SQLite file in it, or the Postgres database that is named, whose files are there.

The home of a store on Postgres has a file with the number of that store. So nobody finds the files of one store beside the history of another.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tidegate import disk
from tidegate.errors import StoreError, StoreHeld
from tidegate.home import BUNDLES, MOVED, find_blobs, find_store
from tidegate.ports.shares import StoreShares
from tidegate.ports.store import Progress, Store
from tidegate.stores.database import Database, SchemaBehind
from tidegate.stores.folder import EngineLock, Left, failed, make_folder, refuse_open
from tidegate.stores.moving import Rows
from tidegate.stores.sqlite import SqliteStore

NUMBER = "store"
"""The file in a home with the number of the store on Postgres whose files are there."""

OWNER = "owner"
"""The file in a home with the name under which the last process of this home owned parts of a store on Postgres."""

SEEN = "seen"
"""The file in a home with how far its server has seen the history of a store on Postgres."""

PATIENCE = 15.0
"""Seconds for which an owner that died may still count as alive."""


def in_silence(done: int, of: int) -> None:
    """Report nothing."""
    del done, of


class OpenStore(Store, Protocol):
    """A store that was opened by its owner. `number` tells one database from others; empty for a file, which is where it is."""

    number: str

    def agree_on_files(self, address: str) -> None:
        """Note in which object store the files are; empty for a directory. Errors: `StoreError` if other servers look for them elsewhere."""
        ...

    def begin(self, background: Callable[[str, Callable[[], None]], None]) -> None:
        """Do deferrable work in the background from now on."""
        ...


class MovableStore(OpenStore, Protocol):
    """A store whose rows can be copied into another one, or that can take those of another."""

    @property
    def database(self) -> Database:
        """Its rows."""
        ...

    def take(
        self, source: Database, progress: Progress, done: Callable[[], None]
    ) -> dict[str, Rows]:
        """Take all rows of another database, compare them, call `done`, and only then have them; return how many there are. Errors: `StoreDamaged`, `StoreError`."""
        ...


def open_store(
    file: Path,
    *,
    patience: float = PATIENCE,
    progress: Progress = in_silence,
    presence: tuple[str, str] | None = None,
    runs: bool = True,
) -> MovableStore:
    """
    Become the owner of the store, or of a share of one on Postgres, as a server with this address and version.

    What `runs` executions needs the files of the store, so its home becomes one of it. Errors: `StoreLocked`, `StoreTooNew`, `StoreDamaged`, `StoreFull`, `StoreError`.
    """
    home, address = file.parent, find_store()
    if not address:
        _refuse_foreign(file)
        return SqliteStore.open(file, progress=progress)
    if file.exists():
        raise StoreError(
            f"{home} has a store of its own, in a file: give another directory (--home) for the files of the one on Postgres"
        )
    make_folder(home)
    lock = EngineLock(home)
    try:
        # The lock of the home is free: so who had it has ended, whatever its lease says.
        former = _read(file.with_name(OWNER))
        left = Left(former, file.with_name(SEEN))
        how = {"patience": patience, "presence": presence, "left": left}
        store = _on_postgres(address, lock=lock, **how)
    except BaseException:
        lock.release()
        raise
    try:
        _refuse_moved(store)
        if runs:
            _claim(file, store)
        else:
            _refuse_other(file, store)
        disk.write(file.with_name(OWNER), f"{store.name}\n".encode())
    except BaseException:
        store.close()
        raise
    return store


def open_for_reading(file: Path) -> Store | None:
    """Open the store beside its owner, if there is one; None if there is none yet. Errors: `StoreError` and below."""
    address = find_store()
    if not address:
        _refuse_foreign(file)
        return SqliteStore.open(file, writer=False) if is_there(file) else None
    store = _on_postgres(address, writer=False, left=Left(note=file.with_name(SEEN)))
    _refuse_other(file, store)
    return store


def open_beside(file: Path) -> "SharedStore | None":
    """
    Open a store that servers share, to find them; None if none runs, or the store is in a file. Errors: `StoreError`.

    `file` is in a home which is not that of another store, but need not be that of this one.
    """
    store = _seen(file)
    if store is None or store.shares.replicas():
        return store
    store.close()
    return None


def open_for_access(file: Path) -> Store | None:
    """Open a store on Postgres to change tokens, which are rows that nobody owns; None if the store is in a file, or must be made first. Errors: `StoreError`."""
    store = _seen(file)
    if store is not None:
        store.let_change_access()
    return store


def _seen(file: Path) -> "SharedStore | None":
    """Open a store on Postgres to read it; None if the store is in a file, or must be made first."""
    if not find_store():
        return None
    try:
        store = _on_postgres(find_store(), writer=False)
    except SchemaBehind:
        return None
    _refuse_other(file, store)
    return store


def is_home_of(file: Path) -> bool:
    """Return whether a home has the files of a store on Postgres, or of one in a file."""
    return bool(_number(file)) or file.exists()


def lacks_files(file: Path, store: Store) -> str:
    """Return the address of a store whose files are not in this home; empty if they are, or may be, because it was not used before."""
    if not isinstance(store, SharedStore) or is_home_of(file) or file.with_name(BUNDLES).exists():
        return ""
    return store.database.name


def _refuse_other(file: Path, store: "SharedStore") -> None:
    kept = _number(file)
    if kept not in ("", store.number):
        store.close()
        raise _foreign(file.parent)


def is_there(path: Path) -> bool:
    """Return whether there is a file. Errors: `StoreError` if that cannot be found out."""
    try:
        return path.exists()
    except OSError as error:
        raise failed("look into", path.parent, error) from error


@runtime_checkable
class SharedStore(MovableStore, Protocol):
    """A store on Postgres, its shards, and the name of its owner."""

    name: str

    @property
    def shares(self) -> StoreShares:
        """Who owns what."""
        ...

    def let_change_access(self) -> None:
        """Let somebody who owns nothing change tokens."""
        ...


def _on_postgres(address: str, **how: Any) -> SharedStore:
    try:
        from tidegate.stores.postgres.store import PostgresStore  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise StoreError(
            f"a store on Postgres needs more packages ({error}): pip install 'tidegate[postgres]'"
        ) from error
    return PostgresStore.open(address, **how)


def mark_moved(store: MovableStore, at: int) -> None:
    """Mark a store on Postgres as moved to another place, or with 0 as not moved. Errors: `StoreError`."""
    database = store.database
    with database.transaction() as connection:
        if at:
            connection.execute(database.sql["set_mark"], {"name": MOVED, "value": at})
        else:
            connection.execute(database.sql["end_mark"], {"name": MOVED})


def _refuse_moved(store: MovableStore) -> None:
    database = store.database
    if database.rows(database.sql["mark"], {"name": MOVED}):
        raise StoreHeld(
            f"the store in {database.name} was moved to another place by `tidegate store copy`: start it there;"
            f" if that copy never ran, and is gone, end the mark here: DELETE FROM marks WHERE name = '{MOVED}'"
        )


def _refuse_foreign(file: Path) -> None:
    if _number(file):
        raise StoreError(
            f"{file.parent} has the files of a store on Postgres: give its address with --store or TIDEGATE_STORE, or another --home"
        )


def _claim(file: Path, store: "SharedStore") -> None:
    """Mark a home as that of a store, or refuse it if it is that of another, or has none of its files."""
    kept, home = _number(file), file.parent
    if kept == store.number:
        return
    if kept:
        raise _foreign(home)
    agreed = store.database.rows(store.database.sql["files"], {}) != [("",)]
    known = find_blobs() or agreed  # where they are is compared later
    has_files = any(each.bundle for each in store.catalog.workflows())
    if lacks_files(file, store) and not known and has_files:
        raise StoreError(
            f"the files of {store.database.name} are not in {home}: start `tidegate serve` where they are, or give their directory (--home) or"
            f" object store (--blobs); if they are lost, make a directory {home / BUNDLES} to go on without them"
        )
    refuse_open(home)
    try:
        disk.write(file.with_name(NUMBER), f"{store.number}\n".encode())
    except OSError as error:
        raise disk.failed(f"{file.with_name(NUMBER)} cannot be written", error) from error


def _foreign(home: Path) -> StoreError:
    return StoreError(
        f"the files in {home} are those of another store: give the directory of this one with --home"
    )


def _number(file: Path) -> str:
    return _read(file.with_name(NUMBER))


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
