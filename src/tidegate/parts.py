"""
Parts: background work of a process, and the one registry that sees each of them end.

A part is a thread, a task of an event loop, a process or a callback. It is up, or down with a reason.

Rule 1: a part that fails is logged and run again after a pause: 0.1 s, doubled with each failure up to 30 s.
        A thread that returns without having been stopped has failed too.
Rule 2: after a failure it is up again when it says so (`works`), or when it has run for `PROVEN` seconds.
Rule 3: a process with a part down is not healthy; if only housekeeping parts are down, it is degraded and serves everybody.

The engine's thread is the exception to rule 1: after an internal error its state cannot be trusted, so the process ends.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Literal, TypeVar

from msgspec import Struct

from tidegate.errors import TidegateError
from tidegate.ir.graph import Instant

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0
"""Seconds between two attempts to run a part. The end of a lasting cause (a full disk) is noticed within half a minute."""

SETTLED = 30.0
"""Seconds a part must have run for the next pause to be the first again, so that one that fails repeatedly stays slow."""

PROVEN = 1.0
"""Seconds: most causes strike at once (a missing directory, a port in use). With less, health would flicker at each attempt."""

Health = Literal["ok", "degraded", "down"]

T = TypeVar("T")

log = logging.getLogger(__name__)


class Standing(Struct, frozen=True):
    """The status of a part at one moment. `why` is empty while it is up; `since` is when it last went up or down."""

    name: str
    up: bool
    why: str
    since: Instant
    restarts: int
    tidies: bool


class Part:
    """One part; the code that runs it reports its status here. May be used from any thread."""

    def __init__(self, name: str, *, tidies: bool = False) -> None:
        self.name = name
        self.tidies = tidies
        self._lock = threading.Lock()
        self._why = ""
        self._said = ""
        self._since = _now()
        self._restarts = 0
        self._pause = FIRST_PAUSE
        self._began = time.monotonic()
        self._runs = True
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_down(self) -> bool:
        """Whether it has failed and not worked since."""
        return bool(self._why) and not self._has_proven_itself()

    @property
    def why(self) -> str:
        """Why it is down; empty while it is up."""
        return self._why if self.is_down else ""

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to end, and is not run again."""
        return self._stop.is_set()

    def begins(self) -> None:
        """Record that it is run again after a failure."""
        with self._lock:
            self._restarts += not self._runs
            self._runs = True
            self._began = time.monotonic()

    def works(self) -> None:
        """Record that it works."""
        with self._lock:
            if self._why:
                self._is_up()

    def failed(self, error: BaseException | str, *, quietly: bool = False) -> float:
        """Record that it has failed, and log it unless that is known or reported elsewhere; return the seconds after which to run it again."""
        why = error if isinstance(error, str) else reason(error)
        with self._lock:
            if self._has_proven_itself():
                self._is_up()
            if self._runs and time.monotonic() - self._began >= SETTLED:
                self._pause = FIRST_PAUSE
            pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
            is_known = why == self._said
            self._said = self._said if quietly else why
            self._since = self._since if self._why else _now()
            self._why = why
            self._runs = False
        # An internal error needs its traceback; trouble with the outside world is reported in one line.
        bug = None if isinstance(error, str | TidegateError | OSError) else error
        level = logging.DEBUG if is_known or quietly else logging.ERROR
        log.log(level, "%s has failed: %s", self.name, why, exc_info=bug)
        return pause

    def guard(self, call: Callable[[T], None]) -> Callable[[T], None]:
        """Return a function that calls `call` and, instead of raising, records that it has failed; when it succeeds again, that it works."""

        def guarded(argument: T) -> None:
            if self._why:
                self.begins()
            try:
                call(argument)
            except Exception as error:  # noqa: BLE001 - it is logged there, and the caller must continue
                self.failed(error)
            else:
                if self._why:
                    self.works()

        return guarded

    def stop(self) -> None:
        """Do not run it again, and end its current pause. Called before its thread is told to return."""
        self._stop.set()

    def pause(self, seconds: float) -> bool:
        """Wait, on its thread; return whether it was stopped meanwhile."""
        return self._stop.wait(seconds)

    def join(self, seconds: float | None = None) -> None:
        """Wait until its thread has ended, if it has one."""
        if self._thread is not None:
            self._thread.join(seconds)

    def standing(self) -> Standing:
        """Return its status."""
        with self._lock:
            if self._has_proven_itself():
                self._is_up()
            return Standing(
                self.name, not self._why, self._why, self._since, self._restarts, self.tidies
            )

    def run(self, target: Callable[[], None]) -> None:
        """Run a function in a separate thread, repeatedly, until the part is stopped."""
        # A daemon: a process that ends without closing everything must not hang.
        self._thread = threading.Thread(
            target=self._attend, args=(target,), name=f"tidegate-{self.name}", daemon=True
        )
        self._thread.start()

    def _attend(self, target: Callable[[], None]) -> None:
        while not self.is_stopped:
            self.begins()
            error: BaseException | str = "it returned without having been stopped"
            try:
                target()
            except BaseException as raised:  # noqa: BLE001 - whatever it was, the thread must live on
                error = raised
            if not self.is_stopped:
                self._stop.wait(self.failed(error))

    def _has_proven_itself(self) -> bool:
        return bool(self._why) and self._runs and time.monotonic() - self._began >= PROVEN

    def _is_up(self) -> None:
        self._why = self._said = ""
        self._since = _now()
        log.warning("%s works again", self.name)


class Parts:
    """The parts of one process."""

    def __init__(self) -> None:
        self._parts: dict[str, Part] = {}

    def part(self, name: str, *, tidies: bool = False) -> Part:
        """Return a new part, which is up; for what is not a thread of ours: a task, a process, a callback."""
        part = self._parts[name] = Part(name, tidies=tidies)
        return part

    def thread(self, name: str, target: Callable[[], None], *, tidies: bool = False) -> Part:
        """
        Run `target` in a separate thread, and again whenever it raises or returns, until the part is stopped.

        To end it: `stop()`, then make `target` return, then `join()`.
        """
        part = self.part(name, tidies=tidies)
        part.run(target)
        return part

    def standings(self) -> list[Standing]:
        """Return the status of each part, by name. Stopped ones are left out."""
        return [part.standing() for _, part in sorted(self._parts.items()) if not part.is_stopped]

    @property
    def health(self) -> Health:
        """The status of all of them, in one word."""
        down = [
            part for part in self._parts.copy().values() if part.is_down and not part.is_stopped
        ]
        if not down:
            return "ok"
        return "degraded" if all(part.tidies for part in down) else "down"


def reason(error: BaseException) -> str:
    """Return what went wrong on one line, with the location for an internal error."""
    if isinstance(error, TidegateError):
        return error.message
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror.lower()}"
    return " ".join(f"{type(error).__name__}: {error}{_where(error)}".split())


def _where(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    if at is None:
        return ""
    module = at.tb_frame.f_globals.get("__name__", "?")
    return f" ({module}, line {at.tb_lineno})"


def _now() -> Instant:
    # For people to read; no decision is based on it.
    return Instant(time.time_ns() // 1000)
