"""What became of an attempt whose worker has ended, or was ended because of it."""

from msgspec import Struct

from tidegate.core.messages import TASK_OUT_OF_ROOM, Failure
from tidegate.executors.child import Ticket
from tidegate.executors.endings import TERMINATED, crash, overrun, oversize, tail
from tidegate.ir.graph import SECOND
from tidegate.ports.executor import Job, Lost, Outcome, Raised


class Ending(Struct, frozen=True, eq=False):
    """Why a worker was told to end: its attempt has `expired`, has `used` too many bytes of memory, is `overfull`, or is no longer wanted."""

    ticket: Ticket
    expired: bool = False
    used: int = 0
    overfull: str = ""


def outcome_of(job: Job, code: int, ending: Ending | None, printed: int) -> Outcome | None:
    """Return what became of an attempt whose worker has ended; None if nobody wants to know."""
    if ending is not None:
        if ending.used:
            return Raised(oversize(job.requires.mem_limit or 0, ending.used, printed))
        if ending.overfull:
            return Raised(Failure(TASK_OUT_OF_ROOM, ending.overfull, tail(printed)))
        seconds = (job.timeout or 0) / SECOND
        return Raised(overrun(seconds, printed)) if ending.expired else None
    if code in TERMINATED:
        # Somebody ends the processes of this machine; the attempt has done nothing wrong.
        return Lost()
    return Raised(crash(code, printed))
