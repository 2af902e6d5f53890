"""The doctor finds what is wrong, and nothing where nothing is."""

from datetime import timedelta

import apsw
import pytest

from tidegate import File, approve, sleep, task, wait_for_input, workflow
from tidegate.runtime import problems_of, rebuild_lists
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


@workflow
def keeps(report: File) -> int:
    return wait_for_input("number", expected_type=int)


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


def test_where_there_is_no_store_that_is_the_problem(tmp_path):
    count, (problem,) = problems_of(tmp_path)
    assert (count, "is missing" in problem) == (0, True)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE executions SET phase = 3 WHERE id = 'w'", "execution w: listed as SUCCEEDED"),
        (
            "DELETE FROM waits WHERE kind = 2",
            "execution w: node n3: it is waiting, but is not listed",
        ),
        (
            "UPDATE waits SET due = 5 WHERE kind = 1",
            "execution w: node n1: its listed due",
        ),
        ("UPDATE waits SET kind = 3 WHERE kind = 1", "n1: its listed kind"),
        ("UPDATE waits SET path = 'x' WHERE kind = 1", "n1: its listed path"),
        ("UPDATE waits SET name = 'x' WHERE kind = 1", "n1: its listed name"),
        ("UPDATE waits SET opened = 1 WHERE kind = 1", "n1: its listed opened"),
        ("UPDATE waits SET body = x'80' WHERE kind = 2", "n3: its listed shown"),
        (
            "UPDATE waits SET body = x'00' WHERE kind = 2",
            "n3: what lists show of it cannot be read",
        ),
        ("UPDATE waits SET key = 2, node = 'n0' WHERE kind = 1", "execution e: node n0: listed as"),
        (
            "UPDATE history SET body = x'00' WHERE seq = 1 AND key = 1",
            "execution w: it cannot be read back: line 1",
        ),
        ("UPDATE graphs SET body = x'00'", "execution w: it cannot be read back: the graph"),
        ("UPDATE counters SET value = 7", "counter"),
        ("DELETE FROM history WHERE key = 2", "execution e:"),
    ],
)
def test_what_does_not_agree_with_the_history_is_found(home, statement, problem):
    damage(home, statement)
    _, problems = problems_of(home)
    assert any(problem in each for each in problems), problems
    assert all("\n" not in each for each in problems)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE executions SET phase = 3 WHERE id = 'w'",
        "DELETE FROM waits",
        "UPDATE waits SET due = 5, path = 'x', name = 'y', opened = 1 WHERE kind = 1",
        "UPDATE waits SET body = x'00' WHERE kind = 2",
        "UPDATE waits SET key = 2, node = 'n0' WHERE kind = 1",
        "UPDATE counters SET value = 7",
        "DELETE FROM counters",
    ],
)
def test_what_lists_show_wrongly_is_written_again_from_the_history(home, statement):
    damage(home, statement)
    assert problems_of(home)[1]
    steps = []

    rebuild_lists(home, lambda done, of: steps.append((done, of)))

    assert problems_of(home) == (3, [])
    assert steps[-1] == (3, 3)
    with Sandbox(home=home) as sandbox:
        assert [each.path for each in sandbox.inbox()] == ["number", "fine"]
        sandbox.run("w").approve("fine")


def test_lists_are_written_again_although_one_execution_is_damaged(home):
    damage(home, "UPDATE history SET body = x'00' WHERE key = 3", "DELETE FROM waits")

    rebuild_lists(home, lambda done, of: None)

    _, problems = problems_of(home)
    assert problems
    assert all("execution a" in each for each in problems), problems


def test_where_there_is_no_store_there_is_nothing_to_write_again(tmp_path):
    rebuild_lists(tmp_path, lambda done, of: None)
    assert list(tmp_path.iterdir()) == []


def test_what_an_execution_that_goes_on_lacks_is_found(tmp_path):
    source = tmp_path / "report.txt"
    source.write_text("numbers")
    home = tmp_path / "home"
    home.mkdir()
    with Sandbox(home=home) as sandbox:
        sandbox.launch_as("open", keeps, report=File(source))
        sandbox.launch_as("ended", keeps, report=File(source)).abort()
    assert problems_of(home) == (2, [])
    for path in (home / "blobs").rglob("*"):
        if path.is_file():
            path.unlink()
    damage(home, f"UPDATE workflows SET bundle = '{'ab' * 32}'")

    _, problems = problems_of(home)

    assert [each.partition(":")[0] for each in problems] == ["execution open"] * 2
    assert "its code" in problems[0]
    assert "the file report.txt is missing" in problems[1]


def test_an_answer_to_something_else_than_the_question_shows_is_found(tmp_path):
    """Somebody has changed, behind our back, what was asked."""
    with Sandbox(home=tmp_path) as sandbox:
        run = sandbox.launch_as("w", waits)
        question = next(each for each in run.questions if each.kind == "input")
        run.answer(question.handle, 1, shown=question.digest)
    assert problems_of(tmp_path) == (1, [])
    found = apsw.Connection(str(tmp_path / "tidegate.db"))
    ((number, body),) = found.execute("SELECT id, body FROM graphs").fetchall()
    changed = body.replace(b"integer", b"boolean")
    assert changed != body
    found.execute("UPDATE graphs SET body = ? WHERE id = ?", (changed, number))
    found.close()
    count, problems = problems_of(tmp_path)
    assert count == 1
    assert any("is not the digest of the question" in each for each in problems)
