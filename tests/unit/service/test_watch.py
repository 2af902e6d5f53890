"""Anyone who waits for an execution hears of it, of the end of the engine, and of nothing else; and costs nothing meanwhile."""

import threading
import time

import pytest

from tidegate import wait_for_input, workflow
from tidegate.core.state import ExecutionPhase
from tidegate.engine import loop
from tidegate.errors import StoreError
from tidegate.ports.journal import Key
from tidegate.service.watch import Watch
from tidegate.testing import Sandbox
from tidegate.wire import ExecutionView, GetExecution, ListEvents

RUNNING, ENDED = ExecutionPhase.RUNNING, ExecutionPhase.SUCCEEDED
ONE, OTHER = Key(1), Key(2)


@workflow
def ask() -> int:
    return wait_for_input("n", expected_type=int)


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def test_a_token_resolves_at_a_change_that_matters_and_at_no_other():
    watch = Watch()
    end = watch.token(ONE, lambda phase: phase.is_terminal)
    any_ = watch.token(ONE, lambda _: True)
    elsewhere = watch.token(OTHER, lambda _: True)

    watch.changed({ONE: RUNNING})
    assert [token.done() for token in (end, any_, elsewhere)] == [False, True, False]
    watch.changed({ONE: ENDED})
    assert [token.done() for token in (end, any_, elsewhere)] == [True, True, False]


def test_a_token_that_was_given_back_is_forgotten():
    watch = Watch()
    token = watch.token(ONE, lambda _: True)
    watch.drop(ONE, token)
    watch.changed({ONE: ENDED})
    assert not token.done()
    assert not watch._tokens


@pytest.mark.parametrize("how", ["wake", "close"])
def test_when_nothing_changes_everybody_is_told(how):
    watch = Watch()
    tokens = [watch.token(key, lambda _: False) for key in (ONE, ONE, OTHER)]
    getattr(watch, how)()
    assert all(token.done() for token in tokens)
    assert watch.token(ONE, lambda _: False).done() == (how == "close")


def test_one_who_waits_reads_on_arrival_and_when_something_has_changed_and_never_else(sandbox, monkeypatch):  # fmt: skip
    run = sandbox.launch(ask)
    journal = sandbox._store.journal
    find, reads = journal.find, []

    def counting(id_: str) -> object:
        reads.append(id_)
        return find(id_)

    monkeypatch.setattr(journal, "find", counting)
    views: list[ExecutionView] = []
    waiter = threading.Thread(
        target=lambda: views.append(sandbox._service.handle(GetExecution(id=run.id, wait=60)))
    )
    waiter.start()
    tokens = sandbox._service.watch._tokens
    while not tokens:
        time.sleep(0.001)  # until it waits
    before = len(reads)

    run.answer("n", 4)
    waiter.join()

    assert views[0].phase == "SUCCEEDED"
    assert len(reads) - before <= 2
    assert not tokens


@pytest.mark.parametrize("request_", [GetExecution(id="e", wait=60), ListEvents(id="e", after=1, wait=60)])  # fmt: skip
def test_one_who_waits_hears_at_once_that_the_engine_has_died(sandbox, monkeypatch, request_):
    sandbox.launch_as("e", ask)
    errors: list[BaseException] = []

    def wait() -> None:
        try:
            sandbox._service.handle(request_)
        except StoreError as error:
            errors.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while not sandbox._service.watch._tokens:
        time.sleep(0.001)  # until it waits
    monkeypatch.setattr(loop.Engine, "_turn", None)
    sandbox._engine.deliver([])
    waiter.join(30)

    assert "the engine stopped on an internal error" in str(errors[0])
