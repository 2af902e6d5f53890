"""The shards of a store that many servers share: their number, and the one in which an execution is launched. Everybody works that out alike."""

from hashlib import sha256
from typing import Final

SHARDS: Final = 64
"""Parts of a store, each with one owner at a time. Their number is fixed when a store is made."""


def home_shard(execution_id: str) -> int:
    """Return the shard in which an execution with this public id is launched: every server knows it, so the same id always reaches the same owner."""
    return sha256(execution_id.encode()).digest()[0] % SHARDS
