"""Messages: what history leaves out of an event, and that no two kinds of event are read as each other."""

from typing import get_args

import msgspec
import pytest

from tidegate.core import messages
from tidegate.core.messages import (
    AbortRequested,
    AnswerGiven,
    ClockSetBack,
    EnvironmentDiffers,
    Event,
    Failure,
    GivenBack,
    Launched,
    RecoveryRequested,
    Reuse,
    TakenUp,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TaskUnfolded,
    TimerFired,
    slim,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Instant, Micros

AT, N = Instant(7), NodeId("n0")
LARGE = "x" * 10_000
EVENTS = [
    Launched(AT, {"x": 1}, "ann", "web", Reuse("e1", {}, {}, {}), "/home/ann", "c1"),
    TaskStarted(AT, N, 1),
    TaskSucceeded(AT, N, 1, {"o0": LARGE}, Micros(3)),
    TaskUnfolded(AT, N, 1, Graph(name="g", doc=LARGE)),
    TaskFailed(AT, N, 1, Failure("TaskRaised", LARGE, LARGE), Micros(3)),
    TaskLost(AT, N, 1),
    TakenUp(AT),
    GivenBack(AT),
    EnvironmentDiffers(AT, N, "shoplib 1.0 is now 2.0"),
    TimerFired(AT, N),
    ClockSetBack(AT, Micros(3)),
    AnswerGiven(AT, N, LARGE, "ann", "web", "why", "key"),
    AbortRequested(AT, "enough", "ann", "web"),
    RecoveryRequested(AT, "e2", "ann", "web", "token:1"),
]


def test_all_kinds_of_events_are_here() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_what_it_was(event: Event) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(event), type=Event) == event


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_history_leaves_out_what_the_changes_hold_and_keeps_who_did_what_when(event: Event) -> None:
    kept = slim(event)
    assert LARGE not in msgspec.json.encode(kept).decode()
    for name in ("at", "node", "attempt", "who", "via", "comment", "key", "took", "reason"):
        assert getattr(kept, name, None) == getattr(event, name, None)


def test_an_event_keeps_its_number_forever() -> None:
    """History stores it: none may be given away again."""
    tags = {each.__struct_config__.tag: each.__name__ for each in get_args(Event)}
    assert tags == {
        1: "Launched",
        2: "TaskStarted",
        3: "TaskSucceeded",
        4: "TaskUnfolded",
        5: "TaskFailed",
        6: "TaskLost",
        7: "TimerFired",
        8: "AnswerGiven",
        9: "AbortRequested",
        10: "TakenUp",
        11: "GivenBack",
        12: "ClockSetBack",
        13: "EnvironmentDiffers",
        14: "RecoveryRequested",
    }
    assert messages.TaskExpanded is TaskUnfolded
