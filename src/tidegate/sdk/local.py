"""
A plain call: the server's machine, driven immediately, in memory, by one thread.

Tasks run in this process. The clock is virtual: it jumps over sleeps, retry pauses and timeouts, and says so on standard error.
Gates get their answers from the caller, else from the terminal. A task's timeout is not enforced, because nothing could end it.
"""

import itertools
import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import UNSET

from tidegate.core.addresses import gate_path, resolve
from tidegate.core.evaluate import evaluate, outputs
from tidegate.core.keys import own_key
from tidegate.core.messages import (
    AnswerGiven,
    CancelTask,
    Event,
    Launched,
    RunTask,
    TaskFailed,
    TaskSucceeded,
    TaskUnfolded,
    TimerFired,
)
from tidegate.core.plan import Plan, Planned
from tidegate.core.state import ExecutionPhase, ExecutionState, NodePhase
from tidegate.core.step import step
from tidegate.core.titles import figures_of, title_of
from tidegate.errors import ExecutionFailed, Fault, InvalidValue, NoAnswer
from tidegate.ir.expr import NodeId, Value, source_order
from tidegate.ir.graph import (
    ApproveNode,
    Defaults,
    Expires,
    Forever,
    InputNode,
    Instant,
    Patience,
    PythonTarget,
    SleepNode,
    TaskNode,
)
from tidegate.sdk.ask import LONGEST_TYPED, Query, ask, then
from tidegate.sdk.faults import faults_of
from tidegate.sdk.invoke import invoke, unfold
from tidegate.sdk.requirements import not_kept_here
from tidegate.sdk.scratch import here, scratch_blobs
from tidegate.sdk.trace import Compiled, TaskRun, current_run, inside
from tidegate.sdk.workplace import failure_here, workplace
from tidegate.types.given import stored
from tidegate.types.schema import faults
from tidegate.types.values import FileStore

_numbers = itertools.count(1)


def run_graph(
    compiled: Compiled, inputs: Callable[[FileStore], dict[str, Value]], answers: Mapping[str, Any]
) -> tuple[dict[str, Value], FileStore]:
    """
    Run a graph; return its stored outputs, and where their blobs are.

    `inputs` returns the stored inputs, given where their files are stored. `answers` are Python values by the name of the gate, or by its path (`n2/title`).
    Raises ExecutionFailed, chained to a task's exception; NoAnswer if nobody is left to ask; InvalidValue for an answer of the wrong type;
    UnknownSignal and AmbiguousSignal for a wrong name.
    """
    blobs = scratch_blobs()
    host = Host(compiled, blobs, answers)
    with inside(None):
        return host.run(inputs(blobs)), blobs


class Host:
    """One execution, from launch to end."""

    def __init__(self, compiled: Compiled, blobs: FileStore, answers: Mapping[str, Any]) -> None:
        self._id = f"local-{next(_numbers)}"
        self._plan = Plan.of(compiled.graph)
        self._state = ExecutionState()
        self._tasks: dict[PythonTarget, Any] = dict(compiled.tasks)
        self._blobs = blobs
        self._answers = answers
        self._now = Instant(time.time_ns() // 1000)
        self._events: deque[Event] = deque()
        self._raised: dict[NodeId, BaseException] = {}
        # A worker's standard input is not a person's, and neither is that of a task that calls a workflow.
        self._may_read = current_run() is None
        self._ended = False
        self._told: set[str] = set()

    def run(self, inputs: dict[str, Value]) -> dict[str, Value]:
        """Run to the end; return the outputs. Raises ExecutionFailed, NoAnswer, InvalidValue."""
        if not self._may_grow():
            for name in self._answers:
                resolve(self._plan, self._state, name, self._id)
        self._take(Launched(self._now, inputs))
        while not self._state.phase.is_terminal:
            if self._events:
                self._take(self._events.popleft())
            elif not self._answer_one():
                self._jump()
        if self._state.phase is not ExecutionPhase.SUCCEEDED:
            self._fail()
        return outputs(self._plan, self._state)

    def _take(self, event: Event) -> None:
        decided = step(self._plan, self._state, event)
        self._plan = decided.merge()
        for command in decided.commands:
            match command:
                case RunTask():
                    self._events.append(self._attempt(command))
                case CancelTask():
                    pass  # it has ended: tasks run one at a time here

    def _attempt(self, command: RunTask) -> Event:
        node, attempt, at = command.node, command.attempt, self._now
        self._tell(not_kept_here(command.target.name, command.requires))
        launched_from = here()
        task, environment = self._tasks[command.target], command.requires.environment
        try:
            with workplace(command.target.module) as folder:
                key = own_key(self._id, node)
                run = TaskRun(self._id, node, attempt, key, folder, launched_from)
                if command.dynamic:
                    made = unfold(task, command.inputs, self._blobs, run, environment)
                    self._tasks |= made.tasks
                    return TaskUnfolded(at, node, attempt, made.graph)
                result = invoke(
                    task,
                    command.inputs,
                    dynamic=False,
                    blobs=self._blobs,
                    run=run,
                    environment=environment,
                )
            assert isinstance(result, dict)
            return TaskSucceeded(at, node, attempt, result)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a task is the author's own code
            self._raised[node] = error
            return TaskFailed(at, node, attempt, failure_here(error))

    def _tell(self, notes: Iterable[str]) -> None:
        """Print each notice once."""
        for note in notes:
            if note not in self._told:
                self._told.add(note)
                _write(f"tidegate: {note}\n")

    def _waiting(self) -> list[Planned]:
        """Return what waits, as it stands in the source."""
        found = [id_ for id_, now in self._state.nodes.items() if now.phase is NodePhase.WAITING]
        return [self._plan.nodes[id_] for id_ in sorted(found, key=source_order)]

    def _may_grow(self) -> bool:
        """Return whether a dynamic task may add gates that are not known yet."""
        nodes = (planned.node for planned in self._plan.nodes.values())
        return any(isinstance(node, TaskNode) and node.dynamic for node in nodes)

    def _answer_one(self) -> bool:
        """Answer an open gate, from the caller's answers or else at the terminal. Return whether there is an open gate."""
        gates = [p for p in self._waiting() if isinstance(p.node, InputNode | ApproveNode)]
        for planned in gates:
            name = planned.node.name
            for called in (gate_path(planned.id, name), name):
                if called in self._answers and self._means(called) == planned.id:
                    self._give(planned, self._stored(planned, self._answers[called]))
                    return True
        for planned in gates:
            assert isinstance(planned.node, InputNode | ApproveNode)
            if self._ended and isinstance(planned.node.patience, Defaults):
                continue
            try:
                value = ask(
                    self._query(planned),
                    self._read,
                    _write,
                    now=self._date(),
                    blobs=self._blobs,
                )
            except NoAnswer:
                self._ended = True
                if isinstance(planned.node.patience, Defaults):
                    continue
                raise
            if found := self._faults(planned, value):
                _write(f"  {'; '.join(str(fault) for fault in found)}\n")
            else:
                self._give(planned, value)
            return True
        return False

    def _means(self, called: str) -> NodeId:
        return resolve(self._plan, self._state, called, self._id)

    def _faults(self, planned: Planned, value: Value) -> Sequence[Fault]:
        """Return what is wrong with an answer according to the author's own type, where that requires more than the schema."""
        python = planned.node.python if isinstance(planned.node, InputNode) else None
        return () if python is None else faults_of(python, value, self._blobs)

    def _give(self, planned: Planned, value: Value) -> None:
        self._take(AnswerGiven(self._now, planned.id, value, via="terminal"))

    def _stored(self, planned: Planned, answer: Any) -> Value:
        gate = planned.node
        assert isinstance(gate, InputNode | ApproveNode)
        schema = gate.schema if isinstance(gate, InputNode) else {"type": "boolean"}
        try:
            value = stored(answer, self._blobs)
        except InvalidValue as error:
            raise InvalidValue(
                f"the answer to {gate.name!r}: {error.message}", error.faults
            ) from None
        found = faults(schema, value) or self._faults(planned, value)
        if found:
            reasons = "; ".join(str(fault) for fault in found)
            raise InvalidValue(f"the answer to {gate.name!r} is invalid: {reasons}", found)
        return value

    def _query(self, planned: Planned) -> Query:
        gate = planned.node
        assert isinstance(gate, InputNode | ApproveNode)

        def value(expr: Any) -> Value:
            return evaluate(self._plan, self._state, planned.scope, expr)

        question = gate.question
        approval = isinstance(gate, ApproveNode)
        return Query(
            name=gate.name,
            kind="approve" if approval else "input",
            schema={"type": "boolean"} if approval else gate.schema,
            title=title_of(self._plan, self._state, planned),
            figures=dict(figures_of(self._plan, self._state, planned)),
            prompt=question.prompt,
            show={name: value(expr) for name, expr in question.show.items()},
            value=value(gate.subject) if isinstance(gate, ApproveNode) else UNSET,
            value_schema=gate.schema,
            suggested=UNSET if question.suggested is None else value(question.suggested),
            until=_until(gate.patience, approval=approval),
            columns=_columns(),
            by_field=sys.stdin is not None and sys.stdin.isatty(),
        )

    def _read(self) -> str:
        if self._ended or not self._may_read or sys.stdin is None:
            raise EOFError
        try:
            typed = sys.stdin.isatty()
            line = input() + "\n" if typed else sys.stdin.readline()
        except (OSError, ValueError):
            # Closed, or replaced by a test runner: there is nobody to ask.
            raise EOFError from None
        if not line:
            raise EOFError
        if typed and len(line.encode(errors="replace")) > LONGEST_TYPED:
            raise InvalidValue(
                f"a terminal cuts lines at {LONGEST_TYPED:,} bytes, as it did this one"
            )
        if not typed:
            _write(line.rstrip("\r\n") + "\n")
        return line.rstrip("\r\n")

    def _jump(self) -> None:
        """Advance to the next instant for which something waits."""
        waits = [(self._state.nodes[p.id].due, p) for p in self._waiting()]
        due = [(instant, p) for instant, p in waits if instant is not None]
        assert due, "nothing runs, nothing waits for an instant, and the execution has not ended"
        at, planned = min(due, key=lambda pair: pair[0])
        match planned.node:
            case SleepNode():
                what = f"slept {_duration(at - self._now)}"
            case InputNode(name=name) | ApproveNode(name=name):
                what = f"nobody answered {name!r} for {_duration(at - self._now)}"
            case node:
                what = f"paused {_duration(at - self._now)} before {node.name!r} is retried"
        _write(f"tidegate: {what} (a plain call skips waiting times)\n")
        self._now = max(self._now, at)
        self._take(TimerFired(self._now, planned.id))

    def _date(self) -> datetime:
        return datetime.fromtimestamp(self._now // 1_000_000, UTC)

    def _fail(self) -> None:
        state = self._state
        failure = state.failure
        assert failure is not None
        planned = self._plan.nodes.get(state.failed)
        where = f"{planned.node.name!r} ({planned.id}): " if planned else ""
        raise ExecutionFailed(
            f"{where}{failure.message}", node=state.failed, code=failure.code, failure=failure
        ) from self._raised.get(state.failed)


def _until(patience: Patience, *, approval: bool) -> str:
    match patience:
        case Forever():
            return "no timeout"
        case Expires(timeout):
            return f"waits {_duration(timeout)}, {then(UNSET, approval=approval)}"
        case Defaults(timeout, value):
            return f"waits {_duration(timeout)}, {then(value, approval=approval)}"


def _duration(micros: int) -> str:
    return str(timedelta(microseconds=micros))


def _columns() -> int:
    """Return how wide the terminal is on which questions are shown; 0 if it is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stderr.isatty() else 0


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
