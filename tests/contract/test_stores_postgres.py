"""The store on Postgres keeps the promises of a store, and those that only many machines can break."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from tests.contract.access_contract import AccessContract
from tests.contract.audit_contract import AuditContract
from tests.contract.catalog_contract import CatalogContract
from tests.contract.changes_contract import ChangesContract
from tests.contract.journal_contract import JournalContract
from tests.contract.listings_contract import ListingsContract
from tests.contract.search_contract import SearchContract
from tests.postgres import Cluster, running

from tidegate.ports.store import Store
from tidegate.stores import arms, listings
from tidegate.stores.postgres import PostgresStore, search
from tidegate.stores.postgres.changes import written
from tidegate.stores.postgres.ownership import SHARDS

KEPT = ("schema_version", "shards", "leases")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture
def address(cluster: Cluster) -> str:
    """An empty database."""
    address = cluster.address()
    with psycopg.connect(address, autocommit=True) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        tables = sorted({name for (name,) in connection.execute(query)} - set(KEPT))
        if tables:
            connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
            connection.execute("UPDATE leases SET owner = '', expires = '-infinity'")
    return address


class TestPostgres(
    JournalContract,
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
