"""A log limiter per kind of line: a client that can trigger a line cannot fill the disk with it, and other lines remain visible."""

import logging
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

MOST: Final = 20
"""Lines of one kind in `WINDOW` seconds: enough to see what happens."""

WINDOW: Final = 60.0

KINDS: Final = 1_000
"""Kinds that are remembered. The code has about as many messages; any others come from elsewhere, and are forgotten together."""


class _Kind(Struct):
    """What was logged of one kind since a moment."""

    since: float
    count: int = 0
    left_out: int = 0


class PerKind(logging.Filter):
    """Passes lines that are new of their kind; the kind is the message template, without its arguments. Suppressed lines are counted, and reported with the next line of their kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a line is written."""
        now = self._clock()
        name = record.name, str(record.msg)[:200]
        kind = self._kinds.get(name)
        if kind is None or now - kind.since >= WINDOW:
            left_out = 0 if kind is None else kind.left_out
            if len(self._kinds) >= KINDS:
                self._kinds.clear()
            kind = self._kinds[name] = _Kind(now)
            if left_out:
                record.msg = f"({left_out:,} similar lines suppressed) {record.msg}"
        kind.count += 1
        kind.left_out += kind.count > MOST
        return kind.count <= MOST


def limit_log() -> None:
    """Limit what this process logs from now on."""
    # Without a handler, Python writes warnings through its handler of last resort.
    last = [] if logging.lastResort is None else [logging.lastResort]
    for handler in logging.getLogger().handlers or last:
        handler.addFilter(PerKind())
