"""
Waiting for an execution to change, without polling.

Take the token first, then read, then wait for the token: a change between the read and the wait is never missed.
"""

import threading
from collections.abc import Callable, Mapping

from tidegate.core.state import ExecutionPhase
from tidegate.engine.futures import Future
from tidegate.ports.journal import Key

Token = Future[None]
Matters = Callable[[ExecutionPhase], bool]


class Watch:
    """Hands out tokens that resolve at the next relevant change of an execution."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[Key, dict[Token, Matters]] = {}
        self._closed = False

    def token(self, key: Key, matters: Matters) -> Token:
        """
        Return a future that resolves when the execution changes and is then in a relevant phase, when the engine ends, or when the watch is closed.

        Give it back with `drop`.
        """
        token: Token = Future()
        with self._lock:
            if self._closed:
                token.set_result(None)
            else:
                self._tokens.setdefault(key, {})[token] = matters
        return token

    def drop(self, key: Key, token: Token) -> None:
        """Forget a token."""
        with self._lock:
            self._forget(key, token)

    def changed(self, phases: Mapping[Key, ExecutionPhase]) -> None:
        """Resolve the tokens of these executions. Called on the engine's thread after each commit."""
        if not self._tokens:
            return
        with self._lock:
            due = [
                (key, token)
                for key in self._tokens.keys() & phases.keys()
                for token, matters in self._tokens[key].items()
                if matters(phases[key])
            ]
            for key, token in due:
                self._forget(key, token)
        for _, token in due:
            token.set_result(None)

    def wake(self) -> None:
        """Resolve every token: the engine has ended, so nothing will change, and those who wait must find out why."""
        with self._lock:
            tokens = [token for tokens in self._tokens.values() for token in tokens]
            self._tokens.clear()
        for token in tokens:
            token.set_result(None)

    @property
    def is_closed(self) -> bool:
        """Whether there is nothing left to wait for."""
        return self._closed

    def close(self) -> None:
        """Resolve every token, and each that is requested from now on."""
        self._closed = True
        self.wake()

    def _forget(self, key: Key, token: Token) -> None:
        tokens = self._tokens.get(key)
        if tokens is not None:
            tokens.pop(token, None)
            if not tokens:
                del self._tokens[key]
