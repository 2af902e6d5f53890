"""Which keys and positions rows get that come from another database."""

from collections import Counter

from tidegate.core.shards import SHARDS, home_shard
from tidegate.stores.postgres.ownership import shard_of


class Placing:
    """Keys in the order in which they are asked for, and a position in its shard for each line. `at` is an instant that no line is later than."""

    def __init__(self) -> None:
        self.at = 0
        self._tick = 0
        self._positions: Counter[int] = Counter()

    def key(self, execution_id: str, launched: int) -> int:
        """Return the key of an execution: its launch, or the next instant after that of the last key, and its shard."""
        self._tick = max(self._tick + 1, launched)
        return self._tick * SHARDS + home_shard(execution_id)

    def line(self, key: int, at: int) -> tuple[int, int, int]:
        """Return the shard, the position and the instant of a line."""
        shard = shard_of(key)
        self._positions[shard] += 1
        return shard, self._positions[shard], min(at, self.at)
