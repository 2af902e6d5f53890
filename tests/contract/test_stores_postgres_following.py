"""What a server reads of the work of others costs as much as that work, however long the history is."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from tests.contract.store_rows import launch
from tests.contract.yard import until
from tests.postgres import Cluster, emptied

from tidegate.core.shards import SHARDS
from tidegate.ports.changes import Cursor
from tidegate.ports.journal import Batch, HistoryRow
from tidegate.stores.postgres import PostgresStore

LINES = 20_000
"""Of a history that is long enough for the planner to scan it if it guesses wrong."""


REPORTED = 1.0
"""Seconds after which a connection tells the database's statistics what it has read."""


@pytest.fixture
def pair(cluster: Cluster) -> Iterator[tuple[PostgresStore, PostgresStore]]:
    """The server that writes, and another one, which hears of that."""
    address = emptied(cluster)
    stores = [PostgresStore.open(address, presence=(f"http://127.0.0.1:{n}", "1")) for n in (1, 2)]
    threads: list[threading.Thread] = []

    def background(_: str, run: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=run))
        threads[-1].start()

    for store in stores:
        store.begin(background)
    yield stores[0], stores[1]
    for store in stores:
        store.close()
    for thread in threads:
        thread.join(20)


def test_what_others_have_done_is_found_without_a_scan_of_the_history(
    pair: tuple[PostgresStore, PostgresStore], cluster: Cluster
):
    writes, hears = pair
    keys = range(1, SHARDS)
    launch(writes, *keys)
    for seq in range(2, 2 + LINES // SHARDS):
        writes.journal.append(Batch(history=[HistoryRow(key, seq, b"x" * 200) for key in keys]))
    cursor = Cursor("0")
    while (step := hears.changes.usage(cursor, LINES))[1] != cursor:
        cursor = step[1]
    heard: set[int] = set()
    hears.changes.subscribe(lambda touched: heard.update(touched))

    def scans() -> int:
        names = "'history', 'executions'"
        said = f"SELECT sum(seq_scan), pg_stat_clear_snapshot()::text FROM pg_stat_user_tables WHERE relname IN ({names})"
        return int(cluster.ask(said)[0][0])

    seqs = iter(range(10_000, 20_000))

    def follow(seconds: float) -> None:
        nonlocal cursor
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            heard.clear()
            seq = next(seqs)
            writes.journal.append(Batch(history=[HistoryRow(key, seq, b"y") for key in keys[:8]]))
            until(lambda: heard >= set(keys[:8]))
            (used,), cursor = hears.changes.usage(cursor, LINES)
            assert (used.launches, used.written) == (0, 8)

    follow(2 * REPORTED)
    before = scans()
    follow(3 * REPORTED)
    assert scans() == before
