"""
The progress of an execution, for a person who waits: a moving line at a terminal, an occasional plain line elsewhere.

A run that takes less than two seconds shows no progress.
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
"""Seconds in which nothing is shown."""

BETWEEN = 10.0
"""Seconds between two lines that cannot be overwritten; doubled each time, because a wait of a day must not fill a log."""

FRAMES = "|/-\\"
CLEAR = "\r\x1b[K"
"""Go to the start of the line, and erase it (ECMA-48)."""

DONE = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "SKIPPED"})


class Progress:
    """Shows an execution on standard error, as last read."""

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
        """Take a new state."""
        self._view = view
        self.refresh()

    def refresh(self) -> None:
        """Show the state, if it is time to."""
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
        """Erase the moving line, because something else is about to be written."""
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
        # The terminal was closed, so nobody is there to read it.
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def counting(what: str) -> Callable[[int, int], None]:
    """Return a function that reports progress over all executions, at most every two seconds and at the end."""
    said = time.monotonic()

    def progress(done: int, of: int) -> None:
        nonlocal said
        if done >= of or time.monotonic() - said >= QUIET:
            said = time.monotonic()
            tell(f"{what}: {done:,} of {of:,} executions")

    return progress


def summary(view: ExecutionView) -> str:
    """Say on one line how an execution is doing."""
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
            # After its pause it is retried as soon as there is room; that is not late.
            return f"{name} is retried {'soon' if rest == 'overdue' else f'({rest})'}"
        case _:
            return f"waiting for {name} ({rest})"
