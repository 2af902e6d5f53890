"""The statements as psycopg takes them, and the meaning of Postgres's errors."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from psycopg import errors

from tidegate.errors import ConnectionLost, StoreDamaged, StoreError, StoreFull
from tidegate.stores import statements

DATABASE = "postgres"
"""The directory of its statements and migrations."""

SCHEMA = len(statements.migrations(DATABASE))
"""The newest schema that this version knows."""

NUL = "\U0010ffff"
"""Stands for a NUL in a text that is searched: Postgres keeps none in a text."""

PARAMETER = re.compile(r"\?(\d+)|(?<![:\w]):(\w+)")
"""A parameter in our statements: with a number, or a name."""


FIGURES, SEARCH = 13, 14
"""The columns of `add_wait` with figures, as JSON, and with the text that is searched."""


def storable(wait: Sequence[Any]) -> tuple[Any, ...]:
    """Return a row of `add_wait` with texts that Postgres keeps."""
    figures, search = wait[FIGURES], wait[SEARCH]
    if "\\u0000" in figures:
        known = json.loads(figures)
        cleared = {key.replace("\0", NUL): _cleared(value) for key, value in known.items()}
        figures = json.dumps(cleared)
    return (*wait[:FIGURES], figures, search.replace("\0", NUL), *wait[SEARCH + 1 :])


def _cleared(value: Any) -> Any:
    return value.replace("\0", NUL) if isinstance(value, str) else value


@cache
def translated() -> Mapping[str, str]:
    """Return every statement by name, with parameters as psycopg writes them."""
    both = {**statements.shared(), **statements.own(DATABASE)}
    return {name: _translated(text) for name, text in both.items()}


def _translated(text: str) -> str:
    return PARAMETER.sub(lambda found: f"%({found[2] or 'p' + found[1]})s", text.replace("%", "%%"))


def parameters(bindings: Any) -> Mapping[str, Any]:
    """Return the parameters of a statement, which are named or in the order of their numbers."""
    if isinstance(bindings, Mapping):
        return bindings
    return {f"p{number}": value for number, value in enumerate(bindings, start=1)}


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn Postgres's errors into ours."""
    try:
        yield
    except psycopg.Error as error:
        raise meaning(error, name) from error


def meaning(error: psycopg.Error, name: str) -> Exception:
    """Return our error for one of Postgres."""
    # Without the statement, and what libpq asks back.
    text = error.diag.message_primary or str(error).partition("Is the server running")[0]
    said = " ".join(text.split())
    match error:
        case errors.IntegrityError():
            return AssertionError(f"the batch contradicts what the store {name} holds: {said}")
        case errors.DiskFull():
            return StoreFull(f"the disk of {name} is full: free some room there")
        case errors.InsufficientPrivilege():
            return StoreError(f"no permission in {name} ({said}): grant it, or use another role")
        case errors.ReadOnlySqlTransaction():
            return StoreError(
                f"{name} takes no writes ({said}): it may be a standby; use the primary"
            )
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.InvalidSchemaName():
            return StoreDamaged(f"{name} is not a Tidegate store, or is damaged ({said})")
        case errors.DataCorrupted() | errors.IndexCorrupted():
            return StoreDamaged(f"{name} is damaged ({said}): restore a copy of it")
        case errors.QueryCanceled() | errors.LockNotAvailable():
            return StoreError(f"{name} took too long ({said}): try again")
        case errors.UntranslatableCharacter() | psycopg.DataError():
            return StoreError(f"{name} cannot keep this: {said}")
        case _:
            return ConnectionLost(
                f"{name} cannot be used ({said or type(error).__name__}): check that the server runs, and its address"
            )
