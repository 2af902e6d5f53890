"""
What the code of a bundle may leave in the process when it is imported: where that cannot be copied, each attempt has a fresh process.
"""

import subprocess
import sys
import textwrap
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tests.contract.executor_contract import Crew, job, write_bundle

from tidegate.executors.process import ProcessExecutor
from tidegate.ports.executor import Returned

TASKS = """
import os
from tidegate import task


@task
def show(what: str) -> str:
    return str(eval(what))


@task
def worker() -> int:
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def process() -> int:
    return os.getpid()
"""

NOT_COPYABLE = {
    "a thread": (
        (
            "import queue, threading\n"
            "asked, said = queue.Queue(), queue.Queue()\n"
            "threading.Thread(target=lambda: said.put(asked.get() + 1), daemon=True).start()\n"
        ),
        "asked.put(1) or said.get()",
        "2",
    ),
    "a thread that `threading` does not know": (
        (
            "import _thread, queue\n"
            "asked, said = queue.Queue(), queue.Queue()\n"
            "_thread.start_new_thread(lambda: said.put(asked.get() + 1), ())\n"
        ),
        "asked.put(1) or said.get()",
        "2",
    ),
    "a connection": (
        "import socket\none, two = socket.socketpair()\none.send(b'once')\n",
        "two.recv(9)",
        "b'once'",
    ),
    "a pipe": ("r, w = os.pipe()\nos.write(w, b'once')\n", "os.read(r, 9)", "b'once'"),
    "a loop of events": (
        "import asyncio\nloop = asyncio.new_event_loop()\n",
        "loop.run_until_complete(asyncio.sleep(0, 'slept'))",
        "slept",
    ),
    "shared memory": (
        "import mmap\nmemory = mmap.mmap(-1, 8)\n",
        "(memory.read(1), memory.seek(0), memory.write(b'x'), memory.seek(0))[0]",
        "b'\\x00'",
    ),
}

COPYABLE = {
    "an open file": ("opened = open(__file__)\n", "opened.readline()", "import os\n"),
    "numpy": (
        "import numpy\nnumpy.ones((300, 300)) @ numpy.ones((300, 300))\n",
        "(numpy.ones((300, 300)) @ numpy.ones((300, 300)))[0, 0]",
        "300.0",
    ),
    "pandas": (
        "import pandas\nframe = pandas.DataFrame({'a': range(100_000)})\nframe.a.sum()\n",
        "frame.groupby(frame.a % 7).a.sum().sum()",
        "4999950000",
    ),
    "Arrow": (
        (
            "import pyarrow.compute\ncolumn = pyarrow.chunked_array([list(range(100_000))] * 4)\n"
            "table = pyarrow.table({'a': column})\ntable.group_by('a').aggregate([('a', 'sum')])\n"
        ),
        "pyarrow.compute.sum(table.group_by('a').aggregate([('a', 'count')])['a_count'])",
        "400000",
    ),
}


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory):
    """One worker at a time."""
    home = tmp_path_factory.mktemp("copyable")
    with closing(ProcessExecutor(home, 1)) as executor:
        crew = Crew(executor)
        crew.home = home
        yield crew


def bundle_of(crew: Crew, text: str) -> str:
    source = textwrap.dedent(TASKS) + text
    if "__file__" in text:
        source = source.lstrip()
    return write_bundle(crew.home, digest=sha256(source.encode()).hexdigest(), code=source)


def run(crew: Crew, name: str, bundle: str, **columns):
    return crew.run(name, module="code", bundle=bundle, **columns)


@pytest.mark.parametrize("kind", NOT_COPYABLE)
def test_code_that_leaves_what_cannot_be_copied_gets_a_fresh_process_each_time(
    crew: Crew, kind: str
):
    text, what, shown = NOT_COPYABLE[kind]
    bundle = bundle_of(crew, text)
    forker = {run(crew, "worker", bundle).outputs["o0"] for _ in range(2)}

    assert [run(crew, "show", bundle, what=what) for _ in range(3)] == [Returned({"o0": shown})] * 3

    processes = [run(crew, "process", bundle).outputs["o0"] for _ in range(3)]
    assert len(set(processes)) == 3
    assert len(forker) == 1


@pytest.mark.parametrize("kind", COPYABLE)
def test_what_can_be_copied_is(crew: Crew, kind: str):
    text, what, shown = COPYABLE[kind]
    bundle = bundle_of(crew, text)
    workers = {run(crew, "worker", bundle).outputs["o0"]}

    assert [run(crew, "show", bundle, what=what) for _ in range(3)] == [Returned({"o0": shown})] * 3

    workers.add(run(crew, "worker", bundle).outputs["o0"])
    assert len(workers) == 1


def test_attempts_of_code_with_threads_run_once_each(crew: Crew):
    bundle = bundle_of(crew, NOT_COPYABLE["a thread"][0])
    jobs = [job("process", module="code", bundle=bundle) for _ in range(6)]

    crew.submit(*jobs)

    processes = [outcome.outputs["o0"] for outcome in crew.outcomes(jobs)]
    assert len(set(processes)) == 6
    assert [len(crew.said_of(each)) for each in jobs] == [1] * 6


NEW = """
import os, sys
from tidegate.executors.copyable import files_to_reopen, holdings

reading, writing = os.pipe()
before = holdings()
with open(sys.argv[1], "w") as file:
    assert files_to_reopen(before) == (file.fileno(),)
    other = os.dup(reading)
    assert files_to_reopen(before) is None
    os.close(other)
assert files_to_reopen(before) == ()
"""


def test_only_what_is_new_counts(tmp_path: Path):
    """In a process that has no thread, as this one has."""
    subprocess.run([sys.executable, "-c", NEW, tmp_path / "file"], check=True)
