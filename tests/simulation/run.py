"""One whole run of the machine from one integer, with every promise held after every event."""

import copy
import random
from collections import Counter
from typing import Any

from tidegate.core.messages import AnswerGiven, Event, Launched, TaskLost, TimerFired
from tidegate.ir.check import check as check_graph
from tidegate.ir.graph import ApproveNode, InputNode, Instant, TaskNode

from .machine import REAL, Machine
from .promises import Seen, Turn, check
from .world import MINUTE, START, GraphMaker, an_event, good


class Run:
    """One run: the state, its history, and what was seen on the way."""

    def __init__(self, seed: int, machine: Machine = REAL) -> None:
        self.m: Any = machine
        self.rng = random.Random(seed)
        graph = GraphMaker(self.rng, 2).make(self.rng.randint(0, 8))
        check_graph(graph)
        self.first_plan = self.plan = machine.plan.Plan.of(graph)
        self.state = machine.state.ExecutionState()
        self.seen = Seen()
        self.at = START
        self.lines: list[bytes] = []
        self.counts: Counter[str] = Counter()

    def go(self) -> "Run":
        """Launch, live through chaos, then bring it to its end."""
        rng = self.rng
        self.tell(Launched(self.at, {"x": rng.choice([7, None, True])}))
        for _ in range(rng.randint(1, 60)):
            self.at = Instant(
                max(START, self.at + rng.choice([0, 1, 1, 1, 1, 20, 120, -3]) * MINUTE)
            )
            if rng.random() < 0.1:  # the very instant of a timeout
                self.at = min((n.due for n in self.state.nodes.values() if n.due), default=self.at)
            self.tell(an_event(rng, self.m, self.plan, self.state, self.at))
            if rng.random() < 0.05:
                self.restart()
        self.finish()
        self.replay()
        self.counts[self.state.phase.name] += 1
        if self.state.phase.name in ("FAILED", "ABORTED") and rng.random() < 0.5:
            self.recover()
        return self

    def recover(self) -> None:
        """Launch what recovers this execution, and bring it to its end."""
        m, rng = self.m, self.rng
        reuse = m.step.reusable(self.plan, self.state, "e1")
        self.everything_is_taken_along(reuse)
        inputs = self.state.inputs
        self.plan, self.state, self.seen, self.lines = (
            self.first_plan,
            m.state.ExecutionState(),
            Seen(),
            [],
        )
        self.seen.reuse = reuse
        self.tell(Launched(self.at, inputs, reuse=reuse))
        for _ in range(rng.randint(0, 10)):
            self.tell(an_event(rng, m, self.plan, self.state, self.at))
        self.finish()
        self.replay()
        again = m.step.reusable(self.plan, self.state, "e2")
        self.everything_is_taken_along(again)
        for old, new in zip(
            (reuse.outputs, reuse.answers, reuse.graphs),
            (again.outputs, again.answers, again.graphs),
            strict=True,
        ):
            assert old == {node: new.get(node) for node in old}, (
                "what the first had is lost to the third"
            )
        self.counts["recovered"] += 1
        self.counts[f"recovered {self.state.phase.name}"] += 1

    def tell(self, event: Event) -> None:
        """Give the machine one event, and hold every promise."""
        m, state = self.m, self.state
        before, phase = dict(state.nodes), state.phase
        frozen = self.counters(state)
        again = m.step.step(self.plan, state, event)
        step = m.step.step(self.plan, state, event)
        assert (again.changes, again.commands, again.reply) == (
            step.changes,
            step.commands,
            step.reply,
        ), "not deterministic"
        assert (before, phase, frozen) == (state.nodes, state.phase, self.counters(state)), (
            "step changed the state"
        )
        if step.changes:
            self.lines.append(m.history.to_bytes(event, step.changes))
        self.plan = step.merge()
        self.count(event, before, step.reply)
        check(Turn(m, event, before, phase, self.plan, state, step.commands, step.reply), self.seen)

    def everything_is_taken_along(self, reuse: Any) -> None:
        """A recovery loses nothing that succeeded, and no answer that was accepted, but a no."""
        holders = self.m.plan.Kind.HOLDER
        for id_, now in self.state.nodes.items():
            planned = self.plan.nodes[id_]
            if id_ in self.plan.scopes and isinstance(planned.node, TaskNode):
                assert id_ in reuse.graphs, f"what {id_} unfolded into is lost"
            elif now.phase.name == "SUCCEEDED" and planned.kind is not holders:
                assert id_ in reuse.outputs or id_ in reuse.answers, f"{id_} is to be done again"
        for id_, value in self.seen.acked.items():
            if self.state.node(id_).phase.name != "FAILED":
                assert reuse.answers[id_].value == value, f"the answer to {id_} is lost"

    def restart(self) -> None:
        """The host dies; the next one has the history and nothing else."""
        m = self.m
        known = {
            (id_, now.attempt)
            for id_, now in self.state.nodes.items()
            if now.attempt
            and now.phase.name in ("QUEUED", "RUNNING")
            and id_ not in self.plan.scopes
        }
        self.replay()
        self.plan, self.state = m.history.replay(self.first_plan, self.lines)
        if self.state.phase.is_terminal:
            return
        lost = m.step.running(self.plan, self.state)
        again = [(run.node, run.attempt) for run in m.step.outstanding(self.plan, self.state)]
        assert sorted([*lost, *again]) == sorted(known), "an attempt is forgotten, or found twice"
        self.counts["restarted"] += 1
        for id_, attempt in lost:
            self.tell(TaskLost(self.at, id_, attempt))

    def finish(self) -> None:
        """Let everything come that still can; the execution must end."""
        for _ in range(5_000):
            if self.state.phase.is_terminal:
                return
            self.at = Instant(self.at + 2 * MINUTE)
            self.tell(self.next_good())
        raise AssertionError("the execution does not end")

    def next_good(self) -> Event:
        """Return an event that brings the execution on."""
        phase = self.m.state.NodePhase
        for id_, now in self.state.nodes.items():
            node = self.plan.nodes[id_].node
            if now.phase.is_terminal or id_ in self.plan.scopes:
                continue
            if isinstance(node, TaskNode) and now.attempt and now.phase != phase.WAITING:
                return good(self.rng, node, id_, now.attempt, self.at)
            if now.phase == phase.WAITING:
                if isinstance(node, InputNode | ApproveNode):
                    return AnswerGiven(self.at, id_, True, "ann", "test")
                self.at = Instant(max(self.at, now.due))
                return TimerFired(self.at, id_)
        raise AssertionError("nothing could bring it on")

    def replay(self) -> None:
        """The history, folded, is the state."""
        plan, state = self.m.history.replay(self.first_plan, self.lines)
        assert self.counters(state) == self.counters(self.state), (
            "the fold of the history is another state"
        )
        assert (state.nodes, state.phase, state.keys, state.inputs) == (
            self.state.nodes,
            self.state.phase,
            self.state.keys,
            self.state.inputs,
        ), "the fold of the history is another state"
        assert plan.nodes == self.plan.nodes

    @staticmethod
    def counters(state: Any) -> Any:
        return copy.copy((dict(state.pending), dict(state.open), state.live, state.gates))

    def count(self, event: Event, before: dict[Any, Any], reply: Any) -> None:
        """Note what happened, so that the tests can tell whether the runs are rich enough."""
        self.counts[type(event).__name__] += 1
        if reply is not None:
            early = "early " if getattr(reply, "early", False) else ""
            self.counts[early + getattr(reply, "code", "accepted")] += 1
        for id_, now in self.state.nodes.items():
            if before.get(id_) != now:
                self.counts[f"{self.plan.nodes[id_].node.__class__.__name__} {now.phase.name}"] += 1
                if now.answer is not None and now.answer.by_timeout:
                    self.counts["answered by timeout"] += 1
                if (
                    before.get(id_) is not None
                    and before[id_].phase.name == "WAITING"
                    and now.phase.name == "SKIPPED"
                ):
                    self.counts["withdrawn while open"] += 1
