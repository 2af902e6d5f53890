"""Who is told of commits: callbacks in this process."""

import logging
from collections.abc import Callable
from threading import Lock

from tidegate.ports.changes import Touched

log = logging.getLogger(__name__)


class Announcer:
    """The subscribers to changes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._subscribers: tuple[Callable[[Touched], None], ...] = ()

    def subscribe(self, call: Callable[[Touched], None]) -> Callable[[], None]:
        """Call this function after each commit; the returned function ends that."""
        with self._lock:
            self._subscribers = (*self._subscribers, call)

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers = tuple(each for each in self._subscribers if each is not call)

        return unsubscribe

    def announce(self, touched: Touched) -> None:
        """Tell the subscribers; the failure of one does not affect the others."""
        for call in self._subscribers:
            try:
                call(touched)
            except Exception:
                log.exception("a subscriber to changes failed")
