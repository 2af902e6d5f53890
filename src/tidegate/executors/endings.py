"""How the end of a process is reported that was running an attempt."""

import os
import signal

from msgspec import structs

from tidegate.core.messages import TASK_CRASHED, TASK_OUT_OF_MEMORY, TASK_TIMED_OUT, Failure
from tidegate.ir.amounts import size

TAIL_BYTES = 16 * 1024
TAIL_LINES = 40


TERMINATED = frozenset({-signal.SIGTERM, 128 + signal.SIGTERM})
"""Exit codes of a process that was asked to end."""


def crash(code: int, printed: int) -> Failure:
    """Return the failure of an attempt whose process has ended with an exit code (negative: a signal); `printed` is its output."""
    return Failure(
        TASK_CRASHED, f"the process of the task ended with {ended_by(code)}", tail(printed)
    )


def with_last_words(failure: Failure, printed: int) -> Failure:
    """Add the last output to a failure: if a program ended itself, it says why."""
    try:
        words = last_words(tail(printed))
    except OSError:
        return failure
    return structs.replace(failure, message=f"{failure.message}: {words}") if words else failure


def ended_by(code: int) -> str:
    """Return an exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    hint = " (out of memory, perhaps)" if -code == signal.SIGKILL else ""
    return f"signal {_signal_name(-code)}{hint}"


def overrun(seconds: float, printed: int) -> Failure:
    """Return the failure of an attempt that took longer than its timeout."""
    return Failure(
        TASK_TIMED_OUT, f"the task took longer than its timeout of {seconds:g} s", tail(printed)
    )


def oversize(limit: int, used: int, printed: int) -> Failure:
    """Return the failure of an attempt that used more memory than its limit, in bytes."""
    words = size(used) if size(used) != size(limit) else f"{used:,} bytes"
    message = (
        f"the task and its processes used {words} of memory, more than its limit of {size(limit)}"
    )
    return Failure(TASK_OUT_OF_MEMORY, message, tail(printed))


def tail(printed: int) -> str:
    """Return the last lines of an open file."""
    size = os.fstat(printed).st_size
    text = os.pread(printed, TAIL_BYTES, max(0, size - TAIL_BYTES)).decode(errors="replace")
    return "\n".join(text.splitlines()[-TAIL_LINES:])


def last_words(printed: str) -> str:
    """Return the line of a process's output that best explains its end: the last that names an error, else the last."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), lines[-1] if lines else "")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
