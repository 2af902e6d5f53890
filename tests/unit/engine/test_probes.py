"""What an executor could not begin is held; one attempt is tried for all of its kind, ever more seldom, and when it begins so do the others."""

import pytest
from tests.unit.engine.host import LONGEST, Disk, Host, cycle, until

from tidegate.core.messages import AbortRequested
from tidegate.core.state import NodePhase
from tidegate.engine import loop
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports.executor import Began, Hindered, Report, Returned

GONE = Hindered("missing", "no module named 'shoplib'")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(loop, "STUBBORN", 0.01)


@pytest.fixture
def host():
    store = Disk.memory()
    host = Host(store, work=None).start()
    yield host
    host.engine.stop()
    store.close()


def hinder(host: Host, job) -> None:
    host.crew.deliver([Report(job.key, job.node, job.attempt, GONE, job=job)])


def several(host: Host, count: int):
    """Launch executions whose first attempts all cannot begin."""
    keys = [host.launch(cycle(), f"e{n}").result(LONGEST).key for n in range(count)]
    until(lambda: len(host.crew.jobs) == count)
    for job in host.crew.jobs.copy():
        hinder(host, job)
    until(lambda: len(host.engine.held()) == count)
    host.crew.jobs.clear()
    return keys


def tried(host: Host, seconds: int):
    """Let time pass, and return the one attempt that is tried."""
    host.clock.instant = Instant(host.clock.instant + seconds * SECOND)
    until(lambda: bool(host.crew.jobs))
    host.launch(cycle(), f"at-{host.clock.instant}").result(LONGEST)
    (job,) = host.crew.jobs
    host.crew.jobs.clear()
    return job


def test_an_attempt_that_could_not_begin_stays_queued_and_counts_as_none(host: Host):
    (key,) = several(host, 1)

    (held,) = host.engine.held()

    assert (held.code, held.why, held.since) == ("missing", GONE.why, host.clock.instant)
    now = host.state(key).node(held.job.node)
    assert (now.phase, now.attempt, now.lost) == (NodePhase.QUEUED, 1, 0)
    assert host.engine.parts.health == "degraded"


def test_one_is_tried_for_all_with_pauses_that_grow_and_when_it_begins_so_do_the_others(host: Host):
    keys = several(host, 5)
    since = host.clock.instant

    for pause in (1, 2, 4, 8, 16, 32, 60, 60):
        hinder(host, tried(host, pause))
        host.launch(cycle(), f"after-{host.clock.instant}").result(LONGEST)
        assert host.crew.jobs == []
        held = {each.job.key: each.since for each in host.engine.held()}
        assert {held[key] for key in keys} == {since}

    job = tried(host, 60)
    count = len(host.engine.held())
    host.crew.report(job, Began())
    until(lambda: host.engine.held() == [])
    assert len(host.crew.jobs) == count - 1
    assert host.engine.parts.health == "ok"


def test_one_that_ends_at_once_shows_as_well_that_all_may_begin(host: Host):
    several(host, 2)
    host.crew.report(tried(host, 1), Returned({"o0": 1}))

    until(lambda: host.engine.held() == [])


def test_another_is_tried_if_nobody_wants_the_one_that_is(host: Host):
    several(host, 2)
    job = tried(host, 1)

    host.engine.submit(job.key, AbortRequested(Instant(0))).result(LONGEST)

    until(lambda: bool(host.crew.jobs))
    assert host.crew.jobs[0].key != job.key


def test_what_could_not_begin_and_is_no_longer_wanted_is_not_held(host: Host):
    key = host.launched(cycle(), "e")
    (job,) = host.crew.jobs
    host.engine.submit(key, AbortRequested(Instant(0))).result(LONGEST)

    hinder(host, job)
    host.engine.submit(key, AbortRequested(Instant(0))).result(LONGEST)

    assert host.engine.held() == []
