"""What a launch writes: its first event and, for a recovery, the line that names it in the recovered execution, in the same transaction."""

from tidegate.core.keys import FORM
from tidegate.core.messages import Denied, Launched, RecoveryRequested
from tidegate.core.step import step
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.ledger import Ledger
from tidegate.engine.memory import Memory
from tidegate.errors import NotRecoverable, RecoveredAlready
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Key


def launched(wanted: NewExecution, recorded: str, at: Instant) -> Launched:
    """Return the first event of an execution."""
    return Launched(
        at,
        wanted.inputs,
        wanted.who,
        wanted.via,
        wanted.reuse,
        wanted.launched_from,
        wanted.environment or recorded,
        wanted.credential,
        FORM,
        bool(wanted.environment),
    )


def claim(ledger: Ledger, memory: Memory, wanted: NewExecution, origin: Key, at: Instant) -> None:
    """
    Make a recovered execution name this one as its successor.

    Errors: `RecoveredAlready`, `NotRecoverable`; `StoreDamaged` if it cannot be read back.
    """
    hot = memory.get(origin)
    event = RecoveryRequested(
        at,
        wanted.id,
        wanted.who,
        wanted.via,
        wanted.credential,
        wanted.version,
        wanted.approvals,
    )
    decision = step(hot.plan, hot.state, event)
    ledger.enter(hot, event, decision)
    if origin not in ledger.touched:
        memory.drop(origin)
    match decision.reply:
        case Denied(code=RecoveredAlready.code, execution=successor):
            raise recovered_already(hot.id, successor)
        case Denied():
            raise NotRecoverable(f"execution {hot.id} cannot be recovered in its current state")
        case _:
            pass


def recovered_already(execution: str, successor: str, why: str = "") -> RecoveredAlready:
    """Return the error that names the successor of a recovered execution."""
    return RecoveredAlready(
        f"execution {execution} was already recovered, by {successor}{why}; continue with that one",
        execution=successor,
    )
