"""What is stored of attempts that have not begun: read by the next owner, kept in groups, gone before an attempt begins."""

import pytest

from tidegate.engine.shelf import MOST_SAID, Shelf
from tidegate.errors import StoreFull
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.executor import MISSING, NO_ROOM, Attempt
from tidegate.ports.journal import HeldRow, Key
from tidegate.stores.sqlite import SqliteStore

A, B = Attempt(Key(1), NodeId("a"), 1), Attempt(Key(2), NodeId("b"), 4)
THEN, NOW = Instant(1_000), Instant(9_000)


@pytest.fixture
def journal():
    store = SqliteStore.memory()
    yield store.journal
    store.close()


def shelf_of(journal, *held: Attempt) -> Shelf:
    shelf = Shelf(journal)
    for each in held:
        shelf.add(each, MISSING, "module x is gone", THEN)
    shelf.keep()
    return shelf


def test_the_next_owner_finds_what_has_not_begun_and_since_when_it_is_held(journal):
    shelf_of(journal, A, B)
    shelf = Shelf(journal)
    shelf.take_up([A.key, B.key])
    assert (shelf.unbegun(A.key), shelf.unbegun(B.key)) == ({"a": 1}, {"b": 4})
    assert shelf.since(A, MISSING) == THEN
    assert shelf.since(A, NO_ROOM) is None
    assert shelf.since(A._replace(number=2), MISSING) is None


def test_what_is_of_no_execution_that_lives_is_forgotten(journal):
    shelf_of(journal, A, B)
    shelf = Shelf(journal)
    shelf.take_up([B.key])
    assert shelf.unbegun(A.key) == {}
    assert [row.key for row in journal.held()] == [B.key]


def test_what_is_kept_already_is_written_once_and_another_reason_replaces_it(journal):
    shelf = shelf_of(journal, A)
    shelf.add(A, MISSING, "said otherwise", NOW)
    shelf.keep()
    assert journal.held() == [HeldRow(*A, MISSING, "module x is gone", THEN)]
    shelf.add(A, NO_ROOM, "x" * 3 * MOST_SAID, NOW)
    shelf.keep()
    assert journal.held() == [HeldRow(*A, NO_ROOM, "x" * MOST_SAID, NOW)]


def test_what_is_released_is_gone_from_the_store_and_from_what_is_still_to_be_kept(journal):
    shelf = shelf_of(journal, A)
    shelf.add(B, MISSING, "", NOW)
    shelf.release([(A.key, A.node), (B.key, B.node)])
    shelf.keep()
    assert journal.held() == []


def test_a_full_disk_costs_numbers_and_lets_nothing_begin(journal, monkeypatch):
    def full(_: object) -> None:
        raise StoreFull("the disk is full")

    shelf = shelf_of(journal, A)
    monkeypatch.setattr(journal, "hold", full)
    monkeypatch.setattr(journal, "release", full)
    shelf.add(B, MISSING, "", NOW)
    shelf.keep()
    with pytest.raises(StoreFull):
        shelf.release([(A.key, A.node)])
    assert shelf.since(A, MISSING) == THEN
    shelf.forget([(A.key, A.node)])
    assert shelf.since(A, MISSING) is None


def test_what_was_tried_and_did_not_begin_is_held_for_as_long_as_before(journal):
    shelf = shelf_of(journal, A, B)
    shelf.release([(A.key, A.node), (B.key, B.node)])
    assert shelf.since(A, MISSING) == THEN
    shelf.began(B.key, B.node)
    assert shelf.since(B, MISSING) is None
