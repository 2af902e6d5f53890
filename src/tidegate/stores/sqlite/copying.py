"""Copying a database while its owner writes, and removing from the copy what others must not have."""

from pathlib import Path

import apsw

from tidegate.stores.sqlite.connect import connect, connect_reader, explained

ACCESS = ("sessions", "tokens")
"""The tables of access rights; children first."""


def copy_database(source: Path, target: Path, *, access: bool) -> None:
    """
    Copy a database as it is at one moment into a new file; without `access`, no token and no session is in it, nor any remains of one.

    The owner keeps writing meanwhile. Errors: `StoreError` and below.
    """
    reader = connect_reader(source)
    try:
        with explained(reader, str(source)):
            target.touch(mode=0o600, exist_ok=False)
            copy = connect(target)
            try:
                with copy.backup("main", reader, "main") as step:
                    step.step(-1)
                _settle(copy, access=access)
            finally:
                copy.close()
    finally:
        reader.close()


def _settle(copy: apsw.Connection, *, access: bool) -> None:
    """Make it a single file, without a log, and without remains of what was deleted."""
    if not access:
        for table in ACCESS:
            copy.execute(f"DELETE FROM {table}")
    copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    copy.execute("PRAGMA synchronous = FULL; VACUUM").fetchall()
