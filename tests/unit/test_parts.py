"""Parts: whatever works in the background is seen to end, is run again, and says how it is."""

import logging
import threading
import time

import pytest

from tidegate import parts as module
from tidegate.errors import StoreError
from tidegate.parts import Parts, reason

LONGEST = 20.0
"""Seconds after which something that was promised has not happened."""


def until(holds):
    give_up = time.monotonic() + LONGEST
    while not holds():
        assert time.monotonic() < give_up, "it has not happened"
        time.sleep(0.002)


@pytest.fixture
def parts(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.01)
    return Parts()


class Body:
    """What a thread does: it fails as it is told to, else it works until it is told to return."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.runs = 0
        self.returns = threading.Event()

    def __call__(self):
        self.runs += 1
        if self.failures:
            failure = self.failures.pop(0)
            if failure is not None:
                raise failure
            return
        assert self.returns.wait(LONGEST)


def end(part, body):
    part.stop()
    body.returns.set()
    part.join(LONGEST)


def only(parts):
    (standing,) = parts.standings()
    return standing


# ---- threads ----


@pytest.mark.parametrize(
    "failure",
    [
        OSError(28, "No space left on device"),
        StoreError("cannot read the store"),
        AssertionError("a bug"),
        SystemExit(3),
        KeyboardInterrupt(),
        MemoryError(),
        None,
    ],
    ids=["disk", "store", "bug", "exit", "interrupt", "memory", "return"],
)
def test_a_thread_that_ends_in_any_way_is_run_again(parts, failure):
    body = Body(failure, failure, failure)
    part = parts.thread("pump", body)

    until(lambda: body.runs == 4)

    part.works()
    assert (only(parts).up, only(parts).restarts) == (True, 3)
    end(part, body)


def test_a_thread_that_was_stopped_is_not_run_again_and_is_not_part_of_the_process(parts):
    body = Body()
    part = parts.thread("pump", body)

    end(part, body)

    assert body.runs == 1
    assert parts.standings() == []
    assert parts.health == "ok"


def test_a_thread_that_is_stopped_in_its_pause_ends_at_once(parts, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE", 600.0)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 600.0)
    body = Body(OSError("no"))
    part = Parts().thread("pump", body)
    until(lambda: part.is_down)

    end(part, body)

    assert body.runs == 1
    assert not any(each.name == "tidegate-pump" for each in threading.enumerate())


def test_the_pause_doubles_up_to_a_bound_and_begins_again_once_a_part_has_run_for_long(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    part = Parts().part("pump")

    def pauses(count):
        found = []
        for _ in range(count):
            found.append(part.failed("no"))
            part.begins()
        return found

    assert pauses(11) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    part.works()
    assert pauses(1) == [30.0]  # to work for a moment is not enough
    now[0] += 30.0
    assert pauses(2) == [0.1, 0.2]


# ---- how it is ----


def test_a_part_is_down_until_it_says_that_it_works(parts):
    part = parts.part("pump")
    part.failed(OSError(28, "No space left on device", "/store"))
    part.begins()

    assert not only(parts).up
    assert only(parts).why == "/store: no space left on device"
    part.works()
    assert (only(parts).up, only(parts).why) == (True, "")


def test_a_part_that_says_nothing_is_up_again_once_it_has_run_for_a_while(parts, monkeypatch):
    monkeypatch.setattr(module, "PROVEN", 0.0)
    part = parts.part("pump")

    part.failed("no")
    assert not only(parts).up
    part.begins()

    assert only(parts).up


def test_the_instant_is_that_of_the_first_failure_and_then_that_of_the_recovery(parts):
    part = parts.part("pump")
    part.failed("no")
    first = only(parts).since
    part.begins()
    part.failed("still no")

    assert only(parts).since == first
    part.begins()
    part.works()
    assert only(parts).since >= first


def test_health_is_down_for_a_part_that_serves_and_degraded_for_one_that_tidies(parts):
    pump, broom = parts.part("pump"), parts.part("broom", tidies=True)
    assert parts.health == "ok"
    broom.failed("no")
    assert parts.health == "degraded"
    pump.failed("no")
    assert parts.health == "down"
    broom.works()
    assert parts.health == "down"
    pump.works()
    assert parts.health == "ok"


# ---- the log ----


def bug(message):
    try:
        raise IndexError(message)  # noqa: TRY301 - it needs a traceback
    except IndexError as error:
        return error


def test_trouble_is_one_line_a_bug_has_its_traceback_and_neither_is_repeated(parts, caplog):
    part = parts.part("pump")
    for error in (StoreError("cannot read the store"), StoreError("cannot read the store")):
        part.failed(error)
    for _ in range(2):
        part.failed(bug("pop from an empty list"))

    said = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert [each.exc_info is not None for each in said] == [False, True]
    assert said[0].getMessage() == "pump has failed: cannot read the store"
    assert "IndexError: pop from an empty list" in said[1].getMessage()


def test_a_reason_names_the_place_of_a_bug_on_one_line():
    found = reason(bug("first\nsecond"))

    assert found.startswith("IndexError: first second (tests.unit.test_parts, line ")
