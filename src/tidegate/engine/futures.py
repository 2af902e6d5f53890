"""
What the engine returns to callers: a future that is done once the request is stored.

It works like `concurrent.futures.Future`, but without cancelling, at a fifth of the cost: that one makes a condition variable for
each, whether anybody blocks or not. Here a lock is made by the caller that blocks; event loops do not.
"""

import logging
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar, cast

T = TypeVar("T")

log = logging.getLogger(__name__)


class Future(Generic[T]):
    """A result or an error, set once by another thread. The first one counts."""

    __slots__ = ("_calls", "_done", "_error", "_lock", "_result")

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: list[Callable[[Future[T]], object]] | None = None
        self._done = False
        self._error: BaseException | None = None
        self._result: T | None = None

    def set_result(self, result: T) -> None:
        """Set the result, and notify all waiters."""
        self._settle(result, None)

    def set_exception(self, error: BaseException) -> None:
        """Set the error."""
        self._settle(None, error)

    def _settle(self, result: T | None, error: BaseException | None) -> None:
        with self._lock:
            if self._done:
                return
            self._result, self._error, self._done = result, error, True
            calls, self._calls = self._calls, None
        for call in calls or ():
            self._tell(call)

    def _tell(self, call: Callable[["Future[T]"], object]) -> None:
        try:
            call(self)
        except Exception:
            # It runs in the thread that sets the result, which must continue for all the others.
            log.exception("somebody who waited for the engine could not be told")

    def done(self) -> bool:
        """Whether the result or the error is set."""
        return self._done

    def add_done_callback(self, call: Callable[["Future[T]"], object]) -> None:
        """Call this when it is done, in the thread that sets it; at once if it is done already."""
        with self._lock:
            if not self._done:
                if self._calls is None:
                    self._calls = [call]
                else:
                    self._calls.append(call)
                return
        self._tell(call)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Return the error, None if there is a result; blocks until one is there. Raises TimeoutError after `timeout` seconds."""
        if not self._done:
            turn = Lock()
            turn.acquire()
            self.add_done_callback(lambda _: turn.release())
            if not turn.acquire(timeout=-1 if timeout is None else timeout):
                raise TimeoutError
        return self._error

    def result(self, timeout: float | None = None) -> T:
        """Return the result, or raise the error; blocks until one is there. Raises TimeoutError after `timeout` seconds."""
        error = self.exception(timeout)
        if error is not None:
            raise error
        return cast("T", self._result)
