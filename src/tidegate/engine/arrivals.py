"""What arrives at the engine from other threads, and how the callers get their replies."""

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from tidegate.core.messages import AbortRequested, Event, Reply, Reuse
from tidegate.engine.futures import Future
from tidegate.engine.memory import Hot
from tidegate.ir.expr import Value
from tidegate.ports.executor import Raised, Report
from tidegate.ports.journal import Due, Key


class NewExecution(Struct, frozen=True, gc=False):
    """What an execution is launched with. `fresh`: the id was generated randomly just now and cannot be taken."""

    id: str
    workflow: int
    inputs: dict[str, Value]
    who: str = "local"
    via: str = "code"
    project: str = ""
    domain: str = ""
    fresh: bool = False
    reuse: Reuse | None = None
    """What it takes over from an execution that it repeats or recovers."""
    launched_from: str = ""
    credential: str = ""
    recovers: Key | None = None
    """The execution whose successor it is."""
    environment: str = ""
    """The record of what its code imports where it was launched: elsewhere its tasks are held. Empty if they are not."""
    version: str = ""
    """The version of its code, if that is another than the code of the execution it recovers."""
    approvals: str = ""
    """`kept` if it keeps approvals that were given under other code."""


class Placed(Struct, frozen=True, gc=False):
    """The result of a launch. `created` is False if its id existed already; then nothing has changed."""

    key: Key
    created: bool


class LaunchArrival(Struct, frozen=True, gc=False):
    """A launch is requested."""

    wanted: NewExecution
    future: Future[Placed]


class Told(Struct):
    """An event for an execution. `read` is the execution, if the caller had to read it from the store."""

    key: Key
    event: Event
    future: Future[Reply | None]
    read: Hot | None = None


class Reports(Struct, frozen=True):
    """The executor reports on attempts."""

    reports: Sequence[Report]


class Settle(Struct, frozen=True):
    """A caller waits until everything before this is decided; the result says whether nothing has changed since."""

    settled: Future[bool]


class Aside(Struct, frozen=True):
    """Something that the engine's thread does between two groups."""

    act: Callable[[], None]


class Stop(Struct, frozen=True):
    """The last thing that is decided."""


Arrival = LaunchArrival | Told | Reports | Settle | Aside | Stop


class Work(Struct):
    """What is decided in one transaction: requests, reports on attempts, due timers."""

    arrivals: list[Arrival] = []
    reports: list[Report] = []
    due: list[Due] = []
    settles: list[Settle] = []
    asides: list[Aside] = []
    urgent: bool = False

    def endings(self) -> "Work":
        """Take out of it what only ends something: aborts, and failed attempts. They are stored even on a full disk."""
        if self.urgent:
            return Work()
        aborts = [a for a in self.arrivals if _is_an_abort(a)]
        failed = [report for report in self.reports if isinstance(report.outcome, Raised)]
        self.arrivals = [a for a in self.arrivals if not _is_an_abort(a)]
        self.reports = [r for r in self.reports if not isinstance(r.outcome, Raised)]
        return Work(aborts, failed, urgent=True)

    def apart(self) -> "list[Work]":
        """Return each thing in it as a separate group."""
        asked = [Work([each]) for each in self.arrivals if isinstance(each, LaunchArrival | Told)]
        reported = [Work(reports=[each]) for each in self.reports]
        return asked + reported + [Work(due=[each]) for each in self.due]


def _is_an_abort(arrival: Arrival) -> bool:
    return isinstance(arrival, Told) and isinstance(arrival.event, AbortRequested)


def tell(future: Future[Any], reply: Any) -> None:
    """Give the caller the reply, or raise it there if it is an exception."""
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)


def turn_away(arrivals: "queue.SimpleQueue[Arrival]", error: Exception) -> None:
    """Reply to everybody who still waits for a decision."""
    with suppress(queue.Empty):
        while True:
            fail([arrivals.get_nowait()], error)


def fail(arrivals: Sequence[Arrival], error: Exception) -> None:
    """Raise this for everybody who waits for one of these."""
    for arrival in arrivals:
        match arrival:
            case LaunchArrival(future=future) | Told(future=future):
                tell(future, error)
            case Settle(settled):
                tell(settled, error)
            case Reports() | Aside() | Stop():
                pass
