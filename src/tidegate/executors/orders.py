"""
What the pool was asked for and has not done yet. It outlives a pool that fails: the next one continues with it.

Other threads add wishes, and the pool's thread carries them out in order. A job is forgotten when its end is reported, not when a worker
has it, so whatever breaks in between, it is still here.
"""

import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from threading import Lock
from typing import Any

from tidegate.executors.backlog import Attempt
from tidegate.executors.child import Child, Query
from tidegate.ports.executor import Job

Wish = Callable[[Any], None]
"""Something for the currently running pool: it is called with that pool, on the pool's thread."""

TRIES = 2
"""Pools that a wish may break; then it is dropped, for the sake of those behind it."""


class Orders:
    """`put` may be called by any thread, the rest belongs to the pool's thread."""

    def __init__(self) -> None:
        self.jobs: dict[Attempt, Job] = {}
        """Attempts whose end was not reported, in order of arrival."""
        self.children: list[Child] = []
        """The workers of the currently running pool. Other threads may copy this and `jobs`."""
        self.queries: list[Query] = []
        """Questions that no worker has, while no pool runs."""
        self.drained: Future[None] | None = None
        """Once this is set, no more attempts start. It is done when none runs."""
        self.awake, self._waker = os.pipe()
        """A descriptor that becomes readable when there are wishes."""
        os.set_blocking(self.awake, False)
        os.set_blocking(self._waker, False)
        self._wishes: deque[Wish] = deque()
        self._tried = 0
        self._lock = Lock()
        self._closed = False

    def put(self, wish: Wish) -> bool:
        """Have the pool do something, soon; False if there will be no further pool."""
        with self._lock:
            if self._closed:
                return False
            self._wishes.append(wish)
            self.wake()
            return True

    def wake(self) -> None:
        """Wake the pool to check for work."""
        with suppress(BlockingIOError):  # it is full of reasons to wake up
            os.write(self._waker, b"!")

    def next(self) -> Wish | None:
        """Return the wish to carry out now, None if there is none. It stays until it is `done`: if that fails, another pool tries once more."""
        if self._wishes and self._tried == TRIES:
            self.done()
        if not self._wishes:
            with suppress(BlockingIOError):
                os.read(self.awake, 4096)
        # Checked after the pipe was emptied: what is put in between is found here, or wakes the pool again.
        if not self._wishes:
            return None
        self._tried += 1
        return self._wishes[0]

    def done(self) -> None:
        """Forget the wish that was carried out."""
        self._wishes.popleft()
        self._tried = 0

    def close(self) -> None:
        """Accept no more wishes."""
        with self._lock:
            if not self._closed:
                self._closed = True
                os.close(self.awake)
                os.close(self._waker)
