"""
What an attempt has started ends with it, also what has left its session, its environment and its parents: however the attempt ends.

Method: a task starts a program apart (a session of its own, an empty environment, its parent gone), and writes its number into a file. Where an end is
reported, the program is gone by then: nothing is waited for.
"""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import Crew, job, write_bundle
from tests.contract.yard import is_alive, until

from tidegate.core.messages import TASK_CRASHED, TASK_TIMED_OUT
from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs
from tidegate.ports.executor import Lost, Raised, Returned

STARTERS = """
import os
import subprocess
import sys
import time
from pathlib import Path

from tidegate import task

APART = '''
import os, subprocess, sys
if os.fork():
    os._exit(0)
os.setsid()
child = subprocess.Popen(["sleep", "600"], env={}, start_new_session=True)
open(sys.argv[1] + ".new", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
child.wait()
'''


@task
def start(numbers: str, then: str) -> int:
    subprocess.run([sys.executable, "-c", APART, numbers], env={}, start_new_session=True)
    while not os.path.exists(numbers):
        time.sleep(0.001)
    exec(then)
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def start_marked(numbers: str, then: str) -> None:
    programs = [subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2)]
    Path(numbers + ".new").write_text(" ".join(str(each.pid) for each in programs))
    os.rename(numbers + ".new", numbers)
    exec(then)


@task
def use_programs() -> str:
    from multiprocessing import get_context
    with get_context("spawn").Pool(1) as pool:
        assert pool.map(abs, [-1]) == [1]
        pool.close()
        pool.join()
    return subprocess.run(["echo", "x"], capture_output=True, text=True).stdout
"""

SERVER = """
import signal
import sys
from pathlib import Path
from tests.contract.executor_contract import Crew, job
from tidegate.executors.process import ProcessExecutor

executor = ProcessExecutor(Path(sys.argv[1]), 1)
crew = Crew(executor)
crew.submit(job(sys.argv[3], module="starters", numbers=sys.argv[2], then="time.sleep(600)"))
signal.pause()
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are only groups")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("trees")
    write_bundle(home, starters=STARTERS)
    return home


@pytest.fixture(scope="module")
def lone(home: Path):
    with closing(ProcessExecutor(home, 1)) as executor:
        yield Crew(executor)


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    return tmp_path / "numbers"


def started(numbers: Path) -> list[int]:
    return [int(number) for number in numbers.read_text().split()]


def starter(numbers: Path, then: str, **columns):
    return job("start", module="starters", numbers=str(numbers), then=then, **columns)


def gone(numbers: Path) -> bool:
    assert len(started(numbers)) == 2
    return not any(is_alive(each) for each in started(numbers))


WORKER = "int(open(f'/proc/{os.getppid()}/stat').read().split()[3])"
"""The worker, whose template has forked the process of the attempt."""


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("pass", ""),
        ("raise ValueError('no')", "TaskRaised"),
        ("sys.exit(3)", "TaskRaised"),
        ("os._exit(3)", TASK_CRASHED),
        ("os.kill(os.getpid(), 9)", TASK_CRASHED),
        ("os.kill(os.getppid(), 9); time.sleep(600)", TASK_CRASHED),
        (f"os.kill({WORKER}, 9); time.sleep(600)", TASK_CRASHED),
    ],
)
def test_what_an_attempt_has_started_is_gone_when_its_end_is_told(
    lone: Crew, numbers: Path, then: str, code: str
):
    lone.submit(one := starter(numbers, then))

    outcome = lone.outcome(one)

    assert gone(numbers)
    assert isinstance(outcome, Raised if code else Returned)
    assert not code or outcome.failure.code == code


ORDINARY = """
subprocess.Popen(["sleep", "601"])
subprocess.run("sleep 602 & while grep -q bin/sh /proc/$!/cmdline; do :; done", shell=True)
print("last words", end="")
"""


@pytest.mark.parametrize(
    ("then", "timeout"),
    [
        ("pass", 0),
        ("raise ValueError('no')", 0),
        ("os._exit(3)", 0),
        ("time.sleep(600)", 1_500_000),
    ],
)
def test_the_log_of_an_attempt_names_each_program_that_ended_with_it(
    home: Path, lone: Crew, numbers: Path, then: str, timeout: int
):
    limit = {"TIMEOUT": timeout} if timeout else {}
    lone.submit(one := starter(numbers, f"{ORDINARY}sys.stdout.flush()\n{then}", **limit))
    lone.outcome(one)

    (log,) = [each.text for each in Logs(home).read(one.id)]
    first, line, *_ = log.split("\n")
    assert first == "last words"
    apart = started(numbers)
    assert line.startswith("tidegate: ended with this attempt")
    assert f"sleep 600 (process {apart[1]})" in line
    assert f"(process {apart[0]})" in line
    assert "sleep 601 (process " in line
    assert "sleep 602 (process " in line
    assert line.count("(process ") == 4
    assert "service manager" in line


def test_nothing_is_said_of_programs_that_ended_before_the_attempt(
    home: Path, lone: Crew, numbers: Path
):
    lone.submit(one := job("use_programs", module="starters"))
    assert isinstance(lone.outcome(one), Returned)
    assert Logs(home).read(one.id) == []


def test_what_an_attempt_has_started_is_gone_when_its_timeout_is_told(lone: Crew, numbers: Path):
    lone.submit(one := starter(numbers, "time.sleep(600)", TIMEOUT=1_500_000))

    assert lone.outcome(one).failure.code == TASK_TIMED_OUT
    assert gone(numbers)


def test_what_an_attempt_that_does_not_listen_has_started_ends_as_well(lone: Crew, numbers: Path):
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    lone.submit(one := starter(numbers, deaf, TIMEOUT=1_500_000))

    assert lone.outcome(one).failure.code == TASK_TIMED_OUT
    assert gone(numbers)


def test_what_an_aborted_attempt_has_started_is_gone_before_the_next_begins(
    lone: Crew, numbers: Path, tmp_path: Path
):
    lone.submit(one := starter(numbers, "time.sleep(600)"))
    until(numbers.exists)

    lone.executor.cancel(one.key, one.node, one.attempt)

    shown = tmp_path / "shown"
    programs = started(numbers)
    look = f"Path({str(shown)!r}).write_text(str([os.path.exists(f'/proc/{{n}}') for n in {programs}]))"
    lone.submit(after := starter(tmp_path / "others", look))
    assert isinstance(lone.outcome(after), Returned)
    assert shown.read_text() == "[False, False]"


def test_what_attempts_have_started_is_gone_when_the_executor_is_closed(home: Path, numbers: Path):
    with closing(ProcessExecutor(home, 1)) as executor:
        Crew(executor).submit(starter(numbers, "time.sleep(600)"))
        until(numbers.exists)

    assert gone(numbers)


def test_what_is_left_is_gone_when_an_attempt_is_lost_with_the_fork_server(
    home: Path, numbers: Path
):
    before = set(psutil.Process().children())
    with closing(ProcessExecutor(home, 1)) as executor:
        crew = Crew(executor)
        crew.submit(one := starter(numbers, "time.sleep(600)"))
        until(numbers.exists)
        (forker,) = set(psutil.Process().children()) - before
        forker.kill()

        assert crew.outcome(one) == Lost()
        assert gone(numbers)


def start_server(home: Path, numbers: Path, task: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SERVER, str(home), str(numbers), task]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    until(numbers.exists)
    return server


def kill_together(server: "subprocess.Popen[bytes]", *others: psutil.Process) -> None:
    """Kill a server and more, of which none can clean up after another: they stand still first."""
    for each in others:
        each.suspend()
    server.kill()
    server.wait()
    for each in others:
        each.kill()


def test_all_ends_after_a_kill_of_server_and_fork_server_together(home: Path, numbers: Path):
    server = start_server(home, numbers, "start")
    family = psutil.Process(server.pid).children(recursive=True)
    (forker,) = psutil.Process(server.pid).children()

    kill_together(server, forker)

    until(lambda: gone(numbers))
    until(lambda: not any(is_alive(each.pid) for each in family))


def test_what_outlives_the_workers_too_is_ended_by_the_next_owner(home: Path, numbers: Path):
    server = start_server(home, numbers, "start_marked")
    (forker,) = psutil.Process(server.pid).children()
    (worker,) = forker.children()
    kill_together(server, forker, worker)
    assert not gone(numbers)

    with closing(ProcessExecutor(home, 1)) as executor:
        Crew(executor).executor.attach(())

    assert gone(numbers)
