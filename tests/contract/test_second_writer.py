"""
Somebody else writes to the same executions: who comes second reads again what the first has written, and decides again.

Beside these, the suites that `conftest.ALSO_CONTESTED` names run behind a writer who wins every third time.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from tests.contract.rival import Contested
from tests.contract.rival import theirs as losing

from tidegate import approve, task, wait_for_input, workflow
from tidegate.engine import loop
from tidegate.errors import AlreadyAnswered, StoreError
from tidegate.ports.journal import Batch, Journal, Key
from tidegate.stores.sqlite import SqliteStore
from tidegate.testing import Sandbox
from tidegate.wire import ExecutionPage, ListExecutions


@task
def doubled(x: int) -> int:
    return 2 * x


@workflow
def reviewed(x: int) -> int:
    first = doubled(x=x)
    second = wait_for_input("second", None, int)
    return doubled(x=approve(first, "review")) >> second


@workflow
def asked() -> str:
    return wait_for_input("title", None, str)


class First:
    """A journal whose other writer stores what `theirs` makes of a batch, whenever that is something, and always comes first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.theirs: Callable[[Batch], Batch | None] = lambda _: None

    def __getattr__(self, name: str) -> object:
        return getattr(self._journal, name)

    def append(self, batch: Batch) -> frozenset[Key]:
        if (theirs := self.theirs(batch)) is not None:
            assert not self._journal.append(theirs)
        return self._journal.append(batch)


class Contest(NamedTuple):
    """A sandbox, and its journal."""

    sandbox: Sandbox
    journal: First


@pytest.fixture
def contest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Contest]:
    made = SqliteStore.__init__
    journals: list[Any] = []

    def make(self: Any, connections: Any) -> None:
        made(self, connections)
        self.journal = First(self.journal)
        journals.append(self.journal)

    monkeypatch.setattr(SqliteStore, "__init__", make)
    with Sandbox() as sandbox:
        yield Contest(sandbox, journals[-1])


def once(theirs: Callable[[Batch], Batch]) -> Callable[[Batch], Batch | None]:
    done: list[Batch] = []

    def make(batch: Batch) -> Batch | None:
        if done:
            return None
        done.append(batch)
        return theirs(batch)

    return make


@pytest.mark.parametrize("writers", ["contested"], indirect=True)
def test_an_engine_that_comes_second_decides_again_and_loses_nothing(sandbox: Sandbox):
    journal = sandbox._store.journal
    assert isinstance(journal, Contested)
    for n in range(12):
        run = sandbox.launch_as(f"run-{n}", reviewed, x=n)
        run.answer("second", 7, key="k")
        run.approve("review")
        assert run.answer("second", 7, key="k").execution == run.id
        assert run.phase == "SUCCEEDED"
        seqs = [event.seq for event in run.events]
        assert seqs == list(range(1, len(seqs) + 1))
        answers = [event for event in run.events if event.kind == "AnswerGiven"]
        assert len(answers) == 2

    assert journal.lost > 12
    assert sandbox._store.problems() == []


def test_an_id_that_somebody_else_took_is_their_execution(contest: Contest):
    sandbox, first = contest
    first.theirs = once(lambda batch: batch)

    run = sandbox.launch_as("wanted", asked)

    page = sandbox._service.handle(ListExecutions())
    assert isinstance(page, ExecutionPage)
    assert [line.id for line in page.items] == ["wanted"]
    run.answer("title", "x")
    assert run.outputs == {"o0": "x"}


def test_a_gate_that_somebody_else_has_answered_is_answered(contest: Contest):
    sandbox, first = contest
    run, copy = sandbox.launch(asked), sandbox.launch(asked)
    taken: list[Batch] = []

    def theirs(batch: Batch) -> Batch:
        taken.append(batch)
        return batch

    first.theirs = once(theirs)
    # The other writer stores this very answer, so the same is accepted, and another is refused.
    assert run.answer("title", "theirs").signal == "title"
    assert len(taken) == 1
    with pytest.raises(AlreadyAnswered):
        run.answer("title", "ours")
    assert run.outputs == {"o0": "theirs"}
    copy.answer("title", "another")
    assert copy.outputs == {"o0": "another"}


def test_an_engine_that_never_comes_first_says_so_and_goes_on_when_it_does(
    contest: Contest, monkeypatch
):
    monkeypatch.setattr(loop, "CONTESTED", 4)
    monkeypatch.setattr(loop, "STUBBORN", 0.01)
    sandbox, first = contest
    run = sandbox.launch(asked)
    first.theirs = losing

    with pytest.raises(StoreError, match="another engine writes in this store"):
        run.answer("title", "x")

    first.theirs = lambda _: None
    assert run.waiting == ["title"]
    run.answer("title", "x")
    assert run.outputs == {"o0": "x"}
