"""
How an execution gets on, for a person who waits: a moving line at a terminal, now and then a plain line elsewhere.

Nothing is said of a run that is over in two seconds.
"""

import sys
import time
from typing import Any

from tidegate.cli.render import left, line, tell, utc_now
from tidegate.wire import ExecutionView

QUIET = 2.0
"""Seconds in which nothing is said."""

BETWEEN = 10.0
"""Seconds between two lines where they cannot be overwritten; each time twice as long, for a wait of a day must not fill a log."""

DONE = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED", "SKIPPED"})


class Progress:
    """Shows an execution on standard error, as it was looked at last."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._last = self._began
        self._view: ExecutionView | None = None
        self._moving = sys.stderr is not None and sys.stderr.isatty()
        self._status: Any = None
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
        """Take the moving line away, for something else is to be written."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _move(self, words: str) -> None:
        # Loaded only when a moving line is drawn: most commands never do.
        from rich.console import Console  # noqa: PLC0415
        from rich.markup import escape  # noqa: PLC0415

        if self._status is None:
            self._status = Console(stderr=True).status("")
            self._status.start()
        self._status.update(escape(words))


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
        f"{'sleeping' if each.kind == 'sleep' else 'waiting for'} {line(each.name, 40)} "
        f"({left(each.due, utc_now())})"
        for each in view.waiting[:3]
    ]
    return "; ".join(parts)
