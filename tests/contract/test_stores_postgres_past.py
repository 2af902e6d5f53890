"""A store on Postgres whose database is older than what its server has seen, or newer than what it knows, behind a pooler, or of an owner that stands still."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.contract.test_stores_postgres import expire, launch
from tests.postgres import Cluster, pooling, running

from tidegate.errors import StoreError, StoreTooNew
from tidegate.ports.journal import Batch, HistoryRow
from tidegate.stores.folder import Left
from tidegate.stores.postgres.ownership import LEASE_SECONDS
from tidegate.stores.postgres.store import PostgresStore


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture
def address(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own."""
    ask(cluster, "CREATE DATABASE live")
    yield cluster.address("live")
    for name in ("live", "past", "lost"):
        ask(cluster, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def note() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place) / "seen"


def ask(cluster: Cluster, statement: str) -> None:
    with psycopg.connect(cluster.address(), autocommit=True) as connection:
        connection.execute(statement.encode())


def cut(cluster: Cluster) -> None:
    ask(cluster, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'live'")


def back_up(cluster: Cluster) -> None:
    cut(cluster)
    ask(cluster, "CREATE DATABASE past TEMPLATE live")


def restore(cluster: Cluster) -> None:
    """Put the backup in the place of the database."""
    ask(cluster, "ALTER DATABASE live ALLOW_CONNECTIONS false")
    cut(cluster)
    ask(cluster, "ALTER DATABASE live RENAME TO lost")
    ask(cluster, "ALTER DATABASE past RENAME TO live")


def line(n: int, key: int = 1) -> Batch:
    return Batch(history=[HistoryRow(key, n, b"line")])


def test_nothing_is_stored_in_a_database_that_is_older_than_what_was_seen_of_it(
    cluster: Cluster, address: str, note: Path
):
    store = PostgresStore.open(address, left=Left(note=note))
    launch(store, 1)
    back_up(cluster)
    assert not store.journal.append(line(2))
    restore(cluster)

    for _ in range(2):
        with pytest.raises(StoreError, match=r"older than.*shard 1 ends at line 1 instead of 2"):
            store.journal.append(line(2))
    assert store.journal.history(1) == [b"launched"]
    with pytest.raises(StoreError, match="older than"):
        store.close()


def test_it_is_remembered_from_one_start_to_the_next_until_the_note_is_removed(
    cluster: Cluster, address: str, note: Path
):
    store = PostgresStore.open(address, left=Left(note=note))
    launch(store, 1)
    store.close()
    back_up(cluster)
    store = PostgresStore.open(address, left=Left(note=note))
    assert not store.journal.append(line(2))
    store.close()
    restore(cluster)

    for _ in range(2):
        with pytest.raises(
            StoreError, match=f"older than.*remove {note} and that file of the others, and start"
        ):
            PostgresStore.open(address, left=Left(note=note))
    note.unlink()
    store = PostgresStore.open(address, left=Left(note=note))
    assert not store.journal.append(line(2))
    store.close()


def test_the_note_of_one_store_says_nothing_of_another(cluster: Cluster, address: str, note: Path):
    store = PostgresStore.open(address, left=Left(note=note))
    launch(store, 1)
    store.close()
    ask(cluster, "ALTER DATABASE live RENAME TO lost")
    ask(cluster, "CREATE DATABASE live")

    PostgresStore.open(address, left=Left(note=note)).close()


def test_a_database_that_has_more_is_none_that_is_older(address: str, note: Path):
    store = PostgresStore.open(address, left=Left(note=note))
    launch(store, 1)
    store.close()
    other = PostgresStore.open(address)
    assert not other.journal.append(line(2))
    other.close()

    store = PostgresStore.open(address, left=Left(note=note))
    assert not store.journal.append(line(3))
    store.close()


def newer(cluster: Cluster, least: int) -> None:
    """Do what the migration of a newer version does."""
    with psycopg.connect(cluster.address("live"), autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999)")
        connection.execute("UPDATE store SET least = %s", (least,))


def test_an_older_version_goes_on_beside_what_a_newer_one_has_added(cluster: Cluster, address: str):
    store = PostgresStore.open(address)
    launch(store, 1)

    newer(cluster, least=1)

    assert not store.journal.append(line(2))
    store.close()
    store = PostgresStore.open(address)
    assert not store.journal.append(line(3))
    store.close()


def test_a_version_that_must_not_write_stops_with_the_migration_that_says_so(
    cluster: Cluster, address: str
):
    store = PostgresStore.open(address)
    launch(store, 1)

    newer(cluster, least=999)

    with pytest.raises(StoreTooNew, match="install that version"):
        store.journal.append(line(2))
    assert store.journal.history(1) == [b"launched"]
    with pytest.raises(StoreTooNew):
        store.shares.renew()
    assert not store.is_owned()
    store.close()
    for writer in (True, False):
        with pytest.raises(StoreTooNew, match=r"schema is 999, this one knows \d+.*install"):
            PostgresStore.open(address, writer=writer)


def test_a_pooler_that_gives_a_session_to_everybody_in_turn_is_refused(cluster: Cluster):
    with (
        pooling(cluster, "transaction") as address,
        pytest.raises(StoreError, match=r"set it to session"),
    ):
        PostgresStore.open(address)


def test_a_pooler_in_session_mode_will_do(cluster: Cluster):
    with pooling(cluster, "session") as address:
        store = PostgresStore.open(address)
        launch(store, 1)
        assert not store.journal.append(line(2))
        store.close()


def test_an_owner_that_stands_still_while_it_writes_is_in_nobodys_way_when_its_lease_ends(
    address: str,
):
    former = PostgresStore.open(address)
    launch(former, 1)
    expire(address)

    with (
        pytest.raises(StoreError, match="cannot be used"),
        former._connections.transaction() as session,
    ):
        former._ownership.prove(session, {1})
        began = time.monotonic()
        owner = PostgresStore.open(address)
        assert time.monotonic() - began < LEASE_SECONDS

    assert owner.journal.history(1) == [b"launched"]
    owner.close()
    former.close()


def test_servers_that_start_at_once_in_a_new_store_see_each_other(address: str):
    first, second = (
        PostgresStore.open(address, presence=(f"http://127.0.0.1:{n}", "1")) for n in (1, 2)
    )
    with psycopg.connect(address) as connection:
        # As a shard is made, which neither of them has taken yet.
        never = "UPDATE leases SET owner = '', since = '-infinity', expires = '-infinity' WHERE shard = 5"
        connection.execute(never)

    found = {each.name: each.shards for each in first.shares.replicas()}

    assert found.keys() == {first.name, second.name}
    assert 5 not in {shard for shards in found.values() for shard in shards}
    second.close()
    first.close()
