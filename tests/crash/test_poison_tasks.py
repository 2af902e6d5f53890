"""
A bad task fails alone: whatever it does to its process, the others are done, and it is reported on once.

Method: twenty attempts that crash, hang or grab, each in one of the ways there are, among a hundred good ones; and an engine that is killed.
"""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import Crew, job, write_bundle
from tests.contract.yard import is_alive, until

from tidegate.core.messages import TASK_CRASHED, TASK_RAISED, TASK_TIMED_OUT
from tidegate.executors import fork_server, pool, roster
from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs
from tidegate.ports.executor import Lost, Raised, Returned

POISON = """
import ctypes
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

from tidegate import task


@task
def good(n: int) -> int:
    return n


@task
def segfault() -> int:
    print("before the crash")
    return ctypes.string_at(0)


@task
def leave() -> int:
    os._exit(3)


@task
def abort() -> int:
    os.abort()


@task
def kill() -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 1


@task
def close_all() -> int:
    os.closerange(3, 256)
    return 1


@task
def loop() -> int:
    while True:
        pass


@task
def ignore() -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


@task
def hold_interpreter() -> int:
    ctypes.PyDLL(None).sleep(600)
    return 1


@task
def never_join() -> int:
    threading.Thread(target=time.sleep, args=(600,)).start()
    return 1


@task
def grab() -> int:
    return len(bytearray(1 << 40))


@task
def interrupt() -> int:
    raise KeyboardInterrupt


@task
def family(pid_file: str) -> int:
    child = subprocess.Popen(["sleep", "600"])
    Path(pid_file + ".new").write_text(f"{os.getpid()} {child.pid}")
    Path(pid_file + ".new").rename(pid_file)
    ctypes.PyDLL(None).sleep(600)
    return 1
"""

SECOND = 1_000_000
CRASHES = ("segfault", "leave", "abort", "kill", "close_all")
HANGS = ("loop", "ignore", "hold_interpreter")


def poison(name: str, **columns):
    return job(name, module="poison", **columns)


def code_of(outcome) -> str:
    return outcome.failure.code if isinstance(outcome, Raised) else type(outcome).__name__


def test_twenty_poison_tasks_leave_a_hundred_good_ones_alone(tmp_path: Path):
    write_bundle(tmp_path, poison=POISON)
    expected = [(name, TASK_CRASHED, None) for name in CRASHES * 2]
    expected += [(name, TASK_TIMED_OUT, SECOND // 5) for name in HANGS * 2]
    expected += [(name, TASK_RAISED, None) for name in ("grab", "interrupt") * 2]
    bad = [poison(name, TIMEOUT=timeout) for name, _, timeout in expected]
    good = [poison("good", n=i) for i in range(100)]
    mixed = list(good)
    for i, each in enumerate(bad):
        mixed.insert(6 * i, each)

    with closing(ProcessExecutor(tmp_path, 2)) as executor:
        crew = Crew(executor)
        crew.submit(*mixed)
        crew.outcomes(mixed)

        assert crew.outcomes(good) == [Returned({"o0": i}) for i in range(100)]
        assert len(bad) == 20
        assert [code_of(each) for each in crew.outcomes(bad)] == [code for _, code, _ in expected]
        assert [len(crew.said_of(each)) for each in mixed] == [1] * len(mixed)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("segfault", "signal SIGSEGV"),
        ("leave", "exit code 3"),
        ("abort", "signal SIGABRT"),
        ("kill", "signal SIGKILL (out of memory, perhaps)"),
    ],
)
def test_a_crash_says_how_and_where(tmp_path: Path, name: str, says: str):
    write_bundle(tmp_path, poison=POISON)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        crew = Crew(executor)

        failure = crew.run(name, module="poison", ID="e1").failure

        assert says in failure.message
        assert failure.retryable
        if name == "segfault":
            assert "in segfault" in failure.trace
            assert Logs(tmp_path).read("e1")[0].text.startswith("before the crash\n")


def test_threads_that_a_task_leaves_behind_do_not_keep_the_executor_from_closing(tmp_path: Path):
    write_bundle(tmp_path, poison=POISON)
    executor = ProcessExecutor(tmp_path, 1)
    crew = Crew(executor)

    assert crew.run("never_join", module="poison") == Returned({"o0": 1})

    executor.close()


ENGINE = """
    import sys
    from pathlib import Path

    from tests.contract.executor_contract import Crew, job
    from tidegate.executors.process import ProcessExecutor

    home = Path(sys.argv[1])
    crew = Crew(ProcessExecutor(home, 2))
    crew.submit(*(job("family", module="poison", pid_file=str(home / f"pids-{i}")) for i in range(2)))
    sys.stdin.read()
"""


def test_nothing_outlives_a_killed_engine(tmp_path: Path):
    write_bundle(tmp_path, poison=POISON)
    engine = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(ENGINE), str(tmp_path)],
        stdin=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    files = [tmp_path / f"pids-{i}" for i in range(2)]
    until(lambda: all(file.exists() for file in files))
    family = [int(pid) for file in files for pid in file.read_text().split()]
    family += [child.pid for child in psutil.Process(engine.pid).children()]

    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate()

    until(lambda: not any(is_alive(pid) for pid in family))


def test_what_ran_when_the_forker_was_killed_is_lost_and_what_waited_runs(tmp_path: Path):
    write_bundle(tmp_path, poison=POISON)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        crew = Crew(executor)
        running = poison("family", pid_file=str(tmp_path / "pids"))
        waiting = [poison("good", n=i) for i in range(10)]
        crew.submit(running, *waiting)
        until((tmp_path / "pids").exists)
        (forker,) = psutil.Process().children()

        forker.kill()

        assert crew.outcome(running) == Lost()
        assert crew.outcomes(waiting) == [Returned({"o0": i}) for i in range(10)]
        family = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        until(lambda: not any(is_alive(pid) for pid in family))


def test_a_forker_that_hangs_is_replaced_and_what_waited_runs(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(fork_server, "LONGEST", 0.3)
    write_bundle(tmp_path, poison=POISON)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        crew = Crew(executor)
        # A timeout ends the worker, and is told when the pool knows that it is gone.
        slow = poison("family", pid_file=str(tmp_path / "pids"), TIMEOUT=SECOND)
        crew.submit(slow)
        assert crew.outcome(slow).failure.code == TASK_TIMED_OUT
        (forker,) = psutil.Process().children()
        forker.suspend()

        assert run_by_another(forker, crew, monkeypatch) == Returned({"o0": 1})


def test_a_task_ends_at_its_timeout_though_the_forker_hangs(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(pool, "DEAF", 1)
    monkeypatch.setattr(fork_server, "LONGEST", 0.3)
    write_bundle(tmp_path, poison=POISON)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        crew = Crew(executor)
        running = poison("family", pid_file=str(tmp_path / "pids"), TIMEOUT=2 * SECOND)
        crew.submit(running)
        until((tmp_path / "pids").exists)
        (forker,) = psutil.Process().children()
        forker.suspend()

        assert crew.outcome(running).failure.code == TASK_TIMED_OUT
        family = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
        until(lambda: not any(is_alive(pid) for pid in family))
        assert run_by_another(forker, crew, monkeypatch) == Returned({"o0": 1})


def run_by_another(forker: psutil.Process, crew: Crew, monkeypatch):
    """Send a task while the forker hangs; return its outcome. The next forker has its usual time: a busy machine may be slow to start it."""
    with monkeypatch.context() as hasty:
        hasty.setattr(roster, "HUNG", 0.3)
        crew.submit(good := poison("good", n=1))
        until(lambda: not is_alive(forker.pid))
    return crew.outcome(good)
