"""When the store, the executor or one execution fails: those concerned are told, nothing that was acknowledged is lost, the others go on."""

import threading

import pytest
from tests.unit.engine.host import (
    FIRST,
    GATE,
    LONGEST,
    NAP,
    NOON,
    Disk,
    Host,
    cycle,
    gate,
    nap,
    until,
)

from tidegate.core.messages import AbortRequested, Accepted, final
from tidegate.core.state import NodePhase
from tidegate.engine import loop
from tidegate.errors import StoreDamaged, StoreFull
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports.executor import Began, Raised, Returned

UNSTORABLE = 2**80
"""A number that history cannot hold; the doors refuse it, so that only a bug brings it here."""


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
    disk.go_on.set()
    host.engine.stop()


@pytest.fixture
def manual(disk):
    """A host whose executor reports when the test says so."""
    host = Host(disk, work=None).start()
    yield host
    host.engine.stop()


def together(host, *asks):
    """Let requests come to be decided in one group, and return their futures."""
    host.store.entered = threading.Semaphore(0)
    host.store.go_on.clear()
    host.launch(gate(), f"held-{host.store.commits}")
    assert host.store.entered.acquire(timeout=LONGEST)
    futures = [ask() for ask in asks]
    host.store.go_on.set()
    return futures


class TestFullDisk:
    def test_those_who_asked_are_told_and_nothing_is_half_done(self, host, disk):
        key = host.launched(gate(), "g")
        disk.full = True
        for future in (host.answer(key), host.launch(gate(), "new")):
            with pytest.raises(StoreFull):
                future.result(LONGEST)
        disk.full = False
        assert disk.journal.find("new") is None
        assert host.state(key).node(GATE).phase is NodePhase.WAITING
        assert isinstance(host.answer(key, "other").result(LONGEST), Accepted)
        host.engine.settle()
        assert host.phase(key) == "SUCCEEDED"
        assert disk.problems() == []

    def test_no_attempt_of_a_launch_that_was_not_stored_runs(self, host, disk):
        disk.full = True
        with pytest.raises(StoreFull):
            host.launch(cycle(), "c").result(LONGEST)
        disk.full = False
        host.engine.settle()
        assert host.crew.jobs == []
        assert host.launch(cycle(), "c").result(LONGEST).created

    def test_what_a_task_reported_is_stored_when_there_is_room_again(self, manual, disk):
        key = manual.launched(cycle(), "c")
        disk.full = True
        disk.entered = threading.Semaphore(0)
        manual.crew.report(manual.crew.jobs[0], Returned({"o0": 7}))
        for _ in range(3):  # it is tried again and again, and nobody needs to ask for that
            assert disk.entered.acquire(timeout=LONGEST)
        assert manual.phase(key) == "RUNNING"
        seen = threading.Event()
        manual.store.changes.subscribe(lambda touched: seen.set())
        disk.full = False
        assert seen.wait(LONGEST)
        assert manual.state(key).node(FIRST).outputs == {"o0": 7}

    def test_of_one_group_what_ends_is_stored_from_what_is_set_aside_and_the_rest_is_put_off(
        self, manual, disk
    ):
        asked, aborted, failing, ending = (
            manual.launched(gate(), "asked"),
            manual.launched(gate(), "aborted"),
            manual.launched(cycle(), "failing"),
            manual.launched(cycle(), "ending"),
        )
        disk.full, disk.reserve = True, True

        def report(job, outcome):
            return lambda: manual.crew.report(job, outcome)

        abort = AbortRequested(Instant(0), "enough")
        answer, end, *_ = together(
            manual,
            lambda: manual.answer(asked),
            lambda: manual.engine.submit(aborted, abort),
            report(manual.crew.jobs[0], Raised(final("TaskRaised", "for nothing"))),
            report(manual.crew.jobs[1], Returned({"o0": 7})),
        )
        with pytest.raises(StoreFull):
            answer.result(LONGEST)
        assert isinstance(end.result(LONGEST), Accepted)
        until(lambda: manual.phase(failing) == "FAILED")
        phases = [manual.phase(key) for key in (asked, aborted, ending)]
        assert phases == ["WAITING", "ABORTED", "RUNNING"]
        assert manual.engine.parts.health == "down"

        disk.full = False
        until(lambda: manual.engine.parts.health == "ok")
        until(lambda: manual.state(ending).node(FIRST).outputs == {"o0": 7})

    def test_a_timer_that_could_not_fire_fires_when_there_is_room_again(self, host, disk):
        key = host.launched(nap(60), "e")
        disk.full = True
        host.clock.instant = Instant(NOON + 60 * SECOND)
        with pytest.raises(StoreFull):
            host.engine.settle()
        seen = threading.Event()
        host.store.changes.subscribe(lambda touched: seen.set())
        disk.full = False
        assert seen.wait(LONGEST)
        assert host.phase(key) == "SUCCEEDED"

    @pytest.mark.parametrize("failing", range(6))
    def test_whichever_commit_fails_the_execution_ends(self, disk, failing):
        """One cycle takes four commits: each may fail, and what was asked is asked again."""
        host = Host(disk, work=lambda _: Returned({"o0": 5})).start()

        def asked(ask):
            while True:
                disk.full = disk.commits == failing
                try:
                    return ask().result(LONGEST)
                except StoreFull:
                    continue
                finally:
                    disk.full = False

        key = asked(lambda: host.launch(cycle(), "c")).key
        host.engine.settle()
        asked(lambda: host.answer(key))
        host.engine.settle()
        assert host.phase(key) == "SUCCEEDED"
        assert disk.problems() == []
        host.engine.stop()

    def test_an_owner_that_starts_on_a_full_disk_takes_up_when_there_is_room(self, disk):
        first = Host(disk, work=lambda _: Began()).start()
        key = first.launched(cycle(), "c")
        first.dies()
        disk.full = True
        disk.entered = threading.Semaphore(0)
        second = Host(disk, work=None, clock=first.clock).start()
        for _ in range(2):
            assert disk.entered.acquire(timeout=LONGEST)
        with pytest.raises(StoreFull):
            second.launch(gate(), "g").result(LONGEST)
        disk.full = False
        while True:
            try:
                second.engine.settle()
            except StoreFull:
                continue
            break
        assert [(job.node, job.attempt) for job in second.crew.jobs] == [(FIRST, 2)]
        second.crew.report(second.crew.jobs[0], Returned({"o0": 1}))
        second.engine.settle()
        assert second.phase(key) == "WAITING"
        second.engine.stop()

    def test_an_owner_that_starts_on_a_full_disk_can_be_stopped(self, disk):
        first = Host(disk, work=lambda _: Began()).start()
        first.launched(cycle(), "c")
        first.engine.stop()
        disk.full = True
        second = Host(disk, work=None).start()
        second.engine.stop()


class TestOneIsSick:
    def test_an_answer_that_cannot_be_stored_is_refused_and_the_group_goes_on(self, host):
        keys = [host.launched(cycle(), f"c{n}") for n in range(5)]
        futures = together(
            host,
            *(lambda key=key: host.answer(key, "fine") for key in keys[:2]),
            lambda: host.answer(keys[2], UNSTORABLE),
            *(lambda key=key: host.answer(key, "fine") for key in keys[3:]),
            lambda: host.launch(cycle(), "new"),
        )
        with pytest.raises(AssertionError, match="could not decide this: OverflowError"):
            futures.pop(2).result(LONGEST)
        for future in futures[:-1]:
            assert isinstance(future.result(LONGEST), Accepted)
        assert futures[-1].result(LONGEST).created
        host.engine.settle()
        phases = [host.phase(key) for key in keys]
        assert phases == ["SUCCEEDED", "SUCCEEDED", "WAITING", "SUCCEEDED", "SUCCEEDED"]
        assert isinstance(host.answer(keys[2], "fine").result(LONGEST), Accepted)
        host.engine.settle()
        assert host.phase(keys[2]) == "SUCCEEDED"
        assert host.store.problems() == []

    def test_a_result_that_cannot_be_stored_fails_its_task_alone(self, manual):
        sick, well = manual.launched(cycle(), "sick"), manual.launched(cycle(), "well")
        manual.crew.deliver(
            [
                loop.Report(job.key, job.node, job.attempt, Returned({"o0": value}))
                for job, value in zip(manual.crew.jobs, (UNSTORABLE, 1), strict=True)
            ]
        )
        manual.engine.settle()
        assert (manual.phase(sick), manual.phase(well)) == ("FAILED", "WAITING")
        failure = manual.state(sick).node(FIRST).failure
        assert failure.code == "EngineFault"
        assert "OverflowError" in failure.message

    def test_an_id_that_was_said_to_be_fresh_and_is_not_finds_the_first(self, host):
        futures = together(
            host,
            lambda: host.launch(gate(), "same", fresh=True),
            lambda: host.launch(gate(), "same", fresh=True),
            lambda: host.launch(gate(), "other"),
        )
        first, second = (future.result(LONGEST) for future in futures[:2])
        assert first.created
        assert (second.key, second.created) == (first.key, False)
        assert futures[2].result(LONGEST).created

    def test_one_whose_history_is_damaged_disturbs_no_answer_report_or_timer_of_others(self, disk):
        first = Host(disk, work=None).start()
        keys = {name: first.launched(cycle(), name) for name in ("sick", "well")}
        naps = {name: first.launched(nap(60), f"nap-{name}") for name in ("sick", "well")}
        disk.damage(keys["sick"])
        disk.damage(naps["sick"])

        second = first.again()
        assert [job.key for job in second.crew.jobs] == [keys["well"]]
        for job in (*first.crew.jobs, *second.crew.jobs):
            second.crew.report(job, Returned({"o0": 1}))
        second.engine.settle()
        assert second.phase(keys["well"]) == "WAITING"
        with pytest.raises(StoreDamaged):
            second.answer(keys["sick"]).result(LONGEST)
        second.clock.instant = Instant(NOON + 60 * SECOND)
        second.engine.settle()
        assert second.phase(naps["well"]) == "SUCCEEDED"
        later = second.launched(nap(60), "later")
        second.clock.instant = Instant(NOON + 120 * SECOND)
        second.engine.settle()
        assert second.state(later).node(NAP).phase is NodePhase.SUCCEEDED
        assert second.engine.failure is None
        second.engine.stop()

    def test_sick_timers_do_not_keep_the_engine_busy(self, disk):
        first = Host(disk).start()
        naps = [first.launched(nap(60), f"e{n}") for n in range(3)]
        for key in naps:
            disk.damage(key)
        second = first.again()
        second.clock.instant = Instant(NOON + 60 * SECOND)
        second.engine.settle()
        looks = disk.looks
        for _ in range(50):
            second.engine.settle()
        assert disk.looks == looks
        second.engine.stop()


class TestReadFaults:
    """The store fails at one read of the engine's own, and then works again."""

    @pytest.mark.parametrize("method", ["next_due", "due"])
    def test_no_timer_is_forgotten(self, host, disk, method):
        naps = [host.launched(nap(60 * (n + 1)), f"e{n}") for n in range(3)]
        disk.faults[method] = 1

        for n, key in enumerate(naps):
            host.clock.instant = Instant(NOON + 60 * (n + 1) * SECOND)
            until(lambda key=key: host.phase(key) == "SUCCEEDED")

        assert disk.faults[method] == 0

    def test_an_owner_that_cannot_read_at_its_start_takes_up_when_it_can(self, disk):
        first = Host(disk, work=None).start()
        key = first.launched(cycle(), "c")
        first.engine.stop()
        disk.faults["active"] = 3
        second = Host(disk, work=None, clock=first.clock).start()
        until(lambda: [job.key for job in second.crew.jobs] == [key])
        second.engine.stop()
