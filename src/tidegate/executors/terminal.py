"""One terminal that serves an execution: what it has, what it is asked, and how its end is noticed."""

import os
import secrets
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic

from tidegate.errors import UnknownTerminal
from tidegate.ports.executor import Attempt, Job
from tidegate.ports.terminals import SILENCE, Answered, Asked, Join


class Terminal:
    """One terminal. `taken` are the attempts it has, `asked` the questions it has not answered; `heard` is when it was heard last."""

    def __init__(self, wanted: Join, process: int) -> None:
        self.execution = wanted.execution
        self.bundle = wanted.bundle
        self.life = wanted.life
        self.room = wanted.room
        self.process = process
        self.secret = secrets.token_hex(32)
        self.taken: dict[Attempt, Job] = {}
        self.running: set[Attempt] = set()
        self.unwanted: list[Attempt] = []
        self.asks: deque[Asked] = deque()
        self.asked: dict[int, Future[Answered]] = {}
        self.wake: Callable[[], None] = nothing
        self.is_afar = wanted.is_afar
        self.heard = monotonic()
        self.watched = _watch(process)

    def is_gone(self) -> bool:
        """Return whether a terminal of which the system reports nothing has ended, or ended its attempts."""
        if self.is_afar:
            return monotonic() - self.heard > SILENCE
        return bool(self.process) and not _is_there(self.process)

    def serves(self, job: Job) -> bool:
        """Return whether an attempt is for it."""
        return self.bundle in ("", job.bundle)


def nothing() -> None:
    """Wake nobody."""


def woken(terminal: Terminal) -> Callable[[], None]:
    """Return the function that wakes a terminal, once. Called with the lock held."""
    wake, terminal.wake = terminal.wake, nothing
    return wake


def unknown() -> UnknownTerminal:
    """Return the error for a terminal that is not known here."""
    return UnknownTerminal(
        "this terminal does not serve an execution here, or no longer does: run the same command again"
    )


def _watch(process: int) -> int | None:
    """Return a descriptor that becomes readable when a process has ended; None if the system has none. Errors: `UnknownTerminal` if it has ended."""
    if not process or not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(process)
    except ProcessLookupError:
        raise unknown() from None
    except OSError:
        return None


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
