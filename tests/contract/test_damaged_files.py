"""A bundle or a blob that is damaged or missing damages its own executions and nothing else, and says what to do; done that, they go on."""

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.contract.blobs_contract import flipped
from tests.contract.bundles_contract import DAMAGES

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.sources import find_sources
from tidegate.errors import CodeError, InvalidValue, StoreDamaged, UnknownBlob
from tidegate.runtime import Runtime, open_runtime, problems_of
from tidegate.wire import (
    Abort,
    Answer,
    ExecutionView,
    GetExecution,
    GetLogs,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListSignals,
    ListWorkflows,
    Recover,
    Register,
)

ASK = """
from datetime import timedelta
from pathlib import Path

from pydantic import BaseModel, field_validator

from tidegate import File, approve, task, wait_for_input, workflow


class Even(BaseModel):
    n: int

    @field_validator("n")
    @classmethod
    def check(cls, n: int) -> int:
        if n % 2:
            raise ValueError("must be even")
        return n


@task
def double(n: int) -> int:
    print("doubling", n)
    return 2 * n


@task
def half(even: Even) -> int:
    return even.n // 2


@task
def read(report: File) -> str:
    return Path(report).read_text()


@task
def length(content: bytes) -> int:
    return len(content)


@workflow
def ask() -> int:
    return double(n=wait_for_input("n", expected_type=int))


@workflow
def ask_even() -> int:
    return half(even=wait_for_input("even", expected_type=Even))


@workflow
def review(report: File) -> str:
    return read(report=approve(report, "ok"))


@workflow
def weigh(content: bytes) -> int:
    return length(content=approve(content, "ok"))


@workflow
def pass_on(report: File) -> File:
    return approve(report, "ok")


@workflow
def ask_file() -> str:
    return read(report=wait_for_input("report", expected_type=File))
"""

PATIENCE = 60.0


class Store:
    """A store at work, with the same workflows in two bundles, which differ in a comment."""

    def __init__(self, home: Path, sources: Path) -> None:
        self.home = home
        self._open()
        self.archives = {name: self._register(sources, name) for name in ("hurt", "well")}

    def _open(self) -> None:
        self.runtime: Runtime = open_runtime(self.home, workers=2, serve_door=False)
        self.handle: Callable[..., Any] = self.runtime.service.handle

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop it for a block, so that no worker has imported anything after it."""
        self.runtime.close()
        yield
        self._open()

    def _register(self, sources: Path, name: str) -> Archive:
        file = sources / name / f"{name}.py"
        file.parent.mkdir(parents=True)
        file.write_text(textwrap.dedent(ASK))
        archive = pack(find_sources(file, ()))
        self.runtime.service.bundles.put(archive)
        self.handle(Register(bundle=archive.digest, module=name))
        return archive

    def tree(self, name: str) -> Path:
        return self.home / "bundles" / self.archives[name].digest

    def blob(self, content: bytes) -> tuple[dict[str, Any], Path]:
        """Keep a blob; return the value that names it, and where it lies."""
        digest = self.runtime.service.blobs.put((content,))
        value = {"$blob": digest, "size": len(content), "media": "text/plain", "name": "a.txt"}
        return value, self.home / "blobs" / digest[:2] / digest[2:]

    def launch(self, workflow: str, **inputs: Any) -> str:
        view = self.handle(Launch(workflow=workflow, inputs=inputs))
        return str(self.until_waiting(view.id).id)

    def until_waiting(self, id_: str) -> ExecutionView:
        return self.handle(GetExecution(id=id_, wait=PATIENCE, until_waiting=True))

    def answer(self, id_: str, name: str, value: Any) -> ExecutionView:
        self.handle(Answer(id=id_, name=name, value=value))
        return self.handle(GetExecution(id=id_, wait=PATIENCE))

    def held(self, id_: str, name: str, value: Any) -> ExecutionView:
        """Answer, and return the execution, which is held: it says why, and no attempt has begun."""
        self.handle(Answer(id=id_, name=name, value=value))
        view: ExecutionView = self.handle(GetExecution(id=id_))
        assert view.phase == "RUNNING", view.error
        assert view.damaged
        assert [each.phase for each in view.nodes if each.kind == "task"] == ["QUEUED"]
        return view

    def recover(self, id_: str) -> ExecutionView:
        view = self.handle(Recover(id=id_))
        return self.handle(GetExecution(id=view.id, wait=PATIENCE))

    def check_that_all_can_be_seen(self, *ids: str) -> None:
        """Every list and every view goes on."""
        assert {each.execution for each in self.handle(ListInbox()).items} >= set(ids)
        assert {each.id for each in self.handle(ListExecutions()).items} >= set(ids)
        assert len(self.handle(ListWorkflows()).items) == 12
        for id_ in ids:
            assert self.handle(GetExecution(id=id_)).phase == "WAITING"
            assert self.handle(ListSignals(id=id_)).items
            assert self.handle(ListEvents(id=id_)).items
            self.handle(GetLogs(id=id_))

    def check_that_others_go_on(self, waiting: str) -> None:
        """An execution that was there, and one that was not, run on workers of the same pool."""
        assert self.answer(waiting, "n", 4).outputs == {"o0": 8}
        assert self.answer(self.launch("well.ask"), "n", 5).outputs == {"o0": 10}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "home", tmp_path / "sources")
    yield made
    made.runtime.close()


def lose(tree: Path) -> None:
    tree.rename(tree.parent.parent / "lost")


BROKEN: dict[str, Callable[[Path], object]] = {**DAMAGES, "nothing": lose}
# The files of the source are called otherwise here.
BROKEN["a changed file"] = lambda tree: (tree / "hurt.py").write_text("x = 2\n")
BROKEN["an empty file"] = lambda tree: (tree / "hurt.py").write_text("")
BROKEN["a missing file"] = lambda tree: (tree / "hurt.py").unlink()
del BROKEN["a missing directory"]


@pytest.mark.parametrize("how", BROKEN)
def test_a_damaged_bundle_holds_its_own_executions_and_they_go_on_by_themselves_when_it_is_put_back(
    store: Store, how: str
):
    hurt, well = store.launch("hurt.ask"), store.launch("well.ask")
    with store.stopped():
        BROKEN[how](store.tree("hurt"))

    store.check_that_all_can_be_seen(hurt, well)
    held = store.held(hurt, "n", 3)
    assert store.archives["hurt"].digest[:12] in held.damaged
    assert "register the same source again" in held.damaged
    store.check_that_others_go_on(well)
    count, problems = problems_of(store.home)
    assert any(store.archives["hurt"].digest in each for each in problems), (count, problems)

    assert store.runtime.service.bundles.put(store.archives["hurt"])

    ended = store.handle(GetExecution(id=hurt, wait=PATIENCE))
    assert (ended.outputs, ended.damaged) == ({"o0": 6}, "")
    assert [each.attempts for each in ended.nodes if each.kind == "task"] == [1]
    assert store.answer(store.launch("hurt.ask"), "n", 7).outputs == {"o0": 14}


def test_many_executions_of_a_lost_bundle_are_held_and_hold_nobody_else_up(store: Store):
    hurt, well = [store.launch("hurt.ask") for _ in range(30)], store.launch("well.ask")
    with store.stopped():
        lose(store.tree("hurt"))

    for id_ in hurt:
        store.held(id_, "n", 3)
    store.handle(Abort(id=hurt[0]))
    store.check_that_others_go_on(well)
    with store.stopped():  # the next owner holds them as well
        pass
    assert store.handle(GetExecution(id=hurt[1])).phase == "RUNNING"
    (store.home / "lost").rename(store.tree("hurt"))

    phases = [store.handle(GetExecution(id=id_, wait=PATIENCE)).phase for id_ in hurt]
    assert phases == ["ABORTED"] + 29 * ["SUCCEEDED"]


def test_a_missing_bundle_refuses_an_answer_that_only_its_code_can_check_and_the_gate_stays_open(
    store: Store,
):
    hurt, well = store.launch("hurt.ask_even"), store.launch("well.ask")
    with store.stopped():
        lose(store.tree("hurt"))

    for _ in range(2):
        with pytest.raises(CodeError, match="the code of this workflow is missing"):
            store.answer(hurt, "even", {"n": 4})
    store.check_that_all_can_be_seen(hurt, well)
    store.check_that_others_go_on(well)

    store.runtime.service.bundles.put(store.archives["hurt"])

    with pytest.raises(InvalidValue, match="even"):
        store.answer(hurt, "even", {"n": 3})
    assert store.answer(hurt, "even", {"n": 4}).outputs == {"o0": 2}


def test_a_missing_bundle_shows_in_the_inbox_and_in_lists_though_nobody_has_looked_at_its_executions(
    store: Store,
):
    hurt, well = store.launch("hurt.ask"), store.launch("well.ask")
    over = store.launch("hurt.ask")
    store.handle(Abort(id=over))
    with store.stopped():
        lose(store.tree("hurt"))

    asked = {each.execution: each.damaged for each in store.handle(ListInbox()).items}
    listed = {each.id: each.damaged for each in store.handle(ListExecutions()).items}

    assert f"the code of execution {hurt}, bundle " in asked[hurt]
    assert asked[hurt] == listed[hurt]
    assert (asked[well], listed[well], listed[over]) == ("", "", "")

    store.runtime.service.bundles.put(store.archives["hurt"])
    assert {each.damaged for each in store.handle(ListInbox()).items} == {""}
    assert {each.damaged for each in store.handle(ListExecutions()).items} == {""}


def test_what_was_running_when_the_bundle_was_lost_is_held_alone(store: Store, tmp_path: Path):
    hurt, well = store.launch("hurt.ask"), store.launch("well.ask")
    store.handle(Answer(id=hurt, name="n", value=3))
    with store.stopped():
        lose(store.tree("hurt"))

    store.check_that_others_go_on(well)
    store.runtime.service.bundles.put(store.archives["hurt"])
    assert store.handle(GetExecution(id=hurt, wait=PATIENCE)).outputs == {"o0": 6}


def test_a_missing_bundle_cannot_be_registered_and_what_is_launched_is_held_alone(
    store: Store,
):
    well = store.launch("well.ask")
    with store.stopped():
        lose(store.tree("hurt"))

    with pytest.raises(CodeError, match="the code of this workflow is missing"):
        store.handle(Register(bundle=store.archives["hurt"].digest, module="hurt"))
    hurt = store.launch("hurt.ask")
    store.held(hurt, "n", 3)
    store.check_that_others_go_on(well)


def turn_into_a_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


LOST: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: path.unlink(),
    "changed": lambda path: path.write_bytes(flipped(path.read_bytes())),
    "empty": lambda path: path.write_bytes(b""),
    "a directory": turn_into_a_directory,
    "the whole directory of blobs": lambda path: path.parent.parent.rename(
        path.parents[2] / "lost"
    ),
}
CONTENT = b"the content of a report " * 3000


MISSING = ("missing", "a directory", "the whole directory of blobs")
OF_FILES = pytest.mark.parametrize(
    ("workflow", "given", "name"), [("review", "report", "a.txt"), ("weigh", "content", "content")]
)


@pytest.mark.parametrize("how", MISSING)
@OF_FILES
def test_a_missing_blob_holds_its_own_executions_and_they_go_on_by_themselves_when_it_is_put_back(
    store: Store, how: str, workflow: str, given: str, name: str
):
    del name
    value, path = store.blob(CONTENT)
    hurt = store.launch(f"hurt.{workflow}", **{given: value})
    well = store.launch("well.ask")
    LOST[how](path)

    store.check_that_all_can_be_seen(hurt, well)
    held = store.held(hurt, "ok", True)
    assert "a.txt" in held.damaged
    assert "upload the same file again" in held.damaged
    store.check_that_others_go_on(well)
    if how == "a directory":
        path.rmdir()

    store.blob(CONTENT)

    done = store.handle(GetExecution(id=hurt, wait=PATIENCE)).outputs
    assert done == {"o0": CONTENT.decode() if workflow == "review" else len(CONTENT)}


@pytest.mark.parametrize("how", sorted(LOST.keys() - set(MISSING)))
@OF_FILES
def test_a_damaged_blob_fails_its_own_executions_and_they_go_on_when_it_is_put_back(
    store: Store, how: str, workflow: str, given: str, name: str
):
    value, path = store.blob(CONTENT)
    hurt = store.launch(f"hurt.{workflow}", **{given: value})
    well = store.launch("well.ask")
    LOST[how](path)

    store.check_that_all_can_be_seen(hurt, well)
    failed = store.answer(hurt, "ok", True)
    assert failed.phase == "FAILED"
    assert failed.error is not None
    assert value["$blob"] in failed.error.message
    assert name in failed.error.message
    assert "upload the same file again" in failed.error.message
    assert "recover" in failed.error.message
    store.check_that_others_go_on(well)

    store.blob(CONTENT)

    done = store.recover(hurt).outputs
    assert done == {"o0": CONTENT.decode() if workflow == "review" else len(CONTENT)}


@pytest.mark.parametrize("how", LOST)
def test_a_damaged_blob_of_an_output_leaves_the_execution_as_it_is(store: Store, how: str):
    well = store.launch("well.ask")
    value, path = store.blob(CONTENT)
    hurt = store.launch("hurt.pass_on", report=value)
    done = store.answer(hurt, "ok", True)
    LOST[how](path)

    assert store.handle(GetExecution(id=hurt)).outputs == done.outputs == {"o0": value}
    with pytest.raises((UnknownBlob, StoreDamaged)):
        list(store.runtime.service.blobs.read(value["$blob"]))
    store.check_that_others_go_on(well)


def test_an_answer_that_names_a_missing_blob_is_refused_and_the_gate_stays_open(store: Store):
    hurt, well = store.launch("hurt.ask_file"), store.launch("well.ask")
    value, path = store.blob(CONTENT)
    path.unlink()

    for attempt in (
        lambda: store.answer(hurt, "report", value),
        lambda: store.launch("hurt.review", report=value),
    ):
        with pytest.raises(InvalidValue) as refused:
            attempt()
        assert value["$blob"] in str(refused.value.faults[0])
    store.check_that_all_can_be_seen(hurt, well)

    store.blob(CONTENT)
    assert store.answer(hurt, "report", value).outputs == {"o0": CONTENT.decode()}


def test_a_damaged_bundle_is_told_by_the_check_of_the_store(store: Store):
    with store.stopped():
        (store.tree("hurt") / "hurt.py").write_text("x = 2\n")

        count, problems = problems_of(store.home)

    assert count == 0
    assert [store.archives["hurt"].digest in problem for problem in problems] == [True]
