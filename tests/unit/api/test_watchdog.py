"""The watchdog: a thread that stands is a part that is down, with where it stands; one that turns again is up."""

import asyncio
import threading
from functools import partial

import pytest
from tests.unit.api.carrying import in_a_loop

from tidegate.api.watchdog import LONGEST, LOOK, LoopTurns, Watchdog, where
from tidegate.parts import Parts


@pytest.fixture
def standing():
    """A thread that stands in one place until the test is over."""
    begun, end = threading.Event(), threading.Event()

    def stand_here():
        begun.set()
        end.wait()

    thread = threading.Thread(target=stand_here)
    thread.start()
    begun.wait()
    yield thread
    end.set()
    thread.join()


def the_engine(parts):
    return next(each for each in parts.standings() if each.name == "engine-turns")


def test_a_thread_that_stands_is_named_with_its_place_and_is_up_when_it_turns_again(
    standing, caplog
):
    parts, turning = Parts(), [(standing.ident, 10.0)]
    shown = partial(getattr, parts, "health")
    watchdog = Watchdog(parts)
    watchdog.watch("engine-turns", lambda: turning[0])

    watchdog.look(10.0 + LONGEST)
    assert shown() == "ok"
    watchdog.look(10.1 + LONGEST)
    watchdog.look(10.2 + LONGEST)
    down = the_engine(parts)
    assert not down.up
    assert "has been stuck for 1 s" in down.why
    assert "stand_here" in down.why
    assert shown() == "down"
    turning[0] = None
    watchdog.look(20.0)

    up = the_engine(parts)
    assert (up.up, up.restarts) == (True, 1)
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_where_a_thread_is_says_the_innermost_functions_first(standing):
    assert "wait" in where(standing.ident).partition(" < ")[0]
    assert where(0) == "no Python code"


@in_a_loop
async def test_a_loop_that_turns_is_never_late_and_one_that_is_held_up_is():
    now = [100.0]
    turns = LoopTurns(threading.get_ident(), lambda: now[0])
    noting = asyncio.create_task(turns.run())
    await asyncio.sleep(0)

    assert turns.turning() == (threading.get_ident(), 100.0 + LOOK)
    now[0] += 50
    assert turns.turning()[1] == 100.0 + LOOK, "nobody has noted the time since"
    noting.cancel()


def test_it_looks_from_the_beginning_until_it_is_ended(caplog):
    looked, parts = threading.Event(), Parts()
    watchdog = Watchdog(parts)
    watchdog.watch("loop", looked.set)
    watchdog.begin()

    assert looked.wait(30)
    watchdog.end()
    assert parts.standings() == []
    assert not caplog.records
