"""
The power goes at any moment: what was acknowledged is there, whole, and nothing else is but the batch under way, whole.

Method: a seeded story of batches is committed to a disk in memory whose power fails at a seeded operation, several
times in its life, also while it recovers. After each time the store must equal a store in memory that was never hurt.
To prove that the method can see a loss, the same runs must find one with weaker syncing, and with commits that lie.

TIDEGATE_CRASHES sets how many times the power fails (300 if it is not set).
"""

import os
import random
from collections import Counter
from pathlib import Path

import apsw
import pytest
from msgspec import structs
from tests.crash.disk import Disk, Fault
from tests.crash.story import WORKFLOW, Story, contents

from tidegate.errors import StoreDamaged, StoreError, StoreFull
from tidegate.ports.journal import Batch
from tidegate.stores import rebuild
from tidegate.stores.sqlite import SqliteStore, connections, search

CRASHES = int(os.environ.get("TIDEGATE_CRASHES", "300"))
LIVES = 3


@pytest.fixture(autouse=True)
def _short_log(monkeypatch):
    """Pages are moved out of the log, and texts entered, every few commits, so that power also fails while that goes on."""
    monkeypatch.setattr(connections, "LOG_PAGES", 40)
    monkeypatch.setattr(search, "PENDING", 7)


def append(store: SqliteStore, batch: Batch) -> None:
    """Commit a batch."""
    assert not store.journal.append(batch)


def opened(connection: apsw.Connection, synchronous: str = "FULL") -> SqliteStore:
    store = SqliteStore.alone(connection, "tidegate.db")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    store.catalog.put_workflow(WORKFLOW)
    return store


def live(disk: Disk, story: Story, done: int, synchronous: str, commit=append) -> int:
    """Commit until the power fails; return how many batches of the story are acknowledged."""
    with disk.connection() as connection:
        try:
            store = opened(connection, synchronous)
            while True:
                commit(store, story.tell(done))
                done += 1
        except StoreError:
            assert disk.failing
    return done


def examine(disk: Disk, story: Story, acknowledged: int) -> tuple[str, int]:
    """Say what is wrong with the store, if anything, and how many batches it holds."""
    with disk.connection() as connection:
        try:
            store = SqliteStore.alone(connection, "tidegate.db")
            held = contents(store)
            problems = store.problems()
        except StoreDamaged:
            return "damaged", acknowledged
        if problems:
            return "damaged", acknowledged
        for count in (acknowledged, acknowledged + 1):
            if held == story.after(count):
                return "", count
        return "lost", acknowledged


def crash_often(synchronous: str, crashes: int, commit=append) -> Counter[str]:
    """Let the power fail so often; count what is found afterwards, and what had been acknowledged."""
    chance = random.Random(7)
    found: Counter[str] = Counter()
    while found["crashes"] < crashes:
        disk, story, done = Disk(), Story(chance.randrange(2**32)), 0
        for _ in range(LIVES):
            disk.fail(Fault.POWER, chance.randrange(1, chance.choice((60, 900))))
            before, done = done, live(disk, story, done, synchronous, commit)
            disk.repair()
            disk.lose_power(chance)
            fault, held = examine(disk, story, done)
            found["crashes"] += 1
            found["acknowledged"] += done - before
            found["stored, not acknowledged"] += held - done
            if fault:
                found[fault] += 1
                break
            done = held
    return found


def test_nothing_acknowledged_is_lost_and_no_batch_is_half_there():
    found = crash_often("FULL", CRASHES)

    assert found["lost"] == 0, found
    assert found["damaged"] == 0, found
    # The runs were worth it: power failed in the middle of commits, and long after the first.
    assert found["acknowledged"] > 3 * found["crashes"], found
    assert found["stored, not acknowledged"] > 0, found


def test_weaker_syncing_loses_batches_here_but_damages_nothing():
    found = crash_often("NORMAL", 40)

    assert found["lost"] > 5, found
    assert found["damaged"] == 0, found


def test_no_syncing_damages_the_store_here():
    found = crash_often("OFF", 40)

    assert found["lost"] > 5, found
    assert found["damaged"] > 0, found


def test_a_commit_in_two_halves_would_be_found():
    def commit(store: SqliteStore, batch: Batch) -> None:
        append(store, Batch(history=batch.history))
        append(store, structs.replace(batch, history=[]))

    found = crash_often("FULL", 40, commit)

    assert found["damaged"] + found["lost"] > 5, found


def test_an_acknowledgement_before_the_commit_would_be_found():
    kept: dict[SqliteStore, Batch] = {}

    def commit(store: SqliteStore, batch: Batch) -> None:
        if store in kept:
            append(store, kept[store])
        kept[store] = batch

    found = crash_often("FULL", 40, commit)

    assert found["damaged"] + found["lost"] > 5, found


def test_power_may_fail_at_every_operation_of_the_first_opening():
    chance = random.Random(11)
    for operation in range(1, 1000):
        disk = Disk()
        disk.fail(Fault.POWER, operation)
        live(disk, Story(1), 0, "FULL")
        came_far = len(disk.files["tidegate.db"].seen) > 0
        disk.repair()
        disk.lose_power(chance)

        fault, held = examine(disk, Story(1), 0)

        assert fault == "", f"after operation {operation}"
        if held:
            break
    else:
        pytest.fail("no batch was ever stored")
    assert came_far
    assert operation > 20


OLD = Path(__file__).parents[1] / "migration" / "stores" / "0002b.sql"


def old_disk() -> Disk:
    """A disk with a store of schema 2 on it."""
    disk = Disk()
    with disk.connection() as connection:
        connection.execute(f"PRAGMA journal_mode = WAL; {OLD.read_text()}").fetchall()
    return disk


def test_power_may_fail_at_any_operation_while_an_old_store_is_brought_up_to_date(monkeypatch):
    monkeypatch.setattr(rebuild, "PAGE", 2)
    chance = random.Random(13)
    with old_disk().connection() as connection:
        whole = contents(SqliteStore.alone(connection, "tidegate.db"))[:4]
    assert len(whole[2]) == 18
    failed, operation = 0, 1
    while True:
        disk = old_disk()
        disk.fail(Fault.POWER, operation)
        with disk.connection() as connection:
            try:
                SqliteStore.alone(connection, "tidegate.db")
                came = False
            except StoreError:
                came = True
        disk.repair()
        disk.lose_power(chance)

        with disk.connection() as connection:
            store = SqliteStore.alone(connection, "tidegate.db")
            assert contents(store)[:4] == whole, f"after operation {operation}"
            assert store.problems() == []
        if not came:
            break
        failed += 1
        operation += chance.randrange(1, 5)
    assert failed > 20


def commit_into(store: SqliteStore, story: Story, batches: range) -> tuple[int, StoreError | None]:
    """Commit these batches until one is refused; return how many are stored in all, and the refusal."""
    for n in batches:
        try:
            append(store, story.tell(n))
        except StoreError as error:
            return n, error
    return batches.stop, None


@pytest.mark.parametrize("fault", [Fault.FULL, Fault.WRITE])
def test_a_write_that_fails_anywhere_stores_nothing_and_later_batches_are_stored(
    monkeypatch, fault: Fault
):
    monkeypatch.setattr(connections, "LOG_PAGES", 15)
    refused = 0
    for operation in range(1, 1000):
        disk, story = Disk(), Story(operation)
        with disk.connection() as connection:
            store = opened(connection)
            commit_into(store, story, range(3))
            disk.fail(fault, operation)
            n, error = commit_into(store, story, range(3, 8))
            if error is not None:
                refused += 1
                assert isinstance(error, StoreFull) is (fault is Fault.FULL)
                assert "tidegate.db" in error.message
            assert contents(store) == story.after(n)
            came = disk.failing

            disk.repair()
            n, error = commit_into(store, story, range(n, n + 3))

            assert error is None
            assert contents(store) == story.after(n)
            assert store.problems() == []
        disk.lose_power(random.Random(operation))
        assert examine(disk, story, n) == ("", n)
        if not came:
            break
    assert refused > 30


def test_after_a_failed_sync_nothing_is_stored_until_the_store_is_opened_again(monkeypatch):
    monkeypatch.setattr(connections, "LOG_PAGES", 15)
    refused = 0
    for operation in range(1, 1000):
        disk, story = Disk(), Story(operation)
        with disk.connection() as connection:
            store = opened(connection)
            commit_into(store, story, range(3))
            disk.fail(Fault.SYNC, operation)
            n, error = commit_into(store, story, range(3, 8))
            came = disk.failing
            disk.repair()
            if error is not None:
                refused += 1
                assert "check the disk" in error.message
                with pytest.raises(StoreError, match="check the disk, then start again"):
                    append(store, story.tell(n))
            # Who reads still sees what was acknowledged, and no more.
            assert contents(store) == story.after(n)
        disk.lose_power(random.Random(operation))
        fault, held = examine(disk, story, n)
        assert fault == ""
        with disk.connection() as connection:
            store = opened(connection)
            append(store, story.tell(held))
            assert contents(store) == story.after(held + 1)
        if not came:
            break
    assert refused > 30
