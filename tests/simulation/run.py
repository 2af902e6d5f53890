"""One whole run of the machine from one integer, with every promise held after every event."""

import copy
import random
from collections import Counter
from typing import Any

from msgspec.structs import replace

from tidegate.core import history
from tidegate.core.inventory import Inventory
from tidegate.core.messages import (
    AnswerGiven,
    ClockSetBack,
    Event,
    Former,
    GivenBack,
    Launched,
    RecoveryRequested,
    Reuse,
    TakenUp,
    TimerFired,
)
from tidegate.core.plan import Kind, Plan
from tidegate.core.recovery import reusable, without_approvals
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.core.step import step
from tidegate.ir.check import check as check_graph
from tidegate.ir.graph import ApproveNode, InputNode, Instant, Micros, TaskNode

from .promises import Seen, Turn, alike, check
from .world import MINUTE, START, GraphMaker, an_event, good


class Run:
    """One run: the state, its history, and what was seen on the way."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.known = random.Random(~seed)
        """Decides what the next host knows."""
        graph = GraphMaker(self.rng, 2).make(self.rng.randint(0, 8))
        check_graph(graph)
        self.first_plan = self.plan = Plan.of(graph)
        self.state = ExecutionState()
        self.seen = Seen()
        self.at = START
        self.lines: list[bytes] = []
        self.counts: Counter[str] = Counter()

    def go(self) -> "Run":
        """Launch, live through chaos, then bring it to its end."""
        rng = self.rng
        self.tell(Launched(self.at, {"x": rng.choice([7, None, True])}))
        for _ in range(rng.randint(1, 60)):
            was = self.at
            self.at = Instant(
                max(START, self.at + rng.choice([0, 1, 1, 1, 1, 20, 120, -3]) * MINUTE)
            )
            if rng.random() < 0.1:  # the very instant of a timeout
                self.at = min((n.due for n in self.state.nodes.values() if n.due), default=self.at)
            if self.at < was:
                self.set_clock_back(Micros(was - self.at))
            self.tell(an_event(rng, self.plan, self.state, self.at))
            if rng.random() < 0.05:
                self.restart()
        self.finish()
        self.replay()
        self.counts[self.state.phase.name] += 1
        self.names_one_successor()
        if self.state.phase.name in ("FAILED", "ABORTED") and rng.random() < 0.5:
            self.recover()
        return self

    def set_clock_back(self, by: Micros) -> None:
        """Say so: a pause before a retry ends earlier, nothing else is moved, and nothing is submitted."""
        before = dict(self.state.nodes)
        self.tell(ClockSetBack(self.at, by))
        for id_, old in before.items():
            now = self.state.nodes[id_]
            if old.phase == NodePhase.WAITING and old.attempt:
                assert now == replace(old, due=now.due), f"{id_} is moved"
                assert now.due <= old.due - by, f"{id_} waits for the clock"
            else:
                assert now == old, f"{id_} notices the clock"

    def recover(self) -> None:
        """Launch what recovers this execution, and bring it to its end."""
        rng = self.rng
        reuse = reusable(self.plan, self.state, "e1")
        self.everything_is_taken_along(reuse)
        other = self.other_code_that_is_the_same_keeps_the_same(reuse)
        is_other = self.known.random() < 0.5
        inputs = self.state.inputs
        self.plan, self.state, self.seen, self.lines = (
            self.first_plan,
            ExecutionState(),
            Seen(),
            [],
        )
        self.seen.reuse = reuse
        self.tell(Launched(self.at, inputs, reuse=other if is_other else reuse))
        for _ in range(rng.randint(0, 10)):
            self.tell(an_event(rng, self.plan, self.state, self.at))
        self.finish()
        self.replay()
        self.counts["recovered"] += 1
        self.counts["recovered with other code"] += is_other
        self.counts["recovered in a later round"] += bool(reuse.rounds)
        self.counts[f"recovered {self.state.phase.name}"] += 1
        again = reusable(self.plan, self.state, "e2")
        self.everything_is_taken_along(again)
        if is_other:
            self.other_code_that_is_the_same_keeps_the_same(again)
            return
        for old, new in (
            (reuse.outputs, again.outputs),
            (reuse.answers, again.answers),
            (reuse.graphs, again.graphs),
        ):
            for id_ in old.keys() - self.seen.gone:
                moved_on = self.plan.rounds.get(id_) != reuse.rounds.get(id_)
                dropped = old is reuse.answers and id_ not in new and self.is_dropped(id_)
                assert moved_on or dropped or new[id_] == old[id_], (
                    "what the first had is lost to the third"
                )

    def tell(self, event: Event) -> None:
        """Give the machine one event, and hold every promise."""
        state = self.state
        before, phase = dict(state.nodes), state.phase
        frozen = self.counters(state)
        again = step(self.plan, state, event)
        decided = step(self.plan, state, event)
        assert (again.changes, again.commands, again.reply) == (
            decided.changes,
            decided.commands,
            decided.reply,
        ), "not deterministic"
        assert (before, phase, frozen) == (state.nodes, state.phase, self.counters(state)), (
            "step changed the state"
        )
        if decided.changes:
            self.lines.append(history.to_bytes(event, decided.changes))
        self.plan = decided.merge()
        self.count(event, before, decided.reply)
        turn = Turn(
            event,
            before,
            phase,
            self.plan,
            state,
            decided.changes,
            decided.commands,
            decided.reply,
        )
        check(turn, self.seen)

    def everything_is_taken_along(self, reuse: Any) -> None:
        """A recovery loses nothing that succeeded, and no answer that was accepted, but a no."""
        holders = Kind.HOLDER
        for id_, now in self.state.nodes.items():
            planned = self.plan.nodes[id_]
            if id_ in self.plan.scopes and isinstance(planned.node, TaskNode):
                assert id_ in reuse.graphs, f"what {id_} unfolded into is lost"
            elif self.is_asked_again(id_):
                assert id_ not in reuse.answers, f"the approval {id_} outlives an abort"
            elif now.phase.name == "SUCCEEDED" and planned.kind is not holders:
                assert id_ in reuse.outputs or id_ in reuse.answers, f"{id_} is to be done again"
        for id_, value in self.seen.acked.items():
            over = id_ in self.seen.gone or self.state.node(id_).phase.name == "FAILED"
            if not over and not self.is_asked_again(id_):
                assert alike(reuse.answers[id_].value, value), f"the answer to {id_} is lost"
        assert not self.seen.gone & (reuse.outputs.keys() | reuse.answers.keys()), "a round is back"
        assert reuse.rounds.items() >= self.plan.rounds.items(), "a loop begins again"

    def other_code_that_is_the_same_keeps_the_same(self, reuse: Any) -> Reuse:
        """What is matched by names and values is what is taken over by ids, with the same keys."""
        found = Inventory()
        found.take_rounds(reuse.origin, self.first_plan, map(history.from_bytes, self.lines))
        nodes = found.take(reuse.origin, self.plan, self.state)
        former = Former(nodes, {each.target: [each.target] for each in nodes if each.target})
        if self.state.phase.name == "ABORTED":
            former = without_approvals(former, "abort")
        told = []
        other = Reuse(reuse.origin, {}, {}, {}, former=former)
        for each in (reuse, other):
            launched = Launched(self.at, self.state.inputs, reuse=each)
            decided = step(self.first_plan, ExecutionState(), launched)
            states = {id_: replace(now, origin="") for id_, now in decided.nodes.items()}
            told.append((decided.phase, states, decided.commands))
        assert told[0] == told[1], "other code that is the same keeps something else"
        return other

    def is_dropped(self, id_: Any) -> bool:
        """Whether an answer may be gone: that of an approval, after an abort; of one that was not reached, only its value tells."""
        if self.state.phase.name != "ABORTED":
            return False
        return self.is_asked_again(id_) if id_ in self.plan.nodes else True

    def is_asked_again(self, id_: Any) -> bool:
        """Whether a gate is an approval of an execution that was aborted."""
        aborted = self.state.phase.name == "ABORTED"
        return aborted and isinstance(self.plan.nodes[id_].node, ApproveNode)

    def names_one_successor(self) -> None:
        """An execution goes on in one other, if it has failed or was aborted; who asks for another is told which."""
        recoverable = self.state.phase.name in ("FAILED", "ABORTED")
        for number in (1, 2):
            self.tell(RecoveryRequested(self.at, f"e{number}"))
            assert self.state.successor == ("e1" if recoverable else "")
        self.replay()

    def restart(self) -> None:
        """The host dies, or stops in good order; the next one has the history and nothing else."""
        if self.rng.random() < 0.5:
            self.tell(GivenBack(self.at))
            self.counts["stopped"] += 1
        self.replay()
        self.plan, self.state = history.replay(self.first_plan, self.lines)
        lines = len(self.lines)
        unbegun = {
            id_: now.attempt + self.known.choice((0, 0, 1))
            for id_, now in self.state.nodes.items()
            if now.attempt and now.phase.name in ("QUEUED", "RUNNING") and self.known.random() < 0.5
        }
        self.tell(TakenUp(self.at, unbegun))
        assert len(self.lines) <= lines + 1, "more than one line for a restart"
        self.counts["restarted"] += 1

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
        phase = NodePhase
        for id_, now in self.state.nodes.items():
            node = self.plan.nodes[id_].node
            if now.phase.is_terminal or id_ in self.plan.scopes:
                continue
            if isinstance(node, TaskNode) and now.attempt and now.phase != phase.WAITING:
                return good(self.rng, node, id_, now.attempt, self.at, loops=0.2)
            if now.phase == phase.WAITING:
                if isinstance(node, InputNode | ApproveNode):
                    return AnswerGiven(self.at, id_, True, "ann", "test")
                assert now.due is not None
                self.at = Instant(max(self.at, now.due))
                return TimerFired(self.at, id_)
        raise AssertionError("nothing could bring it on")

    def replay(self) -> None:
        """The history, folded, is the state."""
        plan, state = history.replay(self.first_plan, self.lines)
        assert self.counters(state) == self.counters(self.state), (
            "the fold of the history is another state"
        )
        assert (state.nodes, state.phase, state.keys, state.inputs, state.successor) == (
            self.state.nodes,
            self.state.phase,
            self.state.keys,
            self.state.inputs,
            self.state.successor,
        ), "the fold of the history is another state"
        assert plan.nodes == self.plan.nodes

    @staticmethod
    def counters(state: Any) -> Any:
        return copy.copy((dict(state.pending), dict(state.open), state.live, state.gates))

    def count(self, event: Event, before: dict[Any, Any], reply: Any) -> None:
        """Note what happened, so that the tests can tell whether the runs are rich enough."""
        self.counts[type(event).__name__] += 1
        if before.keys() - self.state.nodes.keys():
            self.counts["next round"] += 1
            self.counts["next round after an answer"] += bool(self.state.past)
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
