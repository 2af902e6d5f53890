"""What `show` says of one execution, once and as it changes, and that what one types is whole on a screen of 80 columns."""

import re
from pathlib import Path
from typing import Any

import pytest

LONG = "a-name-of-a-gate-that-is-longer-than-a-column-of-any-table-on-a-terminal-of-80"
FLOWS = f"""
import time
from datetime import timedelta
from pathlib import Path
from tidegate import dynamic, task, wait_for_input, workflow

@task
def fit(depth: int, place: str) -> int:
    while depth == 2 and not Path(place, "go").exists():
        time.sleep(0.01)
    return depth

@dynamic
def fits(place: str) -> list[int]:
    return [fit(depth=i, place=place) for i in range(3)]

@workflow
def training(place: str) -> list[int]:
    return fits(place=place)

@workflow
def brief() -> int:
    return wait_for_input("quick", timedelta(seconds=6), int)

@workflow
def asking() -> tuple[int, str]:
    return wait_for_input({LONG!r}, expected_type=int), wait_for_input("short", expected_type=str)
"""


@pytest.fixture
def place(tidegate: Any) -> Any:
    tidegate.write("flows.py", FLOWS)
    return tidegate


def ended(tidegate: Any) -> None:
    Path(tidegate.place, "go").touch()
    done = tidegate("run", "flows.py", "training", "--place", str(tidegate.place), "--id", "t")
    assert done.json == [0, 1, 2]


def test_tasks_of_one_name_are_told_apart_by_what_they_were_given(place: Any) -> None:
    ended(place)

    shown = place("show", "t").out
    nodes = place("show", "t", "--json").json["nodes"]

    for number in range(3):
        assert re.search(rf"fit\(depth={number}, place=.*\)\s+n0/n{number}\s", shown), shown
    assert [each["inputs"]["depth"] for each in nodes if each["name"] == "fit"] == [0, 1, 2]


def test_an_execution_that_is_watched_is_shown_until_it_ends(place: Any) -> None:
    started = place.start(
        *("run", "flows.py", "training", "--place", str(place.place), "--id", "t")
    )
    started.says("execution t")
    screen = place.screen("show", "t", "--watch")
    screen.says("RUNNING")
    screen.says("fit(depth=2")
    Path(place.place, "go").touch()

    screen.says("result: [0,1,2]")

    assert screen.ends() == 0
    assert started.ends().code == 0


def test_what_is_watched_without_a_terminal_is_a_line_for_each_change(place: Any) -> None:
    ended(place)

    done = place("show", "t", "--watch")

    lines = [each.split("  ")[1:] for each in done.out.splitlines()]
    assert [line for line in lines if line[0].startswith("n0/")] == [
        [f"n0/n{number}", "fit", "SUCCEEDED"] for number in range(3)
    ]
    assert lines[-1] == ["t", "flows.training", "SUCCEEDED"]
    assert place("show", "t", "--watch", "--json").json["phase"] == "SUCCEEDED"


@pytest.mark.parametrize("words", [("inbox",), ("list",), ("show", "q")])
def test_what_one_types_is_whole_on_80_columns(place: Any, words: tuple[str, ...]) -> None:
    assert place("run", "flows.py", "asking", "--id", "q", "--detach").code == 0

    screen = place.screen(*words)
    assert screen.ends() == 0
    shown = screen.text

    assert LONG in shown, shown
    if words[0] in ("inbox", "list"):
        assert re.search(r"\basking\b", shown)
    if words[0] == "inbox":
        assert re.search(r"q +short +asking +no timeout", shown), shown


def test_a_question_whose_time_is_up_is_not_offered_to_be_answered(place: Any) -> None:
    assert place("run", "flows.py", "brief", "--id", "b", "--detach").code == 0
    shown = place("show", "b").out
    while "overdue" not in shown:
        assert "answer b" in shown, shown
        shown = place("show", "b").out

    assert "answer b" not in shown
    assert "no answer is accepted any longer" in shown
    assert place("answer", "b", "quick", "7").code == 3
