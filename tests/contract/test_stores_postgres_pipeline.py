"""What a commit on Postgres sends together: all of it is stored or nothing, however large, and the connection goes on after a refusal."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.contract.store_rows import launch, listed, open_waits, wait
from tests.postgres import emptied, running

from tidegate.errors import StoreError
from tidegate.ports.journal import Batch, HistoryRow
from tidegate.stores.postgres.store import PostgresStore


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running() as cluster:
        yield emptied(cluster)


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    store = PostgresStore.open(address)
    yield store
    store.close()


def line(key: int, n: int, body: bytes = b"line") -> HistoryRow:
    return HistoryRow(key, n, body)


def test_after_a_refused_batch_the_next_ones_are_stored(store: PostgresStore):
    """What was prepared on the connection is still there after a rollback, and after others."""
    launch(store, 1)
    for n in range(2, 32):
        assert not store.journal.append(Batch(history=[line(1, n)]))
        if n % 10 == 0:
            assert store.journal.append(Batch(history=[line(1, 1)])) == {1}
    assert len(store.journal.history(1)) == 31


def test_of_a_batch_with_one_wrong_row_nothing_is_stored(store: PostgresStore):
    launch(store, 2, 3)
    waits = [wait(2)]
    assert store.journal.append(Batch(history=[line(2, 2), line(3, 1)], waits=waits)) == {3}
    assert store.journal.history(2) == [b"launched"]
    assert not [each for each in listed(store) if each.wait.execution == "e2"]


def test_a_batch_is_larger_than_what_a_socket_takes_at_once(store: PostgresStore):
    launch(store, 4)
    bodies = [bytes([n % 256]) * 100_000 for n in range(400)]
    rows = [line(4, n, body) for n, body in enumerate(bodies, start=2)]
    assert not store.journal.append(Batch(history=rows))
    assert store.journal.history(4) == [b"launched", *bodies]


def test_of_what_the_database_cannot_keep_nothing_is_stored(store: PostgresStore):
    launch(store, 5)
    with pytest.raises(StoreError, match="cannot keep this"):
        store.journal.append(Batch(history=[line(5, 2)], waits=[wait(5, name="a\0b")]))
    open_waits(store, wait(5, due=None, name="after"))
    assert [each.wait.name for each in listed(store) if each.wait.execution == "e5"] == ["after"]
    assert store.journal.history(5) == [b"launched"]


def test_a_connection_that_is_gone_is_made_again_with_all_that_was_prepared(
    store: PostgresStore, address: str
):
    launch(store, 6)
    for n in range(2, 6):
        with psycopg.connect(address, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tidegate writer'"
            )
        assert not store.journal.append(Batch(history=[line(6, n)]))
    assert len(store.journal.history(6)) == 5
