"""Workflows that ask for values of every type, and show what came."""

import enum
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple, Optional, TypedDict, Union

from pydantic import BaseModel, Field

from tidegate import approve, task, wait_for_input, workflow
from tidegate.types.values import File


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
