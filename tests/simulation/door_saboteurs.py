"""
The bugs that are planted in when a server takes, keeps and gives shards, and in how a request gets to the owner; each in the place of one function.

`real` is the function that stands there; the package is that of the module which `where` begins with.
"""

from typing import Any

from tidegate.core.shards import SHARDS
from tidegate.engine.arrivals import Aside
from tidegate.errors import NotHere, StoreError
from tidegate.ports.shares import Turnover
from tidegate.remote.problems import error_in
from tidegate.wire import Launch

from .machine import Sabotage
from .replica_saboteurs import ENGINE, STORE

DOOR, SERVICE, DATABASE = "tidegate.api", "tidegate.service", str(__package__)


def renewed_too_late(real: Any) -> Any:
    """Renew whatever the lease says, and do not look whose the shards are by now."""

    def renew(ownership: Any) -> None:
        tell, ownership.tell = ownership.tell, lambda _: None
        try:
            real(ownership)
        finally:
            ownership.tell = tell
        ownership._doubted.clear()

    return renew


def epoch_stays(_: Any) -> Any:
    def taken(tables: Any, shard: int, lease: Any) -> None:
        tables.owners[shard] = lease[0]
        tables.leases[shard] = lease

    return taken


def keeps_deciding(real: Any) -> Any:
    def give(ownership: Any, shards: Any) -> None:
        epochs = ownership._epochs
        real(ownership, shards)
        ownership._epochs = epochs

    return give


def beside_the_engine(_: Any) -> Any:
    """Take and give in the thread that looks who should have what, also while something is being stored."""

    def turn_over(engine: Any, wanted: Turnover) -> None:
        engine.sharing.end(wanted.lost)
        try:
            engine.sharing.turn_over(wanted)
        except StoreError:
            engine._put(Aside(lambda: None))

    return turn_over


def sleeps_on(_: Any) -> Any:
    """What was taken over is not looked at for timers."""

    def turn_aside(engine: Any, aside: Aside) -> None:
        try:
            aside.act()
        except StoreError as error:
            engine._store.failed(error, quietly=True)
            engine._stumbled = True

    return turn_aside


def owners_of_old(real: Any) -> Any:
    async def look(lines: Any) -> None:
        if lines._owners and lines._secret:
            lines._looking = None
        else:
            await real(lines)

    return look


def refusal_is_a_reply(real: Any) -> Any:
    def settle(lines: Any, asked: Any, said: Any) -> None:
        error = error_in(bytes(said.body)) if hasattr(said, "body") else None
        if isinstance(error, NotHere):
            lines._finish(asked, error)
        else:
            real(lines, asked, said)

    return settle


def in_another_order(real: Any) -> Any:
    async def exchange(lines: Any, owner: Any, bodies: Any) -> Any:
        replies = await real(lines, owner, bodies)
        return replies and replies[::-1]

    return exchange


def a_new_id_each_time(real: Any) -> Any:
    """What is sent again is another launch."""

    def settle(lines: Any, asked: Any, said: Any) -> None:
        if said is None and asked.kind is Launch:
            before = asked.body.split(b'"id":"')[1].split(b'"')[0]
            asked.body = asked.body.replace(before, before[::-1])
        real(lines, asked, said)

    return settle


def of_another_shard(real: Any) -> Any:
    """A launch is sent to the owner of a shard far from its own."""

    def shard(replicas: Any, request: Any, *, guesses: bool) -> Any:
        found = real(replicas, request, guesses=guesses)
        return (
            (found + SHARDS // 2) % SHARDS
            if isinstance(request, Launch) and found is not None
            else found
        )

    return shard


DOOR_SABOTEURS = [
    (SERVICE, Sabotage("a launch is sent to the owner of another shard", "replicas.Replicas._shard", of_another_shard)),
    (STORE, Sabotage("a lease that has run out is renewed, and all goes on", "ownership.Ownership.renew", renewed_too_late)),
    (DATABASE, Sabotage("a shard is taken in the epoch of its last owner", "tables.Tables._taken", epoch_stays)),
    (STORE, Sabotage("what was given up is still decided", "ownership.Ownership.give", keeps_deciding)),
    (ENGINE, Sabotage("shards are given while something is being stored", "loop.Engine._turn_over", beside_the_engine)),
    (ENGINE, Sabotage("what was taken over sleeps on", "loop.Engine._turn_aside", sleeps_on)),
    (DOOR, Sabotage("the owners of the first look are believed", "passing.PeerLines._look_now", owners_of_old)),
    (DOOR, Sabotage("that a server is not the owner is the reply", "passing.PeerLines.settle", refusal_is_a_reply)),
    (DOOR, Sabotage("replies are told in another order", "passing.PeerLines.exchange", in_another_order)),
    (DOOR, Sabotage("what is sent again is another launch", "passing.PeerLines.settle", a_new_id_each_time)),
]  # fmt: skip
