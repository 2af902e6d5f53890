"""What attempts ask for bounds which of them run at once."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.executor_contract import SHOP, Crew, job, write_bundle
from tests.contract.yard import YARD, all_heard, until, yard

from tidegate.executors.process import ProcessExecutor
from tidegate.home import SCRATCH
from tidegate.ir.graph import Requirements
from tidegate.ports.executor import Began, Returned

SHARED = """
import os
import time
from pathlib import Path

from tidegate import task


@task
def alone(lock: str) -> bool:
    os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    time.sleep(0.03)
    os.unlink(lock)
    return True


@task
def meet(hall: str, guest: str, guests: int) -> int:
    Path(hall, guest).touch()
    while len(os.listdir(hall)) < guests:
        time.sleep(0.001)
    return guests
"""
DONE = Returned({"o0": True})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_bundle(home, shop=SHOP, yard=YARD, shared=SHARED)
    return home


def shared(name: str, **columns):
    return job(name, module="shared", **columns)


def test_attempts_that_need_all_processors_never_run_at_once(crew: Crew, tmp_path: Path):
    lock = str(tmp_path / "lock")
    jobs = [shared("alone", lock=lock, REQUIRES=Requirements(cpu=2000)) for _ in range(6)]

    crew.submit(*jobs)

    assert crew.outcomes(jobs) == [DONE] * 6


def test_attempts_that_need_more_than_half_of_the_memory_never_run_at_once(
    crew: Crew, tmp_path: Path
):
    lock, most = str(tmp_path / "lock"), crew.executor.capacity.mem * 2 // 3
    jobs = [shared("alone", lock=lock, REQUIRES=Requirements(mem=most)) for _ in range(6)]

    crew.submit(*jobs)

    assert crew.outcomes(jobs) == [DONE] * 6


def test_attempts_that_need_a_part_of_a_processor_share_it(crew: Crew, tmp_path: Path):
    quarter = Requirements(cpu=250)
    jobs = [
        shared("meet", hall=str(tmp_path), guest=str(i), guests=8, REQUIRES=quarter)
        for i in range(8)
    ]

    crew.submit(*jobs)

    assert crew.outcomes(jobs) == [Returned({"o0": 8})] * 8


def test_a_part_of_a_processor_and_a_whole_are_all_there_is(crew: Crew, tmp_path: Path):
    lock, hall = str(tmp_path / "lock"), tmp_path / "hall"
    hall.mkdir()
    # Beside a quarter there is room for one that asks for one and a half, and never for two.
    small = [
        shared("meet", hall=str(hall), guest=str(i), guests=2, REQUIRES=Requirements(cpu=250))
        for i in range(2)
    ]
    large = [shared("alone", lock=lock, REQUIRES=Requirements(cpu=1500)) for _ in range(4)]

    crew.submit(small[0], *large, small[1])

    assert crew.outcomes(small) == [Returned({"o0": 2})] * 2
    assert crew.outcomes(large) == [DONE] * 4


def test_one_that_waits_for_much_is_not_overtaken(fresh: Crew, home: Path, tmp_path: Path):
    other = write_bundle(home, digest="c" * 64, yard=YARD)
    began, until_ = tmp_path / "began", tmp_path / "until"
    first = yard("hold", began=str(began), until=str(until_))
    fresh.submit(first)
    until(began.exists)
    large = yard("quick", n=0, REQUIRES=Requirements(cpu=2000))
    # Those of another bundle have workers of their own, and one is free.
    small = [yard("quick", n=i, BUNDLE=other) for i in range(1, 20)]

    fresh.submit(large, *small)
    all_heard(fresh)
    until_.touch()
    fresh.outcomes([first, large, *small])

    said = [each.key for each in fresh.reports if not isinstance(each.outcome, Began)]
    assert said[:2] == [first.key, large.key]


def test_one_that_asks_for_more_than_there_is_runs_alone(crew: Crew, tmp_path: Path):
    # It is held before it comes here; another owner of the store may have had more.
    lock = str(tmp_path / "lock")
    much = Requirements(cpu=64_000, mem=2**50)
    jobs = [
        shared("alone", lock=lock, REQUIRES=much),
        shared("alone", lock=lock),
        shared("alone", lock=lock, REQUIRES=much),
    ]

    crew.submit(*jobs)

    assert crew.outcomes(jobs) == [DONE] * 3


def test_a_crowd_of_small_ones_leaves_no_more_workers_than_allowed(tmp_path: Path):
    home, hall = tmp_path / "home", tmp_path / "hall"
    hall.mkdir()
    write_bundle(home, shared=SHARED)
    sliver = Requirements(cpu=1)
    jobs = [
        shared("meet", hall=str(hall), guest=str(i), guests=8, REQUIRES=sliver) for i in range(8)
    ]
    with closing(ProcessExecutor(home, 2)) as executor:
        crew = Crew(executor)
        crew.submit(*jobs)
        crew.outcomes(jobs)

        until(lambda: len(list((home / SCRATCH).glob("*.d"))) == 2)
