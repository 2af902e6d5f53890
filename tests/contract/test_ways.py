"""
The ways to run mean the same: a plain call, the sandbox, and an engine on the clock of this machine all go through one machine.

The command line's way is told in `tests/e2e`.
"""

import io
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import msgpack

from tidegate import (
    ExecutionFailed,
    NoAnswer,
    approve,
    conditional,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.core.messages import AnswerGiven
from tidegate.engine import loop
from tidegate.engine.folds import snapshot
from tidegate.engine.loop import Engine, NewExecution
from tidegate.errors import InvalidValue, Overloaded
from tidegate.executors.inline import InlineExecutor
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.catalog import WorkflowRow
from tidegate.runtime import SystemClock
from tidegate.stores.sqlite import SqliteStore
from tidegate.testing import Sandbox

HOUR = timedelta(hours=1)


@task
def double(x: int) -> int:
    return 2 * x


@task(retries=2, backoff=HOUR)
def fails(x: int) -> int:
    raise ValueError(f"no {x}")


@dynamic
def ask_often(count: int) -> list[int]:
    return [wait_for_input(f"q{n}", expected_type=int) for n in range(count)]


@workflow
def plain(x: int) -> int:
    return double(x=double(x=x))


@workflow
def waits(x: int) -> int:
    nap = sleep(1000 * HOUR)
    asked = wait_for_input("asked", expected_type=int)
    nap >> asked
    return approve(double(x=asked), "ok")


@workflow
def branches(x: int) -> int:
    big = conditional("big").if_(x > 1).then(wait_for_input("asked", expected_type=int))
    return big.else_().then(double(x=x))


@workflow
def unfolds(x: int) -> list[int]:
    return ask_often(count=x)


@workflow
def defaults(x: int) -> int:
    return double(x=wait_for_input("nobody answers", HOUR, int, on_timeout=9))


@workflow
def breaks(x: int) -> int:
    return fails(x=x)


@workflow
def expires(x: int) -> int:
    return wait_for_input("nobody answers", HOUR, int)


TOLD: list[tuple[Any, int, dict[str, Any]]] = [
    (plain, 3, {}),
    (waits, 3, {"asked": 4, "ok": True}),
    (branches, 1, {}),
    (branches, 2, {"asked": 5}),
    (unfolds, 3, {"q0": 1, "q1": 2, "q2": 3}),
    (defaults, 1, {}),
    (waits, 3, {"asked": 4, "ok": False}),
    (breaks, 1, {}),
]


@pytest.fixture
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def by_plain_call(wf: Any, x: int, answers: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "SUCCEEDED", wf.run({"x": x}, answers=answers)
    except ExecutionFailed as failed:
        return "FAILED", failed.details["code"]


def by_sandbox(wf: Any, x: int, answers: dict[str, Any]) -> tuple[str, Any]:
    with Sandbox() as sandbox:
        run = sandbox.launch(wf, x=x)
        for _ in range(100):
            for name in run.waiting:
                if name in answers:
                    run.answer(name, answers[name])
            due = [wait.due for wait in run.view.waiting if wait.due]
            if due:
                sandbox.advance(min(due) - sandbox.now)
        view = run.view
        if view.outputs is not None:
            return view.phase, view.outputs["o0"]
        assert view.error is not None
        return view.phase, view.error.code


@pytest.mark.usefixtures("no_terminal")
@pytest.mark.parametrize(("wf", "x", "answers"), TOLD)
def test_a_plain_call_and_a_stored_execution_come_to_the_same_end(
    wf: Any, x: int, answers: dict[str, Any]
):
    assert by_plain_call(wf, x, answers) == by_sandbox(wf, x, answers)


def test_a_plain_call_jumps_over_sleeps_and_says_so(capsys: pytest.CaptureFixture[str]):
    assert waits.run({"x": 1}, answers={"asked": 2, "ok": True}) == 4
    told = capsys.readouterr()
    assert "slept 41 days, 16:00:00" in told.err
    assert told.out == ""


def test_a_plain_call_asks_at_the_terminal(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("4\nyes\n"))
    assert waits(x=1) == 8


@pytest.mark.usefixtures("no_terminal")
def test_a_plain_call_with_nobody_to_ask_names_the_gate():
    with pytest.raises(NoAnswer, match="asked"):
        waits(x=1)


@pytest.mark.usefixtures("no_terminal")
def test_a_plain_call_refuses_an_answer_that_does_not_fit():
    with pytest.raises(InvalidValue, match="asked"):
        waits.run({"x": 1}, answers={"asked": "four"})


# ---- an engine on the clock of this machine ----


@workflow
def short_naps(x: int) -> int:
    nap = sleep(timedelta(milliseconds=150))
    second = sleep(timedelta(milliseconds=150))
    nap >> second
    last = double(x=x)
    second >> last
    return last


class Host:
    """An engine with inline tasks, on real time."""

    def __init__(self, wf: Any, path: Path | None = None) -> None:
        compiled = wf.compiled()
        self.store = SqliteStore.memory() if path is None else SqliteStore.open(path / "db")
        blobs = BlobFiles(BlobDirectory(path or Path()))
        executor = InlineExecutor(compiled.tasks.__getitem__, blobs)
        self.engine = Engine(self.store, executor, SystemClock())
        graph = msgpack.encode(compiled.graph)
        row = WorkflowRow(0, "wf", "1", graph, "", "", Instant(0))
        self.workflow = self.store.catalog.put_workflow(row).id
        self.ended = threading.Event()
        self.store.changes.subscribe(self._changed)

    def _changed(self, touched: Any) -> None:
        if any(phase.is_terminal for phase in touched.values()):
            self.ended.set()

    def new(self, id_: str) -> NewExecution:
        return NewExecution(id_, self.workflow, {"x": 1})

    def look(self, id_: str) -> Any:
        row = self.store.journal.find(id_)
        assert row is not None
        return snapshot(self.store.journal, self.engine.programs, row)

    def stop(self) -> None:
        self.engine.stop()
        self.store.close()


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    started: list[Host] = []
    yield started
    for host in started:
        host.stop()


def test_p6_on_the_real_clock_a_sleep_is_never_early_and_late_by_less_than_a_second(
    hosts: list[Host],
):
    host = Host(short_naps)
    hosts.append(host)
    host.engine.start()
    host.engine.launch(host.new("a")).result(10)
    assert host.ended.wait(10)
    for node in ("n0", "n1"):
        now = host.look("a").state.node(NodeId(node))
        assert 150_000 <= now.ended - now.began < 1_150_000


def test_p6_after_a_restart_too(hosts: list[Host], tmp_path: Path):
    first = Host(short_naps, tmp_path)
    first.engine.start()
    first.engine.launch(first.new("a")).result(10)
    first.stop()
    second = Host(short_naps, tmp_path)
    hosts.append(second)
    second.engine.start()
    assert second.ended.wait(10)
    nap = second.look("a").state.node(NodeId("n0"))
    assert 150_000 <= nap.ended - nap.began < 1_150_000


def test_p10_what_is_too_much_is_refused_at_once_and_what_was_accepted_is_done(
    hosts: list[Host], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(loop, "QUEUE", 20)
    host = Host(plain)
    hosts.append(host)
    futures = [host.engine.launch(host.new(f"e{n}")) for n in range(50)]  # nobody drains yet
    refused = [future for future in futures if future.done()]
    accepted = [future for future in futures if not future.done()]
    assert len(accepted) in (20, 21)
    for future in refused:
        error = future.exception()
        assert isinstance(error, Overloaded)
        assert error.status in (429, 503)
        assert error.details["retry_after"] > 0
    host.engine.start()
    keys = {future.result(10).key for future in accepted}
    assert len(keys) == len(accepted)
    host.engine.settle()
    assert {host.look(f"e{n}").state.phase.name for n in range(len(accepted))} == {"SUCCEEDED"}
    assert host.store.journal.find(f"e{len(accepted)}") is None


def test_p10_an_answer_that_is_refused_for_overload_changes_nothing(
    hosts: list[Host], monkeypatch: pytest.MonkeyPatch
):
    host = Host(expires)
    hosts.append(host)
    host.engine.start()
    key = host.engine.launch(host.new("a")).result(10).key
    before = host.look("a").seq
    monkeypatch.setattr(loop, "QUEUE", -1)
    answer = AnswerGiven(Instant(0), NodeId("n0"), 3)
    assert isinstance(host.engine.submit(key, answer).exception(10), Overloaded)
    assert host.look("a").seq == before
    monkeypatch.setattr(loop, "QUEUE", 100)
    host.engine.submit(key, answer).result(10)
    assert host.look("a").state.phase.name == "SUCCEEDED"
