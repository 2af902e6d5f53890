"""
A walk of a value beside what came back of it, which shares nothing with the check of the types floor.

Two leaves are the same if their types are, and their representations. What a declared type widens is let through: an int that
has become the float that equals it, a number of numpy that has become Python's own.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pandas.testing import assert_frame_equal
from pydantic import BaseModel


def same(value: Any, back: Any) -> bool:
    """Say whether what came back is what went in."""
    if type(value) is not type(back):
        return widened(value, back)
    if isinstance(value, BaseModel):
        return all_same(vars(value).values(), vars(back).values())
    if is_dataclass(value):
        names = [f.name for f in fields(value)]
        return all(same(getattr(value, name), getattr(back, name)) for name in names)
    if isinstance(value, dict):
        return all_same(value, back) and all_same(value.values(), back.values())
    if isinstance(value, list | tuple):
        return all_same(value, back)
    if isinstance(value, set):
        return sorted(map(repr, value)) == sorted(map(repr, back))
    if isinstance(value, np.ndarray):
        return (value.dtype, value.shape, value.tobytes()) == (back.dtype, back.shape, back.tobytes())  # fmt: skip
    if isinstance(value, pd.DataFrame):
        return same_frame(value, back)
    if isinstance(value, datetime | time):
        return moment(value) == moment(back)
    return type(value).__repr__(value) == type(back).__repr__(back)


def all_same(mine: Iterable[Any], other: Iterable[Any]) -> bool:
    """Say whether each item of one is that of the other, in order."""
    mine, other = list(mine), list(other)
    return len(mine) == len(other) and all(map(same, mine, other))


def widened(value: Any, back: Any) -> bool:
    """Say whether a number has become the Python number that equals it, as a declared type may mean."""
    whole = type(value) is int and type(back) is float
    numpys = isinstance(value, np.number | np.bool_) and type(back) in {int, float, bool}
    return (whole or numpys) and (bool(value == back) or value != value)  # noqa: PLR0124  NaN


def moment(value: datetime | time) -> tuple[Any, ...]:
    """Return all that tells a datetime or a time: what the clock shows, which of two hours it is, the zone."""
    zone = value.tzinfo
    if isinstance(zone, ZoneInfo):
        return value.replace(tzinfo=None).isoformat(), value.fold, zone.key
    # Libraries have objects of their own for a fixed offset, where no hour comes twice.
    return value.isoformat(), value.fold if zone is None else None


def same_frame(value: pd.DataFrame, back: pd.DataFrame) -> bool:
    """Say whether a frame has the same labels, types, names and cells, each of the same type."""
    try:
        assert_frame_equal(value, back, check_exact=True, check_flags=True, check_index_type="exact", check_column_type="exact")  # fmt: skip
    except AssertionError:
        return False
    axes = zip(value.axes, back.axes, strict=True)
    if not all(all_same(mine.tolist(), other.tolist()) for mine, other in axes):
        return False
    columns = range(value.shape[1])
    return all(all(map(same_cell, value.iloc[:, n].tolist(), back.iloc[:, n].tolist())) for n in columns)  # fmt: skip


def same_cell(value: Any, back: Any) -> bool:
    """Say whether a cell is the same; a column of Decimals has one number of digits after the point."""
    if isinstance(value, Decimal) and isinstance(back, Decimal) and value.is_finite():
        return value == back
    return same(value, back)
