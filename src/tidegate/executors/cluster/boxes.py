"""What a keeper has for one link: what that has not been told yet, and what was told last, until it has arrived."""

import threading
import time
from collections.abc import Mapping, Sized

from tidegate.executors.cluster.protocol import News, Shape, Told
from tidegate.ports.executor import Attempt, Report
from tidegate.ports.terminals import Printed, Published

PATIENCE = 3.0
"""Seconds after the end of a link's last call in which it must ask again. It asks at once, if its machine is not overloaded."""


class Box:
    """What there is for a link. `asked` is when it has asked last; `is_news`: the number of reservations has changed."""

    def __init__(self, lock: threading.RLock) -> None:
        self.stirred = threading.Condition(lock)
        """Notified by `stir`, for the call that waits for the next message."""
        self._enough = 1
        self.unclaimed: list[Attempt] = []
        self.reports: list[Report] = []
        self.printed: list[Printed] = []
        self.published: list[Published] = []
        # At first, it is not known there.
        self.is_news = True
        self.failed: dict[Shape, str] = {}
        self.asked = time.monotonic()
        self.told: Told | None = None
        self._number = 0
        self._waits = 0.0

    def heard(self, number: int, wait: float) -> None:
        """Record which message has arrived, and how many seconds the link waits for the next."""
        self.asked, self._waits = time.monotonic(), wait
        if self.told is not None and self.told.number == number:
            self.told = None

    def stir(self) -> None:
        """Wake the call that waits for the next message, unless it waits for more reports."""
        if len(self.reports) >= self._enough or (self._enough == 1 and self.is_full):
            self.stirred.notify_all()

    def gather(self, count: int, seconds: float) -> None:
        """Wait until there are this many reports, or what was told last is to be told again."""
        self._enough = count
        self.stirred.wait_for(lambda: self.told or len(self.reports) >= count, seconds)
        self._enough = 1

    @property
    def is_asked(self) -> bool:
        """Whether the link is still there, as far as is known."""
        return time.monotonic() < self.asked + self._waits + PATIENCE

    @property
    def is_full(self) -> bool:
        """Whether there is something to tell, for the first time or again."""
        return bool(
            self.told
            or self.is_news
            or self.reports
            or self.printed
            or self.published
            or self.failed
            or self.unclaimed
        )

    def next(self, slots: Mapping[Shape, Sized]) -> Told:
        """Return the next message, with the reservations that there are; the last one, if that may not have arrived."""
        self.asked, self._waits = time.monotonic(), 0.0
        if self.told is None:
            self._number += 1
            self.told = Told(
                self._number,
                News(self.reports, self.printed, self.published, self.unclaimed),
                [(shape, len(each)) for shape, each in slots.items()],
                list(self.failed.items()),
            )
            self.reports, self.printed, self.published, self.failed = [], [], [], {}
            self.unclaimed = []
            self.is_news = False
        return self.told
