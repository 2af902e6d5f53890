"""Types as authors write them, for the tests of this directory."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypedDict

from pydantic import BaseModel


class Color(Enum):
    RED = "red"
    GREEN = "green"


class Size(Enum):
    BIG = "big"


@dataclass
class Point:
    x: int
    y: float = 0.0


@dataclass
class Tree:
    value: int
    children: list["Tree"]
    point: Point | None = None


class Pair(NamedTuple):
    left: int
    right: str = ""


class Options(TypedDict):
    name: str


class Review(BaseModel):
    approved: bool
    points: list[Point] = []
