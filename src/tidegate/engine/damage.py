"""
Which executions are known to be damaged, and why: what lists say of an execution that cannot be read back.

Every reader of an execution reports here when it fails, and again when it succeeds; and the engine reports what holds an execution that it runs.
Nothing is stored: damage is noticed again.
"""

from typing import NamedTuple

from tidegate.engine.cache import Cache
from tidegate.errors import StoreDamaged
from tidegate.ports.journal import Key

KNOWN = 4 * 1024 * 1024
"""Bytes of sentences kept: some 10,000 executions. If more are damaged, the disk itself is."""

REMEDY = "run `tidegate doctor`, and restore an earlier copy of the store"


class _Mark(NamedTuple):
    why: str
    is_unreadable: bool


class Damage:
    """The damaged executions that this process has met. May be used from any thread."""

    def __init__(self) -> None:
        self._known: Cache[Key, _Mark] = Cache(KNOWN)
        self.holds: dict[Key, str] = {}
        """What the engine lacks for executions whose attempts cannot start. It keeps the attempts anyway, so this adds little."""

    def why(self, key: Key) -> str:
        """Return what is damaged in an execution, and what to do; empty if no damage is known."""
        mark = self._known.get(key) if len(self._known) else None
        return self.holds.get(key, "") if mark is None else mark.why

    def is_unreadable(self, key: Key) -> bool:
        """Whether the history of an execution is known to be damaged, or its graph."""
        mark = self._known.get(key) if len(self._known) else None
        return mark is not None and mark.is_unreadable

    def noticed(self, key: Key, id_: str, error: StoreDamaged) -> StoreDamaged:
        """Record that an execution cannot be read back; return the error that names it."""
        named = damaged(id_, error)
        self._note(key, _Mark(named.message, is_unreadable=True))
        return named

    def lacks(self, key: Key, why: str) -> None:
        """Record that something an execution needs is missing, although its history can be read; or, if `why` is empty, that nothing is."""
        if why:
            self._note(key, _Mark(why, is_unreadable=False))
        elif len(self._known):
            self._known.drop(key)

    def _note(self, key: Key, mark: _Mark) -> None:
        self._known.put(key, mark, 2 * len(mark.why) + 200)


def damaged(id_: str, error: StoreDamaged) -> StoreDamaged:
    """Return the error that says which execution is damaged, why, and what to do."""
    if "execution" in error.details:
        return error
    return StoreDamaged(
        f"execution {id_} is damaged: {error.message}; {REMEDY}", execution=id_, why=error.message
    )
