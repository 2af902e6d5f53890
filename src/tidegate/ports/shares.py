"""
The shards of a store, each with one owner at a time: who decides about an execution, and where that is asked for.

A store in a file is one shard, which its owner has. One in a database for many servers is divided, by the keys of executions.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from tidegate.ir.graph import Instant
from tidegate.ports.journal import Key


class Turnover(NamedTuple):
    """
    What ought to change: which shards to take, how many to give up, and which are lost, because others have them by now, or may have.

    `keeps`: those who take what is given up know of attempts that go on here (`ports.reports`). `is_said`: why they are lost is said elsewhere.
    """

    take: Sequence[int] = ()
    give: int = 0
    lost: Sequence[int] = ()
    keeps: bool = False
    is_said: bool = False


class Replica(NamedTuple):
    """A server that shares the store. `address` is where others reach it; `shards` are those that it owns, with the instant since which it has each; `lease_age` is in seconds."""

    name: str
    address: str
    version: str
    since: Instant
    leaving: bool
    lease_age: float
    shards: dict[int, Instant]


class Vitals(NamedTuple):
    """What an operator watches of a server's shards: how long ago the lease was renewed, in seconds, and how many commits were refused because others owned a shard."""

    lease_age: float
    refused: int


class StoreShares(Protocol):
    """The shards that this process owns, and their owners. What changes them is called by the engine's thread, everything else by any."""

    def now(self) -> Instant:
        """Return the present instant, which is the same for all servers that share the store."""
        ...

    @property
    def own(self) -> Sequence[int]:
        """The shards that are owned."""
        ...

    @property
    def is_shared(self) -> bool:
        """Whether other servers may own shards of the store."""
        ...

    def has(self, shard: int) -> bool:
        """Return whether a shard is owned."""
        ...

    def owns(self, key: Key) -> bool:
        """Return whether an execution is in a shard that is owned."""
        ...

    def shard_of(self, key: Key) -> int:
        """Return the shard that an execution is in."""
        ...

    def home_shard(self, execution_id: str) -> int:
        """Return the shard in which an execution with this id is launched."""
        ...

    def take(self, shards: Sequence[int]) -> list[int]:
        """Take shards that nobody owns; return those that were taken. Errors: `StoreError`."""
        ...

    def give(self, shards: Sequence[int]) -> None:
        """Give up shards; nothing more is stored in them. Errors: `StoreError`; they are given up all the same, once their lease has ended."""
        ...

    def lose(self, shards: Sequence[int]) -> None:
        """Give up shards without a word to anybody, because others own them by now, or may."""
        ...

    def leave(self) -> None:
        """Give up everything as soon as it is idle, and take nothing more."""
        ...

    def follow(self, call: Callable[[Turnover], None]) -> None:
        """Call this, in another thread, whenever something ought to change."""
        ...

    def replicas(self) -> list[Replica]:
        """Return the servers that are alive, by name. Errors: `StoreError`."""
        ...

    def secret(self) -> bytes:
        """Return what proves one server to another."""
        ...

    def is_sure(self, key: Key) -> bool:
        """Return whether nobody else can have taken the shard of an execution that is owned: the lease lasts, and nothing is known of another owner."""
        ...

    @property
    def left(self) -> float:
        """Seconds until the lease may end: what is owned after that may be another's."""
        ...

    def vitals(self) -> Vitals:
        """Return how the lease stands."""
        ...

    @property
    def name(self) -> str:
        """The name of this server."""
        ...
