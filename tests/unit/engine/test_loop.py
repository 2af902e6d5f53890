"""The engine: what arrives together is stored together, and anyone who asked is told after that, and only then."""

import threading
import time
from typing import Any

import pytest
from tests.unit.engine.host import (
    FIRST,
    GATE,
    LAST,
    LONGEST,
    NAP,
    NOON,
    Clock,
    Disk,
    Host,
    cycle,
    flaky,
    gate,
    nap,
)

from tidegate.core.attempts import MAX_LOST
from tidegate.core.messages import (
    TASK_RAISED,
    Accepted,
    AnswerGiven,
    Denied,
    Failure,
    TakenUp,
    TimerFired,
)
from tidegate.core.state import NodePhase
from tidegate.engine import loop, memory
from tidegate.engine.futures import Future
from tidegate.errors import Overloaded, UnknownExecution
from tidegate.ir.graph import SECOND, Instant, Micros, Retry
from tidegate.ports.executor import Began, Raised, Returned
from tidegate.ports.journal import Key


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


def hold(host):
    """Let the disk take its time over one commit; what arrives from now on waits behind it."""
    host.store.entered = threading.Semaphore(0)
    host.store.go_on.clear()
    held = host.launch(gate(), "held")
    assert host.store.entered.acquire(timeout=LONGEST)
    return held


class TestGroups:
    def test_what_arrives_while_the_disk_is_busy_shares_the_next_commit(self, host):
        hold(host)
        before = host.store.commits
        futures = [host.launch(gate(), f"e{n}", fresh=n % 2 == 0) for n in range(500)]
        host.store.go_on.set()
        keys = {future.result(LONGEST).key for future in futures}
        assert len(keys) == 500
        assert host.store.commits == before + 1

    def test_a_group_is_bounded_and_nothing_beyond_it_is_lost(self, host, monkeypatch):
        monkeypatch.setattr(loop, "GROUP", 10)
        hold(host)
        futures = [host.launch(gate(), f"e{n}") for n in range(95)]
        host.store.go_on.set()
        assert all(future.result(LONGEST).created for future in futures)
        assert 10 <= host.store.commits <= 12

    def test_nobody_is_told_before_the_commit(self, host):
        held = hold(host)
        assert not held.done()
        assert host.store.journal.find("held") is None
        host.store.go_on.set()
        assert held.result(LONGEST).created

    def test_no_attempt_is_submitted_before_the_commit(self, host):
        key = host.launched(gate(), "other")
        hold(host)
        launch = host.launch(cycle(), "c")
        host.answer(key)
        assert host.crew.jobs == []
        host.store.go_on.set()
        launch.result(LONGEST)
        host.engine.settle()
        assert [job.node for job in host.crew.jobs] == [FIRST]

    def test_what_changes_nothing_commits_nothing(self, host):
        key = host.launched(gate(), "g")
        host.answer(key).result(LONGEST)
        before = host.store.commits
        assert isinstance(host.answer(key).result(LONGEST), Accepted)
        assert host.store.commits == before


class TestLaunching:
    def test_an_id_launched_twice_at_once_is_one_execution(self, host):
        hold(host)
        both = [host.launch(cycle(), "same") for _ in range(2)]
        host.store.go_on.set()
        first, second = (future.result(LONGEST) for future in both)
        assert first.key == second.key
        assert (first.created, second.created) == (True, False)
        host.engine.settle()
        assert len(host.crew.jobs) == 1

    def test_more_than_the_queue_holds_is_refused_and_the_rest_is_stored(self, host, monkeypatch):
        monkeypatch.setattr(loop, "QUEUE", 20)
        hold(host)
        futures = [host.launch(gate(), f"e{n}") for n in range(50)]
        refused = [n for n, future in enumerate(futures) if future.done()]
        assert len(refused) == 29
        with pytest.raises(Overloaded) as caught:
            futures[-1].result()
        assert caught.value.details["retry_after"] == 1
        host.store.go_on.set()
        for n in set(range(50)) - set(refused):
            assert futures[n].result(LONGEST).created
        assert all(host.store.journal.find(f"e{n}") is None for n in refused)

    def test_an_unknown_execution_is_said_so(self, host):
        with pytest.raises(UnknownExecution):
            host.answer(Key(77)).result(LONGEST)

    def test_of_two_different_answers_at_once_one_counts(self, host):
        key = host.launched(gate(), "g")
        hold(host)
        replies = [host.answer(key, value) for value in ("a", "b")]
        host.store.go_on.set()
        assert isinstance(replies[0].result(LONGEST), Accepted)
        denied = replies[1].result(LONGEST)
        assert isinstance(denied, Denied)
        assert denied.code == "already_answered"


class TestTimers:
    def test_pages_of_timers_that_are_due_at_once_all_fire(self, host, disk):
        keys = [host.launch(nap(60), f"e{n}", fresh=True) for n in range(2_500)]
        host.engine.settle()
        before = disk.commits
        host.clock.instant = Instant(NOON + 60 * SECOND)
        host.engine.settle()
        assert {host.phase(each.result().key) for each in keys} == {"SUCCEEDED"}
        assert disk.commits == before + 3

    def test_a_timer_never_fires_early(self, host):
        key = host.launched(nap(60), "e")
        host.clock.instant = Instant(NOON + 60 * SECOND - 1)
        host.engine.settle()
        assert host.state(key).node(NAP).phase is NodePhase.WAITING
        host.clock.instant = Instant(NOON + 60 * SECOND)
        host.engine.settle()
        assert host.state(key).node(NAP).ended == NOON + 60 * SECOND

    def test_when_the_clock_jumps_nothing_fires_twice_and_what_is_due_fires_within_a_second(
        self, host
    ):
        seen = threading.Event()
        short, long = host.launched(nap(60), "short"), host.launched(nap(3600), "long")
        host.store.changes.subscribe(lambda touched: seen.set() if short in touched else None)
        host.clock.instant = Instant(NOON - 3600 * SECOND)
        host.engine.settle()
        assert host.phase(short) != "SUCCEEDED"
        jumped = time.monotonic()
        host.clock.instant = Instant(NOON + 120 * SECOND)
        assert seen.wait(LONGEST)
        assert time.monotonic() - jumped < 2 * loop.NAP
        host.clock.instant = Instant(NOON - 3600 * SECOND)
        host.engine.settle()
        host.clock.instant = Instant(NOON + 120 * SECOND)
        host.engine.settle()
        fired = [event for event in host.events(short) if isinstance(event, TimerFired)]
        assert len(fired) == 1
        assert host.phase(long) != "SUCCEEDED"

    def test_a_clock_set_back_by_a_day_delays_no_retry_also_of_what_is_not_in_memory(self, disk):
        day = 24 * 3600 * SECOND
        host = Host(disk, work=None).start()
        pause = Retry(retries=1, pause=Micros(3 * SECOND))
        key = host.launched(flaky(pause), "e")
        host.crew.report(host.crew.jobs[0], Raised(Failure(TASK_RAISED, "no")))
        host.engine.settle()
        assert host.state(key).node(LAST).due == NOON + 3 * SECOND
        sleeper = host.launched(nap(60), "sleeper")
        host.engine._memory.clear()

        host.clock.instant = Instant(NOON - day)
        host.engine.settle()
        assert len(host.crew.jobs) == 1
        host.clock.instant = Instant(NOON - day + 3 * SECOND)
        host.engine.settle()

        assert [job.attempt for job in host.crew.jobs] == [1, 2]
        assert host.state(sleeper).node(NAP).due == NOON + 60 * SECOND
        host.engine.stop()

    def test_by_a_real_clock_a_timer_is_late_by_little(self, disk):
        class RealClock(Clock):
            def now(self):
                return Instant(time.time_ns() // 1000)

        host = Host(disk, clock=RealClock()).start()
        done = threading.Semaphore(0)

        def count(touched):
            for phase in touched.values():
                if phase.is_terminal:
                    done.release()

        host.store.changes.subscribe(count)
        keys = [host.launch(nap(n / 10), f"e{n}").result(LONGEST).key for n in (3, 1, 2)]
        for _ in keys:
            assert done.acquire(timeout=LONGEST)
        host.engine.stop()
        for key, tenths in zip(keys, (3, 1, 2), strict=True):
            node = host.state(key).node(NAP)
            slept = (node.ended - node.began) / SECOND
            assert tenths / 10 <= slept < tenths / 10 + 0.5

    def test_a_timer_that_came_due_while_nobody_was_there_fires_at_the_start(self, host):
        key = host.launched(nap(60), "e")
        host.engine.stop()
        host.clock.instant = Instant(NOON + 600 * SECOND)
        later = host.again()
        assert later.phase(key) == "SUCCEEDED"
        later.engine.stop()


class TestTakingUp:
    def test_an_attempt_that_ran_is_repeated_under_the_next_number(self, disk):
        first = Host(disk, work=lambda _: Began()).start()
        key = first.launched(cycle(), "c")
        second = first.after_death()
        assert [(job.node, job.attempt) for job in second.crew.jobs] == [(FIRST, 2)]
        assert second.state(key).node(FIRST).lost == 1
        assert sum(isinstance(event, TakenUp) for event in second.events(key)) == 1
        second.crew.report(first.crew.jobs[0], Returned({"o0": 99}))
        second.engine.settle()
        assert second.state(key).node(FIRST).phase is NodePhase.QUEUED
        second.crew.report(second.crew.jobs[0], Returned({"o0": 2}))
        second.engine.settle()
        assert second.state(key).node(FIRST).outputs == {"o0": 2}
        second.engine.stop()

    def test_an_attempt_that_is_not_known_to_have_begun_gets_a_new_number_and_is_not_lost(
        self, disk
    ):
        first = Host(disk, work=None).start()
        key = first.launched(cycle(), "c")
        second = first.after_death()
        assert [(job.node, job.attempt) for job in second.crew.jobs] == [(FIRST, 2)]
        assert second.state(key).node(FIRST).lost == 0
        second.crew.report(first.crew.jobs[0], Returned({"o0": 99}))
        second.engine.settle()
        assert second.phase(key) == "RUNNING"
        second.engine.stop()

    def test_no_number_is_handed_out_twice_however_owners_end(self, disk):
        host = Host(disk, work=lambda _: Began()).start()
        host.launched(cycle(), "c")
        numbers = [job.attempt for job in host.crew.jobs]
        for turn in range(12):
            work = None if turn % 3 else lambda _: Began()
            host = host.after_death(work=work) if turn % 2 else host.again(work=work)
            numbers += [job.attempt for job in host.crew.jobs]
        assert len(numbers) == 13
        assert sorted(set(numbers)) == numbers
        host.engine.stop()

    def test_a_task_that_dies_with_its_host_again_and_again_is_given_up(self, disk):
        host = Host(disk, work=lambda _: Began()).start()
        key = host.launched(cycle(), "c")
        for _ in range(MAX_LOST):
            host = host.after_death(work=lambda _: Began())
            assert host.phase(key) == "RUNNING"
        host = host.after_death()
        assert host.phase(key) == "FAILED"
        assert host.state(key).node(FIRST).failure.code == "LostTooOften"
        assert host.crew.jobs == []
        host.engine.stop()

    def test_fifty_stops_in_good_order_fail_no_task_that_runs_through_them(self, disk):
        host = Host(disk, work=lambda _: Began()).start()
        key = host.launched(cycle(), "c")
        for _ in range(50):
            host = host.again(work=lambda _: Began())
            assert host.phase(key) == "RUNNING"
        assert host.state(key).node(FIRST).lost == 0
        host.crew.report(host.crew.jobs[-1], Returned({"o0": 1}))
        host.engine.settle()
        assert host.phase(key) == "WAITING"
        host.engine.stop()

    def test_a_change_of_owners_is_one_line_of_history_and_none_for_what_waits(self, disk):
        first = Host(disk, work=lambda _: Began()).start()
        busy, waiting = first.launched(cycle(), "c"), first.launched(gate(), "g")
        before = len(disk.journal.history(busy)), len(disk.journal.history(waiting))
        second = first.again()
        assert (len(disk.journal.history(busy)), len(disk.journal.history(waiting))) == (
            before[0] + 1,
            before[1],
        )
        second.engine.stop()

    def test_what_cannot_be_given_back_for_want_of_room_is_lost_and_repeated(self, disk):
        first = Host(disk, work=lambda _: Began()).start()
        key = first.launched(cycle(), "c")
        disk.full = True
        first.engine.stop()
        disk.full = False
        second = first.again()
        assert (second.state(key).node(FIRST).attempt, second.state(key).node(FIRST).lost) == (2, 1)
        second.engine.stop()

    def test_losses_use_up_no_retry(self, disk):
        host = Host(disk, work=lambda job: Began() if job.node == LAST else Returned({"o0": 1}))
        key = host.start().launched(cycle(), "c")
        host.answer(key).result(LONGEST)
        host.engine.settle()
        for _ in range(3):
            host = host.after_death(work=lambda _: Began())
        assert (host.state(key).node(LAST).attempt, host.state(key).node(LAST).lost) == (4, 3)
        assert host.phase(key) == "RUNNING"
        host.engine.stop()

    def test_more_than_a_group_of_executions_is_taken_up_and_what_waits_is_left_alone(
        self, disk, monkeypatch
    ):
        monkeypatch.setattr(loop, "GROUP", 10)
        first = Host(disk, work=None).start()
        for n in range(35):
            first.launch(cycle(), f"c{n}").result(LONGEST)
        waiting = first.launched(gate(), "g")
        lines = len(disk.journal.history(waiting))
        second = first.again()
        assert len(second.crew.jobs) == 35
        assert len(disk.journal.history(waiting)) == lines
        second.engine.stop()


class TestMemory:
    @pytest.mark.parametrize("room", [0, 1, 5_000])
    def test_with_hardly_any_memory_everything_still_works(self, host, monkeypatch, room):
        monkeypatch.setattr(memory, "HOT_BYTES", room)
        keys = [host.launched(cycle(), f"c{n}") for n in range(20)]
        for key in reversed(keys):
            assert isinstance(host.answer(key).result(LONGEST), Accepted)
        host.engine.settle()
        assert {host.phase(key) for key in keys} == {"SUCCEEDED"}
        assert disk_problems(host) == []

    def test_it_holds_no_more_bytes_than_it_may_however_many_have_come_grown_and_gone(
        self, host, monkeypatch
    ):
        monkeypatch.setattr(memory, "HOT_BYTES", 20_000)
        for n in range(50):
            host.answer(host.launched(cycle(), f"gone {n}")).result(LONGEST)
        ids = [f"waits {n}" for n in range(40)]
        for id_ in ids:
            host.launched(cycle(), id_)

        hot = [found for id_ in ids if (found := host.engine.peek(id_)) is not None]

        assert 0 < sum(each.weigh() for each in hot) <= 20_000

    def test_few_executions_with_large_values_leave_the_memory_like_many_small_ones(
        self, host, monkeypatch
    ):
        monkeypatch.setattr(memory, "HOT_BYTES", 1_000_000)
        host.crew.work = lambda _: Returned({"o0": "x" * 200_000})
        large = [f"large {n}" for n in range(10)]
        for id_ in large:
            host.launched(cycle(), id_)

        hot = [id_ for id_ in large if host.engine.peek(id_) is not None]

        assert hot == large[-1:]


class TestStopping:
    def test_what_had_arrived_is_stored(self, host):
        hold(host)
        futures = [host.launch(cycle(), f"e{n}") for n in range(100)]
        stopping = threading.Thread(target=host.engine.stop)
        stopping.start()
        host.store.go_on.set()
        stopping.join(LONGEST)
        assert all(future.result(LONGEST).created for future in futures)
        assert host.store.journal.find("e99") is not None

    def test_what_comes_later_is_refused_at_once(self, host):
        key = host.launched(gate(), "g")
        host.engine.stop()
        with pytest.raises(Overloaded, match="stopping"):
            host.launch(gate(), "late").result(LONGEST)
        with pytest.raises(Overloaded, match="stopping"):
            host.answer(key).result(LONGEST)
        with pytest.raises(Overloaded, match="stopping"):
            host.engine.settle()

    def test_nobody_is_left_waiting_however_stop_and_requests_race(self, disk):
        for round_ in range(30):
            host = Host(disk).start()
            futures: list[Future[Any]] = []
            asking = threading.Event()

            def ask(host=host, futures=futures, asking=asking, round_=round_):
                for n in range(200):
                    futures.append(host.launch(gate(), f"r{round_}-{n}", fresh=True))
                    asking.set()

            thread = threading.Thread(target=ask)
            thread.start()
            assert asking.wait(LONGEST)
            host.engine.stop()
            thread.join(LONGEST)
            for future in futures:
                error = future.exception(LONGEST)
                assert error is None or isinstance(error, Overloaded)
            stored = sum(future.exception() is None for future in futures)
            assert all(disk.journal.find(f"r{round_}-{n}") is not None for n in range(stored))

    def test_one_who_cannot_be_told_does_not_disturb_the_others(self, host, caplog):
        hold(host)
        gone, there = host.launch(gate(), "gone"), host.launch(gate(), "there")
        gone.add_done_callback(lambda done: done.nobody_is_there)
        host.store.go_on.set()
        assert there.result(LONGEST).created
        assert host.store.journal.find("gone") is not None
        assert host.launch(gate(), "later").result(LONGEST).created
        assert "nobody_is_there" in caplog.text


def disk_problems(host) -> list[str]:
    return host.store.problems()


def test_an_event_gets_its_instant_from_the_engine_alone(host):
    key = host.launched(gate(), "g")
    host.clock.instant = Instant(NOON + 5)
    event = AnswerGiven(Instant(NOON - 10**9), GATE, "words")
    reply = host.engine.submit(key, event).result(LONGEST)
    assert isinstance(reply, Accepted)
    assert reply.at == NOON + 5
