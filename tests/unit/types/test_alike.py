"""What is read back is compared as it is: by type, by leaf, by attribute; and what differs is named by its place."""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from decimal import Decimal
from math import inf, nan
from pathlib import PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr

from tidegate.errors import InvalidValue
from tidegate.types.alike import check_alike


@dataclass
class Point:
    x: Any


@dataclass(slots=True)
class Slotted:
    x: Any


@dataclass(eq=False)
class Alone:
    x: Any


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    n: int = 0
    _cache: int = PrivateAttr(default=0)


class Text(str):
    __slots__ = ()


SAME = [
    (nan, nan), (-0.0, -0.0), (inf, inf), ([1, [nan]], [1, [float("nan")]]), ({"a": (1,)}, {"a": (1,)}),
    ({1, (2,)}, {(2,), 1}), (Decimal("1.0"), Decimal("1.0")), (Decimal("NaN"), Decimal("NaN")),
    (1, 1.0), (np.float32(0.5), 0.5), (np.int64(3), 3), (np.bool_(True), True),
    (Point([nan]), Point([nan])), (Slotted(1), Slotted(1)), (Alone(1), Alone(1)), (deque([1]), deque([1])),
    (PurePosixPath("a"), PurePosixPath("a")), (Open(n=1, more=[1]), Open(n=1, more=[1])),
    (datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 1, 1, tzinfo=ZoneInfo.no_cache("Europe/Berlin"))),
    (datetime(2026, 1, 1, tzinfo=UTC, fold=1), datetime(2026, 1, 1, tzinfo=UTC)),
]  # fmt: skip


@pytest.mark.parametrize(("value", "back"), SAME, ids=repr)
def test_what_is_the_same_is_let_through(value: Any, back: Any):
    check_alike(value, back)


private = Open()
private._cache = 1

OTHER = [
    (1, True, "an int would be read back as a bool"),
    (1.0, 1, "a float would be read back as an int"),
    (True, 1.0, "a bool would be read back as a float"),
    (2**53 + 1, float(2**53), "an int would be read back as a float"),
    (0.0, -0.0, "the number 0.0 would be read back as the number -0.0"),
    (nan, 1.0, "NaN would be read back as the number 1.0"),
    ("a", "b", "the text 'a' would be read back as the text 'b'"),
    (Text("a"), "a", "a Text would be read back as a str"),
    ((1,), [1], "a tuple would be read back as a list"),
    ([1, [2]], [1, ["2"]], r"^\[1\]\[0\]: an int would be read back as a str"),
    ([1], [1, 2], "a list of 1 would be read back as a list of 2"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "the text 'a' would be read back as the text 'b'"),
    ({1: "a"}, {True: "a"}, "an int would be read back as a bool"),
    ({"a": [Point(1)]}, {"a": [Point("1")]}, r"^a\[0\].x: an int would be read back as a str"),
    (OrderedDict(a=1), {"a": 1}, "an OrderedDict would be read back as a dict"),
    ({1}, {True}, "an int would be read back as a bool"),
    ({1, 2}, {1}, "an int would be read back as a NoneType"),
    ({1}, {1, 2}, "a set of 1 would be read back as a set of 2"),
    (Decimal("1.0"), Decimal("1.00"), r"Decimal\('1.0'\) would be read back as Decimal\('1.00'\)"),
    (Slotted(1), Slotted(2), "x: the number 1 would be read back as the number 2"),
    (Alone(1), Alone(2), "x: the number 1"),
    (threading.Lock(), threading.Lock(), "a lock would be read back as a different one"),
    (object(), object(), "an object would be read back as a different one"),
    (Open(n=1, more=1), Open(n=1), "more: it would be lost"),
    (Open(n=1), Open(n=1, more=1), "more: it would come back as the number 1"),
    (private, Open(), "_cache: the number 1 would be read back as the number 0"),
    (datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")), datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))), "Europe/Berlin.* would be read back as .*3600"),
    (datetime(2026, 10, 25, 2, fold=1), datetime(2026, 10, 25, 2), "fold=1.* would be read back as"),
    (time(1, tzinfo=UTC), time(1), "utc.* would be read back as"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "back", "reason"), OTHER, ids=lambda part: str(type(part)))
def test_what_differs_is_refused_by_its_place_with_what_to_do(value: Any, back: Any, reason: str):
    with pytest.raises(InvalidValue, match=reason):
        check_alike(value, back)
