"""How the engine ends: those who wait are told, those who come later too, and anyone who asked to be told is, once."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from tests.unit.engine.host import (
    LONGEST,
    Disk,
    Host,
    gate,
    until,
)

from tidegate.errors import EngineFailed, Overloaded, StoreError
from tidegate.ports.executor import Described
from tidegate.runtime import artifacts_in
from tidegate.service.service import Service
from tidegate.wire import GetExecution


@pytest.fixture
def disk():
    store = Disk.memory()
    yield store
    store.close()


@pytest.fixture
def host(disk):
    host = Host(disk).start()
    yield host
    disk.go_on.set()
    host.engine.stop()


def hold(host):
    """Let the disk take its time over one commit; what arrives from now on waits behind it."""
    host.store.entered = threading.Semaphore(0)
    host.store.go_on.clear()
    held = host.launch(gate(), "held")
    assert host.store.entered.acquire(timeout=LONGEST)
    return held


def test_a_watcher_that_fails_disturbs_nobody_and_is_down_until_it_does_not(host):
    calls: list[Any] = []
    seen: list[Any] = []

    def broken(touched):
        calls.append(touched)
        if len(calls) < 3:
            raise RuntimeError("a broken watcher")

    part = host.engine.parts.part
    host.store.changes.subscribe(part("broken").guard(broken))
    host.store.changes.subscribe(part("sound").guard(seen.append))

    def standing(name):
        return next(each for each in host.engine.parts.standings() if each.name == name)

    for n in range(2):
        host.launched(gate(), f"e{n}")
        assert (standing("sound").up, standing("broken").up) == (True, False)
        assert "RuntimeError: a broken watcher" in standing("broken").why
        assert host.engine.parts.health == "down"
    host.launched(gate(), "e2")
    assert standing("broken").up
    assert host.engine.parts.health == "ok"
    assert len(seen) == len(calls) == 3


def test_an_engine_that_dies_tells_those_who_wait_and_those_who_come_and_once_anyone_who_asked_for_it(
    host,
):
    key = host.launched(gate(), "g")
    hold(host)
    waiting = [host.answer(key), host.launch(gate(), "w")]
    told: list[Any] = []
    host.engine.on_end(lambda: told.append([each.done() for each in waiting]))
    host.clock.broken = True
    host.store.go_on.set()
    for future in waiting:
        with pytest.raises(EngineFailed, match="the clock is broken"):
            future.result(LONGEST)
    with pytest.raises(
        EngineFailed, match="stopped on an internal error: ZeroDivisionError.*start Tidegate"
    ):
        host.launch(gate(), "late").result(LONGEST)
    with pytest.raises(EngineFailed, match="stopped on an internal error"):
        host.engine.settle()
    until(lambda: told != [])
    host.engine.on_end(lambda: told.append("late"))
    host.engine.stop()
    assert told == [[True, True], "late"]
    assert isinstance(host.engine.failure, EngineFailed)


def test_anyone_who_asks_for_the_end_hears_of_one_in_good_order_too(host):
    told: list[Any] = []
    host.engine.on_end(lambda: told.append(type(host.engine.failure)))

    host.engine.stop()

    assert told == [Overloaded]


class NoModules:
    """Nothing is registered here by its source."""

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        raise AssertionError(f"{module} of {bundle} was imported")


def test_anyone_who_waits_for_a_change_hears_that_the_engine_has_died(host, tmp_path):
    service = Service(host.store, host.engine, NoModules(), artifacts_in(tmp_path), host.clock)
    host.launched(gate(), "g")
    heard = []

    def wait():
        with pytest.raises(StoreError, match="the clock is broken") as caught:
            service.handle(GetExecution(id="g", wait=60))
        heard.append(caught.value)

    waiting = threading.Thread(target=wait)
    waiting.start()
    host.clock.broken = True
    with pytest.raises(StoreError):
        host.launch(gate(), "other").result(LONGEST)
    waiting.join(LONGEST)
    assert heard
