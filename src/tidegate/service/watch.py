"""
Waiting for an execution to change, without asking again and again.

Take the token first, then look, then wait for the token: a change between the look and the wait is never missed.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from tidegate.ports import Key


class Watch:
    """Hands out tokens that resolve at the next change of an execution."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[Key, set[Future[None]]] = {}
        self._closed = False

    def token(self, key: Key) -> Future[None]:
        """Return a future that resolves when the execution changes, or when the watch is closed. Give it back with `drop`."""
        token: Future[None] = Future()
        with self._lock:
            if self._closed:
                token.set_result(None)
            else:
                self._tokens.setdefault(key, set()).add(token)
        return token

    def drop(self, key: Key, token: "Future[None]") -> None:
        """Forget a token."""
        with self._lock:
            tokens = self._tokens.get(key, set())
            tokens.discard(token)
            if not tokens:
                self._tokens.pop(key, None)

    def changed(self, keys: Iterable[Key]) -> None:
        """Resolve the tokens of these executions. Called after each commit."""
        if not self._tokens:
            return
        with self._lock:
            tokens = [token for key in keys for token in self._tokens.pop(key, ())]
        for token in tokens:
            token.set_result(None)

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._closed

    def close(self) -> None:
        """Resolve every token, and each that is asked for from now on."""
        with self._lock:
            self._closed = True
            keys = list(self._tokens)
        self.changed(keys)
