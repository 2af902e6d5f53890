"""
Opens the store of a home: the SQLite file in it, or the Postgres database that is named, whose files are there.

The home of a store on Postgres has a file with the number of that store. So nobody finds the files of one store beside the history of another.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from tidegate import disk
from tidegate.errors import StoreError
from tidegate.home import find_store
from tidegate.ports.store import Progress, Store
from tidegate.stores.folder import EngineLock, failed, make_folder, refuse_open
from tidegate.stores.sqlite import SqliteStore

NUMBER = "store"
"""The file in a home with the number of the store on Postgres whose files are there."""

PATIENCE = 15.0
"""Seconds for which an owner that died may still count as alive."""


def in_silence(done: int, of: int) -> None:
    """Report nothing."""
    del done, of


class OpenStore(Store, Protocol):
    """A store that was opened by its owner."""

    def begin(self, background: Callable[[str, Callable[[], None]], None]) -> None:
        """Do deferrable work in the background from now on."""
        ...


def open_store(
    file: Path,
    *,
    patience: float = PATIENCE,
    progress: Progress = in_silence,
    presence: tuple[str, str] | None = None,
) -> OpenStore:
    """Become the owner of the store, or of a share of one on Postgres, as a server with this address and version. Errors: `StoreLocked`, `StoreTooNew`, `StoreDamaged`, `StoreFull`, `StoreError`."""
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
        store = _on_postgres(address, patience=patience, lock=lock, presence=presence)
    except BaseException:
        lock.release()
        raise
    try:
        _claim(file, store.number)
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
    store = _on_postgres(address, writer=False)
    kept = _number(file)
    if kept not in ("", store.number):
        store.close()
        raise _foreign(file.parent)
    return store


def is_held(store: Store) -> bool:
    """Return whether a server owns a store that was opened for reading, as far as the database says."""
    held: Callable[[], bool] = getattr(store, "is_owned", lambda: False)
    return held()


def is_there(path: Path) -> bool:
    """Return whether there is a file. Errors: `StoreError` if that cannot be found out."""
    try:
        return path.exists()
    except OSError as error:
        raise failed("look into", path.parent, error) from error


class Numbered(OpenStore, Protocol):
    """A store that can be told from others."""

    number: str


def _on_postgres(address: str, **how: Any) -> Numbered:
    try:
        from tidegate.stores.postgres.store import PostgresStore  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise StoreError(
            f"a store on Postgres needs more packages ({error}): pip install 'tidegate[postgres]'"
        ) from error
    return PostgresStore.open(address, **how)


def _refuse_foreign(file: Path) -> None:
    if _number(file):
        raise StoreError(
            f"{file.parent} has the files of a store on Postgres: give its address with --store or TIDEGATE_STORE, or another --home"
        )


def _claim(file: Path, number: str) -> None:
    """Mark a home as that of a store, or refuse it if it is that of another."""
    kept = _number(file)
    if kept == number:
        return
    if kept:
        raise _foreign(file.parent)
    refuse_open(file.parent)
    try:
        disk.write(file.with_name(NUMBER), f"{number}\n".encode())
    except OSError as error:
        raise disk.failed(f"{file.with_name(NUMBER)} cannot be written", error) from error


def _foreign(home: Path) -> StoreError:
    return StoreError(
        f"the files in {home} are those of another store: give the directory of this one with --home"
    )


def _number(file: Path) -> str:
    try:
        return (file.with_name(NUMBER)).read_text().strip()
    except OSError:
        return ""
