"""
The executor of processes keeps the promises of an executor, and those about room, time and the processes themselves.
"""

import itertools
import shutil
from contextlib import closing
from pathlib import Path

from tests.contract.executor_contract import Crew, ExecutorContract, write_bundle
from tests.contract.yard import (
    YARD,
    all_heard,
    children,
    descriptors,
    is_alive,
    until,
    warm_up,
    yard,
)

from tidegate.core.messages import TASK_TIMED_OUT
from tidegate.executors import roster
from tidegate.executors.process import ProcessExecutor
from tidegate.parts import Parts
from tidegate.ports.executor import Began, Lost, Raised, Returned, left


class TestProcess(ExecutorContract):
    pass


# -- order and room --


def test_the_earlier_is_begun_first(lone: Crew, tmp_path: Path):
    names = [str(tmp_path / str(i)) for i in range(20)]
    jobs = [yard("count", path=name) for name in names]

    lone.submit(*jobs)

    lone.outcomes(jobs)
    said = [r.key for r in lone.reports if not isinstance(r.outcome, Began)]
    assert said[-20:] == [each.key for each in jobs]


def test_no_attempt_waits_behind_a_long_one_while_there_is_a_worker_for_it(
    crew: Crew, tmp_path: Path
):
    there = tmp_path / "there"
    there.touch()
    crew.outcomes(warm_up(crew, [yard("pause", until=str(there)) for _ in range(50)]))
    slow = yard("pause", until=str(tmp_path / "later"))
    # The pool holds all of these for short, and hands them out in heaps.
    others = [yard("pause", until=str(there)) for _ in range(40)]

    crew.submit(*others[:20], slow, *others[20:])

    crew.outcomes(others)
    assert not crew.said_of(slow)
    (tmp_path / "later").touch()
    crew.outcome(slow)


def test_each_attempt_is_begun_once_though_workers_end_around_it(crew: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    crew.outcomes(warm_up(crew, [yard("count", path=str(tmp_path / "warm")) for _ in range(50)]))
    counted = [yard("count", path=str(tmp_path / f"count-{i}")) for i in range(200)]
    ended = [yard("end_politely") for _ in range(4)]
    mixed = [*counted]
    for i, each in enumerate(ended):
        mixed.insert(i * 50, each)

    crew.submit(*mixed)

    crew.outcomes(mixed)
    assert {len((tmp_path / f"count-{i}").read_text()) for i in range(200)} == {1}


def test_workers_are_kept_for_the_next_attempt(lone: Crew):
    assert lone.run("worker", module="yard") == lone.run("worker", module="yard")


def test_there_are_never_more_workers_than_allowed(fresh: Crew, tmp_path: Path):
    jobs = [
        yard("hold", began=str(tmp_path / f"began-{i}"), until=str(tmp_path / "end"))
        for i in range(6)
    ]

    fresh.submit(*jobs)

    until(lambda: len(list(tmp_path.glob("began-*"))) == 2)
    (tmp_path / "end").touch()
    assert len({outcome.outputs["o0"] for outcome in fresh.outcomes(jobs)}) == 2


def test_an_idle_worker_ends(home: Path):
    with closing(ProcessExecutor(home, 1, idle=0.05)) as executor:
        crew = Crew(executor)
        pid = crew.run("worker", module="yard").outputs["o0"]

        until(lambda: not is_alive(pid))

        assert crew.run("worker", module="yard").outputs["o0"] != pid


# -- what is announced --


def test_only_an_attempt_that_takes_a_while_is_said_to_have_begun(crew: Crew, tmp_path: Path):
    long = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "end"))
    crew.submit(long)
    crew.until(lambda: any(r.key == long.key for r in crew.reports))
    (tmp_path / "end").touch()
    crew.outcome(long)
    short = [yard("quick", n=i) for i in range(50)]
    crew.submit(*short)
    crew.outcomes(short)

    said = {
        each.key: [type(r.outcome) for r in crew.reports if r.key == each.key]
        for each in [long, *short]
    }

    assert said[long.key] == [Began, Returned]
    assert sum(Began in said[each.key] for each in short) <= 2  # while workers start


# -- time --


def test_an_attempt_is_ended_at_its_timeout_and_can_clean_up(crew: Crew, tmp_path: Path):
    mark = tmp_path / "cleaned"

    outcome = crew.run("clean_up", module="yard", path=str(mark), TIMEOUT=300_000)

    assert isinstance(outcome, Raised)
    assert outcome.failure.code == TASK_TIMED_OUT
    assert "0.3 s" in outcome.failure.message
    assert "clean_up" in outcome.failure.trace  # where it was
    assert mark.exists()


def test_the_programs_of_an_attempt_end_with_it(crew: Crew, tmp_path: Path):
    pid_file = tmp_path / "pid"

    outcome = crew.run("start_program", module="yard", pid_file=str(pid_file), TIMEOUT=1_000_000)

    assert outcome.failure.code == TASK_TIMED_OUT
    until(lambda: not is_alive(int(pid_file.read_text())))


def test_importing_the_code_does_not_count_towards_the_timeout(home: Path, crew: Crew):
    bundle = write_bundle(
        home,
        digest="8" * 64,
        slow="""
        import time
        time.sleep(1.2)
        from tidegate import task

        @task
        def quick() -> int:
            return 1
        """,
    )

    assert crew.run("quick", module="slow", bundle=bundle, TIMEOUT=1_000_000) == Returned({"o0": 1})


def test_a_timeout_of_one_attempt_is_not_one_of_those_behind_it(lone: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    lone.outcomes(warm_up(lone, [yard("pause", until=str(there)) for _ in range(50)]))
    stuck = yard("pause", until=str(tmp_path / "never"), TIMEOUT=200_000)
    others = [yard("pause", until=str(there)) for _ in range(10)]

    lone.submit(stuck, *others)

    assert lone.outcome(stuck).failure.code == TASK_TIMED_OUT
    assert all(isinstance(outcome, Returned) for outcome in lone.outcomes(others))


# -- cancelling --


def test_a_cancelled_attempt_is_ended_and_not_reported_on(lone: Crew, tmp_path: Path):
    endless = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "never"))
    lone.submit(endless)
    until((tmp_path / "began").exists)

    lone.executor.cancel(endless.key, endless.node, endless.attempt)

    lone.submit(after := yard("quick", n=1))
    assert lone.outcome(after) == Returned({"o0": 1})
    assert not lone.said_of(endless)


def test_an_attempt_that_waits_and_is_cancelled_never_begins(lone: Crew, tmp_path: Path):
    first = yard("hold", began=str(tmp_path / "began"), until=str(tmp_path / "end"))
    waiting = yard("count", path=str(tmp_path / "counted"))
    last = yard("quick", n=1)
    lone.submit(first, waiting, last)
    until((tmp_path / "began").exists)

    lone.executor.cancel(waiting.key, waiting.node, waiting.attempt)
    all_heard(lone)

    (tmp_path / "end").touch()
    lone.outcomes([first, last])
    assert not (tmp_path / "counted").exists()
    assert not lone.said_of(waiting)


def test_cancelling_one_of_a_heap_leaves_the_others(lone: Crew, tmp_path: Path):
    there = tmp_path / "there"
    there.touch()
    lone.outcomes(warm_up(lone, [yard("pause", until=str(there)) for _ in range(50)]))
    first = yard("pause", until=str(tmp_path / "end"))
    counted = [yard("count", path=str(tmp_path / f"count-{i}")) for i in range(10)]
    lone.submit(first, *counted)

    for each in counted[::2]:
        lone.executor.cancel(each.key, each.node, each.attempt)
    all_heard(lone)
    (tmp_path / "end").touch()

    lone.outcomes([first, *counted[1::2]])
    assert sorted(p.name for p in tmp_path.glob("count-*")) == [
        f"count-{i}" for i in range(1, 10, 2)
    ]


def test_no_process_of_a_task_reports_in_its_place(lone: Crew):
    outcome = lone.run("fork", module="yard")

    assert outcome == Returned({"o0": 0})


def test_an_attempt_that_finds_no_memory_fails_alone(lone: Crew):
    limit = 2 * 1024**3

    failed = lone.run("grab", module="yard", size=2 * limit, limit=limit)
    next_one = lone.run("grab", module="yard", size=1024, limit=limit)

    assert failed.failure.message == "MemoryError"
    assert next_one == Returned({"o0": 1024})


def test_who_asks_a_worker_to_end_costs_no_attempt(crew: Crew):
    assert crew.run("end_politely", module="yard") == Lost()


# -- the end --


def test_closing_ends_every_process_and_gives_back_every_descriptor(tmp_path: Path):
    write_bundle(tmp_path, yard=YARD)
    before = children(), descriptors()
    crew = Crew(ProcessExecutor(tmp_path, 2))
    busy = yard("start_program", pid_file=str(tmp_path / "pid"))
    crew.submit(busy, yard("quick", n=1))
    until((tmp_path / "pid").exists)

    crew.executor.close()

    assert not crew.said_of(busy)
    assert (children(), descriptors()) == before
    assert not is_alive(int((tmp_path / "pid").read_text()))
    assert list((tmp_path / "scratch").iterdir()) == []


def test_closing_leaves_to_the_next_owner_what_has_not_begun_and_only_that(tmp_path: Path):
    write_bundle(tmp_path, yard=YARD)
    began, never = tmp_path / "began", str(tmp_path / "never")
    crew = Crew(ProcessExecutor(tmp_path, 1))
    crew.outcomes(warm_up(crew, [yard("quick", n=1) for _ in range(20)]))
    runs = yard("hold", began=str(began), until=never)
    waits = [yard("quick", n=n) for n in range(3)]
    crew.submit(runs, *waits)
    until(began.exists)

    crew.executor.close()

    assert not crew.said_of(runs)
    assert [crew.said_of(each) for each in waits] == [[left(runs).outcome]] * 3


def test_closing_leaves_an_attempt_whose_code_is_being_imported(tmp_path: Path):
    began = tmp_path / "began"
    slow = f"import pathlib, time\npathlib.Path({str(began)!r}).touch()\ntime.sleep(60)\n{YARD}"
    write_bundle(tmp_path, yard=slow)
    crew = Crew(ProcessExecutor(tmp_path, 1))
    waits = yard("quick", n=1)
    crew.submit(waits)
    until(began.exists)

    crew.executor.close()

    assert crew.said_of(waits) == [left(waits).outcome]


def test_what_an_earlier_life_has_left_is_in_nobodys_way_and_removed(tmp_path: Path, monkeypatch):
    """In a container each owner has the process number of the one before, as two executors of one process have."""
    write_bundle(tmp_path, yard=YARD)
    scratch, left = tmp_path / "scratch", tmp_path / "left"
    earlier = Crew(ProcessExecutor(tmp_path, 1))
    earlier.run("quick", module="yard", n=1)
    shutil.copytree(scratch, left)
    earlier.executor.close()
    scratch.rmdir()
    left.rename(scratch)
    assert list(scratch.iterdir())

    monkeypatch.setattr(roster, "_numbers", itertools.count(1))
    parts = Parts()
    crew = Crew(ProcessExecutor(tmp_path, 1, parts=parts))
    assert crew.run("quick", module="yard", n=2) == Returned({"o0": 2})
    assert [part.restarts for part in parts.standings()] == [0, 0]
    crew.executor.attach(())
    assert crew.run("quick", module="yard", n=3) == Returned({"o0": 3})
    crew.executor.close()

    assert list(scratch.iterdir()) == []
