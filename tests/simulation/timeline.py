"""
Virtual time: threads that are stepped by one loop, one at a time, and hosts that can be stopped, continued and killed.

A thread (`Strand`) runs until it waits; then whatever is due next runs. Nothing waits really, so an hour takes as long as what happens in it.
All instants are microseconds of a time that nobody in the simulation can read: each host has a clock of its own.
"""

import heapq
from collections.abc import Callable
from itertools import count
from queue import Empty
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

SECOND = 1_000_000
LATE = object()
"""What a wait returns that has taken too long."""
BUSY = 20_000
"""Most steps at one instant."""
_UNSET = object()


class Machine:
    """What strands and messages belong to: a host, or a server."""

    def __init__(self, name: str, rate: float = 1.0, offset: int = 0) -> None:
        self.name = name
        self.rate, self.offset = rate, offset
        self.paused = False
        self.dead = False
        self.frozen: list[Callable[[], object]] = []
        self.strands: list[Strand] = []


class Strand:
    """A thread. `park` is called by itself, `go` by the loop."""

    def __init__(self, timeline: "Timeline", machine: Machine, call: Callable[[], object]) -> None:
        self.machine = machine
        self.ended = Waiter(timeline)
        self._timeline = timeline
        self._call = call
        self._let = greenlet(self._run, parent=timeline.loop)

    def _run(self) -> None:
        try:
            self._call()
        except GreenletExit:
            pass
        finally:
            self.ended.done(None)

    def go(self) -> None:
        if self._let.dead:
            return
        before, self._timeline.current = self._timeline.current, self
        try:
            self._let.switch()
        finally:
            self._timeline.current = before

    def park(self) -> None:
        if self.machine.dead:
            raise GreenletExit
        self._timeline.loop.switch()
        if self.machine.dead:
            raise GreenletExit

    def kill(self) -> None:
        """End it where it stands, as the end of its process does: what it still does in leaving reaches nobody."""
        if self._let.dead:
            return
        self._timeline.current = self
        try:
            self._let.throw(GreenletExit())
        finally:
            self._timeline.current = None

    @property
    def is_alive(self) -> bool:
        return not self._let.dead


class Waiter:
    """Something that one strand waits for, and that happens once."""

    def __init__(self, timeline: "Timeline") -> None:
        self._timeline = timeline
        self._value: Any = _UNSET
        self._strand: Strand | None = None

    def wait(self, seconds: float | None = None) -> Any:
        """Return what it was done with, or `LATE`."""
        if self._value is _UNSET:
            strand = self._strand = self._timeline.here
            if seconds is not None:
                after = round(seconds / strand.machine.rate * SECOND)
                self._timeline.at(after, lambda: self.done(LATE), strand.machine)
            strand.park()
        return self._value

    def done(self, value: Any) -> None:
        if self._value is _UNSET:
            self._value = value
            if self._strand is not None:
                self._timeline.at(0, self._strand.go, self._strand.machine)


class Timeline:
    """The loop. Everything random comes from `rng`, so one integer makes a whole run."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = 0
        self.loop = getcurrent()
        self.current: Strand | None = None
        self.faults: list[str] = []
        self.steps = 0
        self._heap: list[tuple[int, int, Machine | None, Callable[[], object]]] = []
        self._count = count()

    @property
    def here(self) -> Strand:
        assert self.current is not None, "only a strand waits"
        return self.current

    def at(self, after: int, call: Callable[[], object], machine: Machine | None = None) -> None:
        """Call this after some microseconds; if the machine is stopped then, once it goes on, and never if it is dead."""
        heapq.heappush(self._heap, (self.now + after, next(self._count), machine, call))

    def spawn(self, machine: Machine, call: Callable[[], object]) -> Strand:
        strand = Strand(self, machine, call)
        machine.strands = [each for each in machine.strands if each.is_alive]
        machine.strands.append(strand)
        self.at(0, strand.go, machine)
        return strand

    def sleep(self, seconds: float) -> None:
        Waiter(self).wait(seconds)

    def run(self, until: int) -> None:
        """Let everything happen up to an instant, or up to the first fault."""
        heap, began = self._heap, self.steps
        while heap and heap[0][0] <= until:
            if heap[0][0] > self.now:
                began = self.steps
            elif self.steps - began > BUSY:
                self.faults.append("it never ends that something happens at one instant")
            self.now, _, machine, call = heapq.heappop(heap)
            self.steps += 1
            if machine is None or not (machine.dead or machine.paused):
                call()
            elif machine.paused and not machine.dead:
                machine.frozen.append(call)
            if self.faults:
                raise AssertionError(f"at {self.now / SECOND:.3f} s: {self.faults[0]}")
        self.now = max(self.now, until)

    def pause(self, machine: Machine) -> None:
        """Stop it as SIGSTOP does."""
        machine.paused = True

    def resume(self, machine: Machine) -> None:
        machine.paused = False
        frozen, machine.frozen = machine.frozen, []
        for call in frozen:
            self.at(0, call, machine)

    def kill(self, machine: Machine) -> None:
        """End it, from the loop."""
        assert self.current is None
        machine.dead = True
        machine.frozen.clear()
        for strand in machine.strands:
            strand.kill()

    def monotonic(self) -> float:
        """Return what the clock of the strand's host says, in seconds, which differs from those of others."""
        machine = None if self.current is None else self.current.machine
        if machine is None:
            return self.now / SECOND
        return (self.now * machine.rate + machine.offset) / SECOND


class Event:
    """An event of `threading`."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._set = False
        self._waiting: list[Waiter] = []

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.done(None)

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            waiter = Waiter(self._timeline)
            self._waiting.append(waiter)
            waiter.wait(timeout)
        return self._set


class Queue:
    """A `queue.SimpleQueue` that one strand empties."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._items: list[Any] = []
        self._waiting: Waiter | None = None

    def put(self, item: Any) -> None:
        self._items.append(item)
        if self._waiting is not None:
            self._waiting.done(None)

    def get(self, timeout: float | None = None) -> Any:
        if not self._items:
            self._waiting = Waiter(self._timeline)
            self._waiting.wait(timeout)
            self._waiting = None
        return self.get_nowait()

    def get_nowait(self) -> Any:
        if not self._items:
            raise Empty
        return self._items.pop(0)

    def qsize(self) -> int:
        return len(self._items)

    def empty(self) -> bool:
        return not self._items


class Thread:
    """A `threading.Thread` on a machine."""

    def __init__(self, timeline: Timeline, machine: Machine, target: Callable[[], object]) -> None:
        self._start = lambda: timeline.spawn(machine, target)
        self._strand: Strand | None = None

    def start(self) -> None:
        self._strand = self._start()

    def is_alive(self) -> bool:
        return self._strand is not None and self._strand.is_alive

    def join(self) -> None:
        assert self._strand is not None
        self._strand.ended.wait()
