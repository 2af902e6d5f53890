"""
One store, and the engines that own it one after the other, from one integer: the real engine and the real store, a clock and an executor of ours.

Hosts die before or after a commit, or stop in good order; the disk is full, or cannot be read, for a while; the clock jumps.
Anyone who asked knows only what it was told.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from tidegate.core.messages import (
    TASK_RAISED,
    AbortRequested,
    Accepted,
    AnswerGiven,
    Failure,
    Reply,
)
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.folds import Snapshot, snapshot
from tidegate.engine.futures import Future
from tidegate.engine.programs import Programs
from tidegate.errors import StoreError
from tidegate.ir.check import check as check_graph
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import SECOND, InputNode, Instant, SleepNode
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.executor import Began, Job, Outcome, Raised, Report, Returned, Unfolded
from tidegate.ports.journal import Batch, Key
from tidegate.service.checks import check_store
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.journal import SqliteJournal

from .world import MINUTE, START, GraphMaker

PATIENCE = 20.0
Attempt = tuple[Key, NodeId, int]


class Killed(BaseException):
    """The process has ended here."""


READS = ("next_due", "due", "history", "get", "recorded", "active")


class Disk(SqliteStore):
    """A store in memory, at whose commits and reads things happen. `broken` says how many times the engine cannot make which read."""

    fate = ""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.broken: Counter[str] = Counter()
        self.journal = FatefulJournal(self)


class FatefulJournal(SqliteJournal):
    """The journal of such a store."""

    def __init__(self, disk: Disk) -> None:
        super().__init__(disk.journal._connections, disk.journal._search)
        self._disk = disk
        for name in READS:
            setattr(self, name, self._breakable(name, getattr(self, name)))

    def append(self, batch: Batch) -> frozenset[Key]:
        if self._disk.fate == "full":
            raise StoreError("no room")
        if self._disk.fate == "killed before":
            raise Killed
        moved = super().append(batch)
        if self._disk.fate == "killed after":
            raise Killed
        return moved

    def _breakable(self, name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **options: Any) -> Any:
            mine = threading.current_thread() is threading.main_thread()
            if self._disk.broken[name] and not mine:
                self._disk.broken[name] -= 1
                raise StoreError(f"cannot read ({name})")
            return read(*args, **options)

        return reading


class Crew:
    """An executor whose attempts end when the run says so. It holds each job against what is stored."""

    def __init__(self, stored: Callable[[Key], Snapshot], given: set[Attempt]) -> None:
        self.live: dict[Attempt, Job] = {}
        self.begun: set[Attempt] = set()
        self.faults: list[str] = []
        self.deliver: Callable[[Sequence[Report]], None] = lambda _: None
        self._stored = stored
        self._given = given

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        self.deliver = deliver

    def submit(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            place = (job.key, job.node, job.attempt)
            if place in self._given:
                self.faults.append(f"{place} was handed out twice")
            if self._stored(job.key).state.node(job.node).attempt != job.attempt:
                self.faults.append(f"{place} was handed out, and is not stored")
            self._given.add(place)
            self.live[place] = job

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        self.live.pop((key, node, attempt), None)

    def drain(self) -> "Future[None]":
        """Start nothing more."""
        drained: Future[None] = Future()
        drained.set_result(None)
        return drained

    def close(self) -> None:
        pass


class Clock:
    """Stands where it was put."""

    instant = START

    def now(self) -> Instant:
        return self.instant


class HostRun:
    """One run: a store, its present owner, and all that anybody was ever told."""

    def __init__(self, seed: int, engine: Any) -> None:
        self.rng = random.Random(seed)
        self.disk = Disk.memory()
        self.clock = Clock()
        self.programs = Programs(self.disk.catalog)
        self.accepted: dict[tuple[Key, NodeId], Any] = {}
        self.replies: dict[tuple[Key, str, NodeId], Reply] = {}
        self.faults: list[str] = []
        self.keys: list[Key] = []
        self.histories: dict[Key, list[bytes]] = {}
        self.given: set[Attempt] = set()
        self._engine_class = engine
        self.own()

    def own(self) -> None:
        """Let another engine own the store."""
        self.crew = Crew(self.stored, self.given)
        self.engine = self._engine_class(self.disk, self.crew, self.clock)
        self.engine.start()
        self.engine.settle()

    def go(self) -> None:
        """Launch, live through chaos, and bring everything to its end."""
        try:
            for number in range(3):
                self.launch(number)
            for _ in range(self.rng.randint(5, 40)):
                self.something_happens()
                self.look()
            self.finish()
        finally:
            self.disk.fate = ""
            self.disk.broken.clear()
            self.engine.stop()
            self.disk.close()

    def launch(self, number: int) -> None:
        """Launch a workflow of its own."""
        graph = GraphMaker(self.rng, 1).make(self.rng.randint(1, 6))
        check_graph(graph)
        row = WorkflowRow(0, f"w{number}", "1", msgspec.msgpack.encode(graph), "", "", START)
        wanted = NewExecution(f"e{number}", self.disk.catalog.put_workflow(row).id, {"x": 7})
        first = self.engine.launch(wanted).result(PATIENCE)
        again = self.engine.launch(wanted).result(PATIENCE)
        assert (again.key, again.created) == (first.key, False), "one id, two executions"
        self.keys.append(first.key)
        self.engine.settle()

    def something_happens(self) -> None:
        """One thing of all that may."""
        rng = self.rng
        often = ["end"] * 4 + ["answer"] * 4 + ["time"] * 2
        match rng.choice([*often, "abort", "die", "full", "unreadable"]):
            case "end":
                self.end_attempts(rng.randint(1, 3))
            case "answer":
                for _ in range(rng.randint(1, 3)):
                    self.answer(*self.any_gate())
            case "time":
                jump = rng.choice([1, 5, 30, 61, 200, -2, -90]) * MINUTE
                self.clock.instant = Instant(max(START, self.clock.instant + jump))
            case "abort" if rng.random() < 0.2:
                self.engine.submit(rng.choice(self.keys), AbortRequested(Instant(0), "enough"))
            case "die":
                self.die(rng.choice(["killed before", "killed after", "stopped", "stopped"]))
            case "unreadable":
                self.cannot_read()
            case _:
                self.disk.fate = "full"
                self.end_attempts(2)
                self.answer(*self.any_gate())
                with suppress(StoreError):
                    self.engine.settle()
                self.disk.fate = ""
        self.engine.settle()

    def cannot_read(self) -> None:
        """Let reads fail while things happen. A second after the last fault all is as it should be."""
        for query in self.rng.sample(READS, self.rng.randint(1, 2)):
            self.disk.broken[query] = self.rng.randint(1, 2)
        self.clock.instant = Instant(self.clock.instant + self.rng.choice([0, 5, 61]) * MINUTE)
        self.end_attempts(1)
        self.answer(*self.any_gate())
        with suppress(StoreError):
            self.engine.settle()
        self.disk.broken.clear()
        self.clock.instant = Instant(self.clock.instant + SECOND)
        with suppress(StoreError):
            self.engine.settle()

    def die(self, how: str) -> None:
        """End the owner, with something under way, and let another come."""
        if how == "stopped":
            before = self.lost()
            self.engine.stop()
            self.given_back(before)
        else:
            self.disk.fate = how
            self.end_attempts(1)
            self.answer(*self.any_gate())
            with suppress(StoreError):
                self.engine.settle()
            self.disk.fate = ""
            self.engine.stop()
        self.collect(self.crew)
        self.own()

    def lost(self) -> dict[tuple[Key, NodeId], int]:
        """Return how many times each task was lost."""
        return {
            (key, node): now.lost
            for key in self.keys
            for node, now in self.stored(key).state.nodes.items()
        }

    def given_back(self, before: dict[tuple[Key, NodeId], int]) -> None:
        """What an owner that stops in good order leaves runs nowhere, and is not lost."""
        assert self.lost() == before, "an orderly stop counts as a loss"
        for key in self.keys:
            now = self.stored(key)
            for node, state in now.state.nodes.items():
                runs = state.attempt and state.phase.name == "RUNNING"
                assert not runs or node in now.plan.scopes, f"{node} is left running"

    def any_gate(self) -> tuple[Key, NodeId]:
        """Return a gate, mostly one that is open."""
        key = self.rng.choice(self.keys)
        now = self.stored(key)
        signals = list(now.plan.gates.values())
        live = [node for node in signals if now.state.node(node).phase.name == "WAITING"]
        return key, self.rng.choice(
            (live if self.rng.random() < 0.7 else signals) or [NodeId("n0")]
        )

    def answer(self, key: Key, node: NodeId, value: Any = None) -> None:
        """Answer, and look at the store at the very moment of the reply."""
        value = self.rng.random() < 0.8 if value is None else value
        name = self.rng.choice(["", f"k{self.rng.randint(0, 3)}"])
        future = self.engine.submit(key, AnswerGiven(Instant(0), node, value, key=name))
        future.add_done_callback(lambda done: self.hear(done, (key, node, value, name)))

    def hear(self, done: Future[Reply | None], asked: tuple[Key, NodeId, Any, str]) -> None:
        """Note a reply; of one that says yes, the answer must be stored by now."""
        key, node, value, name = asked
        if done.exception() is not None:
            return
        reply = done.result()
        assert reply is not None
        place = (key, name, node)
        fresh = place not in self.replies
        keys = self.stored(key).state.keys
        binds = isinstance(reply, Accepted) and ("local", name) in keys
        if binds and self.replies.setdefault(place, reply) != reply:
            self.faults.append(f"the key {name} got another reply")
        if isinstance(reply, Accepted) and fresh:
            if self.accepted.setdefault((key, node), value) != value:
                self.faults.append(f"two answers to {node} were accepted")
            if not self.is_stored(key, node, value):
                self.faults.append(f"{node} was acknowledged, and is not stored")

    def is_stored(self, key: Key, node: NodeId, value: Any) -> bool:
        """Whether an answer is there, in the gate or in what is remembered of it."""
        state = self.stored(key).state
        if node in state.past:
            return isinstance(state.past[node].reply(value, "local"), Accepted)
        answer = state.node(node).answer
        return answer is not None and answer.value == value

    def end_attempts(self, count: int) -> None:
        """Let some attempts end, in one delivery."""
        places = self.rng.sample(list(self.crew.live), min(count, len(self.crew.live)))
        self.crew.deliver([Report(*place, self.outcome(place)) for place in places])

    def outcome(self, place: Attempt) -> Outcome:
        """Return what becomes of an attempt now."""
        roll = self.rng.random()
        if roll < 0.2 and place not in self.crew.begun:
            self.crew.begun.add(place)
            return Began()
        job = self.crew.live.pop(place)
        if roll < 0.35:
            return Raised(Failure(TASK_RAISED, "no"))
        return self.good(job)

    def good(self, job: Job, loops: float = 0.5) -> Outcome:
        """Return a success; of a dynamic task, now and then a graph that calls it again."""
        if job.dynamic and self.rng.random() < loops:
            return Unfolded(GraphMaker(self.rng, 0).call(self.rng.randint(0, 2), job.target))
        if job.dynamic:
            return Unfolded(GraphMaker(self.rng, 0).make(self.rng.randint(0, 3), outputs=1))
        return Returned({"o0": f"{job.node}#{job.attempt}"})

    def stored(self, key: Key) -> Snapshot:
        """Return an execution as it is stored."""
        row = self.disk.journal.get(key)
        assert row is not None, f"execution {key} is gone"
        return snapshot(self.disk.journal, self.programs, row)

    def collect(self, crew: Crew) -> None:
        self.faults += crew.faults
        assert not self.faults, self.faults

    def look(self) -> None:
        """What must hold whenever nothing is under way."""
        self.collect(self.crew)
        problems = check_store(self.disk).problems
        assert not problems, problems
        due = self.disk.journal.next_due()
        assert due is None or due > self.clock.now(), "a timer that is due has not fired"
        for key in self.keys:
            now, bodies = self.stored(key), self.disk.journal.history(key)
            old = self.histories.get(key, [])
            assert bodies[: len(old)] == old, "what was written has changed"
            self.histories[key] = bodies
            for node, state in now.state.nodes.items():
                if state.attempt and state.phase.name in ("QUEUED", "RUNNING"):
                    held = (key, node, state.attempt) in self.crew.live or node in now.plan.scopes
                    assert held, f"nobody runs {node}#{state.attempt}"
        for key, node, attempt in self.crew.live:
            state = self.stored(key).state.node(node)
            wanted = state.attempt == attempt and state.phase.name in ("QUEUED", "RUNNING")
            assert wanted, f"{node}#{attempt} runs, though it is no longer wanted"
        for (key, node), value in self.accepted.items():
            assert self.is_stored(key, node, value), f"the answer to {node} is lost"

    def finish(self) -> None:
        """Let everything come that still can; everything must end."""
        for _ in range(500):
            left = [
                now for key in self.keys if not (now := self.stored(key)).state.phase.is_terminal
            ]
            if not left:
                return
            now = left[0]
            waits = [
                node for node, state in now.state.nodes.items() if state.phase.name == "WAITING"
            ]
            if self.crew.live:
                place, job = next(iter(self.crew.live.items()))
                del self.crew.live[place]
                self.crew.deliver([Report(*place, self.good(job, loops=0.2))])
            elif waits and isinstance(now.plan.nodes[waits[0]].node, SleepNode):
                self.clock.instant = Instant(self.clock.instant + 5 * MINUTE)
            elif waits and isinstance(now.plan.nodes[waits[0]].node, InputNode):
                self.answer(now.row.key, waits[0], value=True)
            elif waits:
                self.answer(now.row.key, waits[0], value=True)
                self.clock.instant = Instant(self.clock.instant + MINUTE)
            self.engine.settle()
            self.look()
        raise AssertionError("an execution does not end")
