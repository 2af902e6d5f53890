"""What must hold of hosts that share a store: at each commit, at each beginning of an attempt, at each reply, each second, and at the end."""

from collections import Counter, defaultdict
from typing import Any

from tidegate.core.history import replay
from tidegate.core.messages import Accepted, AnswerGiven, Denied
from tidegate.core.plan import Plan
from tidegate.core.shards import SHARDS
from tidegate.engine.arrivals import Reports
from tidegate.errors import AlreadyAnswered, CommitUnknown, NotHere
from tidegate.ir.graph import TaskNode
from tidegate.ports.changes import ChangeRow
from tidegate.ports.executor import Attempt, Job
from tidegate.wire import Launch

from .crew import Crew
from .tables import START, Transaction
from .timeline import LATE, SECOND

NOTICED = 3 * SECOND
"""Within which a reader at a host that is well knows of a commit."""

GIVEN_UP = 6 * SECOND
"""Within which a host that runs ends the attempts of shards that it has lost."""

SOUGHT = 19 * SECOND
"""For how long a service looks for the owner of a shard before it gives up."""

REPLIES = 25 * SECOND
"""Within which a service that is well says something."""

CALM = 30 * SECOND
"""After which all that went wrong is over for those who ask."""


class Promises:
    """Looks at the database itself."""

    def __init__(self, run: Any) -> None:
        self.run = run
        self.tables = run.server.tables
        self.tables.on_commit = self.commits
        self.graphs: dict[int, Any] = {}
        self.begun: set[Attempt] = set()
        self.accepted: dict[tuple[int, Any], Any] = {}
        self.counts: Counter[str] = Counter()
        self.asked: Counter[int] = Counter()
        """How many times a launch of a workflow without an id was asked for."""
        self._told: dict[str, int] = {}
        self._folds: dict[int, tuple[int, Any, Any]] = {}
        self._epochs: dict[tuple[int, int], str] = {}
        self._missed: Counter[Attempt] = Counter()
        self._lasting: dict[str, set[Attempt]] = defaultdict(set)
        self._changed: dict[int, int] = {}
        self._ends: list[tuple[int, list[int]]] = []

    def fail(self, why: str) -> None:
        self.run.timeline.faults.append(why)

    def state(self, key: int) -> tuple[Plan, Any]:
        """Return an execution as it is stored."""
        bodies = self.tables.history.get(key, [])
        known = self._folds.get(key)
        if known is None or known[0] != len(bodies):
            plan = Plan.of(self.graphs[self.tables.executions[key]["workflow"]])
            known = self._folds[key] = (len(bodies), *replay(plan, bodies))
        return known[1], known[2]

    # -- at each commit --

    def commits(self, of: Transaction) -> None:
        """One writer per epoch; no gap in a history, nor in a shard; time does not go back."""
        self.counts["commits"] += 1
        self.counts["handed over"] += of.hands_over
        seqs: dict[int, int] = {}
        places: dict[int, int] = {}
        for key, seq, _, shard, position, at in of.lines:
            if seq != seqs.setdefault(key, self.tables.last_seq(key)) + 1:
                self.fail(f"line {seq} of execution {key} follows line {seqs[key]}")
            seqs[key] = seq
            self._changed[key] = self.run.timeline.now
            if position != places.setdefault(shard, self.tables.last_position(shard)) + 1:
                self.fail(f"line {position} of shard {shard} follows line {places[shard]}")
            places[shard] = position
            if self.tables.owners[shard] != of.host:
                self.fail(f"{of.host} writes in shard {shard} of {self.tables.owners[shard]}")
            lines = self.tables.places[shard]
            if lines and lines[-1][4] > at:
                self.fail(f"shard {shard} goes back in time")

    # -- attempts --

    def begins(self, crew: Crew, job: Job) -> None:
        """An attempt begins once, when it is stored, and while no other of its node runs at a host that is well."""
        attempt = Attempt(job.key, job.node, job.attempt)
        self.counts["attempts"] += 1
        if attempt in self.begun:
            self.fail(f"{attempt} begins twice")
        self.begun.add(attempt)
        _, state = self.state(job.key)
        if state.node(job.node).attempt < job.attempt:
            self.fail(f"{attempt} begins, and is not stored")
        for replica in self.run.replicas:
            host = replica.host
            if replica.crew is crew or host.dead or host.paused or replica.is_fresh:
                continue
            for key, node, number in replica.crew.live:
                if (key, node) == (job.key, job.node):
                    self.fail(
                        f"{attempt} begins at {crew.machine.name} while {number} runs at {host.name}"
                    )

    # -- replies --

    def launched(self, id_: str, key: int) -> None:
        if self.tables.ids.get(id_) != key:
            self.fail(f"the launch of {id_} was acknowledged, and is not stored")
        self._told[id_] = key

    def told_at_door(self, replica: Any, request: Any, said: Any, took: int) -> None:
        """A service looks for the owner of a shard for as long as it says; while all hosts are well, it finds one; if it says that nothing is stored, so it is."""
        door, now = replica.door, self.run.timeline.now
        if isinstance(said, NotHere):
            is_ending = door is None or door.host.dead or door.service.gauges.is_stopping
            if took < SOUGHT and not is_ending:
                self.fail(f"{replica.host.name} has looked for an owner for {took / SECOND} s")
            if isinstance(request, Launch) and self.is_first(request):
                self.fail("a launch is stored, and its sender is told that it is not")
        if isinstance(said, AlreadyAnswered) and self.is_from(request):
            self.fail(f"an answer to {request.name} is refused because it is stored")
        if took > REPLIES and replica.is_well and now - replica.well_since > took:
            self.fail(f"{replica.host.name} has not replied for {took / SECOND} s")
        if (
            isinstance(request, Launch)
            and request.id
            and getattr(said, "id", request.id) != request.id
        ):
            self.fail(f"{said.id} is the reply to a launch of {request.id}")
        if said is LATE or isinstance(said, NotHere | CommitUnknown):
            well = min(each.well_since for each in self.run.replicas)
            if self.is_calm and now - well > CALM:
                self.fail(f"all hosts are well, and {replica.host.name} says {said!r}")

    def is_first(self, request: Launch) -> bool:
        """Whether a workflow was launched that was asked for once, without an id."""
        number = int(request.workflow[1:]) + 1
        rows = self.tables.executions.values()
        return self.asked[number] == 1 and any(row["workflow"] == number for row in rows)

    def is_from(self, request: Any) -> bool:
        """Whether exactly this answer is stored: its comment says which it is."""
        bodies = self.tables.history[self.tables.ids[request.id]]
        return any(request.comment.encode() in body for body in bodies)

    @property
    def is_calm(self) -> bool:
        return (
            self.run.server.up
            and not self.run.chaos
            and all(each.is_well for each in self.run.replicas)
        )

    def refused(self, said: Any) -> None:
        """Note why a launch was not acknowledged."""
        self.counts[f"launch {'nothing' if said is LATE else type(said).__name__}"] += 1

    def has_opened(self, key: int, node: Any) -> bool:
        """Whether what is stored says that a gate waits, or has waited."""
        _, state = self.state(key)
        return node in state.nodes and state.node(node).phase.name not in ("NOT_STARTED", "QUEUED")

    def replied(self, key: int, given: AnswerGiven, said: Any, *, had_opened: bool) -> None:
        """
        What is acknowledged is stored; an answer that is sent again under its key gets the reply of the first; of a gate that had opened before it was
        asked nobody is told that it does not wait yet.
        """
        _, state = self.state(key)
        if isinstance(said, Accepted):
            self.counts["accepted"] += 1
            if self.accepted.setdefault((key, given.node), given.value) != given.value:
                self.fail(f"two answers to {given.node} were accepted")
            if not self.is_stored(key, given.node, given.value):
                self.fail(f"the answer to {given.node} was acknowledged, and is not stored")
        elif isinstance(said, Denied):
            self.counts[f"denied {said.code}"] += 1
            if said.code == "not_waiting_yet" and had_opened:
                self.fail(f"{given.node} is said not to wait yet, and has been open before")
            if given.key and ("local", given.key) in state.keys:
                self.fail(f"the answer to {given.node} is stored, and its sender is refused")
        else:
            said = "nothing" if said is LATE else type(said).__name__
            self.counts[f"told {said}"] += 1

    def is_stored(self, key: int, node: Any, value: Any) -> bool:
        _, state = self.state(key)
        if node in state.past:
            return isinstance(state.past[node].reply(value, "local"), Accepted)
        answer = state.node(node).answer
        return answer is not None and answer.value == value

    def gates(self, *, likely: bool) -> list[tuple[int, Any]]:
        """Return the gates of all executions, or those that wait."""
        found = []
        for key in self.tables.history:
            plan, state = self.state(key)
            found += [
                (key, node)
                for node in plan.gates.values()
                if not likely or state.node(node).phase.name == "WAITING"
            ]
        return found

    # -- readers --

    def is_read(self, replica: Any, row: ChangeRow, before: list[int], after: list[int]) -> None:
        """A reader gets each line of a shard after the one before it."""
        self.counts["read"] += 1
        shard = row.key % SHARDS
        lines = self.tables.places[shard]
        if after[shard] != before[shard] + 1 or lines[after[shard] - 1][:2] != (row.key, row.seq):
            self.fail(f"a reader at {replica.host.name} skips a line of shard {shard}")

    def each_second(self) -> None:
        """Readers that are well know of all that was stored a while ago; what is lost is given up."""
        now = self.run.timeline.now
        self._ends.append((now, [self.tables.last_position(s) for s in range(SHARDS)]))
        old = [ends for at, ends in self._ends if at <= now - NOTICED]
        self._ends = [each for each in self._ends if each[0] > now - NOTICED - SECOND]
        for replica in self.run.replicas:
            if not (replica.is_well and self.run.server.up):
                replica.well_since = now
                continue
            if now - replica.well_since < GIVEN_UP:
                continue
            for shard, end in enumerate(old[-1] if old else ()):
                if replica.seen.get(shard, 0) < end:
                    self.fail(f"a reader at {replica.host.name} is not told of shard {shard}")
            for key, at in self._changed.items():
                if replica.began + SECOND < at < now - NOTICED and replica.told.get(key, 0) < at:
                    self.fail(f"who follows execution {key} at {replica.host.name} is not told")
            self.what_is_submitted_runs(replica)
            self.what_is_unwanted_ends(replica)

    def what_is_unwanted_ends(self, replica: Any) -> None:
        """A host that is well runs what is in its shards, and what it has handed over to those who have them by now."""
        name = replica.host.name
        lasting = set()
        for attempt in replica.crew.live:
            if self.tables.owners[attempt.key % SHARDS] == name:
                continue
            if self.tables.reports.get(tuple(attempt), ("", False))[:2] == (name, False):
                continue
            lasting.add(attempt)
            if attempt in self._lasting[name]:
                self.fail(f"{attempt} still runs at {name}, which lost its shard")
        self._lasting[name] = lasting

    def elsewhere(self) -> set[tuple[int, Any]]:
        """Return the nodes with an attempt that runs at the keeper that has it, or one that may still be heard of."""
        hosts = {each.host.name: each for each in self.run.replicas}
        found = set()
        for which, (keeper, has_ended, _) in self.tables.reports.items():
            replica = hosts.get(keeper)
            is_well = replica is not None and replica.is_well
            if has_ended:
                continue
            if is_well and self.run.timeline.now - replica.well_since >= GIVEN_UP:
                goes_on = Attempt(*which) in {*replica.crew.live, *replica.crew.waiting}
            else:
                goes_on = self.tables.is_there(keeper)
            if goes_on:
                found.add(which[:2])
        return found

    def what_is_submitted_runs(self, replica: Any) -> None:
        """At a host that is well, an attempt that is stored as submitted runs, or waits, or is held, or its report is with the engine."""
        now, engine = self.run.timeline.now, replica.engine
        dispatch = engine.dispatch
        if dispatch._draining:
            return
        held = {(each.job.key, each.job.node) for each in dispatch.held()}
        have = {each[:2] for each in (*replica.crew.live, *replica.crew.waiting)} | held
        have |= {(job.key, job.node) for job in dispatch._aside} | self.elsewhere()
        arrived = [*engine._arrivals._items, *engine._under_way]
        told = [each for it in arrived if isinstance(it, Reports) for each in it.reports]
        have |= {(report.key, report.node) for report in (*told, *engine._kept)}
        for key, at in self._changed.items():
            since = max(at, self.tables.leases[key % SHARDS][2] - START)
            if self.tables.owners[key % SHARDS] != replica.host.name or since > now - GIVEN_UP:
                continue
            if not replica.store.shares.has(key % SHARDS):
                continue  # it gave it up, and nobody has taken it yet
            plan, state = self.state(key)
            for node, its in state.nodes.items():
                runs = its.attempt and its.phase.name in ("QUEUED", "RUNNING")
                if runs and node not in plan.scopes and (key, node) not in have:
                    attempt = Attempt(key, node, its.attempt)
                    self._missed[attempt] += 1
                    if self._missed[attempt] > NOTICED // SECOND:  # not just a report on its way
                        self.fail(f"nobody runs {attempt}")

    # -- the end --

    def unended(self) -> list[int]:
        return [k for k in self.tables.executions if not self.state(k)[1].phase.is_terminal]

    def all_ended(self) -> bool:
        launched = {row["workflow"] for row in self.tables.executions.values()}
        return launched == self.graphs.keys() and not self.unended()

    def at_the_end(self) -> None:
        """All that was acknowledged is there, lists say what histories say, and nothing runs."""
        self.counts += self.run.server.fates
        self.counts["taken over"] += max(self.tables.epochs) > 2
        for (key, node), value in self.accepted.items():
            assert self.is_stored(key, node, value), f"the answer to {node} is lost"
        for id_, key in self._told.items():
            assert self.tables.ids.get(id_) == key, f"the execution {id_} is lost"
        launched = Counter(row["workflow"] for row in self.tables.executions.values())
        for workflow, times in launched.items():
            asked = self.asked[workflow] or 1
            assert times <= asked, (
                f"{asked} launches of workflow {workflow} made {times} executions"
            )
        phases: Counter[str] = Counter()
        for key, row in self.tables.executions.items():
            phase = self.state(key)[1].phase
            phases[f"phase:{phase.value}"] += 1
            assert row["phase"] == phase, f"execution {key} is listed as {row['phase']}"
            self.results_are_of_their_attempts(key)
        counted: Counter[str] = Counter()
        for (_, name), value in self.tables.counters.items():
            counted[name] += value
        assert +counted == phases, f"counted {+counted}, and there are {phases}"
        assert not self.tables.waits, f"{list(self.tables.waits)} are listed, and wait for nothing"
        for replica in self.run.replicas:
            assert replica.host.dead or not replica.crew.live, (
                f"{list(replica.crew.live)} still run"
            )

    def results_are_of_their_attempts(self, key: int) -> None:
        """What a task returned is what the attempt returned that counts."""
        plan, state = self.state(key)
        for id_, now in state.nodes.items():
            node = plan.nodes[id_].node
            if isinstance(node, TaskNode) and not node.dynamic and now.phase.name == "SUCCEEDED":
                said = now.outputs["o0"]
                assert said == f"{id_}#{now.attempt}", f"{id_}#{now.attempt} returned {said}"
                self.counts["succeeded"] += 1
