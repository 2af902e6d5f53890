"""Attempts that go on while their shard changes hands: what a keeper writes in the database, and what the owner of the shard makes of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import pytest
from tests.contract.store_rows import launch
from tests.postgres import Cluster, emptied

from tidegate.core.shards import SHARDS
from tidegate.errors import CommitUnknown, NotHere
from tidegate.ir.expr import NodeId
from tidegate.ports.executor import Attempt, Began, Lost, Report, Returned
from tidegate.ports.journal import Batch, HistoryRow, Key
from tidegate.ports.reports import KeptAttempt
from tidegate.stores.postgres import PostgresStore

ONE = Attempt(Key(3), NodeId("n0"), 1)
TWO = ONE._replace(number=2)


def returned(attempt: Attempt, value: str = "done") -> Report:
    return Report(*attempt, Returned({"o0": value}))


class Owner:
    """A server, and what it is told."""

    def __init__(self, address: str, number: int) -> None:
        self.store = PostgresStore.open(address, presence=(f"http://127.0.0.1:{number}", "1"))
        self.told: list[Report] = []
        self.unwanted: set[Attempt] = set()
        self.silenced = 0
        self.reports = self.store.reports
        self.reports.follow(self.told.extend, self.unwanted.update, self._silence)

    def _silence(self) -> None:
        self.silenced += 1

    def takes_over(self, attempts: Sequence[Attempt]) -> None:
        assert self.store.shares.take(range(SHARDS))
        self.reports.wait_for(attempts)

    def hears(self) -> list[Report]:
        """Look once, and return what is told."""
        self.told.clear()
        self.reports.tend()
        return [*self.told]


@pytest.fixture
def address(cluster: Cluster) -> str:
    """An empty database."""
    return emptied(cluster)


@pytest.fixture
def both(address: str) -> Iterator[tuple[Owner, Owner]]:
    """A keeper, which has handed over an attempt, and the new owner of its shard."""
    keeper, owner = Owner(address, 1), Owner(address, 2)
    launch(keeper.store, 3)
    keeper.reports.hand_over([ONE])
    keeper.store.shares.give(keeper.store.shares.own)
    owner.takes_over([ONE])
    yield keeper, owner
    for each in (owner, keeper):
        each.store.close()


def rows(owner: Owner) -> list[tuple[object, ...]]:
    return owner.store.database.rows("SELECT key, node, attempt, ended FROM reports", {})


def alive(address: str, seconds: int) -> None:
    """Let the rows of all servers end in this many seconds."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "UPDATE replicas SET expires = clock_timestamp() + make_interval(secs => %s)",
            (seconds,),
        )


def test_the_next_owner_finds_what_goes_on_and_is_told_once_what_became_of_it(
    both: tuple[Owner, Owner],
):
    keeper, owner = both
    assert owner.reports.found() == [KeptAttempt(ONE, goes_on=True)]
    assert owner.hears() == []

    keeper.reports.write(Report(*ONE, Began()))
    keeper.reports.tend()
    assert owner.hears() == [Report(*ONE, Began())]
    assert owner.hears() == []

    keeper.reports.write(returned(ONE))
    keeper.reports.tend()
    assert owner.hears() == [returned(ONE)]
    assert owner.hears() == []
    assert keeper.unwanted == set()


def test_only_the_owner_of_a_shard_hands_an_attempt_over(both: tuple[Owner, Owner]):
    keeper, owner = both
    with pytest.raises(NotHere):
        keeper.reports.hand_over([TWO])
    with pytest.raises(NotHere):
        keeper.reports.drop([ONE])
    assert owner.reports.found() == [KeptAttempt(ONE, goes_on=True)]


def test_a_report_is_removed_with_the_line_that_applies_it_or_not_at_all(
    both: tuple[Owner, Owner],
):
    keeper, owner = both
    keeper.reports.write(returned(ONE))
    keeper.reports.tend()
    applied = Batch(history=[HistoryRow(3, 2, b"applied")], reported=[ONE])

    taken = Batch(history=[HistoryRow(3, 1, b"taken")], reported=[ONE])
    assert owner.store.journal.append(taken) == {3}
    with pytest.raises(NotHere):
        keeper.store.journal.append(applied)
    assert rows(owner) == [(*ONE, True)]

    assert not owner.store.journal.append(applied)
    assert rows(owner) == []
    assert owner.store.journal.history(3) == [b"launched", b"applied"]


def test_a_late_report_of_an_old_attempt_is_nobodys(both: tuple[Owner, Owner]):
    keeper, owner = both
    owner.reports.drop([ONE])
    owner.reports.hand_over([TWO])
    keeper.reports.write(returned(ONE, "late"))
    keeper.reports.tend()
    # Nor does another server than its keeper say what became of an attempt.
    keeper.reports.write(returned(TWO, "not mine"))
    keeper.reports.tend()
    assert rows(owner) == [(*TWO, False)]


def test_what_became_of_an_attempt_is_said_once(both: tuple[Owner, Owner]):
    keeper, owner = both
    for value in ("first", "second"):
        keeper.reports.write(returned(ONE, value))
        keeper.reports.tend()
    assert owner.hears() == [returned(ONE, "first")]


def test_a_keeper_ends_what_nobody_wants(both: tuple[Owner, Owner]):
    keeper, owner = both
    keeper.reports.tend()
    assert keeper.unwanted == set()
    owner.reports.disown([ONE])
    owner.reports.tend()
    keeper.reports.tend()
    assert keeper.unwanted == {ONE}
    assert owner.hears() == []


def test_an_attempt_is_lost_when_its_keeper_is_and_not_before(
    both: tuple[Owner, Owner], address: str
):
    _, owner = both
    alive(address, 60)
    assert owner.hears() == []
    alive(address, -1)
    assert owner.reports.found() == [KeptAttempt(ONE, goes_on=False)]
    assert owner.hears() == [Report(*ONE, Lost())]
    assert owner.hears() == []


def test_a_report_survives_the_end_of_its_keeper(both: tuple[Owner, Owner], address: str):
    _, owner = both
    keeper = Owner(address, 3)
    launch(owner.store, 67)
    other = ONE._replace(key=Key(67))
    owner.store.shares.give([3])
    assert keeper.store.shares.take([3]) == [3]
    keeper.reports.hand_over([other])
    keeper.store.shares.give([3])
    owner.takes_over([other])
    keeper.reports.write(returned(other))
    keeper.store.close()  # it writes what is pending
    assert KeptAttempt(other, goes_on=True) in owner.reports.found()
    assert owner.hears() == [returned(other)]


def test_a_keeper_that_others_take_for_dead_is_told_to_end_what_it_runs_for_them(
    both: tuple[Owner, Owner],
):
    keeper, owner = both
    keeper.reports.silence()
    owner.reports.silence()
    assert (keeper.silenced, owner.silenced) == (1, 0)


def test_what_was_handed_over_by_a_commit_of_which_the_server_did_not_hear_is_lost_with_its_shard(
    address: str, monkeypatch: pytest.MonkeyPatch
):
    keeper, owner = Owner(address, 1), Owner(address, 2)
    launch(keeper.store, 3)
    with monkeypatch.context() as patch:
        patch.setattr(keeper.store._connections, "_commit", committed_unheard)
        with pytest.raises(CommitUnknown):
            keeper.reports.hand_over([ONE])
    keeper.reports.tend()
    assert rows(owner) == [(*ONE, False)]  # it is still its own
    keeper.store.shares.give(keeper.store.shares.own)
    owner.takes_over([ONE])
    keeper.reports.tend()
    keeper.reports.tend()
    assert owner.hears() == [Report(*ONE, Lost())]
    owner.store.close()
    keeper.store.close()


def committed_unheard(raw: Any, *_: object) -> None:
    """Commit, and then lose the connection."""
    raw.execute("COMMIT")
    raise CommitUnknown("lost")


def test_nothing_is_handed_over_while_a_server_is_there_that_does_not_know_of_it(
    both: tuple[Owner, Owner], address: str
):
    _, owner = both
    owner.store.shares.leave()
    assert owner.store.shares.survey().keeps
    with psycopg.connect(address, autocommit=True) as connection:
        # As the version before attends.
        connection.execute(
            "INSERT INTO replicas (name, address, version, since, expires, leaving)"
            " VALUES ('old:1:x', 'http://127.0.0.1:3', '1', clock_timestamp(), clock_timestamp() + interval '1 min', false)"
        )
    found = owner.store.shares.survey()
    assert (found.give, found.keeps) == (SHARDS, False)
