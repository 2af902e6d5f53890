"""
The bugs that are planted in what keeps two hosts apart, each in the place of one function; `real` is the one that stands there.

The package is that of the module which `where` begins with.
"""

import itertools
from typing import Any

from msgspec.structs import replace

from tidegate.core.shards import SHARDS
from tidegate.stores.postgres import connections
from tidegate.stores.postgres.ownership import LEASE_SECONDS, shard_of

from .machine import Sabotage
from .saboteurs import any_attempt, nothing

STORE, ENGINE, CORE, SCHEMA = (
    "tidegate.stores.postgres", "tidegate.engine", "tidegate.core", "tidegate.stores",
)  # fmt: skip


def unproved(_: Any) -> Any:
    def prove(ownership: Any, session: Any, shards: Any) -> int:
        return int(session.execute(ownership._sql["clock"], {}).fetchall()[0][0])

    return prove


def proved_before(real: Any) -> Any:
    """Prove on another connection, so what is proved may be over when the transaction commits."""

    def prove(ownership: Any, session: Any, shards: Any) -> int:
        with ownership._connections.reading() as another:
            before = connections.Session(another.raw, connections.Pipeline(another.raw))
            at = int(real(ownership, before, shards))
            before.execute("COMMIT")
            return at

    return prove


def without_key(real: Any) -> Any:
    """The schema without the epoch in a key."""

    def migrations(database: str) -> Any:
        found = real(database)
        line = "    UNIQUE (shard, epoch)\n"
        assert line in found[0].sql
        return (replace(found[0], sql=found[0].sql.replace(line, "")), *found[1:])

    return migrations


def by_its_own_clock(real: Any) -> Any:
    """One of the hosts is five minutes early, and takes what it believes to be free."""

    def survey(ownership: Any) -> Any:
        if ownership.name.startswith("a"):
            for owner, _, _, _, left in ownership._holders():
                if owner != ownership.name and left < 5 * 60:
                    with ownership._connections.reading() as session:
                        wanted = {"owner": owner, "shards": list(range(SHARDS))}
                        session.execute(ownership._sql["let_go"], wanted)
        return real(ownership)

    return survey


def counted_together(_: Any) -> Any:
    """One number for the lines of all shards."""

    def placed(positions: Any, rows: Any) -> Any:
        ends, count = dict(positions), itertools.count(max(positions.values(), default=0) + 1)
        found = []
        for key, seq, body in rows:
            ends[shard_of(key)] = place = next(count)
            found.append((key, seq, body, shard_of(key), place))
        return ends, found

    return placed


def read_by_instant(real: Any) -> Any:
    """A reader goes on after the latest instant it has seen, and so beyond what is committed later with an earlier one."""

    def after(changes: Any, cursor: Any, limit: int, key: Any = None) -> Any:
        found = real(changes, cursor, limit, key)
        return found[1:] if len(found) > 1 and found[0].key != found[1].key else found

    return after


def only_what_it_hears(real: Any) -> Any:
    def hear(keeping: Any, shards: Any, freed: bool) -> None:
        if shards is not None:
            real(keeping, shards, freed)

    return hear


def never(_: Any) -> Any:
    return lambda *_, **__: False


def always(_: Any) -> Any:
    return lambda *_, **__: True


def by_number_alone(real: Any) -> Any:
    """Ask what became of the number, and not whether the server has given it again."""

    def did_commit(connections: Any, written: Any, is_stored: Any, error: Any) -> Any:
        with real.__globals__["connect"](connections.address, of="asks") as raw:
            row = raw.execute(connections.sql["commit_status"], {"number": written.number})
            return row.fetchall()[0][0] == "committed"

    return did_commit


def what_is_owned_is_told(real: Any) -> Any:
    """Who owns a shard is believed to have written all of it."""

    def follow(keeping: Any, shards: Any) -> None:
        now = keeping._positions()
        for shard in keeping._ownership.own:
            keeping._seen[shard] = now.get(shard, 0)
        real(keeping, shards)

    return follow


def gives_what_runs(real: Any) -> Any:
    def give(sharing: Any, shares: Any, wanted: int, *, keeps: bool) -> None:
        dispatch = sharing._dispatch
        out, dispatch.out = dispatch.out, set()
        try:
            real(sharing, shares, wanted, keeps=keeps)
        finally:
            dispatch.out |= out

    return give


def without_number(real: Any) -> Any:
    """What any attempt of a node came to is reported of the one that was handed over."""

    def sort(handover: Any, reports: Any) -> Any:
        numbers = {each[:2]: each.number for each in handover._handed}
        named = [
            replace(each, attempt=numbers.get((each.key, each.node), each.attempt))
            for each in reports
        ]
        return real(handover, named)

    return sort


def attaches_nothing(_: Any) -> Any:
    return lambda *_: []


def never_expires(_: Any) -> Any:
    return property(lambda _: float(LEASE_SECONDS))


REPLICA_SABOTEURS = [
    (STORE, Sabotage("no commit proves that its shards are owned", "ownership.Ownership.prove", unproved)),
    (STORE, Sabotage("ownership is proved before the transaction begins", "ownership.Ownership.prove", proved_before)),
    (SCHEMA, Sabotage("the epoch is not in a key", "statements.migrations", without_key)),
    (STORE, Sabotage("a lease is judged by the local clock", "ownership.Ownership.survey", by_its_own_clock)),
    (STORE, Sabotage("positions are numbers of all shards", "journal._placed", counted_together)),
    (STORE, Sabotage("notices are taken for all there is", "keeping.Keeping._hear", only_what_it_hears)),
    (CORE, Sabotage("a report counts whatever its attempt", "attempts.current", any_attempt)),
    (STORE, Sabotage("an unknown commit is taken for lost", "connections.PostgresConnections._did_commit", never)),
    (STORE, Sabotage("an unknown commit is taken for stored", "connections.PostgresConnections._did_commit", always)),
    (STORE, Sabotage("an unknown commit is judged by its number alone", "connections.PostgresConnections._did_commit", by_number_alone)),
    (STORE, Sabotage("what is owned is believed to be told", "keeping.Keeping._follow", what_is_owned_is_told)),
    (STORE, Sabotage("nobody watches the end of a lease", "keeping.Keeping._watch", nothing)),
    (STORE, Sabotage("a lease is never renewed", "ownership.Ownership.renew", nothing)),
    (STORE, Sabotage("a refusal is told from an old memory", "ownership.Ownership.is_sure", always)),
    (STORE, Sabotage("a lease is believed to last", "ownership.Ownership.left", never_expires)),
    (STORE, Sabotage("what is remembered is kept at a takeover", "journal.PostgresJournal.forget", nothing)),
    (ENGINE, Sabotage("what is lost goes on running", "sharing.Sharing.forget", nothing)),
    (ENGINE, Sabotage("what is taken over is not taken up", "sharing.Sharing._begin", nothing)),
    (ENGINE, Sabotage("what runs is given away", "sharing.Sharing._give", gives_what_runs)),
    (ENGINE, Sabotage("a report is written without the number of its attempt", "handover.Handover.sort", without_number)),
    (STORE, Sabotage("attempts are handed over without a row", "reports.PostgresReports.hand_over", nothing)),
    (STORE, Sabotage("a keeper that is cut off goes on", "reports.PostgresReports.silence", nothing)),
    (STORE, Sabotage("a keeper does not look who waits", "reports.PostgresReports._look_after", nothing)),
    (STORE, Sabotage("an owner does not look for reports", "reports.PostgresReports._look_for", nothing)),
    (ENGINE, Sabotage("what waits for another is dropped when it is taken over", "handover.Handover.attach", attaches_nothing)),
    (ENGINE, Sabotage("lost attempts end when the engine has time", "dispatch.Dispatch.end", nothing)),
]  # fmt: skip
