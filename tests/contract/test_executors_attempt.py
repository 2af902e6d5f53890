"""
An attempt is alone: whatever one does to its process, the next attempt of the same worker finds a process as if it were the first.

Method: each kind of change is two pieces of Python, one that makes it and one that shows it. What is shown before and after must be equal; and the
attempt that makes the change must itself see another value, or the piece proves nothing. All run in one worker.
"""

import os
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from tests.contract.executor_contract import Crew, job, write_bundle

from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs
from tidegate.ports.executor import Raised, Returned

GUESTS = """
import ctypes
import decimal
import gc
import locale
import logging
import multiprocessing
import os
import random
import resource
import signal
import socket
import sys
import threading
import time
import types
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy.random

from tidegate import task

os.environ["SET_BY_THE_MODULE"] = "kept"
sys.path.append("/appended/by/the/module")
opened = open(__file__)
counter = 0
cache = {}
libc = ctypes.CDLL(None)


def mask() -> int:
    found = os.umask(0o77)
    os.umask(found)
    return found


@task
def change(make: str, show: str) -> str:
    exec(make, globals())
    return str(eval(show))


@task
def look(show: str) -> str:
    print("looking")
    return str(eval(show))


@task
def worker() -> int:
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def draw() -> list[float]:
    return [random.random(), float(numpy.random.random())]


@task
def leave_a_thread() -> None:
    ThreadPoolExecutor().submit(time.sleep, 600)
"""

CHANGES = {
    "time zone": ("os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()", "time.strftime('%Z')"),
    "environment": (
        "os.environ['LEFT'] = 'x'; del os.environ['SET_BY_THE_MODULE']",
        "sorted(os.environ.items())",
    ),
    "environment, by C": ("libc.setenv(b'BY_C', b'x', 1)", "libc.getenv(b'BY_C') != 0"),
    "path of modules": ("sys.path[:] = ['/nowhere']", "sys.path"),
    "modules": ("sys.modules['lost'] = types.ModuleType('lost')", "'lost' in sys.modules"),
    "a module that is imported late": (
        "import colorsys; colorsys.ONE_THIRD = 9",
        "getattr(sys.modules.get('colorsys'), 'ONE_THIRD', None)",
    ),
    "a module's attribute": ("time.sleep = print", "time.sleep.__name__"),
    "a global": ("counter += 1", "counter"),
    "a cache": ("cache['x'] = 1", "cache"),
    "decimal context": ("decimal.getcontext().prec = 3", "decimal.getcontext().prec"),
    "locale": ("locale.setlocale(locale.LC_ALL, 'C')", "locale.setlocale(locale.LC_CTYPE)"),
    "logging, disabled": ("logging.disable(logging.CRITICAL)", "logging.root.manager.disable"),
    "logging, handlers": (
        "logging.basicConfig(level=logging.DEBUG)",
        "(logging.root.level, len(logging.root.handlers))",
    ),
    "filters of warnings": ("warnings.simplefilter('error')", "warnings.filters[0][0]"),
    "start method": (
        "multiprocessing.set_start_method('spawn', force=True)",
        "multiprocessing.get_start_method(allow_none=True)",
    ),
    "collector": ("gc.disable()", "gc.isenabled()"),
    "recursion limit": ("sys.setrecursionlimit(400)", "sys.getrecursionlimit()"),
    "switch interval": ("sys.setswitchinterval(1)", "sys.getswitchinterval()"),
    "arguments": ("sys.argv[:] = ['x']", "sys.argv"),
    "hooks for exceptions": ("sys.excepthook = print", "sys.excepthook is sys.__excepthook__"),
    "trace function": ("threading.settrace(print)", "threading.gettrace()"),
    "standard output": ("sys.stdout = open(os.devnull, 'w')", "sys.stdout.name"),
    "standard output, closed": ("os.close(1)", "os.path.exists('/proc/self/fd/1')"),
    "standard output, flags": ("os.set_blocking(1, False)", "os.get_blocking(1)"),
    "standard input, flags": ("os.set_blocking(0, False)", "os.get_blocking(0)"),
    "position in an open file": ("opened.seek(0, 2)", "os.lseek(opened.fileno(), 0, 1)"),
    "a descriptor": ("kept = os.dup(0)", "len(os.listdir('/proc/self/fd'))"),
    "working directory": ("os.chdir('/')", "os.getcwd() == '/'"),
    "mask of files": ("os.umask(0)", "mask()"),
    "niceness": ("os.nice(5)", "os.nice(0)"),
    "limit of descriptors": (
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))",
        "resource.getrlimit(resource.RLIMIT_NOFILE)",
    ),
    "limit of memory": (
        "resource.setrlimit(resource.RLIMIT_AS, (1 << 34, 1 << 34))",
        "resource.getrlimit(resource.RLIMIT_AS)",
    ),
    "handler of SIGTERM": (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGTERM) == signal.SIG_IGN",
    ),
    "handler of SIGCHLD": (
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGCHLD)",
    ),
    "blocked signals": (
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])",
        "signal.pthread_sigmask(signal.SIG_BLOCK, ())",
    ),
    "timer": (
        "signal.setitimer(signal.ITIMER_REAL, 60)",
        "signal.getitimer(signal.ITIMER_REAL)[0] > 0",
    ),
    "virtual timer": (
        "signal.setitimer(signal.ITIMER_VIRTUAL, 60)",
        "signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0",
    ),
    "a thread": (
        "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
        "threading.active_count()",
    ),
    "process group": (
        "os.setpgid(0, os.getppid())",
        "os.getpgrp() == os.getpid()",
    ),
    "default timeout of sockets": ("socket.setdefaulttimeout(1)", "socket.getdefaulttimeout()"),
    "a static of C: rand": ("libc.srand(7)", "libc.rand()"),
    "a static of C: the mask of syslog": ("libc.setlogmask(1)", "libc.setlogmask(0)"),
    "name of the thread": ("libc.prctl(15, b'renamed', 0, 0, 0)", "open('/proc/self/comm').read()"),
    "numpy's handling of errors": ("numpy.seterr(all='raise')", "numpy.geterr()"),
    "effective user": ("os.seteuid(65534)", "os.geteuid()"),
}
"""What it is -> what makes it, what shows it."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its user")


@pytest.fixture(scope="module")
def lone(tmp_path_factory: pytest.TempPathFactory):
    """One worker."""
    home = tmp_path_factory.mktemp("alone")
    write_bundle(home, guests=GUESTS)
    with closing(ProcessExecutor(home, 1)) as executor:
        crew = Crew(executor)
        crew.home = home
        yield crew


def run(crew: Crew, name: str, **columns):
    return crew.run(name, module="guests", **columns).outputs.get("o0")


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=needs_root if "user" in k else ()) for k in CHANGES]
)
def test_what_an_attempt_changes_is_not_there_for_the_next(lone: Crew, kind: str):
    make, show = CHANGES[kind]
    before, worker = run(lone, "look", show=show), run(lone, "worker")

    changed = run(lone, "change", make=make, show=show)

    assert changed != before
    after = job("look", module="guests", show=show)
    lone.submit(after)
    assert lone.outcome(after) == Returned({"o0": before})
    assert run(lone, "worker") == worker
    (log,) = Logs(lone.home).read(after.id)
    assert log.text == "looking\n"


def test_random_numbers_are_drawn_again(lone: Crew):
    seed = "random.seed(1); numpy.random.seed(1)"
    drawn = []
    for _ in range(3):
        run(lone, "change", make=seed, show="0")
        drawn += run(lone, "draw")

    assert len(set(drawn)) == 6


def test_what_the_module_itself_has_changed_is_there_for_every_attempt(lone: Crew):
    shown = "os.environ['SET_BY_THE_MODULE'], sys.path[-1], sys.path[0] in __file__"

    for _ in range(2):
        assert run(lone, "look", show=shown) == "('kept', '/appended/by/the/module', True)"


def test_attempts_that_leave_threads_run_once_and_cost_no_worker(lone: Crew):
    worker = run(lone, "worker")
    jobs = [job(each, module="guests") for each in ["worker", "leave_a_thread"] * 20]

    lone.submit(*jobs)

    assert lone.outcomes(jobs) == [Returned({"o0": worker}), Returned({})] * 20
    assert all(len(lone.said_of(each)) == 1 for each in jobs)


def test_an_attempt_that_crashes_costs_no_worker(lone: Crew):
    worker = run(lone, "worker")
    assert psutil.Process(worker).parent().ppid() == os.getpid(), "this is the fork server"

    for make in ("os._exit(3)", "ctypes.string_at(0)", "os.kill(os.getpid(), 9)"):
        outcome = lone.run("change", module="guests", make=make, show="0")
        assert outcome.failure.code == "TaskCrashed"

    assert run(lone, "worker") == worker


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
