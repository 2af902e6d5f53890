"""
Named SQL: the statements of a `.sql` file by name, and numbered migrations.

A statement starts with the line `-- name: x`; comment lines under it say why it has this shape.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from msgspec import Struct

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_MIGRATION = re.compile(r"^(\d{4})_(\w+)\.sql$")


class Migration(Struct, frozen=True):
    """One step of the schema: it leads from version `number - 1` to `number`."""

    number: int
    name: str
    sql: str


def parse(text: str) -> Mapping[str, str]:
    """Split the text of a `.sql` file into its statements, by name, without comments."""
    _, *parts = _NAME.split(text)
    names, bodies = parts[::2], parts[1::2]
    assert len(names) == len(set(names)), f"a name is used twice: {names}"
    return {name: _bare(body) for name, body in zip(names, bodies, strict=True)}


def _bare(body: str) -> str:
    lines = [line for line in body.splitlines() if not line.startswith("--")]
    return "\n".join(lines).strip().removesuffix(";")


@cache
def shared() -> Mapping[str, str]:
    """Return the statements that every database understands, SQLite and Postgres alike."""
    return parse(_text("shared.sql"))


@cache
def own(database: str) -> Mapping[str, str]:
    """Return the statements that only this database understands."""
    return parse(_text(database, "own.sql"))


@cache
def migrations(database: str) -> tuple[Migration, ...]:
    """Return every migration of a database, in order. Their numbers run from 1 without gaps."""
    found = []
    for file in resources.files("tidegate.stores").joinpath(database, "migrations").iterdir():
        if match := _MIGRATION.match(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], text))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(found) + 1)), f"migrations have a gap: {numbers}"
    return tuple(found)


def _text(*path: str) -> str:
    return resources.files("tidegate.stores").joinpath(*path).read_text(encoding="utf-8")
