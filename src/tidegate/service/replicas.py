"""
Servers that share a store: which of them decides about an execution, and how a request gets there.

Every server takes every request. One that decides goes to the owner of the shard concerned: here, or over `Peers` at another server, whose reply is
passed on. Nothing is acknowledged before the owner's commit, so a request that was on its way when an owner died is sent again, to the next one; for
that it gets an id or a key here, if its caller has given none, which makes a repetition harmless.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from msgspec import structs

from tidegate.engine.arrivals import tell
from tidegate.engine.futures import Future
from tidegate.engine.sharing import not_here
from tidegate.errors import NotHere
from tidegate.ports.journal import Key
from tidegate.ports.shares import StoreShares
from tidegate.service.access import Principal
from tidegate.service.moments import moment
from tidegate.service.steps import Pause, Steps
from tidegate.wire import (
    Abort,
    Answer,
    Ask,
    GetLogs,
    Launch,
    Recover,
    Relaunch,
    ReplicaList,
    ReplicaView,
    Request,
)

Deciding: TypeAlias = Answer | Launch | Relaunch | Recover | Abort
Passable: TypeAlias = Deciding | GetLogs
"""What servers ask each other."""

Tell: TypeAlias = Callable[[Any], None]
"""Takes a result, or an error."""

DRAWS: Final = 1_000
"""Ids drawn to find one in a shard that is owned: of 64 shards, one is found with 16 draws in five."""


UNSURE: Final = 0.05
"""Seconds before a server that is not sure of what it owns looks again: as long as before an owner is looked for again."""


class Peers(Protocol):
    """The way to other servers."""

    def ask(
        self, request: Ask[Any], principal: Principal, shard: int, tell: Tell, *, guessed: bool
    ) -> None:
        """
        Have the owner of a shard handle a request, and tell its view once, or None if this server owns the shard by now, or if the shard was `guessed`
        and its owner does not have the execution.

        Told is also an error: those of the request; `NotHere` if nobody has owned the shard for a while.
        """
        ...

    def ask_each(self, wanted: Mapping[str, GetLogs], principal: Principal, tell: Tell) -> None:
        """Have each of these servers, by address, handle a request; tell once what each has replied, a view or an error. None is waited for long."""
        ...

    def all_servers(self) -> tuple[str, list[str]]:
        """Return the address of this server, and those of all others that are alive."""
        ...

    def has_others(self) -> bool:
        """Return whether another server is alive that does not leave."""
        ...

    def close(self) -> None:
        """Pass on nothing more."""
        ...


class Keys(Protocol):
    """Where executions are."""

    def key(self, id_: str) -> Key:
        """Look up the key of an execution. Errors: `UnknownExecution`."""
        ...

    def known_key(self, id_: str) -> Key | None:
        """Return its key if that is known without looking it up."""
        ...


class Replicas:
    """This server among others; alone it owns everything."""

    def __init__(self, shares: StoreShares | None, keys: Keys, new_id: Callable[[], str]) -> None:
        self._store = shares
        self.shares = shares if shares is not None and shares.is_shared else None
        """What this server owns of a store that it shares with others; None if it shares none."""
        self._keys = keys
        self._draw = new_id
        self._leaving = False
        self.peers: Peers | None = None

    def concerns(self, request: Ask[Any]) -> bool:
        """Return whether a request must reach the owner of an execution, which may be another server."""
        return self.peers is not None and isinstance(request, Deciding)

    def hands_over(self) -> bool:
        """Return whether others go on when this server leaves."""
        return self.peers is not None and self.peers.has_others()

    def leave(self) -> None:
        """Give up what is owned as soon as nothing of it runs here."""
        self._leaving = True
        if self.shares is not None:
            self.shares.leave()

    def new_id(self) -> str:
        """Return an id for an execution, in a shard that is owned here if there is one."""
        own = frozenset(() if self.shares is None or self._leaving else self.shares.own)
        for _ in range(DRAWS if own else 0):
            id_ = self._draw()
            if self.shares is None or self.shares.home_shard(id_) in own:
                return id_
        return self._draw()

    def decide(
        self,
        request: Request,
        principal: Principal,
        here: Callable[[Request], Steps[Any]],
        *,
        passed_on: bool,
    ) -> Steps[Any]:
        """
        Handle a request at the owner. One that was `passed_on` by another server is handled here or not at all.

        Where an execution is, its id says, unless it succeeds another one: so it is looked up only if the server that should have it has not.
        Errors: `NotHere`; those of the request.
        """
        assert self.shares is not None
        assert self.peers is not None
        if passed_on:
            return (yield from self._taken_over(request, here))
        guesses = True
        while True:
            if not self._takes_launches():
                request = self._repeatable(request)
            shard = self._shard(request, guesses=guesses)
            if shard is None or self.shares.has(shard):
                try:
                    return (yield from here(request))
                except NotHere:
                    guesses = False
                    if shard is not None and self.shares.has(shard):
                        # It owns the shard, and is not sure of that: its lease is about to be renewed, or to be lost.
                        yield Pause(Future(), UNSURE)
                        continue
            request = self._repeatable(request)
            shard = self._shard(request, guesses=guesses)
            assert shard is not None
            reply: Future[Any] = Future()
            self.peers.ask(request, principal, shard, partial(tell, reply), guessed=guesses)
            found = yield Pause(reply)
            if found is not None:
                return found
            guesses = False

    def _taken_over(self, request: Request, here: Callable[[Request], Steps[Any]]) -> Steps[Any]:
        """Handle a request of another server. Errors: `NotHere` if this one does not own what it concerns."""
        assert self.shares is not None
        if isinstance(request, Launch | Relaunch):
            shard = self._shard(request, guesses=True)
            if shard is not None and not self.shares.has(shard):
                raise not_here()
        return (yield from here(request))

    def _takes_launches(self) -> bool:
        """Return whether a launch without an id can be placed here."""
        return bool(self.shares and self.shares.own) and not self._leaving

    def _shard(self, request: Request, *, guesses: bool) -> int | None:
        """Return the shard that a request concerns; None if it is a launch, and any will do. With `guesses` nothing is looked up."""
        assert self.shares is not None
        match request:
            case Launch(id=id_) | Relaunch(new_id=id_):
                return self.shares.home_shard(id_) if id_ else None
            case Recover(id=id_) | Answer(id=id_) | Abort(id=id_):
                key = self._keys.known_key(id_) if guesses else self._keys.key(id_)
                return self.shares.home_shard(id_) if key is None else self.shares.shard_of(key)
            case _:
                raise AssertionError(f"{type(request).__name__} decides nothing")

    def _repeatable(self, request: Request) -> Request:
        """Return a request that may arrive twice."""
        match request:
            case Launch(id=""):
                return structs.replace(request, id=self._draw())
            case Relaunch(new_id="") | Recover(new_id=""):
                return structs.replace(request, new_id=self._draw())
            case Answer(key=""):
                return structs.replace(request, key=f"passed-on-{self._draw()}")
            case _:
                return request

    def list(self) -> ReplicaList:
        """Return the servers that share the store."""
        if self._store is None:
            return ReplicaList(items=[])
        me = self._store.name
        return ReplicaList(
            items=[
                ReplicaView(
                    name=each.name,
                    address=each.address,
                    version=each.version,
                    since=moment(each.since),
                    leaving=each.leaving,
                    shards=sorted(each.shards),
                    newest=moment(max(each.shards.values())) if each.shards else None,
                    here=each.name == me,
                    lease_age=round(each.lease_age, 3),
                )
                for each in self._store.replicas()
            ]
        )
