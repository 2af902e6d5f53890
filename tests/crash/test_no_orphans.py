"""When the command that runs a task is killed, the task ends with it: nobody is left who works for nothing, or works twice."""

import subprocess
import sys
import time
from pathlib import Path

import psutil

FLOW = """
import os
import time
from pathlib import Path
from tidegate import task, workflow

@task
def tick(place: str) -> int:
    while True:
        with open(place, "a") as file:
            file.write(f"{os.getpid()}\\n")
        time.sleep(0.01)

@workflow
def ticking(place: str) -> int:
    return tick(place=place)
"""

LONGEST = 30.0


def until(happened) -> None:
    give_up = time.monotonic() + LONGEST
    while not happened():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def start(tmp_path: Path, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tidegate", *words, "--home", str(tmp_path / "home")],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_task_stops_when_its_command_is_killed_and_only_one_goes_on_after_resume(tmp_path: Path):
    (tmp_path / "flow.py").write_text(FLOW)
    ticks = tmp_path / "ticks"
    ticks.touch()
    words = ("run", "flow.py", "ticking", "--place", str(ticks), "--id", "t")
    workers = []
    for life in range(3):
        size = ticks.stat().st_size
        command = start(tmp_path, *(words if life == 0 else ("resume", "t")))
        until(lambda size=size: ticks.stat().st_size > size + 50)
        command.kill()
        command.wait()
        worker = int(ticks.read_text().splitlines()[-1])
        workers.append(worker)
        until(lambda worker=worker: not is_alive(worker))
        size = ticks.stat().st_size
        assert not any(is_alive(int(pid)) for pid in set(ticks.read_text().split()))
        assert ticks.stat().st_size == size
    assert len(set(workers)) == 3
