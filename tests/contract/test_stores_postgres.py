"""The store on Postgres keeps the promises of a store, and those that only many machines can break."""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.contract.access_contract import AccessContract
from tests.contract.audit_contract import AuditContract, line
from tests.contract.catalog_contract import CatalogContract
from tests.contract.changes_contract import ChangesContract
from tests.contract.journal_contract import JournalContract
from tests.contract.keys_contract import KeysContract
from tests.contract.listings_contract import ListingsContract
from tests.contract.search_contract import SearchContract
from tests.contract.store_rows import NOON, launch, open_waits, wait, waits
from tests.contract.yard import until
from tests.postgres import Cluster, emptied
from tests.severing import Wire

from tidegate.core.shards import SHARDS
from tidegate.errors import NotHere, StoreError, StoreLocked, StoreTooNew
from tidegate.ports.journal import Batch, HistoryRow
from tidegate.ports.shares import Turnover
from tidegate.ports.store import Store
from tidegate.stores import arms, listings
from tidegate.stores.postgres import PostgresStore, search
from tidegate.stores.postgres.changes import written


@pytest.fixture
def address(cluster: Cluster) -> str:
    """An empty database."""
    return emptied(cluster)


class TestPostgres(
    JournalContract,
    KeysContract,
    ListingsContract,
    SearchContract,
    CatalogContract,
    AccessContract,
    AuditContract,
    ChangesContract,
):
    beyond = tuple(written([many] * SHARDS) for many in (99, 2**63 - 1))

    @pytest.fixture
    def store(self, address: str) -> Iterator[Store]:
        store = PostgresStore.open(address)
        yield store
        store.close()

    @pytest.fixture
    def small_search(self, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
        """Make the limits of a search so small that each of its ways is taken."""

        def limit(candidates=60, glance=15, arms_=6, examined=10_000, **_: int) -> None:
            monkeypatch.setattr(search, "CANDIDATES", candidates)
            monkeypatch.setattr(arms, "GLANCE", glance)
            monkeypatch.setattr(arms, "MAX_ARMS", arms_)
            monkeypatch.setattr(arms, "EXAMINED", examined)

        return limit

    @pytest.fixture
    def spans(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
        """Say how many executions of a span of time are read at once."""
        return lambda limit: monkeypatch.setattr(listings, "SPAN", limit)


def expire(address: str) -> None:
    """Let the time of every lease pass."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("UPDATE leases SET expires = clock_timestamp() - interval '1 s'")


# -- owners --


def test_what_was_committed_is_there_when_the_store_is_opened_again(address: str):
    store = PostgresStore.open(address)
    launch(store, 1)
    open_waits(store, wait(1, due=NOON))
    store.close()

    store = PostgresStore.open(address)

    assert store.journal.history(1) == [b"launched"]
    assert waits(store) == [wait(1, due=NOON)]
    store.close()


def test_a_second_owner_is_refused_and_told_which_process_is_the_first(address: str):
    store = PostgresStore.open(address)

    with pytest.raises(StoreLocked, match=rf"process {os.getpid()} on .*wait \d+ s") as caught:
        PostgresStore.open(address)

    assert caught.value.details["pid"] == os.getpid()
    store.close()
    PostgresStore.open(address).close()


def test_of_an_owner_whose_lease_has_run_out_nothing_is_stored_once_another_has_taken_over(
    address: str,
):
    former = PostgresStore.open(address)
    launch(former, 1)
    expire(address)
    owner = PostgresStore.open(address)

    with pytest.raises(StoreError, match="another server has taken over"):
        former.journal.append(Batch(history=[HistoryRow(1, 2, b"late")]))

    assert not owner.journal.append(Batch(history=[HistoryRow(1, 2, b"in time")]))
    assert owner.journal.history(1) == [b"launched", b"in time"]
    assert owner.problems() == []
    owner.close()
    former.close()


def test_an_owner_whose_lease_ran_out_unnoticed_goes_on_if_nobody_has_taken_over(address: str):
    store = PostgresStore.open(address)
    expire(address)

    launch(store, 1)

    assert store.journal.history(1) == [b"launched"]
    store.close()


def test_taking_over_waits_for_a_commit_that_has_proved_its_ownership(address: str):
    former = PostgresStore.open(address)
    launch(former, 1)
    expire(address)
    taken: list[PostgresStore] = []
    taking = threading.Thread(target=lambda: taken.append(PostgresStore.open(address)))

    with former._connections.transaction() as session:
        former._ownership.prove(session, {1})
        taking.start()
        until(lambda: "UPDATE shards" in waiting_for_a_lock(address))
        bindings = ([1], [2], [b"proved"], [1], [2], 0)
        session.execute(former._connections.sql["many_add_history"], bindings)

    taking.join()
    (owner,) = taken
    assert owner.journal.history(1) == [b"launched", b"proved"]
    with pytest.raises(StoreError, match="taken over"):
        former.journal.append(Batch(history=[HistoryRow(1, 3, b"late")]))
    owner.close()
    former.close()


# -- servers that share it --


@pytest.fixture
def servers(address: str) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """Two servers with half of the store each."""
    first = PostgresStore.open(address, presence=("http://127.0.0.1:1", "1"))
    second = PostgresStore.open(address, presence=("http://127.0.0.1:2", "1"))
    assert (len(first.shares.own), len(second.shares.own)) == (SHARDS, 0)
    first.shares.give(first.shares.own[: SHARDS // 2])
    assert second.shares.take(range(SHARDS)) == list(range(SHARDS // 2))
    yield first, second
    second.close()
    first.close()


def test_each_server_writes_into_its_own_shards_only_and_both_read_all(
    servers: tuple[PostgresStore, PostgresStore],
):
    first, second = servers
    launch(first, 40)
    launch(second, 3)
    for store, key in ((first, 3), (second, 40)):
        with pytest.raises(NotHere, match=f"shards {key}"):
            store.journal.append(Batch(history=[HistoryRow(key, 2, b"not mine")]))
        assert store.journal.history(key) == [b"launched"]
        assert not store.shares.owns(key)
    assert first.journal.active() == [40]
    assert second.journal.active() == [3]
    assert first.problems() == []


def test_what_was_lost_and_taken_again_goes_on_where_the_other_stopped(
    servers: tuple[PostgresStore, PostgresStore], address: str
):
    first, second = servers
    launch(second, 3)
    expire(address)
    assert first.shares.take([3]) == [3]
    assert not first.journal.append(Batch(history=[HistoryRow(3, 2, b"taken over")]))

    with pytest.raises(NotHere):
        second.journal.append(Batch(history=[HistoryRow(3, 2, b"late")]))

    assert not second.shares.owns(3)
    first.shares.give([3])
    assert second.shares.take([3]) == [3]
    assert not second.journal.append(Batch(history=[HistoryRow(3, 3, b"again")]))
    assert first.journal.history(3) == [b"launched", b"taken over", b"again"]
    assert first.problems() == []


def test_a_share_follows_from_how_many_servers_stay(
    servers: tuple[PostgresStore, PostgresStore], address: str
):
    first, second = servers
    assert [store.shares.survey() for store in servers] == [Turnover(), Turnover()]
    third = PostgresStore.open(address, presence=("http://127.0.0.1:3", "1"))
    gives = [store.shares.survey().give for store in servers]
    assert sum(gives) in (21, 22)
    third.close()
    second.shares.leave()
    second.shares.renew()
    assert second.shares.survey() == Turnover(give=SHARDS // 2, keeps=True)
    second.shares.give(second.shares.own)
    assert first.shares.survey() == Turnover(take=tuple(range(SHARDS // 2)))
    # The last one that leaves decides to its end.
    first.shares.leave()
    assert first.shares.survey() == Turnover()
    first.shares.renew()
    assert first.shares.survey() == Turnover()


def test_which_shards_others_have_taken_is_noticed_when_the_lease_is_renewed(
    servers: tuple[PostgresStore, PostgresStore], address: str
):
    first, second = servers
    told: list[Turnover] = []
    second.shares.follow(told.append)
    expire(address)
    first.shares.take([3, 4])

    second.shares.renew()

    assert told == [Turnover(lost=[3, 4])]


def test_a_command_cannot_take_what_servers_share_nor_a_server_what_a_command_has(address: str):
    server = PostgresStore.open(address, presence=("http://127.0.0.1:1", "1"))
    with pytest.raises(StoreLocked, match=r"\(http://127.0.0.1:1\) runs"):
        PostgresStore.open(address)
    server.close()
    command = PostgresStore.open(address)
    with pytest.raises(StoreLocked, match="runs"):
        PostgresStore.open(address, presence=("http://127.0.0.1:1", "1"))
    command.close()


def test_an_execution_beside_another_is_in_its_shard_whatever_its_id(address: str):
    store = PostgresStore.open(address)
    origin = store.journal.new_key("one", NOON)
    keys = [store.journal.new_key(f"id{n}", NOON, origin) for n in range(20)]
    assert {key % SHARDS for key in keys} == {origin % SHARDS}
    assert sorted({origin, *keys}) == [origin, *keys]
    store.close()


def test_servers_that_would_look_for_files_in_different_places_are_not_started(
    address: str,
):
    first, second = (
        PostgresStore.open(address, presence=(f"http://127.0.0.1:{n}", "1")) for n in (1, 2)
    )
    with pytest.raises(StoreError, match=r"are in a directory of its servers, not in s3://b/p"):
        second.agree_on_files("s3://b/p")
    second.close()
    first.agree_on_files("s3://b/p")
    third = PostgresStore.open(address, presence=("http://127.0.0.1:3", "1"))
    for elsewhere in ("", "s3://c/p"):
        with pytest.raises(StoreError, match="start with --blobs s3://b/p"):
            third.agree_on_files(elsewhere)
    third.agree_on_files("s3://b/p")
    third.close()
    first.close()


def test_the_time_is_that_of_the_database(address: str):
    store = PostgresStore.open(address)
    with psycopg.connect(address) as connection:
        query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        before = connection.execute(query).fetchone()
        now = store.shares.now()
        with psycopg.connect(address) as later:
            after = later.execute(query).fetchone()
    assert before is not None
    assert after is not None
    assert before[0] - 50_000 <= now <= after[0] + 50_000
    store.close()


def waiting_for_a_lock(address: str) -> str:
    query = "SELECT string_agg(query, ';') FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with psycopg.connect(address) as connection:
        row = connection.execute(query).fetchone()
    return (row and row[0]) or ""


# -- a server that goes away --


def cut(address: str, what: str) -> None:
    """End connections by their name."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE %s"
    with psycopg.connect(address) as connection:
        connection.execute(query, (f"tidegate {what}",))


def test_connections_that_were_cut_are_made_again(address: str):
    store = PostgresStore.open(address)
    launch(store, 1)
    for n in range(2, 6):
        cut(address, "%")

        assert not store.journal.append(Batch(history=[HistoryRow(1, n, b"next")]))
        assert len(store.journal.history(1)) == n

    assert store.problems() == []
    store.close()


def test_a_connection_that_is_cut_inside_a_transaction_leaves_nothing_of_it(address: str):
    store = PostgresStore.open(address)
    launch(store, 1)

    with (
        pytest.raises(StoreError, match="cannot be used"),
        store._connections.transaction() as session,
    ):
        session.execute(store._connections.sql["set_mark"], {"name": "lost", "value": 1})
        cut(address, "writer")
        session.execute(store._connections.sql["set_mark"], {"name": "lost", "value": 2})

    assert store._connections.rows(store._connections.sql["mark"], {"name": "lost"}) == []
    assert not store.journal.append(Batch(history=[HistoryRow(1, 2, b"next")]))
    store.close()


def test_a_store_goes_on_after_its_server_has_crashed_and_begun_again(
    cluster: Cluster, address: str
):
    store = PostgresStore.open(address)
    launch(store, 1)

    cluster.restart()

    assert not store.journal.append(Batch(history=[HistoryRow(1, 2, b"next")]))
    assert store.journal.history(1) == [b"launched", b"next"]
    store.close()


@pytest.mark.parametrize("breaks", ["before", "after"])
def test_a_commit_during_which_the_connection_breaks_is_stored_once_and_told_truly(
    cluster: Cluster, address: str, breaks
):
    # The path of a socket may have some 100 characters.
    with tempfile.TemporaryDirectory(prefix="tidegate-wire-") as place:
        wire = Wire(Path(place), cluster.place)
        store = PostgresStore.open(make_conninfo(address, host=place))
        launch(store, 1)

        wire.breaks = breaks
        assert not store.journal.append(Batch(history=[HistoryRow(1, 2, b"once")]))

        assert wire.broke == 1
        assert not store.journal.append(Batch(history=[HistoryRow(1, 3, b"next")]))
        assert store.journal.history(1) == [b"launched", b"once", b"next"]
        assert store.problems() == []
        store.close()
        wire.close()


def test_a_commit_that_a_crash_has_lost_is_not_taken_for_the_next_one_with_its_number(
    cluster: Cluster, address: str
):
    numbers: list[int] = []

    def crash() -> None:
        cluster.restart()
        with psycopg.connect(address, autocommit=True) as other:
            # A number that never reached the log of the server is given again, to the next transaction.
            while len(numbers) < 50:
                row = other.execute("SELECT pg_current_xact_id()::text").fetchone()
                assert row is not None
                numbers.append(int(row[0]))

    with tempfile.TemporaryDirectory(prefix="tidegate-wire-") as place:
        wire = Wire(Path(place), cluster.place)
        store = PostgresStore.open(make_conninfo(address, host=place))
        launch(store, 1)
        wire.meanwhile, wire.breaks = crash, "before"

        assert not store.journal.append(Batch(history=[HistoryRow(1, 2, b"once")]))

        assert len(numbers) == 50
        assert store.journal.history(1) == [b"launched", b"once"]
        assert store.problems() == []
        store.close()
        wire.close()


# -- what cannot be a store --


@pytest.fixture
def elsewhere(cluster: Cluster) -> Iterator[str]:
    """A database without a store."""
    with psycopg.connect(cluster.address(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE elsewhere")
    yield cluster.address("elsewhere")
    with psycopg.connect(cluster.address(), autocommit=True) as connection:
        connection.execute("DROP DATABASE elsewhere WITH (FORCE)")


def test_a_reader_makes_nothing(elsewhere: str):
    with pytest.raises(StoreError, match="has no store: start `tidegate serve`"):
        PostgresStore.open(elsewhere, writer=False)

    with psycopg.connect(elsewhere) as connection:
        query = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert connection.execute(query).fetchone() == (0,)


def test_the_store_of_a_newer_tidegate_is_refused_and_left_alone(elsewhere: str):
    PostgresStore.open(elsewhere).close()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999)")
        connection.execute("UPDATE store SET least = 999")

    for writer in (True, False):
        with pytest.raises(StoreTooNew, match=r"schema is 999, this one knows \d+.*install"):
            PostgresStore.open(elsewhere, writer=writer)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dbname": "nowhere"}, r'database "nowhere" does not exist'),
        ({"user": "nobody"}, r'role "nobody" does not exist'),
        ({"host": "/nowhere"}, r"check that the server runs"),
    ],
)
def test_an_address_that_leads_nowhere_is_said_in_one_line(address: str, change, said):
    wrong = make_conninfo(address, **change)

    with pytest.raises(StoreError, match=said) as caught:
        PostgresStore.open(wrong)

    assert "\n" not in caught.value.message


def test_no_message_shows_a_password(address: str):
    with pytest.raises(StoreError) as caught:
        PostgresStore.open("postgresql://ada:secret@localhost:1/x")

    assert "secret" not in caught.value.message
    assert "localhost:1/x" in caught.value.message


def test_a_role_that_may_not_write_is_told_so(elsewhere: str):
    PostgresStore.open(elsewhere).close()
    with psycopg.connect(elsewhere, autocommit=True) as connection:
        connection.execute("CREATE ROLE looks LOGIN")
    try:
        with pytest.raises(StoreError, match="no permission.*grant it"):
            PostgresStore.open(make_conninfo(elsewhere, user="looks"))
    finally:
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            connection.execute("DROP ROLE looks")


def test_a_database_that_cannot_hold_every_text_is_refused(cluster: Cluster):
    with psycopg.connect(cluster.address(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0")

    with pytest.raises(StoreError, match="encoding LATIN1.*UTF8"):
        PostgresStore.open(cluster.address("narrow"))


@pytest.mark.parametrize("wish", ["UPDATE audit SET who = 'bob'", "DELETE FROM audit"])
def test_the_audit_log_is_only_appended_to_by_the_database_itself(address: str, wish: str):
    store = PostgresStore.open(address)
    store.audit.record([line(1)])
    store.close()

    with (
        psycopg.connect(address) as connection,
        pytest.raises(psycopg.IntegrityError, match="append-only"),
    ):
        connection.execute(wish)
