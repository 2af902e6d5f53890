"""Attempts on their way to the executor: what it does not take is handed over later, and what it runs when the host stops is given back."""

import pytest
from tests.unit.engine.host import FIRST, LAST, LONGEST, Disk, Host, cycle, gate, nap, until

from tidegate.core.messages import AbortRequested, Accepted
from tidegate.core.state import NodePhase
from tidegate.engine import dispatch, loop
from tidegate.errors import StoreFull
from tidegate.ir.graph import Instant
from tidegate.ports.executor import NO_ROOM, Attempt, Began, Hindered, Report, Returned, left


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(loop, "STUBBORN", 0.01)


@pytest.fixture
def disk():
    store = Disk.memory()
    yield store
    store.close()


@pytest.fixture
def host(disk):
    host = Host(disk).start()
    yield host
    host.engine.stop()


@pytest.fixture
def manual(disk):
    """A host whose executor reports when the test says so."""
    host = Host(disk, work=None).start()
    yield host
    host.engine.stop()


class TestExecutorFails:
    def test_attempts_that_could_not_be_submitted_are_submitted_later_as_if_nothing_had_been(
        self, host
    ):
        host.crew.refuses = 50
        key = host.launch(cycle(), "c").result(LONGEST).key
        host.engine.settle()
        assert host.phase(key) == "WAITING"
        assert [job.attempt for job in host.crew.jobs] == [1]
        assert host.state(key).node(FIRST).lost == 0

    def test_they_are_submitted_though_nothing_else_happens(self, manual):
        manual.crew.refuses = 3
        manual.launch(cycle(), "c").result(LONGEST)
        until(lambda: [job.node for job in manual.crew.jobs] == [FIRST])

    def test_those_that_are_no_longer_wanted_are_not(self, manual):
        manual.crew.refuses = 1_000_000
        key = manual.launch(cycle(), "c").result(LONGEST).key
        manual.engine.submit(key, AbortRequested(Instant(0), "enough")).result(LONGEST)
        manual.crew.refuses = 0
        other = manual.launched(cycle(), "other")
        assert [job.key for job in manual.crew.jobs] == [other]


class TestHeld:
    def test_without_room_no_attempt_begins_and_it_says_so_until_there_is_room(self, manual):
        manual.lack = "3 bytes are free"
        key = manual.launch(cycle(), "c").result(LONGEST).key

        (held,) = manual.engine.held()
        assert (held.job.id, held.job.node) == ("c", FIRST)
        assert (held.code, held.why) == ("no_room", "3 bytes are free")
        assert manual.engine.parts.health == "degraded"
        assert manual.crew.jobs == []
        assert manual.state(key).node(FIRST).phase is NodePhase.QUEUED

        manual.lack = ""
        until(lambda: [job.node for job in manual.crew.jobs] == [FIRST])
        assert manual.engine.held() == []
        assert manual.engine.parts.health == "ok"
        assert [job.attempt for job in manual.crew.jobs] == [1]

    def test_what_was_held_is_held_by_the_next_owner_and_begins_when_there_is_room(self, disk):
        first = Host(disk, work=None)
        first.lack = "3 bytes are free"
        first.start().launch(cycle(), "c").result(LONGEST)
        first.engine.stop()

        second = Host(disk, work=None)
        second.lack = "2 bytes are free"
        second.start()
        until(lambda: [each.why for each in second.engine.held()] == ["2 bytes are free"])
        second.lack = ""
        until(lambda: [job.node for job in second.crew.jobs] == [FIRST])
        second.engine.stop()

    def test_a_turn_looks_at_few_of_many_that_are_held_and_all_begin_when_they_may(
        self, manual, monkeypatch
    ):
        monkeypatch.setattr(dispatch, "LOOKS", 3)
        manual.lack = "3 bytes are free"
        for n in range(20):
            manual.launch(cycle(), f"c{n}").result(LONGEST)
        before = manual.looks
        manual.launch(cycle(), "last").result(LONGEST)
        assert manual.looks - before <= 2 * (3 + 1)

        manual.lack = ""
        until(lambda: len(manual.crew.jobs) == 21)
        assert len({job.key for job in manual.crew.jobs}) == 21
        assert manual.engine.held() == []

    def test_what_the_executor_sends_back_is_held_unless_nobody_wants_it(self, manual):
        for id_ in ("kept", "unwanted"):
            manual.launched(cycle(), id_)
        kept, unwanted = manual.crew.jobs
        manual.lack = "3 bytes are free"
        abort = AbortRequested(Instant(0), "enough")
        manual.engine.submit(unwanted.key, abort).result(LONGEST)
        for job in (kept, unwanted):
            outcome = Hindered(NO_ROOM, "2 bytes are free")
            manual.crew.deliver([Report(job.key, job.node, job.attempt, outcome, job=job)])

        until(manual.engine.held)
        (held,) = manual.engine.held()
        assert (held.job, held.code) == (kept, "no_room")
        manual.lack = ""
        until(lambda: manual.crew.jobs[2:] == [kept])

    def test_what_is_no_longer_wanted_is_not_held(self, manual):
        manual.lack = "3 bytes are free"
        key = manual.launch(cycle(), "c").result(LONGEST).key
        manual.engine.submit(key, AbortRequested(Instant(0), "enough")).result(LONGEST)
        assert manual.engine.held() == []
        assert manual.engine.parts.health == "ok"


class TestLeft:
    def test_what_an_earlier_owner_has_left_running_is_ended_unless_it_is_wanted(self, disk):
        host = Host(disk, work=None, keeps=True).start()
        aborted, wanted = (host.launched(cycle(), name) for name in ("aborted", "wanted"))
        host.engine.submit(aborted, AbortRequested(Instant(0), "enough")).result(LONGEST)
        # It dies before it has said so.
        host.dies()
        host = Host(disk, work=None, keeps=True).start()
        host.engine.settle()

        both = [Report(key, FIRST, 1, Began()) for key in (aborted, wanted)]
        host.crew.deliver(both)
        host.engine.settle()

        assert host.crew.cancelled == [Attempt(aborted, FIRST, 1)]
        assert host.state(wanted).node(FIRST).phase is NodePhase.RUNNING
        host.engine.stop()


class TestDrain:
    def test_nothing_more_begins_and_all_else_goes_on(self, disk):
        host = Host(disk, work=None).start()
        running, waiting = host.launched(cycle(), "running"), host.launched(gate(), "waiting")
        (job,) = host.crew.jobs
        host.crew.report(job, Began())

        drained = host.engine.drain()
        host.crew.report(job, Returned({"o0": 1}))
        assert isinstance(host.answer(running).result(LONGEST), Accepted)
        assert isinstance(host.answer(waiting).result(LONGEST), Accepted)
        host.engine.settle()

        assert drained is host.crew.drained
        assert host.state(running).node(FIRST).phase is NodePhase.SUCCEEDED
        assert host.state(running).node(LAST).phase is NodePhase.QUEUED
        assert host.phase(waiting) == "SUCCEEDED"
        assert host.crew.jobs == [job]
        host.engine.stop()

    def test_what_became_ready_begins_with_the_next_host(self, disk):
        host = Host(disk, work=None).start()
        key = host.launched(cycle(), "c")
        host.engine.drain()
        host.crew.report(host.crew.jobs[0], Returned({"o0": 1}))
        host.answer(key).result(LONGEST)

        second = host.again(work=None)

        assert [(job.node, job.attempt) for job in second.crew.jobs] == [(LAST, 1)]
        assert second.state(key).node(LAST).lost == 0
        second.engine.stop()

    def test_only_executions_with_an_attempt_that_runs_are_read_at_the_stop(self, disk):
        host = Host(disk, work=None).start()
        key = host.launched(cycle(), "c")
        host.crew.report(host.crew.jobs[0], Began())
        for n in range(50):
            host.launched(nap(3600), f"asleep-{n}")
        host.engine.settle()
        host.engine._memory.clear()
        disk.reads.clear()

        host.engine.stop()

        assert set(disk.reads) <= {key}
        assert host.state(key).node(FIRST).reissued == 1


class TestNumbers:
    """An attempt that has not begun is the same attempt for the next owner, however the one before it ended; any other gets a number of its own."""

    def test_what_is_held_keeps_its_number_and_since_when_whichever_process_owns_the_store(
        self, disk
    ):
        host = Host(disk, work=None)
        host.lack = "3 bytes are free"
        key = host.start().launch(cycle(), "c").result(LONGEST).key
        (held,) = host.engine.held()
        lines = len(disk.journal.history(key))
        for _ in range(3):
            for ends in (Host.after_death, Host.again):
                until(host.engine.held)
                host = ends(host)

        until(host.engine.held)
        (now,) = host.engine.held()
        assert (now.job.attempt, now.since) == (1, held.since)
        assert len(disk.journal.history(key)) == lines
        host.lack = ""
        until(lambda: [job.attempt for job in host.crew.jobs] == [1])
        assert disk.journal.held() == []
        host.engine.stop()

    def test_what_was_handed_over_gets_another_though_it_was_held_before(self, disk):
        host = Host(disk, work=None)
        host.lack = "3 bytes are free"
        host.start().launch(cycle(), "c").result(LONGEST)
        host.lack = ""
        until(lambda: [job.attempt for job in host.crew.jobs] == [1])
        host = host.after_death()
        assert [job.attempt for job in host.crew.jobs] == [2]
        host.engine.stop()

    def test_what_the_executor_leaves_unbegun_keeps_its_number(self, disk):
        host = Host(disk, work=None).start()
        host.launched(cycle(), "c")
        (job,) = host.crew.jobs
        host.crew.deliver([left(job)])
        assert host.engine.held() == []
        host = host.again()
        assert [each.attempt for each in host.crew.jobs] == [1]
        host.engine.stop()

    def test_what_is_no_longer_wanted_is_not_kept(self, disk):
        host = Host(disk, work=None)
        host.lack = "3 bytes are free"
        host.start()
        keys = [host.launch(cycle(), id_).result(LONGEST).key for id_ in ("a", "b")]
        until(lambda: len(disk.journal.held()) == len(keys))
        host.engine.submit(keys[0], AbortRequested(Instant(0), "enough")).result(LONGEST)
        until(lambda: [row.key for row in disk.journal.held()] == keys[1:])
        host.engine.stop()

    def test_if_it_cannot_be_stored_that_an_attempt_begins_it_does_not(self, disk, monkeypatch):
        host = Host(disk, work=None)
        host.lack = "3 bytes are free"
        host.start().launch(cycle(), "c").result(LONGEST)
        until(disk.journal.held)
        real = disk.journal.release

        def full(nodes):
            raise StoreFull("the disk is full")

        monkeypatch.setattr(disk.journal, "release", full)
        host.lack = ""
        until(lambda: [each.why for each in host.engine.held()] == ["the disk is full"])
        assert [each.code for each in host.engine.held()] == ["no_room"]
        assert host.crew.jobs == []
        monkeypatch.setattr(disk.journal, "release", real)
        until(lambda: [job.attempt for job in host.crew.jobs] == [1])
        host.engine.stop()
