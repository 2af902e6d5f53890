"""Each type of answer as it is typed at a prompt: what does not fit is refused with what would be right, and the task gets what was meant."""

import json

import pytest

TYPES = """
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Literal, NamedTuple, Optional, TypedDict, Union

from pydantic import BaseModel, Field

from tidegate import File, task, wait_for_input, workflow


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Point:
    x: float
    label: str = "p"


class Pair(NamedTuple):
    n: int
    word: str


class Shape(TypedDict):
    corners: list[int]


class Person(BaseModel):
    name: str
    age: int = Field(ge=0, le=150)


@task
def gather(seen: list[str]) -> list[str]:
    return seen
"""

TYPED = [
    ("str", "", "an empty line is not an answer", "some words", "'some words'"),
    ("int", "1.5", "expected a whole number, got '1.5'", "42", "42"),
    ("float", "nan", "expected a number, got 'nan'", "1e3", "1000.0"),
    ("bool", "perhaps", "expected yes or no", "yes", "True"),
    ("date", "tomorrow", "expected a date", "2026-01-02", "datetime.date(2026, 1, 2)"),
    ("datetime", "soon", "expected a date and time", "2026-01-02 10:00", "2026, 1, 2, 10, 0"),
    ("timedelta", "soon", "such as 90 (seconds), 10 minutes", "90 minutes", "seconds=5400"),
    ("Colour", "blue", "expected one of: red, green", "Red", "<Colour.RED: 'red'>"),
    ('Literal["a", 1]', "b", "expected one of: a, 1", "1", "1"),
    ("Optional[int]", "x", "expected a whole number", "", "None"),
    ("Union[int, list[int]]", "[x]", "expected", "[1, 2]", "[1, 2]"),
    ("list[int]", "1 2", "as JSON like [1, 1]", "1, 2", "[1, 2]"),
    ("dict[str, float]", "a=1", 'as JSON like {"name": 1.5}', '{"a": 1}', "{'a': 1.0}"),
    ("tuple[int, str]", "[1]", "at least 2 items", '[1, "b"]', "(1, 'b')"),
    ("Point", "{}", "x: this field is missing", '{"x": 1}', "Point(x=1.0, label='p')"),
    ("Pair", "[1]", "expected an object", '{"n": 1, "word": "b"}', "Pair(n=1, word='b')"),
    ("Shape", "{}", "corners: this field is missing", '{"corners": []}', "{'corners': []}"),
    ("Person", '{"name": "x", "age": 200}', "age: must be at most 150", "@person.json", "age=20"),
    ("File", "not_there.txt", "there is no file at not_there.txt", "person.json", "File("),
    ("bytes", "hello!", "expected bytes, as base64", "@raw.bin", r"b'\xff\x00'"),
]


def source() -> str:
    """Return a workflow that asks for each type and gathers what its tasks have seen."""
    parts = [TYPES]
    for number, (kind, *_) in enumerate(TYPED):
        parts.append(f"@task\ndef see_{number}(value: {kind}) -> str:\n    return repr(value)\n\n")
    parts.append("@workflow\ndef wf() -> list[str]:")
    for number, (kind, *_) in enumerate(TYPED):
        gate = f'wait_for_input("gate_{number:02}", expected_type={kind})'
        parts.append(f"    seen_{number} = see_{number}(value={gate})")
    gathered = ", ".join(f"seen_{number}" for number in range(len(TYPED)))
    parts.append(f"    return gather(seen=[{gathered}])")
    return "\n".join(parts)


def test_every_type_is_asked_for_refused_and_taken_at_a_prompt(tidegate):
    tidegate.write("wf.py", source())
    tidegate.write("person.json", json.dumps({"name": "x", "age": 20}))
    (tidegate.place / "raw.bin").write_bytes(b"\xff\x00")
    lines = "".join(f"{bad}\n{good}\n" for _, bad, _, good, _ in TYPED)
    done = tidegate("run", "wf.py", "wf", stdin=lines)
    assert done.code == 0, done.err
    questions = done.err.split("Answer 'gate_")[1:]
    for (kind, _, reason, _, seen), asked, got in zip(TYPED, questions, done.json, strict=True):
        assert reason in asked, kind
        assert seen in got, kind


ASKS = """
from tidegate import wait_for_input, workflow


@workflow
def asks() -> str:
    return wait_for_input("title", expected_type=str)
"""


@pytest.mark.parametrize(
    "keys", ["tset\x1b[D\x1b[Des", "\x1bOPa", "\x1b[200~pasted\x1b[201~", "a\x1bb", "a\x0cb"]
)
def test_a_key_that_moves_is_never_part_of_an_answer(tidegate, keys):
    tidegate.write("asks.py", ASKS)
    screen = tidegate.screen("run", "asks.py", "asks")
    screen.says("\n>")
    screen.type(f"{keys}\n")
    screen.says("type it again")
    screen.type("a\tGrüße\n")
    assert screen.ends() == 0
    assert json.dumps("a\tGrüße", ensure_ascii=False) in screen.text


def test_a_line_that_is_not_utf_8_is_refused_and_asked_for_again(tidegate):
    tidegate.write("asks.py", ASKS)
    typed = tidegate.write("typed", "")
    typed.write_bytes("Grüße\n".encode("latin-1") + "Grüße\n".encode())
    with typed.open("rb") as lines:
        run = tidegate.start("run", "asks.py", "asks", stdin=lines.fileno())
    done = run.ends()
    assert "not valid UTF-8, at byte 3" in done.err
    assert done.json == "Grüße"
