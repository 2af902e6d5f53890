"""
The promise of this floor: what is decoded is what was encoded, of the same types and with equal leaves, or it was refused.

Method: types are drawn, and values that may or may not be of them: those that the type means, and those that only look like them.
A walker that shares nothing with the code (`strict`) compares. What a type means must, of most values, not be refused.
"""

import collections
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from math import nan
from pathlib import Path
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pydantic
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pydantic import BaseModel, Field
from tests.unit.types.strict import same

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import InvalidValue, UnsupportedType
from tidegate.types.registry import codec

T = TypeVar("T")


class Color(Enum):
    RED = "red"
    ONE = 1


class Level(IntEnum):
    LOW = 0
    HIGH = 1


class Word(StrEnum):
    A = "a"


class Name(str):
    __slots__ = ()


class Whole(int):
    pass


class Items(list):  # type: ignore[type-arg]
    pass


@dataclass
class Point:
    x: int
    y: float | None = None


@dataclass
class Dot(Point):
    size: int = 0


@dataclass
class Bare(Point):
    """It has no field of its own."""


@dataclass
class Trimmed:
    name: str

    def __post_init__(self) -> None:
        self.name = self.name.strip()


@dataclass
class Box(Generic[T]):
    content: T
    more: "list[Box[T]]" = field(default_factory=list)


class Pair(NamedTuple):
    left: int
    right: str = ""


class Options(TypedDict):
    name: str
    size: NotRequired[float]


class Line(BaseModel):
    name: str
    price: float = 0.0
    at: datetime | None = None


class Order(BaseModel):
    lines: list[Line] = []
    tags: set[int] = set()
    point: Point | None = None
    extra: Any = None


class Sub(Line):
    more: int = 0


class BareSub(Line):
    pass


@pydantic.dataclasses.dataclass
class Checked:
    n: Annotated[int, Field(ge=0)]


ZONES = st.none() | st.just(UTC) | st.timezones() | st.sampled_from([timezone(timedelta(hours=-5)), timezone(timedelta(seconds=77)), timezone(timedelta(0), "Z")])  # fmt: skip
FOLDS = st.sampled_from([0, 1])
TEXT = st.text(max_size=6)
INTS = st.integers(-(2**63), 2**64 - 1) | st.integers(-2, 2)
FLOATS = st.floats() | st.sampled_from([0.0, -0.0, nan, 1.0])
DATETIMES = st.builds(lambda at, fold: at.replace(fold=fold), st.datetimes(timezones=ZONES), FOLDS)
TIMES = st.builds(lambda at, fold: at.replace(fold=fold), st.times(timezones=ZONES), FOLDS)
POINTS = st.builds(Point, INTS, FLOATS | st.none())
LINES = st.builds(Line.model_construct, name=TEXT, price=FLOATS | st.integers(-3, 3), at=DATETIMES | st.none())  # fmt: skip

MEANT: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, INTS), (float, FLOATS), (bool, st.booleans()), (str, TEXT), (None, st.none()), (bytes, st.binary(max_size=20)),
    (datetime, DATETIMES), (time, TIMES), (date, st.dates()), (timedelta, st.timedeltas()), (Decimal, st.decimals()), (UUID, st.uuids()),
    (Color, st.sampled_from(Color)), (Level, st.sampled_from(Level)), (Word, st.just(Word.A)), (Literal[1, True, "1", None], st.sampled_from([1, True, "1", None])),
    (Point, POINTS), (Dot, st.builds(Dot, INTS, FLOATS, INTS)), (Trimmed, st.builds(Trimmed, TEXT)),
    (Box[int], st.builds(Box, INTS, st.lists(st.builds(Box, INTS), max_size=2))), (Box[Box[str]], st.builds(Box, st.builds(Box, TEXT))),
    (Pair, st.builds(Pair, INTS, TEXT)), (Options, st.fixed_dictionaries({"name": TEXT}, optional={"size": FLOATS})),
    (Line, LINES), (Checked, st.builds(Checked, st.integers(0, 9))),
    (Order, st.builds(Order.model_construct, lines=st.lists(LINES, max_size=2), tags=st.sets(st.integers(-9, 9), max_size=2), point=POINTS | st.none())),
    (Annotated[int, Field(ge=0)], st.integers(0, 9)), (Annotated[str, Field(max_length=3)], st.text(max_size=3)),
    (np.ndarray, npst.arrays(npst.scalar_dtypes() | npst.array_dtypes(), npst.array_shapes(max_dims=2, max_side=3))),
]  # fmt: skip

LIKE = [
    Name("a"), Whole(1), Word.A, Level.HIGH, Items([1]), (1, 2), (1, "a"), Dot(1), Sub(name="a"), BareSub(name="a"), Bare(1), bytearray(b"a"), Pair(1), {1: "a"}, {True: 1},
    collections.OrderedDict(a=1), collections.Counter("a"), collections.defaultdict(int, a=1), {"$float": "nan"}, {"$blob": "a"}, {"name": "a"},
    pd.Timestamp("2026-01-01"), pd.Timedelta("1s"), np.float32(0.1), np.int64(1), np.bool_(True), np.str_("a"), np.datetime64("2026-01-01", "ns"),
    np.array([[1]]).view(np.matrix), np.ma.masked_array([1], [True]), np.array([None]), {1, 2}, frozenset([1]), 2**53 + 1, 2**70, True, 1, 1.0, "1",
    Decimal("sNaN"), "\ud800", 1j, object(), pd.Series([1]), pd.NaT, Point("1"), Point(True), Point(1, 2**53 + 1), Box(Dot(1)), Box("a", [Box(1)]),  # type: ignore[arg-type]
]  # fmt: skip
PRETENDERS = st.sampled_from(LIKE)


def annotations(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw types that hold other types."""
    one = st.sampled_from([
        lambda t: list[t], lambda t: tuple[t, ...], lambda t: tuple[t, int], lambda t: t | None, lambda t: dict[str, t], lambda t: dict[int, t],  # type: ignore[valid-type]
        lambda t: Sequence[t], lambda t: Mapping[str, t], lambda t: Box[t], lambda t: t | int | str, lambda t: dict[datetime, t], lambda t: dict[str, t] | list[t] | float,  # type: ignore[valid-type]
    ])  # fmt: skip
    return st.builds(lambda make, t: make(t), one, inner)


TYPES = st.recursive(st.sampled_from([t for t, _ in MEANT if t is not None] + [Any, list, dict]), annotations, max_leaves=2)  # fmt: skip
LEAVES = st.one_of(*(values for _, values in MEANT)) | PRETENDERS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(TEXT | st.integers(0, 3) | DATETIMES, inner, max_size=2)
        | st.builds(Box, inner)
        | st.builds(Items, st.lists(inner, max_size=1))
    ),
    max_leaves=3,
)
RIGHT = st.sampled_from(MEANT).flatmap(lambda pair: st.tuples(st.just(pair[0]), pair[1]))


def within(pair: tuple[Any, Any], kind: int) -> tuple[Any, Any]:
    """Put a value, and its type, into another one."""
    annotation, value = pair
    return [
        (annotation, value), (list[annotation], [value]), (dict[str, list[annotation]], {"a": [value]}), (Optional[annotation], value),
        (tuple[int, annotation], (1, value)), (Box[annotation], Box(value)), (Any, value), (list, [value]), (dict, {"a": {"b": value}}),
    ][kind]  # fmt: skip


@pytest.fixture
def blobs(tmp_path: Path) -> BlobFiles:
    return BlobFiles(BlobDirectory(tmp_path / "blobs", sync=False))


MANY = settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))


def is_kept(annotation: Any, value: Any, blobs: BlobFiles) -> bool:
    """Say whether a value was kept; what came back must then be it, whatever carried it. If it was refused, there is a reason for each fault."""
    try:
        made = codec(annotation)
    except UnsupportedType:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            stored = made.encode(value, blobs)
        except InvalidValue as error:
            assert error.faults
            assert "\n" not in error.message
            assert all(fault.reason for fault in error.faults)
            return False
        for encoding in (msgspec.msgpack, msgspec.json):
            back = made.decode(encoding.decode(encoding.encode(stored)), blobs)
            assert same(value, back), (annotation, value, stored, back)
    return True


@pytest.mark.parametrize("key", ["\n", "a\r\nb", "\u2028", "\x1b[2J"])
def test_a_refusal_is_one_line_whatever_the_keys_are(key, blobs: BlobFiles):
    with pytest.raises(InvalidValue) as caught:
        codec(dict[str, int]).encode({key: "text"}, blobs)
    assert caught.value.message.isprintable()
    assert caught.value.faults[0].path == (key,)


@MANY
@given(annotation=TYPES, value=VALUES)
def test_any_value_of_any_type_comes_back_or_is_refused(annotation, value, blobs: BlobFiles):
    event("kept" if is_kept(annotation, value, blobs) else "refused")


@MANY
@given(pair=RIGHT, kind=st.integers(0, 8))
def test_a_value_of_its_own_type_comes_back_or_is_refused(pair, kind: int, blobs: BlobFiles):
    event("kept" if is_kept(*within(pair, kind), blobs) else "refused")


@pytest.mark.parametrize(
    "annotation",
    [*(t for t, _ in MEANT), Any, list, dict, tuple, list[int], tuple[int, str], dict[str, int], dict[int, str], int | float, Point | Dot, float | dict[str, Any], pd.DataFrame],
    ids=str,
)  # fmt: skip
def test_what_only_looks_like_a_value_of_a_type_comes_back_or_is_refused(
    annotation: Any, blobs: BlobFiles
):
    kept = [
        is_kept(*within((annotation, value), kind), blobs) for value in LIKE for kind in range(9)
    ]

    assert not all(kept)


@pytest.mark.parametrize(("annotation", "values"), MEANT, ids=lambda part: str(part)[:30])
def test_what_a_type_means_is_not_refused_at_large(annotation, values, blobs: BlobFiles):
    kept: list[bool] = []

    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(value=values)
    def draw(value: Any) -> None:
        kept.append(is_kept(annotation, value, blobs))

    draw()

    assert sum(kept) > len(kept) / 4


CELLS: list[st.SearchStrategy[Any]] = [
    st.integers(-(2**63), 2**63 - 1), FLOATS, TEXT, TEXT | st.none(), TEXT | st.just(nan), st.booleans(), st.booleans() | st.none(), st.binary(max_size=3),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)), st.dates(), st.times(), st.timedeltas(timedelta(-9), timedelta(9)), st.decimals(-9, 9, places=2) | st.none(),
    st.integers() | FLOATS, st.lists(st.integers(0, 3), max_size=2), st.dictionaries(st.sampled_from("ab"), st.integers(0, 3), min_size=1), st.just(None), PRETENDERS,
]  # fmt: skip
DTYPES = [None, object, "Int64", "Float64", "boolean", "string", "string[python]", "category", "float32", "int8", "datetime64[s]", "datetime64[ns]", "timedelta64[ms]", "float16", "int64[pyarrow]"]  # fmt: skip
LABELS: list[st.SearchStrategy[Any]] = [
    TEXT, st.integers(-3, 3), TEXT | st.integers(0, 2), FLOATS, st.dates(), st.booleans(), TEXT | st.none(), st.tuples(TEXT, st.integers(0, 2)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
]  # fmt: skip


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame | None:
    """Draw a frame; None where pandas itself refuses it."""
    rows, width = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    columns = [draw(st.lists(draw(st.sampled_from(CELLS)), min_size=rows, max_size=rows)) for _ in range(width)]  # fmt: skip
    indexes = [None, draw(st.lists(draw(st.sampled_from(LABELS)), min_size=rows, max_size=rows)), pd.date_range("2026", periods=rows, freq="D"), pd.RangeIndex(2, 2 + rows)]  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = {
                n: pd.Series(cells, dtype=draw(st.sampled_from(DTYPES) | st.none()))
                for n, cells in enumerate(columns)
            }  # type: ignore[call-overload]
            frame = pd.DataFrame(made, index=None if made else range(rows))
            frame.index = draw(
                st.sampled_from([frame.index, *(i for i in indexes if i is not None)])
            )
            if draw(st.booleans()):
                frame.columns = draw(
                    st.lists(draw(st.sampled_from(LABELS)), min_size=width, max_size=width)
                )
            if draw(st.booleans()):
                frame.index.name = draw(TEXT | st.integers(0, 2))
        except Exception:  # noqa: BLE001  what pandas cannot make is not a frame
            return None
    return frame


class Spelled(str):
    __slots__ = ()


@pytest.mark.parametrize("dtype", ["string[python]", "str", "category", "object"])
def test_text_of_a_class_of_its_own_in_a_frame_comes_back_or_is_refused(dtype, blobs: BlobFiles):
    for made in ([Spelled("a"), None], ["a", Spelled("b")]):
        is_kept(pd.DataFrame, pd.DataFrame({"text": pd.Series(made, dtype=dtype)}), blobs)
    plain = pd.DataFrame({"text": pd.Series(["a", None], dtype=dtype)})
    assert is_kept(pd.DataFrame, plain, blobs)


@settings(MANY, max_examples=300)
@given(frame=frames())
def test_any_frame_comes_back_or_is_refused(frame, blobs: BlobFiles):
    if frame is not None:
        event("kept" if is_kept(pd.DataFrame, frame, blobs) else "refused")


@settings(MANY, max_examples=150)
@given(cells=st.sampled_from(CELLS).flatmap(lambda cells: st.lists(cells, max_size=3)))
def test_any_arrow_table_comes_back_or_is_refused(cells, blobs: BlobFiles):
    try:
        table = pa.table({"a": cells})
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return
    made = codec(pa.Table)
    try:
        back = made.decode(made.encode(table, blobs), blobs)
    except InvalidValue:
        return
    assert back.schema.equals(table.schema)
    assert repr(back.to_pylist()) == repr(table.to_pylist())
