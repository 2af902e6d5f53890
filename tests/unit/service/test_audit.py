"""The audit log: refusals are counted, by person or address, code and minute, and cost a bounded number of lines."""

import pytest
from tests.unit.service.test_tokens import NOON, SECOND, Hands

from tidegate.errors import InvalidValue
from tidegate.ports.audit import REFUSED, AuditQuery
from tidegate.service import audit as module
from tidegate.service.access import ANONYMOUS, Principal
from tidegate.service.audit import AuditLog
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import ListAudit

ADA = Principal("ada", (), "api", "t1", credential="token:t1")
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def store():
    store = SqliteStore.memory()
    yield store
    store.close()


@pytest.fixture
def log(store, clock):
    log = AuditLog(store.audit, clock)
    yield log
    log.close()


def shown(log, **wanted):
    return [
        (each.about, each.who, each.address, each.count)
        for each in log.page(ListAudit(**wanted)).items
    ]


def test_refusals_are_one_line_for_a_person_or_an_address_a_code_and_a_minute(log, clock):
    for address in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        log.refused("unauthenticated", ANONYMOUS, address)
    for address in ("192.0.2.1", "192.0.2.3"):
        log.refused("forbidden", ADA, address)
    clock.instant += MINUTE
    log.refused("unauthenticated", ANONYMOUS, "192.0.2.1")

    assert sorted(shown(log)) == [
        ("forbidden", "ada", "", 2),
        ("unauthenticated", "", "192.0.2.1", 1),
        ("unauthenticated", "", "192.0.2.1", 2),
        ("unauthenticated", "", "192.0.2.2", 1),
    ]
    (line,) = log.page(ListAudit(who_did="ada")).items
    assert (line.kind, line.credential) == (REFUSED, "token:t1")
    assert line.at.second == 0


def test_what_was_counted_is_written_when_the_log_is_closed(log, store):
    log.refused("forbidden", ADA, "")
    assert store.audit.page(AuditQuery()).rows == []
    log.close()
    assert [row.count for row in store.audit.page(AuditQuery()).rows] == [1]


def test_a_day_has_this_many_lines_of_refusals_and_the_number_of_the_others(
    log, store, clock, monkeypatch
):
    monkeypatch.setattr(module, "MOST_A_DAY", 5)
    clock.instant = NOON // DAY * DAY
    for minute in range(4):
        clock.instant += MINUTE
        for number in range(3):
            log.refused("unauthenticated", ANONYMOUS, f"192.0.2.{number}")
        log.write()
        assert store.audit.refusals(0) <= 5, minute

    found = shown(log)
    assert len(found) == 5
    assert found[0] == ("dropped", "", "", 2)
    clock.instant += DAY
    log.refused("forbidden", ADA, "")
    assert sorted(shown(log)[:2]) == [("dropped", "", "", 6), ("forbidden", "ada", "", 1)]
    assert sum(count for *_, count in shown(log)) == 13, "every refusal is counted once"


def test_a_restart_does_not_begin_the_day_again(store, clock, monkeypatch):
    monkeypatch.setattr(module, "MOST_A_DAY", 3)
    for _ in range(4):
        log = AuditLog(store.audit, clock)
        log.refused("unauthenticated", ANONYMOUS, "192.0.2.1")
        log.close()
    assert store.audit.refusals(0) == 3


def test_a_crowd_of_addresses_in_one_minute_is_counted_without_end(log, store, monkeypatch):
    monkeypatch.setattr(module, "PENDING", 10)
    for number in range(100):
        log.refused("unauthenticated", ANONYMOUS, f"2001:db8::{number}")

    found = shown(log)
    assert len(found) == 11
    assert ("dropped", "", "", 90) in found


def test_what_cannot_be_asked_is_refused(log):
    with pytest.raises(InvalidValue, match="unknown kind 'x'"):
        log.page(ListAudit(kind="x"))
    with pytest.raises(InvalidValue, match="not a cursor"):
        log.page(ListAudit(cursor="x"))
    with pytest.raises(InvalidValue, match="since"):
        log.page(ListAudit(since="2026-02-31T00:00:00Z"))
