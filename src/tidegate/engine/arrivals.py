"""What arrives at the engine from other threads, and how those who wait for it are told."""

import queue
from collections.abc import Sequence
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
    """What an execution is launched with. `fresh`: the id was made at random just now and cannot be taken."""

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
    """Where an execution is. `created` is False if its id existed already, and then nothing has changed."""

    key: Key
    created: bool


class LaunchArrival(Struct, frozen=True, gc=False):
    """Somebody wants an execution."""

    wanted: NewExecution
    future: Future[Placed]


class Told(Struct):
    """Somebody tells an execution something. `read` is the execution, if whoever tells it had to read it from the store."""

    key: Key
    event: Event
    future: Future[Reply | None]
    read: Hot | None = None


class Reports(Struct, frozen=True):
    """The executor tells what became of attempts."""

    reports: Sequence[Report]


class Settle(Struct, frozen=True):
    """Somebody waits until all before this is decided; told whether nothing has changed since."""

    settled: Future[bool]


class Stop(Struct, frozen=True):
    """The last thing that is decided."""


Arrival = LaunchArrival | Told | Reports | Settle | Stop


class Work(Struct):
    """What is decided in one transaction: what was asked for, what became of attempts, what is due."""

    arrivals: list[Arrival] = []
    reports: list[Report] = []
    due: list[Due] = []
    settles: list[Settle] = []
    urgent: bool = False

    def endings(self) -> "Work":
        """Take out of it what only ends something: aborts, and attempts that have failed. They are stored though the disk is full."""
        if self.urgent:
            return Work()
        aborts = [a for a in self.arrivals if _is_an_abort(a)]
        failed = [report for report in self.reports if isinstance(report.outcome, Raised)]
        self.arrivals = [a for a in self.arrivals if not _is_an_abort(a)]
        self.reports = [r for r in self.reports if not isinstance(r.outcome, Raised)]
        return Work(aborts, failed, urgent=True)

    def apart(self) -> "list[Work]":
        """Return each thing in it as work of its own."""
        asked = [Work([each]) for each in self.arrivals if isinstance(each, LaunchArrival | Told)]
        reported = [Work(reports=[each]) for each in self.reports]
        return asked + reported + [Work(due=[each]) for each in self.due]


def _is_an_abort(arrival: Arrival) -> bool:
    return isinstance(arrival, Told) and isinstance(arrival.event, AbortRequested)


def tell(future: Future[Any], reply: Any) -> None:
    """Give whoever waits the reply, or raise it there if it is an exception."""
    if isinstance(reply, Exception):
        future.set_exception(reply)
    else:
        future.set_result(reply)


def turn_away(arrivals: "queue.SimpleQueue[Arrival]", error: Exception) -> None:
    """Tell everybody who still waits to be decided."""
    with suppress(queue.Empty):
        while True:
            fail([arrivals.get_nowait()], error)


def fail(arrivals: Sequence[Arrival], error: Exception) -> None:
    """Raise this wherever somebody waits for one of these."""
    for arrival in arrivals:
        match arrival:
            case LaunchArrival(future=future) | Told(future=future):
                tell(future, error)
            case Settle(settled):
                tell(settled, error)
            case Reports() | Stop():
                pass
