"""
Signals: to find the one that is meant, check what it is answered with, and tell the machine.

A value is checked before the machine sees it, so a wrong one is never consumed. A gate that has its outcome already is another matter:
there the machine speaks first, so that a repeated answer gets the reply it got before.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from tidegate.core.addresses import resolve, signal_path
from tidegate.core.messages import Accepted, AnswerGiven, Denied
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState, NodePhase
from tidegate.engine.loop import Engine
from tidegate.errors import (
    AlreadyAnswered,
    ExecutionEnded,
    Fault,
    InvalidValue,
    KeyReused,
    NotWaitingYet,
    Refused,
    TimedOut,
    UnknownSignal,
    Withdrawn,
)
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import ApproveNode, InputNode, Instant
from tidegate.ports.executor import Executor
from tidegate.ports.journal import Key
from tidegate.service.executions import Executions
from tidegate.service.intake import Intake
from tidegate.service.steps import Pause, Steps
from tidegate.service.views import (
    answer_schema,
    ended_as,
    moment,
    signal_views,
)
from tidegate.types.schema import describe
from tidegate.wire import Answer, AnswerReply, ListSignals, SignalList

MAX_COMMENT = 10_000

CHECKS = 4
"""How many answers are checked by workers at once; their threads are made when first needed."""


class _Gate(NamedTuple):
    """The gate that is meant, and whether it has its outcome."""

    plan: Plan
    node: NodeId
    bundle: str
    is_decided: bool


class Signals:
    """The signals of a store's executions."""

    def __init__(
        self, engine: Engine, executions: Executions, intake: Intake, executor: Executor
    ) -> None:
        self._engine = engine
        self._executor = executor
        self._checks = ThreadPoolExecutor(CHECKS, "tidegate-check")
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
        if len(request.comment) > MAX_COMMENT:
            raise InvalidValue(f"the comment is longer than {MAX_COMMENT:,} characters")
        key = self._executions.key(request.id)
        gate = self._open_gate(key, request)
        if gate is None:
            now = self._executions.look(request.id)
            bundle = self._engine.programs.get(now.row.workflow).bundle
            node = resolve(now.plan, request.name, now.row.id)
            gate = _Gate(
                now.plan, node, bundle, is_decided=_is_decided(now.state, node, request.key)
            )
        node = gate.node
        if not gate.is_decided:
            yield from self._check(gate, request)
        event = AnswerGiven(
            at=Instant(0),
            node=node,
            value=request.value,
            who=request.who,
            via=request.via,
            comment=request.comment,
            key=request.key,
        )
        reply = yield Pause(self._engine.submit(key, event))
        match reply:
            case Accepted(at, who, early):
                return AnswerReply(
                    execution=request.id,
                    signal=signal_path(gate.plan, node),
                    at=moment(at),
                    who=who,
                    early=early,
                )
            case Denied() as denied:
                raise self._refusal(denied, request)
            case _:
                raise AssertionError("the machine replies to every answer")

    def _open_gate(self, key: Key, request: Answer) -> _Gate | None:
        """
        Return a gate that the engine has in memory and that has no outcome yet, without reading the store.

        What is there may not be stored yet, so nothing that it says of an outcome counts: then the store is asked.
        """
        hot = self._engine.peek(key)
        if hot is None:
            return None
        node = resolve(hot.plan, request.name, request.id)
        if _is_decided(hot.state, node, request.key):
            return None
        return _Gate(hot.plan, node, hot.bundle, is_decided=False)

    def _check(self, asked: _Gate, request: Answer) -> Steps[None]:
        gate = asked.plan.nodes[asked.node].node
        assert isinstance(gate, InputNode | ApproveNode)
        schema = answer_schema(gate)
        faults: Sequence[Fault] = self._intake.faults(schema, request.value)
        if not faults and isinstance(gate, InputNode) and gate.python is not None:
            # The author's own type says more than its schema; only a worker may import it.
            check = self._executor.check
            faults = yield Pause(
                self._checks.submit(check, asked.bundle, gate.python, request.value)
            )
        if faults:
            raise InvalidValue(
                f"signal {request.name!r} takes {describe(schema)}", faults, signal=request.name
            )

    def _refusal(self, denied: Denied, request: Answer) -> Refused | UnknownSignal:
        state = self._executions.look(request.id).state
        when = "" if denied.at is None else f" at {moment(denied.at):%Y-%m-%d %H:%M:%S} UTC"
        by = f" by {denied.who}" if denied.who else ""
        signal = f"signal {request.name!r}"
        details = {
            "signal": request.name,
            "at": None if denied.at is None else moment(denied.at),
            "who": denied.who,
        }
        error: Refused | UnknownSignal
        match denied.code:
            case AlreadyAnswered.code:
                error = AlreadyAnswered(
                    f"{signal} was answered with another value{by}{when}", **details
                )
            case TimedOut.code:
                error = TimedOut(f"{signal} timed out{when}", **details)
            case NotWaitingYet.code:
                error = NotWaitingYet(
                    f"{signal} does not wait yet: what it approves does not exist yet; try again when it is in the inbox",
                    **details,
                )
            case Withdrawn.code:
                error = Withdrawn(
                    f"{signal} was withdrawn{when}: nobody needs its answer any more", **details
                )
            case ExecutionEnded.code:
                ended = ended_as(state.phase)
                error = ExecutionEnded(f"execution {request.id} {ended} already{when}", **details)
            case KeyReused.code:
                error = KeyReused(f"the key {request.key!r} was used for another signal", **details)
            case _:
                error = UnknownSignal(f"there is no {signal}", **details)
        return error


def _is_decided(state: ExecutionState, node: NodeId, key: str) -> bool:
    """Whether the machine can tell the outcome without looking at the value."""
    now = state.node(node)
    return (
        state.phase.is_terminal
        or now.phase not in (NodePhase.QUEUED, NodePhase.WAITING)
        or now.answer is not None
        or (bool(key) and key in state.keys)
    )
