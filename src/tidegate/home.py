"""
Where a store is on this machine, and the names of the files in its home.

Only the composition root and the processes that it starts join these names to a home; all others are given the paths.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import platformdirs

from tidegate import disk
from tidegate.errors import StoreError, StoreHeld

BLOBS: Final = "blobs"
BUNDLES: Final = "bundles"
SCRATCH: Final = "scratch"
UPLOADS: Final = "uploads"
TABLES: Final = "tables"
CLUSTER: Final = "cluster"
"""The file by which the nodes of a cluster recognize the store."""
CLUSTER_USED: Final = "cluster.used"
"""The file with the address of the cluster on which attempts of the store may be."""
CLUSTER_HERE: Final = "cluster.here"
"""The file with address and process of a cluster that was started for the store on this machine."""
CLUSTER_TOKEN: Final = "cluster.token"
"""The file with the token of that cluster."""
STORE_VARIABLE: Final = "TIDEGATE_STORE"
"""The variable with the address of the store's database, which may have a password: no task gets it."""
BLOBS_VARIABLE: Final = "TIDEGATE_BLOBS"
"""The variable with the address of the object store that has the blobs."""
CACHE: Final = "cache"
"""Local copies of what an object store has: they may be removed at any time."""
LONGEST_ADDRESS: Final = 100
"""Bytes that fit into a socket address on every system (Linux takes 107, macOS 103)."""
TOKEN_FILE: Final = "token"
"""The file with the token of the store's owner, which programs on this machine read if there is no local door for them."""
ADMIN: Final = "admin"
"""The name of the token that is made for the owner of the store, and of no other."""
MOVED: Final = "moved"
"""The file that says where the store of a home was moved to; on Postgres, the mark."""
RESTORED: Final = "restored"
"""The file with the date of the backup that a store was restored from; it exists until the store is adopted."""


def find_home(given: str | None = None) -> Path:
    """
    Return where the store is: as given, else `TIDEGATE_HOME`, else in the user's data directory.

    Errors: `StoreError` if that requires a home directory, and the user has none.
    """
    chosen = given or os.environ.get("TIDEGATE_HOME")
    try:
        if chosen:
            return Path(chosen).expanduser().absolute()
        usual = Path(platformdirs.user_data_dir("tidegate", appauthor=False))
    except RuntimeError:
        usual = Path()
    if not usual.is_absolute():
        # Older versions of platformdirs return a path that starts with `~`, which would create a directory of that name.
        raise StoreError(
            f"{chosen}: there is no such user; give a path with --home or TIDEGATE_HOME"
            if chosen
            else f"no directory for the store: HOME is not set, and user {os.getuid()} has no home directory;"
            " give --home DIR, or set TIDEGATE_HOME"
        )
    return usual


def find_store() -> str:
    """
    Return the address of the Postgres database with the store: that of `TIDEGATE_STORE`; empty if the store is a file in the home.

    Errors: `StoreError` if it is not such an address.
    """
    address = os.environ.get(STORE_VARIABLE, "")
    if address and not address.startswith(("postgresql://", "postgres://")):
        raise StoreError(
            f"{STORE_VARIABLE} (--store) is not the address of a database: it looks like postgresql://USER@HOST/DATABASE"
        )
    return address


@contextmanager
def socket_address(home: Path, name: str) -> Iterator[str]:
    """Yield the address of a socket in `home`, short enough for the system, for the duration of the block. Errors: `OSError`."""
    path = str(home.absolute() / name)
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield path
        return
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{name}"
    finally:
        os.close(folder)


def find_blobs() -> str:
    """Return the address of the object store that is asked for by `TIDEGATE_BLOBS`; empty if none is."""
    return os.environ.get(BLOBS_VARIABLE, "")


def adopt(home: Path) -> bool:
    """Let the restored or moved store in `home` act; return whether it was held until now."""
    try:
        held = [path for path in (home / RESTORED, home / MOVED) if path.exists()]
        for path in held:
            path.unlink(missing_ok=True)
            disk.sync(home)
    except OSError as error:
        raise disk.failed(f"the store in {home} cannot be adopted", error) from error
    return bool(held)


def refuse_held(home: Path) -> None:
    """Refuse to act on a store that was moved, or was restored and that nobody has adopted. Errors: `StoreHeld`."""
    with suppress(OSError):
        where = (home / MOVED).read_text().strip()
        raise StoreHeld(
            f"the store in {home} was moved to {where} by `tidegate store copy`: start it there."
            " If that copy never ran, and is gone: `tidegate serve --adopt`"
        )
    try:
        made = (home / RESTORED).read_text().strip()
    except OSError:
        return
    raise StoreHeld(
        f"the store in {home} was restored from a backup of {made}, and is held until you confirm that the original"
        " no longer runs: `tidegate serve --adopt`, or `tidegate resume`"
    )


def keep_token(home: Path, token: str) -> None:
    """Write the token of the owner of the store in `home`, where programs on this machine read it. Errors: `StoreError`."""
    file = home / TOKEN_FILE
    try:
        disk.write(file, f"{token}\n".encode())
    except OSError as error:
        raise disk.failed(f"{file} cannot be written", error) from error
