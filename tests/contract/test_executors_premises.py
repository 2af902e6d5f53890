"""An attempt finds its process as if it were the first: whatever the one before it in the same worker has done."""

from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.executor_contract import Crew, job, write_bundle
from tests.contract.yard import is_alive, until

from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs
from tidegate.ports.executor import Raised, Returned

GUESTS = """
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tidegate import task

os.environ["SET_BY_THE_MODULE"] = "kept"
sys.path.append("/appended/by/the/module")


@task
def look() -> dict[str, str]:
    print("looking")
    mask = os.umask(0o77)
    os.umask(mask)
    return {
        "place": os.getcwd(),
        "environment": str(sorted(os.environ.items())),
        "path": str(sys.path),
        "terminate": str(signal.getsignal(signal.SIGTERM)),
        "interrupt": str(signal.getsignal(signal.SIGINT)),
        "blocked": str(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "alarm": str(signal.getitimer(signal.ITIMER_REAL)),
        "mask": oct(mask),
        "limit": str(resource.getrlimit(resource.RLIMIT_NOFILE)),
        "memory": str(resource.getrlimit(resource.RLIMIT_AS)),
        "recursion": str(sys.getrecursionlimit()),
        "output": str(sys.stdout.fileno()),
        "threads": str(threading.active_count()),
    }


@task
def move() -> None:
    os.mkdir("gone") if not os.path.exists("gone") else None
    os.chdir("gone")
    os.rmdir("../gone")


@task
def change_environment() -> None:
    os.environ["LEFT"] = "x"
    del os.environ["SET_BY_THE_MODULE"]
    sys.path[:] = ["/nowhere"]


@task
def take_signals() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])


@task
def ring_later() -> None:
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 60)


@task
def redirect() -> None:
    sys.stdout = open(os.devnull, "w")
    sys.stderr.close()
    os.close(1)


@task
def lower_softly() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    sys.setrecursionlimit(200)
    os.umask(0)


@task
def lower_for_good() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 34, 1 << 34))


@task
def leave_a_thread() -> None:
    ThreadPoolExecutor().submit(time.sleep, 600)


@task
def leave_a_program(path: str) -> int:
    return subprocess.Popen(["sleep", "600"]).pid


@task
def process() -> int:
    return os.getpid()
"""

GUESTS_OF_ONE = (
    "move",
    "change_environment",
    "take_signals",
    "ring_later",
    "redirect",
    "lower_softly",
)
"""After these the process goes on."""


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory):
    """One worker."""
    home = tmp_path_factory.mktemp("premises")
    write_bundle(home, guests=GUESTS)
    with closing(ProcessExecutor(home, 1)) as executor:
        crew = Crew(executor)
        crew.home = home
        yield crew


def run(crew: Crew, name: str, **columns):
    return crew.run(name, module="guests", **columns)


def without_address(outcome) -> dict[str, str]:
    return {key: value.partition(" object at ")[0] for key, value in outcome.outputs["o0"].items()}


@pytest.mark.parametrize("guest", [*GUESTS_OF_ONE, "lower_for_good", "leave_a_thread"])
def test_what_an_attempt_changes_in_its_process_is_not_there_for_the_next(lone: Crew, guest: str):
    before = without_address(run(lone, "look"))
    assert "SET_BY_THE_MODULE" in before["environment"]
    assert "/appended/by/the/module" in before["path"]

    assert run(lone, guest) == Returned({})

    after = job("look", module="guests")
    lone.submit(after)
    assert without_address(lone.outcome(after)) == before
    (log,) = Logs(lone.home).read(after.id)
    assert log.text == "looking\n"


def test_what_can_be_put_back_costs_no_process(lone: Crew):
    process = run(lone, "process")

    for guest in GUESTS_OF_ONE:
        run(lone, guest)

    assert run(lone, "process") == process


def test_a_program_that_an_attempt_leaves_behind_ends_with_it(lone: Crew):
    before = run(lone, "process")
    program = run(lone, "leave_a_program", path="").outputs["o0"]

    until(lambda: not is_alive(program))
    assert run(lone, "process") != before


def test_attempts_behind_one_that_ends_its_process_run_once(lone: Crew, tmp_path: Path):
    jobs = []
    for _ in range(20):
        jobs += [job("process", module="guests"), job("leave_a_thread", module="guests")]

    lone.submit(*jobs)

    outcomes = lone.outcomes(jobs)
    assert all(isinstance(outcome, Returned) for outcome in outcomes)
    assert all(len(lone.said_of(each)) == 1 for each in jobs)


def test_words_that_cannot_be_stored_fail_the_attempt_as_any_others(tmp_path: Path):
    write_bundle(
        tmp_path,
        words='from tidegate import task\n\n\n@task\ndef speak() -> None:\n    raise ValueError(chr(0xD800) + "!")\n',
    )
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        outcome = Crew(executor).run("speak", module="words")

    assert isinstance(outcome, Raised)
    assert outcome.failure.message == "ValueError: \\ud800!"
    assert outcome.failure.retryable
