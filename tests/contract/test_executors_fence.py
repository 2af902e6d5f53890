"""The fence between two lives of a store: what an earlier owner has left running ends before the next one submits anything, and nothing else does."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import Crew, write_bundle
from tests.contract.yard import YARD, is_alive, until, yard

from tidegate.executors import fence
from tidegate.executors.process import ProcessExecutor

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="there is no /proc here"
)

FAMILY = """
import subprocess, sys
child = subprocess.Popen(["sleep", "600"], env={"PATH": "/usr/bin:/bin"})
apart = subprocess.Popen(["sleep", "600"], start_new_session=True)
print(child.pid, apart.pid, flush=True)
child.wait()
"""


@pytest.fixture
def start():
    """Start programs in sessions of their own, with a mark; all of them end with the test."""
    started = []

    def start(mark: object, *command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command or ("sleep", "600"),
            env={**os.environ, fence.MARK: str(mark)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for each in started:
        each.kill()
        each.wait()
        assert each.stdout is not None
        each.stdout.close()


def test_only_processes_of_the_same_store_and_another_life_end(tmp_path: Path, start):
    own = fence.new_mark(tmp_path / "store")
    meant = start(fence.new_mark(tmp_path / "store"))
    spared = [start(own), start(fence.new_mark(tmp_path / "other")), start("nonsense")]

    assert fence.end_earlier(own) == 1

    assert not is_alive(meant.pid)
    assert all(is_alive(each.pid) for each in spared)


def test_what_they_have_started_ends_with_them(tmp_path: Path, start):
    """Also a program in a session of its own, and one that was given another environment."""
    parent = start(fence.new_mark(tmp_path), sys.executable, "-c", FAMILY)
    family = [parent.pid, *(int(pid) for pid in parent.stdout.readline().split())]
    assert all(is_alive(pid) for pid in family)

    assert fence.end_earlier(fence.new_mark(tmp_path)) == 3

    assert not any(is_alive(pid) for pid in family)


def test_a_store_is_the_same_by_whatever_path_it_is_reached(tmp_path: Path, start, monkeypatch):
    (tmp_path / "store").mkdir()
    (tmp_path / "link").symlink_to("store")
    meant = start(fence.new_mark(tmp_path / "link"))
    monkeypatch.chdir(tmp_path)

    fence.end_earlier(fence.new_mark(Path("store")))

    assert not is_alive(meant.pid)


def test_an_owner_that_was_started_by_a_task_of_its_store_ends_neither_itself_nor_those_above(
    tmp_path: Path, start
):
    program = f"""
import os
from pathlib import Path
from tidegate.executors import fence
print(fence.end_earlier(fence.new_mark(Path({str(tmp_path)!r}))), flush=True)
"""
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {program!r}], check=True); print('alive')"
    above = start(fence.new_mark(tmp_path), sys.executable, "-c", nested)

    out, _ = above.communicate(timeout=60)

    assert out.split() == ["0", "alive"]


def test_attaching_ends_what_an_earlier_executor_ran_and_nothing_of_its_own(tmp_path: Path):
    write_bundle(tmp_path, yard=YARD)
    crews = [Crew(ProcessExecutor(tmp_path, 1)) for _ in range(2)]
    try:
        pids = []
        for n, crew in enumerate(crews):
            crew.submit(yard("start_program", pid_file=str(tmp_path / f"pid{n}")))
            until((tmp_path / f"pid{n}").exists)
            pids.append(int((tmp_path / f"pid{n}").read_text()))

        assert crews[1].executor.attach(()) == frozenset()

        assert not is_alive(pids[0])
        assert is_alive(pids[1])
        assert psutil.Process(pids[1]).ppid() != 1
    finally:
        for crew in crews:
            crew.executor.close()


def test_where_there_is_no_proc_nothing_is_looked_for(tmp_path: Path, start, monkeypatch, caplog):
    meant = start(fence.new_mark(tmp_path))
    monkeypatch.setattr(fence, "PROC", tmp_path / "absent")

    with caplog.at_level("DEBUG"):
        assert fence.end_earlier(fence.new_mark(tmp_path)) == 0

    assert is_alive(meant.pid)
    assert "are not looked for" in caplog.text
