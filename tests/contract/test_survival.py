"""
An engine that ends while tasks run, that forgets everything between two events, and that is told the same thing twice.

Method: a port's own double, `Stuck`, takes attempts, says that they have begun, and never ends them, as a machine that hangs.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

import pytest
from msgspec import msgpack

from tidegate import approve, sleep, task, wait_for_input, workflow
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.bundles.sources import STORE
from tidegate.core.keys import own_key
from tidegate.core.messages import TASK_RAISED, Failure
from tidegate.engine import memory
from tidegate.engine.folds import snapshot
from tidegate.engine.loop import Engine, NewExecution
from tidegate.errors import CompileError, IdTaken, InvalidValue, StoreError, UnknownExecution
from tidegate.executors.inline import InlineExecutor
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.executor import Began, Executor, Job, Raised, Report, Returned
from tidegate.ports.journal import Batch, Key
from tidegate.runtime import SystemClock, problems_of
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.journal import SqliteJournal
from tidegate.testing import Sandbox

HOUR = timedelta(hours=1)


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def doubles(x: int) -> int:
    return approve(double(x=x), "ok")


@workflow
def story(x: int) -> int:
    asked = wait_for_input("asked", 2 * HOUR, int)
    sleep(HOUR) >> asked
    return approve(double(x=asked), "ok")


class Stuck:
    """An executor whose attempts begin and never end."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.deliver: Callable[[Sequence[Report]], None] = lambda _: None

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        self.deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        self.jobs.extend(jobs)
        self.deliver([Report(job.key, job.node, job.attempt, Began()) for job in jobs])

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None: ...

    def close(self) -> None: ...


class Mortal(SqliteJournal):
    """A journal that takes its owner along at the next commit, if it is told to."""

    deadly = False

    def append(self, batch: Batch) -> frozenset[Key]:
        if self.deadly:
            raise KeyboardInterrupt
        return super().append(batch)


class Host:
    """An engine on the store in a directory, from its start to its stop; or to its death."""

    def __init__(self, home: Path, executor: Executor, *, dies: bool = False) -> None:
        self.store = SqliteStore.open(home / STORE)
        self.store.journal = Mortal(self.store.journal._connections, self.store.journal._search)
        self.engine = Engine(self.store, executor, SystemClock())
        self._dies = dies
        graph = msgpack.encode(doubles.compile())
        row = WorkflowRow(0, "doubles", "1", graph, "", "", Instant(0))
        self.workflow = self.store.catalog.put_workflow(row).id

    def __enter__(self) -> Self:
        self.engine.start()
        self.engine.settle()
        return self

    def __exit__(self, *_: object) -> None:
        if self._dies:
            self.store.journal.deadly = True
            with pytest.raises(StoreError):
                self.engine.launch(NewExecution("last", self.workflow, {"x": 1})).result(10)
        self.engine.stop()
        self.store.close()

    def node(self) -> Any:
        row = self.store.journal.find("a")
        assert row is not None
        return snapshot(self.store.journal, self.engine.programs, row).state.node(NodeId("n0"))

    def launch(self) -> Key:
        wanted = NewExecution("a", self.workflow, {"x": 4})
        key = self.engine.launch(wanted).result(10).key
        self.engine.settle()
        return key


def test_a_running_attempt_that_died_with_its_host_is_found_and_repeated(tmp_path: Path):
    first, second = Stuck(), Stuck()
    with Host(tmp_path, first, dies=True) as host:
        host.launch()
        assert (host.node().phase.name, host.node().attempt) == ("RUNNING", 1)
    with Host(tmp_path, second, dies=True) as host:
        assert (host.node().attempt, host.node().lost) == (2, 1)
    keys = {job.idempotency_key for job in first.jobs + second.jobs}
    assert [job.attempt for job in first.jobs + second.jobs] == [1, 2]
    assert keys == {own_key("a", NodeId("n0"))}
    inline = InlineExecutor(
        doubles.compiled().tasks.__getitem__, BlobFiles(BlobDirectory(tmp_path / "blobs"))
    )
    with Host(tmp_path, inline) as host:
        now = host.node()
        assert (now.phase.name, now.attempt, now.outputs) == ("SUCCEEDED", 3, {"o0": 8})
    assert problems_of(tmp_path) == (1, [])


def test_a_late_result_of_an_old_attempt_is_ignored(tmp_path: Path):
    with Host(tmp_path, Stuck(), dies=True) as host:
        key = host.launch()
    with Host(tmp_path, Stuck()) as host:
        for outcome in (Returned({"o0": 99}), Raised(Failure(TASK_RAISED, "late")), Began()):
            host.engine.deliver([Report(key, NodeId("n0"), 1, outcome)])
            host.engine.settle()
            assert (host.node().phase.name, host.node().attempt) == ("RUNNING", 2)
        host.engine.deliver([Report(key, NodeId("n0"), 2, Returned({"o0": 8}))])
        host.engine.deliver([Report(key, NodeId("n0"), 2, Returned({"o0": 7}))])
        host.engine.settle()
        assert (host.node().phase.name, host.node().outputs) == ("SUCCEEDED", {"o0": 8})


def test_an_engine_that_remembers_nothing_between_two_events_does_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    def told() -> tuple[Any, Any]:
        with Sandbox() as sandbox:
            others = [sandbox.launch(story, x=n) for n in range(5)]
            run = sandbox.launch_as("a", story, x=1)
            run.answer("asked", 4, key="k")
            sandbox.advance(HOUR)
            run.answer("asked", 4, key="k")
            run.approve("ok")
            sandbox.advance(3 * HOUR)
            assert {other.phase for other in others} == {"FAILED"}
            return run.view, run.events

    warm = told()
    monkeypatch.setattr(memory, "HOT_BYTES", 0)
    assert told() == warm


def test_the_same_launch_again_gets_the_first_execution():
    with Sandbox() as sandbox:
        first = sandbox.launch_as("a", story, x=1)
        first.answer("asked", 4)
        view = first.view
        assert sandbox.launch_as("a", story, x=1).view == view


def test_another_launch_under_the_same_id_is_refused():
    with Sandbox() as sandbox:
        view = sandbox.launch_as("a", story, x=1).view
        with pytest.raises(IdTaken, match="inputs"):
            sandbox.launch_as("a", story, x=2)
        with pytest.raises(IdTaken, match="workflow"):
            sandbox.launch_as("a", doubles, x=1)
        assert sandbox.run("a").view == view


def test_equal_launches_at_once_make_one_execution():
    with Sandbox() as sandbox:
        story.compiled()
        start, told = threading.Barrier(20), []

        def client() -> None:
            start.wait()
            told.append(sandbox.launch_as("a", story, x=1).view.launched)

        threads = [threading.Thread(target=client) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(told) == 20
        assert len([event for event in sandbox.run("a").events if event.kind == "Launched"]) == 1


@pytest.mark.parametrize("inputs", [{}, {"x": None}, {"x": 1, "y": 2}])
def test_a_launch_whose_inputs_do_not_fit_is_refused_and_nothing_is_written(
    inputs: dict[str, Any],
):
    with Sandbox() as sandbox:
        with pytest.raises((InvalidValue, CompileError), match="input"):
            sandbox.launch_as("a", story, **inputs)
        with pytest.raises(UnknownExecution):
            _ = sandbox.run("a").view
