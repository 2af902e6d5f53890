"""The doctor finds what is wrong, and nothing where nothing is."""

from datetime import timedelta

import apsw
import pytest

from tidegate import approve, sleep, task, wait_for_input, workflow
from tidegate.runtime import problems_of
from tidegate.testing import Sandbox


@task
def one() -> int:
    return 1


@workflow
def waits() -> int:
    sleep(timedelta(hours=1))
    wait_for_input("number", timeout=timedelta(hours=2), expected_type=int)
    return approve(one(), "fine")


@workflow
def ends() -> int:
    return one()


@pytest.fixture
def home(tmp_path):
    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch_as("w", waits)
        sandbox.launch_as("e", ends)
        sandbox.launch_as("a", waits).abort()
    return tmp_path


def damage(home, *statements: str) -> None:
    connection = apsw.Connection(str(home / "tidegate.db"))
    for statement in statements:
        connection.execute(statement)
    connection.close()


def test_a_sound_store_has_no_problems(home):
    assert problems_of(home) == (3, [])


def test_where_there_is_no_store_there_are_no_problems(tmp_path):
    assert problems_of(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE executions SET phase = 3 WHERE id = 'w'", "execution w: listed as SUCCEEDED"),
        ("DELETE FROM waits WHERE kind = 2", "execution w: node n3: listed as waiting None"),
        ("UPDATE waits SET due = 5 WHERE kind = 1", "execution w: node n1: listed as waiting"),
        (
            "INSERT INTO waits SELECT key, 'n0', 1, 'x', 1, 1 FROM executions WHERE id = 'e'",
            "execution e: node n0",
        ),
        (
            "UPDATE history SET body = x'00' WHERE seq = 1 AND key = 1",
            "execution w: its history cannot be read",
        ),
        ("DELETE FROM history WHERE key = 2", "execution e:"),
    ],
)
def test_what_does_not_agree_with_the_history_is_found(home, statement, problem):
    damage(home, statement)
    _, problems = problems_of(home)
    assert any(problem in each for each in problems), problems
    assert all("\n" not in each for each in problems)
