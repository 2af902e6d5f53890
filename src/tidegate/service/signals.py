"""
Signals: find the one addressed, check its answer, and tell the machine.

A value is checked before the machine sees it, so a wrong one is never consumed. If a gate already has its outcome, the machine decides
first, so that a repeated answer gets the reply it got before.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, NamedTuple, TypeAlias

from tidegate.core.addresses import path_of, resolve
from tidegate.core.messages import Accepted, AnswerGiven, Denied
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.core.step import step
from tidegate.engine.folds import Snapshot
from tidegate.engine.futures import Future
from tidegate.engine.loop import Engine
from tidegate.engine.memory import Hot
from tidegate.errors import (
    AlreadyAnswered,
    Changed,
    ExecutionEnded,
    Fault,
    InvalidValue,
    KeyReused,
    NotWaitingYet,
    Overloaded,
    Refused,
    TimedOut,
    UnknownSignal,
    Withdrawn,
)
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import ApproveNode, InputNode, Instant, PythonTarget
from tidegate.ports.executor import Executor
from tidegate.ports.journal import Key
from tidegate.service.executions import Executions, no_such_execution
from tidegate.service.intake import Intake, is_costly, unfit
from tidegate.service.moments import moment
from tidegate.service.questions import answer_schema
from tidegate.service.steps import ASIDE, Pause, Steps, Together
from tidegate.service.views import ended_as, signal_views
from tidegate.types.schema import describe
from tidegate.wire import (
    Answer,
    AnswerReply,
    CheckAnswer,
    CheckView,
    ListSignals,
    SignalList,
)

CHECKS = 4
"""For how many bundles workers check answers at once; the threads are made when first needed."""


_Check: TypeAlias = tuple[PythonTarget, Value, Future[Sequence[Fault]]]
"""A value, the author's type it must match, and who waits for the result."""


class _Gate(NamedTuple):
    """The gate addressed, and its address. Without `asks` it has its outcome, and the value need not be checked."""

    key: Key
    node: NodeId
    path: str
    bundle: str
    asks: InputNode | ApproveNode | None
    ended: tuple[Plan, ExecutionState] | None = None
    """The stored state of the execution, if it has ended."""


class Signals:
    """The signals of a store's executions."""

    def __init__(
        self, engine: Engine, executions: Executions, intake: Intake, executor: Executor
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._checks = ThreadPoolExecutor(CHECKS, "tidegate-check")
        self._turn = Lock()
        self._to_check: dict[str, deque[_Check]] = {}
        self._part = engine.parts.part("answer-checks")
        self._executions = executions
        self._intake = intake

    def all_of(self, request: ListSignals) -> SignalList:
        """List the signals of an execution."""
        now = self._executions.look(request.id)
        return SignalList(items=signal_views(now.plan, now.state))

    def answer(self, request: Answer) -> Steps[AnswerReply]:
        """
        Answer a signal.

        Errors: `UnknownSignal`, `AmbiguousSignal`, `InvalidValue`, and the refusals of the race table.
        """
        gate, read = yield from self._find(request)
        if gate.asks is not None:
            yield from self._check(gate.asks, gate.bundle, request)
        event = AnswerGiven(
            at=Instant(0),
            node=gate.node,
            value=request.value,
            who=request.who,
            via=request.via,
            credential=request.credential,
            comment=request.comment,
            key=request.key,
            shown=request.shown,
        )
        if gate.ended is None:
            reply = yield Pause(self._engine.submit(gate.key, event, read))
        else:
            # It can only refuse or repeat a reply: its state decides which, and the engine's thread is left to others.
            plan, state = gate.ended
            reply = step(plan, state, event).reply
        match reply:
            case Accepted(at, who, early):
                return AnswerReply(
                    execution=request.id,
                    signal=gate.path,
                    at=moment(at),
                    who=who,
                    early=early,
                )
            case Denied() as denied:
                raise self._refusal(denied, gate.path, request)
            case _:
                raise AssertionError("the machine replies to every answer")

    def check(self, request: CheckAnswer) -> Steps[CheckView]:
        """Check a value as an answer. Errors: `UnknownSignal`, `AmbiguousSignal`; `Refused` and below if the signal does not take one."""
        answer = Answer(id=request.id, name=request.name, value=request.value)
        gate, _ = yield from self._find(answer)
        now = self._executions.look(request.id)
        is_early = (
            isinstance(gate.asks, ApproveNode)
            and now.state.node(gate.node).phase is not NodePhase.WAITING
        )
        if gate.asks is None or is_early:
            raise not_open(now, gate.node, request.name)
        try:
            yield from self._check(gate.asks, gate.bundle, answer)
        except InvalidValue as error:
            return unfit(error)
        return CheckView(valid=True)

    def _find(self, request: Answer) -> Steps[tuple[_Gate, Hot | None]]:
        """
        Find the gate addressed, and the execution, if it had to be read from the store.

        What the engine has in memory may not be stored yet, so an outcome found there does not count: then the store is asked.
        """
        hot = self._engine.peek(request.id)
        if hot is not None:
            gate = _gate(hot, request)
            if gate.asks is not None:
                return gate, None
            yield ASIDE
            now = self._executions.look(request.id)
            asks = _asks(now.plan, now.state, gate.node, request)
            return gate._replace(asks=asks, ended=_ended(now)), None
        read = yield Together(self._engine.read_light, request.id)
        if read is None:
            yield ASIDE
            now = self._executions.look(request.id)
            if now.state.phase.is_terminal:
                return _gate_of_ended(now, request), None
            read = self._engine.read(request.id)
            if read is None:
                raise no_such_execution(request.id)
        return _gate(read, request)._replace(ended=_ended(read)), read

    def _check(self, gate: InputNode | ApproveNode, bundle: str, request: Answer) -> Steps[None]:
        schema = answer_schema(gate)
        if is_costly(schema, request.value):
            yield ASIDE
        faults: Sequence[Fault] = self._intake.faults(schema, request.value)
        if not faults and isinstance(gate, InputNode) and gate.python is not None:
            # The author's own type says more than its schema, but only a worker may import it.
            faults = yield Pause(self._in_worker(bundle, gate.python, request.value))
        if faults:
            raise InvalidValue(
                f"signal {request.name!r} takes {describe(schema)}", faults, signal=request.name
            )

    def _in_worker(
        self, bundle: str, target: PythonTarget, value: Value
    ) -> Future[Sequence[Fault]]:
        found: Future[Sequence[Fault]] = Future()
        with self._turn:
            waiting = self._to_check.get(bundle)
            if waiting is not None:
                waiting.append((target, value, found))
                return found
            self._to_check[bundle] = deque([(target, value, found)])
        try:
            self._checks.submit(self._check_all, bundle)
        except RuntimeError as error:  # the system has no thread left for it
            self._part.failed(error)
            with self._turn:
                waiting = self._to_check.pop(bundle, deque())
            for _, _, each in waiting:
                why = "the answer cannot be checked at the moment; try again"
                each.set_exception(Overloaded(why, retry_after=1))
        else:
            self._part.works()
        return found

    def _check_all(self, bundle: str) -> None:
        """
        Have a worker check the waiting answers for a bundle, one after another.

        A worker that has imported the bundle takes a millisecond for each. For several at once the pool would start workers that import it first: 60
        answers took 22 s (measured with two workers), and 0.03 s one after another.
        """
        while True:
            with self._turn:
                waiting = self._to_check.get(bundle)
                if not waiting:
                    self._to_check.pop(bundle, None)
                    return
                target, value, found = waiting.popleft()
            try:
                found.set_result(self._executor.check(bundle, target, value))
            except BaseException as error:  # noqa: BLE001 - it is raised in the use case
                found.set_exception(error)

    def _refusal(self, denied: Denied, path: str, request: Answer) -> Refused | UnknownSignal:
        when = "" if denied.at is None else f" at {moment(denied.at):%Y-%m-%d %H:%M:%S} UTC"
        signal = f"signal {path!r}"
        details: dict[str, Any] = {
            "signal": path,
            "at": None if denied.at is None else moment(denied.at),
            "who": denied.who,
        }
        error: Refused | UnknownSignal
        match denied.code:
            case AlreadyAnswered.code:
                what = "by" if denied.who and denied.who != request.who else "with another value by"
                who = denied.who or "somebody"
                error = AlreadyAnswered(
                    f"{signal} was already answered, {what} {who}{when}; your answer was not accepted",
                    **details,
                )
            case Changed.code:
                what = f"has changed since it was shown: {', '.join(denied.changed)}"
                if denied.changed == ("form",):
                    what = "cannot be compared: the digest is incomplete, or was made by another version"
                error = Changed(
                    f"{signal} {what}; review it again",
                    changed=list(denied.changed),
                    **details,
                )
            case TimedOut.code:
                error = TimedOut(f"{signal} timed out{when}", **details)
            case NotWaitingYet.code:
                error = NotWaitingYet(
                    f"{signal} is not waiting yet: what it approves does not exist yet; try again when it appears in the inbox",
                    **details,
                )
            case Withdrawn.code:
                error = Withdrawn(
                    f"{signal} was withdrawn{when}: its answer is no longer needed", **details
                )
            case ExecutionEnded.code:
                ended = ended_as(self._executions.row(request.id).phase)
                error = ExecutionEnded(f"execution {request.id} {ended} already{when}", **details)
            case KeyReused.code:
                why = f"you have used the key {request.key!r} for another answer in this execution"
                error = KeyReused(f"{why}; use a new key for each answer", **details)
            case _:
                error = UnknownSignal(f"there is no {signal}", **details)
        return error


def not_open(now: Snapshot, node: NodeId, name: str) -> Refused:
    """Return why a gate does not ask anybody."""
    here, signal = now.state.node(node), f"signal {name!r}"
    past = now.state.past.get(node)
    if past is not None and past.who:
        return AlreadyAnswered(f"{signal}, of an earlier round, was answered by {past.who}")
    if past is not None:
        return Withdrawn(f"{signal}, of an earlier round, is no longer needed")
    when = "" if here.ended is None else f" at {moment(here.ended):%Y-%m-%d %H:%M:%S} UTC"
    if here.answer is not None:
        return AlreadyAnswered(f"{signal} was answered by {here.answer.who}{when}")
    if here.phase is NodePhase.TIMED_OUT:
        return TimedOut(f"{signal} timed out{when}")
    if here.phase is NodePhase.SKIPPED:
        return Withdrawn(f"{signal} was withdrawn{when}: its answer is no longer needed")
    if now.state.phase.is_terminal:
        return ExecutionEnded(f"execution {now.row.id} {ended_as(now.state.phase)} already")
    return NotWaitingYet(f"{signal} is not waiting yet; it appears in the inbox once it is")


def _gate(execution: Hot, request: Answer) -> _Gate:
    plan, state = execution.plan, execution.state
    node = resolve(plan, state, request.name, execution.id, (request.who, request.key))
    asks = _asks(plan, state, node, request)
    return _Gate(execution.key, node, path_of(plan, state, node), execution.bundle, asks)


def _gate_of_ended(now: Snapshot, request: Answer) -> _Gate:
    plan, state = now.plan, now.state
    node = resolve(plan, state, request.name, request.id, (request.who, request.key))
    return _Gate(now.row.key, node, path_of(plan, state, node), "", None, (plan, state))


def _ended(now: Snapshot | Hot) -> tuple[Plan, ExecutionState] | None:
    """Return the state of an ended execution that was read from the store."""
    return (now.plan, now.state) if now.state.phase.is_terminal else None


def _asks(
    plan: Plan, state: ExecutionState, node: NodeId, request: Answer
) -> InputNode | ApproveNode | None:
    """Return the gate, unless the machine can decide without the value."""
    planned = plan.nodes.get(node)  # it disappears with the round it was in
    if planned is None or _is_decided(state, node, request):
        return None
    assert isinstance(planned.node, InputNode | ApproveNode)
    return planned.node


def _is_decided(state: ExecutionState, node: NodeId, request: Answer) -> bool:
    now = state.node(node)
    return (
        state.phase.is_terminal
        or now.phase not in (NodePhase.QUEUED, NodePhase.WAITING)
        or now.answer is not None
        or (bool(request.key) and (request.who, request.key) in state.keys)
    )
