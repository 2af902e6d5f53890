"""In which order the terminal shows and asks: as it stands in the source, and as people count."""

from typing import Any

import pytest

FLOWS = """
from tidegate import approve, dynamic, task, wait_for_input, workflow

@task
def draw(i: int) -> str:
    return f"picture {i}"

@dynamic
def label(n: int) -> list[int]:
    found = []
    for i in range(1, n + 1):
        found.append(wait_for_input(f"label-{i}", expected_type=int, show={"picture": draw(i=i)}))
    return found

@workflow
def inner() -> int:
    return wait_for_input("z-inner", expected_type=int)

@workflow
def label_wf(n: int = 11) -> tuple[int, int, list[int]]:
    a, b = inner(), wait_for_input("a-outer", expected_type=int)
    return a, b, label(n=n)
"""
LABELS = [f"label-{i}" for i in range(1, 12)]
NAMES = ["z-inner", "a-outer", *LABELS]


@pytest.fixture
def place(tidegate: Any) -> Any:
    tidegate.write("flows.py", FLOWS)
    assert tidegate("run", "flows.py", "label_wf", "--id", "labels", "--detach").code == 0
    return tidegate


def test_lists_and_views_have_questions_in_the_order_of_the_source(place: Any) -> None:
    listed = place("list", "--json").json[0]["waiting"]

    assert [each["name"] for each in place("inbox", "--json").json] == NAMES
    assert [row.split()[1] for row in place("inbox").out.splitlines()[1:]] == NAMES
    assert [each["name"] for each in place("show", "labels", "--json").json["waiting"]] == NAMES
    assert listed == NAMES[: len(listed)]


def test_a_terminal_asks_in_the_order_of_the_source(place: Any) -> None:
    done = place("resume", "labels", stdin="".join(f"{i}\n" for i in range(1, 14)))

    assert done.code == 0
    assert done.json == {"o0": 1, "o1": 2, "o2": list(range(3, 14))}
