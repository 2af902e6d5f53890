"""What goes to a server and what comes back: values by their types, as far as these are known."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue
from tidegate.remote.values import decoded, encoded
from tidegate.types.registry import codec
from tidegate.types.values import File


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    when: datetime


NOW = datetime(2024, 5, 17, 12, 30, tzinfo=UTC)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs"))


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (True, bool),
        ("text", str),
        (3, float),
        ([1.0, 2.0], list[float]),
        (NOW, datetime),
        (NOW.date(), date),
        (timedelta(hours=1), timedelta),
        ([NOW, NOW], list[datetime]),
        ({"a": Decimal("1.10")}, dict[str, Decimal]),
        (UUID(int=5), UUID),
        (Color.RED, Color),
        (Point(1, NOW), Point),
        ([Point(1, NOW)], list[Point]),
        (None, int | None),
    ],
)
def test_a_value_without_a_type_is_stored_as_the_declared_type_would_store_it(
    value: Any, declared: Any, blobs: BlobFiles
):
    assert encoded(value, None, blobs) == codec(declared).encode(value, blobs)


def test_a_value_of_another_type_than_the_one_that_is_said_is_refused(blobs: BlobFiles):
    with pytest.raises(InvalidValue, match="number"):
        encoded("x", float, blobs)


def test_what_cannot_be_stored_is_refused(blobs: BlobFiles):
    with pytest.raises(InvalidValue, match="object"):
        encoded([object()], None, blobs)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        (NOW, datetime),
        (date(2024, 5, 17), date),
        (timedelta(minutes=5), timedelta),
        ([Decimal("1.5")], list[Decimal]),
        ({"a": UUID(int=7)}, dict[str, UUID]),
        (NOW, datetime | None),
        (None, datetime | None),
        (b"bytes", bytes),
        (2.0, float),
        ([1, "a", None], list[Any]),
    ],
)
def test_the_schema_alone_tells_what_a_value_is(value: Any, declared: Any, blobs: BlobFiles):
    made = codec(declared)

    found = decoded(made.encode(value, blobs), made.schema, None, blobs)

    assert found == value
    assert type(found) is type(value)


def test_a_known_type_gives_its_objects_and_an_unknown_one_plain_data(blobs: BlobFiles):
    made = codec(Point)
    stored = made.encode(Point(1, NOW), blobs)

    assert decoded(stored, made.schema, Point, blobs) == Point(1, NOW)
    assert decoded(stored, made.schema, None, blobs) == stored


def test_a_type_that_has_changed_since_gives_plain_data(blobs: BlobFiles):
    assert decoded({"y": 1}, {}, Point, blobs) == {"y": 1}


def test_a_file_comes_back_as_a_file(tmp_path: Path, blobs: BlobFiles):
    (tmp_path / "a.txt").write_text("content")
    made = codec(File)

    found = decoded(made.encode(File(str(tmp_path / "a.txt")), blobs), made.schema, None, blobs)

    assert isinstance(found, File)
    assert Path(found).read_text() == "content"
