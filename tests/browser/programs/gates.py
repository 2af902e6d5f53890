"""Workflows that ask for values of every type, and show what came."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, Optional, TypedDict, Union

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from tidegate import Deck, Directory, File, approve, task, wait_for_input, workflow


class Stage(enum.Enum):
    DEV = "dev"
    PROD = "prod"


@dataclass
class Person:
    name: str
    age: int = 30
    mail: Optional[str] = None
    tags: list[str] = field(default_factory=list)


@dataclass
class Mail:
    to: str
    kind: Literal["mail"] = "mail"


@dataclass
class Call:
    number: str
    kind: Literal["call"] = "call"


class Point(NamedTuple):
    x: int
    y: int


class Size(TypedDict):
    width: float


class Grade(BaseModel):
    title: str = Field(min_length=3)
    score: float = Field(ge=0, le=1)


class Stop(BaseModel):
    code: str = Field(pattern="^[A-Z]{3}$", description="Three capital letters.")


class Trip(BaseModel):
    stops: list[Stop] = Field(min_length=1)
    fares: dict[str, Stop] = Field(default_factory=dict)


@dataclass
class Street:
    name: str
    number: int


@dataclass
class Address:
    street: Street
    city: str


@dataclass
class Customer:
    name: str
    address: Address
    active: bool
    stage: Stage


@dataclass
class Tree:
    name: str
    children: list["Tree"] = field(default_factory=list)


@task
def show_str(value: str) -> str:
    return repr(value)


@task
def show_int(value: int) -> str:
    return repr(value)


@task
def show_float(value: float) -> str:
    return repr(value)


@task
def show_bool(value: bool) -> str:
    return repr(value)


@task
def show_date(value: date) -> str:
    return repr(value)


@task
def show_datetime(value: datetime) -> str:
    return repr(value)


@task
def show_timedelta(value: timedelta) -> str:
    return repr(value)


@task
def show_enum(value: Stage) -> str:
    return repr(value)


@task
def show_literal(value: Literal["low", "mid", "high"]) -> str:
    return repr(value)


@task
def show_optional(value: Optional[int]) -> str:
    return repr(value)


@task
def show_union(value: Union[Mail, Call]) -> str:
    return repr(value)


@task
def show_list(value: list[int]) -> str:
    return repr(value)


@task
def show_dict(value: dict[str, float]) -> str:
    return repr(value)


@task
def show_tuple(value: tuple[int, str]) -> str:
    return repr(value)


@task
def show_dataclass(value: Person) -> str:
    return repr(value)


@task
def show_namedtuple(value: Point) -> str:
    return repr(value)


@task
def show_typeddict(value: Size) -> str:
    return repr(value)


@task
def show_model(value: Grade) -> str:
    return repr(value)


@task
def show_file(value: File) -> str:
    with open(value) as file:  # noqa: PTH123  it is what people write
        return file.read()


@task
def show_anything(value: dict) -> str:
    return repr(value)


@task
def show_time(value: time) -> str:
    return repr(value)


@task
def show_decimal(value: Decimal) -> str:
    return repr(value)


@task
def show_mixed(value: Union[int, str]) -> str:
    return repr(value)


@task
def show_nested(value: Customer) -> str:
    return repr(value)


@task
def show_people(value: list[Point]) -> str:
    return repr(value)


@task
def show_tree(value: Tree) -> str:
    return repr(value)


@task
def show_trip(value: Trip) -> str:
    return repr(value)


@task
def show_bytes(value: bytes) -> str:
    return repr(value)


@task
def show_directory(value: Directory) -> str:
    root = Path(value)
    return str({str(p.relative_to(root)): p.read_text() for p in sorted(root.rglob("*.txt"))})


@task
def show_array(value: np.ndarray) -> str:
    return repr(value.tolist())


@task
def show_table(value: pd.DataFrame) -> str:
    return repr(value.to_dict("list"))


@task
def show_whatever(value: Any) -> str:
    return repr(value)


@workflow
def every_type() -> None:
    show_str(value=wait_for_input("str", expected_type=str))
    show_int(value=wait_for_input("int", expected_type=int))
    show_float(value=wait_for_input("float", expected_type=float))
    show_bool(value=wait_for_input("bool", expected_type=bool))
    show_date(value=wait_for_input("date", expected_type=date))
    show_datetime(value=wait_for_input("datetime", expected_type=datetime))
    show_timedelta(value=wait_for_input("timedelta", expected_type=timedelta))
    show_enum(value=wait_for_input("enum", expected_type=Stage))
    show_literal(value=wait_for_input("literal", expected_type=Literal["low", "mid", "high"]))
    show_optional(value=wait_for_input("optional", expected_type=Optional[int]))
    show_union(value=wait_for_input("union", expected_type=Union[Mail, Call]))
    show_list(value=wait_for_input("list", expected_type=list[int]))
    show_dict(value=wait_for_input("dict", expected_type=dict[str, float]))
    show_tuple(value=wait_for_input("tuple", expected_type=tuple[int, str]))
    show_dataclass(value=wait_for_input("dataclass", expected_type=Person))
    show_namedtuple(value=wait_for_input("namedtuple", expected_type=Point))
    show_typeddict(value=wait_for_input("typeddict", expected_type=Size))
    show_model(value=wait_for_input("model", expected_type=Grade))
    show_file(value=wait_for_input("file", expected_type=File))
    show_anything(value=wait_for_input("anything", expected_type=dict))
    show_time(value=wait_for_input("time", expected_type=time))
    show_decimal(value=wait_for_input("decimal", expected_type=Decimal))
    show_mixed(value=wait_for_input("mixed", expected_type=Union[int, str]))
    show_nested(value=wait_for_input("nested", expected_type=Customer))
    show_people(value=wait_for_input("people", expected_type=list[Point]))
    show_tree(value=wait_for_input("tree", expected_type=Tree))
    show_trip(value=wait_for_input("trip", expected_type=Trip))
    show_bytes(value=wait_for_input("bytes", expected_type=bytes))
    show_directory(value=wait_for_input("directory", expected_type=Directory))
    show_array(value=wait_for_input("array", expected_type=np.ndarray))
    show_table(value=wait_for_input("table", expected_type=pd.DataFrame))
    show_whatever(value=wait_for_input("whatever", expected_type=Any))


@task
def make_rows() -> list[dict]:
    return [{"name": "a", "value": 1.5}, {"name": "b", "value": 2.5}]


@workflow
def approve_rows() -> list[dict]:
    return approve(
        make_rows(),
        "rows-are-right",
        timeout=timedelta(hours=2),
        prompt="Are these rows **right**? <script>alert(1)</script>",
    )


@workflow
def ask_stage() -> Stage:
    return wait_for_input("stage", timedelta(hours=1), expected_type=Stage)


@workflow
def ask_title() -> str:
    return wait_for_input("title", timedelta(hours=1), expected_type=str, suggested="Nile")


@task
def much() -> list[str]:
    return [f"line {number}" for number in range(60)]


@workflow
def ask_for_a_word_in_a_workflow_whose_name_is_longer_than_a_phone_is_wide() -> str:
    lines = much()
    return wait_for_input("word", expected_type=str, show={"lines": lines})


@workflow
def ask_flag() -> bool:
    return wait_for_input("flag", expected_type=bool)


@workflow
def ask_soon() -> str:
    return wait_for_input("soon", timedelta(seconds=5), expected_type=str)


@task
def measure() -> pd.DataFrame:
    Deck("Levels", "<h3>The river rises</h3>")
    return pd.DataFrame({"station": ["Aswan", "Cairo"], "level": [9.5, 2.25]})


@task
def draw() -> np.ndarray:
    return np.array([[1.5, 2.0], [3.0, 4.0]])


@task
def write() -> File:
    made = File.new_remote_file("levels.csv")
    Path(made).write_text('station,note\nAswan,"high, and rising"\n')
    return made


@task
def sketch() -> list[File]:
    made = []
    for name, colour in (("dawn", "orange"), ("noon", "skyblue"), ("dusk", "purple")):
        file = File.new_remote_file(f"{name}.svg")
        Path(file).write_text(
            f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="{colour}"/></svg>'
        )
        made.append(file)
    return made


@workflow
def approve_images() -> list[File]:
    return approve(sketch(), "images-are-right")


@task
def span() -> timedelta:
    return timedelta(hours=36)


@workflow
def approve_shown() -> None:
    approve(measure(), "table-is-right")
    approve(draw(), "array-is-right")
    approve(write(), "file-is-right")
    approve(span(), "span-is-right")
