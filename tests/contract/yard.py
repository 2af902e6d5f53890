"""
Tasks that wait, print and end in odd ways, for the tests of processes.

Method: tasks and tests wait for each other by files; no test sleeps for a while in the hope that something has happened.
"""

import time
from pathlib import Path

import psutil
from tests.contract.executor_contract import BUNDLE, PATIENCE, Crew, job

YARD = '''
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tidegate import current_context, task


def wait_for(path: str) -> None:
    while not Path(path).exists():
        time.sleep(0.001)


@task
def quick(n: int) -> int:
    return n


@task
def pause(until: str) -> str:
    """Short when its file is there, else as long as it is not."""
    wait_for(until)
    return until


@task
def hold(began: str, until: str) -> int:
    Path(began).touch()
    wait_for(until)
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def count(path: str) -> int:
    with open(path, "a") as file:
        file.write("x")
    return 1


@task
def say(text: str, times: int) -> int:
    for _ in range(times):
        print(text)
    print("and an error", file=sys.stderr)
    subprocess.run(["echo", "from a program"], check=True)
    return times


@task
def say_and_wait(text: str, until: str) -> int:
    print(text)
    wait_for(until)
    return 1


@task
def flood(until: str, size: int) -> int:
    os.write(1, b"first" + b"x" * size)
    wait_for(until)
    return size


@task
def clean_up(path: str) -> int:
    try:
        while True:
            time.sleep(60)
    finally:
        Path(path).touch()


@task
def start_program(pid_file: str) -> int:
    child = subprocess.Popen(["sleep", "600"])
    Path(pid_file + ".new").write_text(str(child.pid))
    Path(pid_file + ".new").rename(pid_file)
    child.wait()
    return 1


@task
def directory() -> list[str]:
    directory = Path(current_context().working_directory)
    assert directory.samefile(".")
    there = sorted(p.name for p in directory.iterdir())
    Path("left.txt").write_text("x")
    return there


@task
def close_everything() -> int:
    os.close(1)
    os.close(2)
    sys.stdout = None
    return 1


@task
def process() -> int:
    return os.getpid()


@task
def worker() -> int:
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def end_politely() -> int:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    return 1


@task
def grab(size: int, limit: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    return len(bytearray(size))


@task
def fork() -> int:
    here = os.getpid()
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    return os.getpid() - here
'''


def until(holds) -> None:
    """Wait for something that no report tells of."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.002)


def yard(name: str, **columns):
    return job(name, module="yard", **columns)


def all_heard(crew: Crew) -> None:
    """Return when the pool has taken up all that it was told; a question is answered beside the attempts."""
    crew.executor.describe(BUNDLE, "shop")


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children() -> set[int]:
    return {child.pid for child in psutil.Process().children()}


def warm_up(crew: Crew, jobs):
    crew.submit(*jobs)
    return jobs


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/dev/fd").iterdir()))
