"""An LRU cache that is bounded in bytes. May be used from any thread."""

import threading
from collections import OrderedDict
from sys import getsizeof
from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

SAMPLE = 16
"""Items of a list or an object whose sizes are extrapolated: measuring everything takes three times as long as decoding it."""

KEY = 60
"""Bytes of a key of an object: a short text."""


class Cache(Generic[K, V]):
    """Values by key, each with its weight in bytes; together they weigh at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._weight = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return the value of a key."""
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                return None
            self._kept.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Store a value in place of the one before. One that is larger than the whole cache is not kept."""
        with self._lock:
            self._drop(key)
            if weight > self._most:
                return
            self._kept[key] = (value, weight)
            self._weight += weight
            while self._weight > self._most:
                _, (_, lighter) = self._kept.popitem(last=False)
                self._weight -= lighter

    def drop(self, key: K) -> None:
        """Forget the value of a key."""
        with self._lock:
            self._drop(key)

    @property
    def weight(self) -> int:
        """Bytes of everything kept."""
        return self._weight

    def __len__(self) -> int:
        return len(self._kept)

    def _drop(self, key: K) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._weight -= found[1]


def size_of(value: Any) -> int:
    """Return the approximate memory of a stored value in bytes."""
    if value.__class__ is dict:
        items, keys = list(value.values()), KEY * len(value)
    elif value.__class__ is list:
        items, keys = value, 0
    else:
        return getsizeof(value)
    own = getsizeof(value) + keys
    if not items:
        return own
    some = items if len(items) <= SAMPLE else items[:: len(items) // SAMPLE]
    return own + sum(map(size_of, some)) * len(items) // len(some)
