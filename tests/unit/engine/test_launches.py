"""A launch that recovers: the origin names its successor in the same transaction, or nothing is stored."""

import threading
from typing import Any

import pytest
from msgspec.structs import replace
from tests.unit.engine.host import FIRST, LONGEST, Disk, Host, cycle, gate

from tidegate.core.messages import AbortRequested
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.futures import Future
from tidegate.errors import NotRecoverable, RecoveredAlready, StoreDamaged, StoreFull
from tidegate.ir.graph import Instant
from tidegate.ports.journal import Key


@pytest.fixture
def host():
    disk = Disk.memory()
    host = Host(disk, work=None).start()
    yield host
    host.engine.stop()
    disk.close()


def aborted(host: Host, id_: str = "first") -> Key:
    key = host.launched(cycle(), id_)
    host.engine.submit(key, AbortRequested(Instant(0), "enough")).result(LONGEST)
    return key


def recover(host: Host, origin: Key, id_: str) -> Future[Any]:
    row = host.store.journal.get(origin)
    return host.engine.launch(NewExecution(id_, row.workflow, {}, who="ann", recovers=origin))


def hold(host: Host) -> None:
    """Hold the disk, so that what arrives now is decided together."""
    host.store.entered = threading.Semaphore(0)
    host.store.go_on.clear()
    host.launch(gate(), "holds the disk")
    assert host.store.entered.acquire(timeout=LONGEST)


def test_the_line_of_the_origin_and_the_launch_are_one_commit(host: Host):
    origin = aborted(host)
    before = host.store.commits
    placed = recover(host, origin, "second").result(LONGEST)
    assert placed.created
    assert host.store.commits == before + 1
    assert host.state(origin).successor == "second"
    event = host.events(origin)[-1]
    assert (type(event).__name__, event.successor, event.who) == (
        "RecoveryRequested",
        "second",
        "ann",
    )
    assert host.events(placed.key)[0].keys == 1


def test_of_two_in_one_group_the_second_is_refused(host: Host):
    origin = aborted(host)
    hold(host)
    first, second = (recover(host, origin, id_) for id_ in ("second", "third"))
    host.store.go_on.set()
    assert first.result(LONGEST).created
    with pytest.raises(RecoveredAlready) as refused:
        second.result(LONGEST)
    assert refused.value.details["execution"] == "second"
    assert host.store.journal.find("third") is None


def test_what_cannot_be_recovered_launches_nothing(host: Host):
    origin = host.launched(cycle(), "runs")
    with pytest.raises(NotRecoverable):
        recover(host, origin, "second").result(LONGEST)
    assert host.store.journal.find("second") is None
    assert len(host.crew.jobs) == 1
    assert host.crew.jobs[0].node == FIRST


def test_a_full_disk_leaves_the_origin_without_a_successor(host: Host):
    origin = aborted(host)
    host.store.full = True
    with pytest.raises(StoreFull):
        recover(host, origin, "second").result(LONGEST)
    host.store.full = False
    assert host.state(origin).successor == ""
    assert recover(host, origin, "third").result(LONGEST).created


def test_an_origin_that_cannot_be_read_back_is_said_so(host: Host):
    origin = aborted(host)
    host.store.damage(origin)
    with pytest.raises(StoreDamaged, match="first"):
        recover(host, origin, "second").result(LONGEST)
    assert host.store.journal.find("second") is None


def test_an_id_that_is_there_is_found_and_claims_nothing(host: Host):
    origin, other = aborted(host), aborted(host, "other")
    found = recover(host, origin, "other").result(LONGEST)
    assert (found.key, found.created) == (other, False)
    assert host.state(origin).successor == ""


def test_what_is_launched_keeps_what_it_was_given_and_the_form_of_its_keys(host: Host):
    row = host.store.journal.get(aborted(host))
    wanted = NewExecution(
        "e", row.workflow, {}, "ann", "web", launched_from="/home/ann", credential="token:1"
    )
    key = host.engine.launch(replace(wanted, fresh=True)).result(LONGEST).key
    event = host.events(key)[0]
    assert (event.who, event.via, event.launched_from, event.credential, event.keys) == (
        "ann",
        "web",
        "/home/ann",
        "token:1",
        1,
    )
