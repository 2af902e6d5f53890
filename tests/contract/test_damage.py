"""One damaged execution is one damaged execution: it says so wherever it is shown, and everybody else goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from tidegate import File, approve, task, wait_for_input, workflow
from tidegate.errors import StoreDamaged, TidegateError
from tidegate.runtime import problems_of
from tidegate.service.service import Service
from tidegate.testing import Sandbox
from tidegate.wire import (
    Abort,
    Answer,
    GetExecution,
    GetQuestion,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListWorkflows,
    Recover,
    Relaunch,
)


def bend(home: Path, seq: int) -> None:
    """Have the disk return another byte somewhere in a line."""
    connection = apsw.Connection(str(home / "tidegate.db"))
    row = "FROM history WHERE key = 1 AND seq = ?"
    body = bytearray(connection.execute(f"SELECT body {row}", (seq,)).get)
    body[len(body) // 2] ^= 1
    statement = "UPDATE history SET body = ? WHERE key = 1 AND seq = ?"
    connection.execute(statement, (bytes(body), seq))
    connection.close()


def spoil(home: Path, statement: str) -> None:
    connection = apsw.Connection(str(home / "tidegate.db"))
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(statement).fetchall()
    assert connection.total_changes(), "nothing was damaged"
    connection.close()


GRAPH = "(SELECT graph FROM workflows WHERE id = 1)"

DAMAGES: dict[str, Callable[[Path], None]] = {
    "a byte of its first line": lambda home: bend(home, 1),
    "a byte of its last line": lambda home: bend(home, 2),
    "a line that is empty": lambda home: spoil(home, "UPDATE history SET body = x'' WHERE seq = 2"),
    "a line that is gone": lambda home: spoil(home, "DELETE FROM history WHERE key = 1 AND seq = 1"),
    "a history that is gone": lambda home: spoil(home, "DELETE FROM history WHERE key = 1"),
    "a byte of its graph": lambda home: spoil(home, f"UPDATE graphs SET body = x'81' WHERE id = {GRAPH}"),
    "a graph that is gone": lambda home: spoil(home, f"DELETE FROM graphs WHERE id = {GRAPH}"),
}  # fmt: skip


@task
def one() -> int:
    return 1


@workflow
def damaged() -> int:
    return approve(one(), "ok")


@workflow
def sound() -> int:
    return wait_for_input("n", expected_type=int)


@pytest.fixture(params=DAMAGES)
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Service]:
    """A store with two executions that wait, one of which was damaged while nobody looked: `bad`. The other one is `good`."""
    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch_as("bad", damaged)
        sandbox.launch_as("good", sound)
    DAMAGES[request.param](tmp_path)
    with Sandbox(home=tmp_path) as sandbox:
        yield sandbox._service


def test_lists_go_on_and_mark_it_once_it_was_met(service: Service):
    assert {each.id for each in service.handle(ListExecutions()).items} == {"bad", "good"}
    assert {each.execution for each in service.handle(ListInbox()).items} == {"bad", "good"}

    service.handle(GetExecution(id="bad"))

    for page in (service.handle(ListExecutions()), service.handle(ListInbox())):
        marks = {getattr(each, "execution", "") or each.id: each.damaged for each in page.items}
        assert marks["good"] == ""
        assert "execution bad is damaged" in marks["bad"]
        assert "tidegate doctor" in marks["bad"]


def test_it_is_shown_with_what_is_known_and_what_to_do_and_waited_for_at_once(service: Service):
    for request in (
        GetExecution(id="bad"),
        GetExecution(id="bad", wait=60),
        GetExecution(id="bad", wait=60, until_waiting=True, after=1),
    ):
        view = service.handle(request)
        assert (view.id, view.phase, view.nodes, view.waiting) == ("bad", "WAITING", [], [])
        assert "execution bad is damaged" in view.damaged
        assert "tidegate doctor" in view.damaged


def test_whatever_needs_it_whole_is_refused_naming_it_and_changes_nothing(service: Service):
    for request in (
        Answer(id="bad", name="ok", value=True),
        Abort(id="bad"),
        GetQuestion(id="bad", name="ok"),
        ListSignals(id="bad"),
        Relaunch(id="bad"),
        Recover(id="bad"),
    ):
        with pytest.raises(StoreDamaged, match="execution bad is damaged"):
            service.handle(request)
    assert {each.id for each in service.handle(ListExecutions()).items} == {"bad", "good"}


def test_everybody_else_goes_on(service: Service):
    with pytest.raises(StoreDamaged):
        service.handle(Answer(id="bad", name="ok", value=True))

    assert service.handle(GetExecution(id="good")).damaged == ""
    assert service.handle(GetQuestion(id="good", name="n")).name == "n"
    assert service.handle(Answer(id="good", name="n", value=4)).signal == "n"
    assert service.handle(GetExecution(id="good", wait=20)).phase == "SUCCEEDED"
    assert service.handle(Launch(workflow=sound.name)).phase == "WAITING"
    assert sum(service.gauges.read().counts.phases.values()) == 3


def test_the_workflows_are_listed_and_one_whose_graph_is_damaged_is_said_to_be(service: Service):
    listed = service.handle(ListWorkflows())
    names = [each.name for each in listed.items]
    assert sound.name in names
    assert all(each.name == damaged.name and "doctor" in each.error for each in listed.broken)
    # A graph that is gone has no row to be listed by.
    assert (damaged.name in names) + len(listed.broken) <= 1


def test_who_resumes_from_before_a_line_that_cannot_be_read_passes_it(service: Service):
    whole = service.feed.after(service.feed.resume("0"), 100)
    for number, each in enumerate(whole, start=1):
        assert service.feed.after(service.feed.resume(each.cursor), 100) == whole[number:]
    assert ("good", "Launched") in [(each.execution, each.event.kind) for each in whole]
    for each in whole:
        if each.event.kind == "Damaged":
            assert each.execution == "bad"
            assert "execution bad is damaged" in each.event.details["message"]


def test_its_own_history_is_shown_as_far_as_it_can_be_read(service: Service):
    events = service.handle(ListEvents(id="bad", wait=3, after=0)).items
    assert all(each.kind in ("Launched", "TaskSucceeded", "Damaged") for each in events)
    assert [each.seq for each in events] == list(range(1, len(events) + 1))


def test_the_doctor_names_it(tmp_path: Path, service: Service):
    service.close()
    _, problems = problems_of(tmp_path)
    assert any("execution bad" in each for each in problems), problems
    assert not any("execution good" in each for each in problems), problems


def test_a_launch_under_its_id_is_refused_naming_it(tmp_path):
    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch_as("bad", damaged)
    bend(tmp_path, 1)
    with Sandbox(home=tmp_path) as sandbox:
        with pytest.raises(StoreDamaged, match="execution bad is damaged"):
            sandbox.launch_as("bad", damaged)
        assert sandbox.launch_as("other", damaged).phase == "WAITING"


@workflow
def judge(report: File) -> File:
    return approve(report, "fine", show={"again": report})


def test_a_question_that_shows_a_file_which_is_gone_says_so_and_so_does_its_execution(tmp_path):
    source = tmp_path / "report.txt"
    source.write_text("numbers")
    home = tmp_path / "home"
    home.mkdir()
    with Sandbox(home=home) as sandbox:
        run = sandbox.launch_as("bad", judge, report=File(source))
        sandbox.launch_as("good", sound)
        handle = sandbox._service.handle
        assert run.view.damaged == ""
        seq = run.view.seq
        for path in (home / "blobs").rglob("*"):
            if path.is_file():
                path.unlink()

        view = run.view
        assert "report.txt" in view.damaged
        assert view.waiting[0].damaged == view.damaged
        assert [node.id for node in view.nodes] == ["n0"], "what can be read is shown"
        assert handle(GetExecution(id="bad", after=seq)).damaged == view.damaged
        assert handle(GetQuestion(id="bad", name="fine")).damaged == view.damaged
        marks = {each.id: each.damaged for each in handle(ListExecutions()).items}
        assert marks == {"bad": view.damaged, "good": ""}
        assert {each.damaged for each in sandbox.inbox()} == {"", view.damaged}

        sandbox.stored(File, File(source))
        assert run.view.damaged == "", "it was brought again"
        assert {each.damaged for each in handle(ListExecutions()).items} == {""}


def test_a_damaged_execution_that_was_running_holds_nobody_up_at_a_restart(tmp_path):
    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch_as("bad", damaged)
        sandbox.launch_as("good", sound)
    spoil(tmp_path, "UPDATE executions SET phase = 1, part = 1 WHERE key = 1")
    bend(tmp_path, 1)

    with Sandbox(home=tmp_path) as sandbox:
        marks = {each.id: each.damaged for each in sandbox._service.handle(ListExecutions()).items}
        assert marks["good"] == ""
        assert "execution bad is damaged" in marks["bad"], "the engine has met it when it began"
        assert sandbox.run("good").answer("n", 4).signal == "n"


def test_nothing_of_it_is_an_error_of_ours(service: Service):
    for request in (GetExecution(id="bad"), ListInbox(execution="bad"), ListEvents(id="bad")):
        try:
            service.handle(request)
        except TidegateError as error:
            assert isinstance(error, StoreDamaged)
