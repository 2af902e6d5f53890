"""
How an execution gets on, for a person who waits: a moving line at a terminal, now and then a plain line elsewhere.

Nothing is said of a run that is over in two seconds.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from tidegate.cli.render import left, line, tell, utc_now, why_queued
from tidegate.sdk.exhibit import cells_wide
from tidegate.wire import ExecutionView, WaitingView

QUIET = 2.0
"""Seconds in which nothing is said."""

BETWEEN = 10.0
"""Seconds between two lines where they cannot be overwritten; each time twice as long, for a wait of a day must not fill a log."""

FRAMES = "|/-\\"
CLEAR = "\r\x1b[K"
"""Go to the beginning of the line, and erase it (ECMA-48)."""

DONE = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "SKIPPED"})


class Progress:
    """Shows an execution on standard error, as it was looked at last."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = self._began
        self._view: ExecutionView | None = None
        self._moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._frame = 0
        self._gap = 0.0

    @property
    def tick(self) -> float:
        """Seconds after which `refresh` should be called."""
        return 0.5 if self._moving else 1.0

    def show(self, view: ExecutionView) -> None:
        """Take notice of how it stands."""
        self._view = view
        self.refresh()

    def refresh(self) -> None:
        """Say how it stands, if it is time to."""
        now = time.monotonic()
        view = self._view
        if view is None or now - self._began < QUIET:
            return
        words = summary(view)
        if self._moving:
            self._move(words)
        elif now - self._last >= self._gap:
            self._last, self._gap = now, 2 * self._gap or BETWEEN
            tell(f"  … {words}")

    def pause(self) -> None:
        """Take the moving line away, as something else is to be written."""
        if self._frame:
            self._frame = 0
            self._write(CLEAR)

    def _move(self, words: str) -> None:
        self._frame += 1
        room = shutil.get_terminal_size().columns - 3
        cut = line(words, room)
        wide = cells_wide(cut) - len(cut)
        cut = line(cut, max(1, room - wide))
        self._write(f"{CLEAR}{FRAMES[self._frame % len(FRAMES)]} {cut}")

    def _write(self, text: str) -> None:
        # Whoever has closed the terminal is not there to be told.
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def counting(what: str) -> Callable[[int, int], None]:
    """Return what says, at most every two seconds and at the end, how far something has come that goes through all executions."""
    said = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal said
        if done >= of or time.monotonic() - said >= QUIET:
            said = time.monotonic()
            tell(f"{what}: {done:,} of {of:,} executions")

    return progress


def summary(view: ExecutionView) -> str:
    """Say on one line how an execution stands."""
    ended = sum(node.phase in DONE for node in view.nodes)
    parts = [f"{ended} of {len(view.nodes)} nodes done"]
    running = [
        line(node.name, 40)
        for node in view.nodes
        if node.phase == "RUNNING" and node.kind == "task"
    ]
    if running:
        more = f" and {len(running) - 3} more" if len(running) > 3 else ""
        parts.append(f"running {', '.join(running[:3])}{more}")
    parts += [
        f"{line(node.name, 40)} {line(why_queued(node.held), 200)}"
        for node in view.nodes
        if node.held is not None
    ][:1]
    parts += [_waits(each) for each in view.waiting[:3]]
    return "; ".join(parts)


def _waits(each: WaitingView) -> str:
    name, rest = line(each.name, 40), left(each.due, utc_now())
    match each.kind:
        case "sleep":
            return f"sleeping {name} ({rest})"
        case "retry":
            # When its pause is over, it is tried as soon as there is room; nobody is late.
            return f"{name} is tried again {'soon' if rest == 'overdue' else f'({rest})'}"
        case _:
            return f"waiting for {name} ({rest})"
