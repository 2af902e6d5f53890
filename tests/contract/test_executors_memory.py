"""An attempt with a limit of memory: the whole tree counts, in proportion, and who uses more is ended."""

from pathlib import Path

import pytest
from tests.contract.executor_contract import SHOP, Crew, job, write_bundle
from tests.contract.yard import YARD, is_alive, until, yard

from tidegate.core.messages import TASK_OUT_OF_MEMORY
from tidegate.executors.memory import excess
from tidegate.ir.graph import Requirements
from tidegate.ports.executor import Raised, Returned

MIB = 2**20
HUNGRY = """
import os
import subprocess
import sys
import time
from pathlib import Path

from tidegate import task

FILL = "import time; held = b'x' * int({size}); print(flush=True); time.sleep(600)"


@task
def fill(size: int) -> int:
    held = b"x" * size
    print("filled", flush=True)
    time.sleep(600)
    return len(held)


@task
def fill_elsewhere(size: int, programs: int, pids: str) -> int:
    started = [
        subprocess.Popen([sys.executable, "-c", FILL.format(size=size)], start_new_session=True)
        for _ in range(programs)
    ]
    Path(pids + ".new").write_text(" ".join(str(each.pid) for each in started))
    Path(pids + ".new").rename(pids)
    return started[0].wait()


@task
def share(size: int, copies: int) -> int:
    held = b"x" * size
    children = []
    for _ in range(copies):
        child = os.fork()
        if child == 0:
            sum(held[::4096])
            time.sleep(600)
        children.append(child)
    # It is looked at three times meanwhile.
    time.sleep(0.8)
    return len(held)


@task
def reserve(size: int) -> int:
    import mmap

    # Address space: it is never touched, so it is not memory.
    with mmap.mmap(-1, size) as held:
        time.sleep(0.3)
        return len(held)
"""

THREAD = """
import threading
import time

threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
"""
"""A process that has this cannot be copied: the worker carries the attempt out itself."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    write_bundle(home, shop=SHOP, yard=YARD, hungry=HUNGRY, threaded=THREAD + HUNGRY)
    return home


def hungry(name: str, limit: int, **inputs):
    return job(name, module="hungry", REQUIRES=Requirements(mem_limit=limit), **inputs)


@pytest.mark.parametrize("module", ["hungry", "threaded"])
def test_an_attempt_above_its_limit_is_ended_and_says_how_much_it_used(crew: Crew, module: str):
    limit = Requirements(mem_limit=100 * MIB)
    one = job("fill", module=module, REQUIRES=limit, size=300 * MIB)

    crew.submit(one)

    outcome = crew.outcome(one)
    assert isinstance(outcome, Raised)
    assert outcome.failure.code == TASK_OUT_OF_MEMORY
    assert outcome.failure.retryable
    assert outcome.failure.message.startswith("the task and its processes used ")
    assert outcome.failure.message.endswith("Mi of memory, more than its limit of 100Mi")
    assert "in fill" in outcome.failure.trace
    assert crew.run("add", a=1, b=2) == Returned({"o0": 3})


def test_what_it_has_started_counts_in_sessions_of_its_own_too_and_ends_with_it(
    crew: Crew, tmp_path: Path
):
    pids = tmp_path / "pids"
    one = hungry("fill_elsewhere", 150 * MIB, size=60 * MIB, programs=3, pids=str(pids))

    crew.submit(one)

    outcome = crew.outcome(one)
    assert isinstance(outcome, Raised)
    assert outcome.failure.code == TASK_OUT_OF_MEMORY
    assert not any(is_alive(int(pid)) for pid in pids.read_text().split())


def test_what_processes_share_counts_once(crew: Crew):
    # Four times 100 MiB are resident.
    one = hungry("share", 250 * MIB, size=100 * MIB, copies=3)

    crew.submit(one)

    assert crew.outcome(one) == Returned({"o0": 100 * MIB})


def test_address_space_is_not_limited(crew: Crew):
    one = hungry("reserve", 100 * MIB, size=1024 * MIB)

    crew.submit(one)

    assert crew.outcome(one) == Returned({"o0": 1024 * MIB})


def test_the_limit_of_one_attempt_is_not_one_of_those_beside_and_behind_it(
    lone: Crew, tmp_path: Path
):
    began = tmp_path / "began"
    free = yard("hold", began=str(began), until=str(tmp_path / "end"))
    first = hungry("fill", 100 * MIB, size=300 * MIB)

    lone.submit(first, free)
    assert isinstance(lone.outcome(first), Raised)
    until(began.exists)
    (tmp_path / "end").touch()

    assert isinstance(lone.outcome(free), Returned)


def test_what_cannot_be_looked_at_uses_nothing():
    assert excess(2**22 + 1, 0) == 0
