"""
The server, the fork server, workers, templates and children are killed with `kill -9` under load: nothing is lost, doubled or left running.

Method: as in `test_kill_server`, but each task writes down that it begins and ends, and starts a program that leaves its session and would
outlive it. Both hold a lock of the node, so that an attempt that meets anything of the one before it knows. A seed decides who is
killed next, and whether workers hang when their fork server is.

TIDEGATE_KILLS sets how many times (15 if it is not set, TIDEGATE_KILLS=300 takes some minutes); with -s it says what was killed.
"""

import fcntl
import os
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.crash.clients import LONGEST, Clients, check_all
from tests.crash.owner import prepare
from tests.serving import Server

from tidegate.engine.folds import snapshot
from tidegate.engine.programs import Programs
from tidegate.executors.fence import MARK, new_mark
from tidegate.home import SCRATCH
from tidegate.ports.listings import ExecutionQuery
from tidegate.runtime import STORE
from tidegate.stores.sqlite import SqliteStore

KILLS = int(os.environ.get("TIDEGATE_KILLS", "15"))
WHAT = ("server", "fork server", "worker", "template", "child", "server and fork server")

FLOW = """
import fcntl
import os
import subprocess
import time
from datetime import timedelta
from tidegate import approve, current_context, sleep, task, wait_for_input, workflow

PLACE = {place!r}

def work(number):
    me = current_context()
    words = f"{{me.execution}}.{{me.node}} {{me.idempotency_key}} {{me.attempt}}"
    notes = os.open(f"{{PLACE}}/notes", os.O_WRONLY | os.O_APPEND)
    lock = os.open(f"{{PLACE}}/{{me.execution}}.{{me.node}}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.write(notes, f"MEETS {{words}}\\n".encode())
    # It holds the lock as long as it lives, in a session of its own, and may have dropped the mark.
    env = {{}} if number % 2 else None
    subprocess.Popen(["sleep", "600"], start_new_session=True, pass_fds=[lock], env=env)
    os.write(notes, f"BEGINS {{words}}\\n".encode())
    time.sleep(0.15 if number % 8 == 0 else 0.02)  # some are announced as running, most are not
    os.write(notes, f"ENDS {{words}}\\n".encode())

@task(retries=10)
def first(n: int) -> int:
    work(n)
    return n + 1

@task(retries=10)
def last(number: int, words: str) -> str:
    work(number)
    return f"{{number}}: {{words}}"

@workflow
def story(n: int) -> str:
    number = first(n=n)
    words = wait_for_input("words", expected_type=str)
    number >> words
    nap = sleep(timedelta(seconds=0.1))
    text = last(number=number, words=words)
    nap >> text
    return approve(text, "fine")
"""


# ---- who is there ----


def copies_of(parent: psutil.Process) -> list[psutil.Process]:
    """Return the children of a process that are copies of the fork server, and not programs of a task."""
    found = []
    for each in parent.children():
        with suppress(psutil.Error):
            if any("forker" in word for word in each.cmdline()):
                found.append(each)
    return found


def there(server: psutil.Process, what: str) -> list[psutil.Process]:
    """Return those of a kind, among whom one is to be chosen."""
    family = [server]
    for kind in ("fork server", "worker", "template", "child"):
        family = [child for parent in family for child in copies_of(parent)]
        if kind == what:
            break
    if what == "child":
        # One at work, not one that waits for it.
        family = [each for each in family if each.children()]
    return family


def marked(home: Path) -> Iterator[psutil.Process]:
    """Yield the processes of the store that are there, anyone who started them."""
    mark = f"{MARK}={new_mark(home).store}:".encode()
    for each in psutil.process_iter():
        with suppress(OSError):
            if mark in Path(f"/proc/{each.pid}/environ").read_bytes():
                yield each


def held(place: Path) -> list[str]:
    """Return the locks that something still holds which an attempt has started."""
    found = []
    for path in place.iterdir():
        with path.open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                found.append(path.name)
    return found


# ---- killing ----


class Killer:
    """Kills what a seed chooses, and counts."""

    def __init__(self, notes: Path, clients: Clients) -> None:
        self.killed: Counter[str] = Counter()
        self._notes, self._clients = notes, clients
        self._chance = random.Random(1)

    def live(self, server: Server) -> bool:
        """Kill around a server, and at last the server itself; return whether there were enough kills before that."""
        if self.killed.total() < KILLS and self._chance.random() < 0.1:
            time.sleep(self._chance.random())  # perhaps it is not ready
            self._kill(server, "server")
            return False
        self._clients.move(server.ready())
        while self.killed.total() < KILLS:
            self._see_work(server, self._chance.randrange(1, 12))
            what = self._chance.choice(WHAT)
            if what.startswith("server"):
                self._kill(server, what)
                return False
            self._until(server, partial(self._kill_one, server, what))
            self.killed[what] += 1
        return True

    def _kill(self, server: Server, what: str) -> None:
        if what == "server and fork server":
            self._until(server, partial(self._kill_both, server))
        server.kill()
        self._clients.move(None)
        self.killed[what] += 1

    def _kill_both(self, server: Server) -> bool:
        """Kill a server and its fork server at once: neither sees the other go."""
        with suppress(psutil.Error):
            top = psutil.Process(server.process.pid)
            for fork_server in there(top, "fork server"):
                fork_server.suspend()
                self._let_hang(top)
                top.kill()
                fork_server.kill()
                return True
        return False

    def _kill_one(self, server: Server, what: str) -> bool:
        with suppress(psutil.Error):
            top = psutil.Process(server.process.pid)
            if family := there(top, what):
                if what == "fork server":
                    self._let_hang(top)
                self._chance.choice(family).kill()
                return True
        return False

    def _let_hang(self, server: psutil.Process) -> None:
        """Half of the time, let the workers hang: they cannot see to what is below them."""
        if self._chance.random() < 0.5:
            for worker in there(server, "worker"):
                worker.suspend()

    def _see_work(self, server: Server, lines: int) -> None:
        """Let the tasks write some lines."""
        size = self._notes.stat().st_size
        self._until(server, lambda: self._notes.stat().st_size > size + 60 * lines)

    def _until(self, server: Server, holds: Callable[[], bool]) -> None:
        give_up = time.monotonic() + LONGEST
        while not holds():
            assert self._clients.faults == []
            assert server.process.poll() is None, f"the server has died by itself: {server.said}"
            assert time.monotonic() < give_up, f"nothing happens: {server.said}"
            time.sleep(0.002)


# ---- what must hold ----


def check_notes(home: Path, notes: Path) -> int:
    """Compare what the tasks have written down with what is stored; return how many attempts began."""
    began, ended = defaultdict(list), defaultdict(set)
    keys: dict[str, set[str]] = defaultdict(set)
    for line in notes.read_text().splitlines():
        what, node, key, attempt = line.split()
        assert what != "MEETS", f"an attempt of {node} met what was left of another"
        keys[node].add(key)
        if what == "BEGINS":
            began[node].append(int(attempt))
        else:
            ended[node].add(int(attempt))
    store = SqliteStore.open(home / STORE, writer=False)
    programs = Programs(store.catalog)
    tasks = set()
    for row in store.listings.executions(ExecutionQuery(limit=1_000_000)).rows:
        for name, state in snapshot(store.journal, programs, row).state.nodes.items():
            if not state.attempt:
                continue
            node = f"{row.id}.{name}"
            tasks.add(node)
            assert state.attempt in ended[node], f"{node}: its result is of no attempt that ended"
            assert began[node] == sorted(set(began[node])), f"{node}: an attempt began twice"
            assert began[node][-1] == state.attempt, f"{node}: one began after its result"
            assert len(keys[node]) == 1, f"{node}: more than one idempotency key"
    store.close()
    assert tasks == began.keys()
    assert len(tasks) == len({key for each in keys.values() for key in each})
    return sum(map(len, began.values()))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
@pytest.mark.timeout(120 + 10 * KILLS)
def test_whatever_is_killed_nothing_is_lost_nothing_doubled_and_nobody_left(tmp_path: Path):
    home, notes, clients = tmp_path / "home", tmp_path / "place" / "notes", Clients()
    notes.parent.mkdir()
    notes.touch()
    prepare(home, tmp_path / "flow.py", FLOW.format(place=str(notes.parent)))
    killer = Killer(notes, clients)
    clients.start()
    enough = False
    while not enough:
        server = Server(home)
        try:
            enough = killer.live(server)
            if enough:
                clients.finish()
                assert held(notes.parent) == []
                server.stop()
        finally:
            server.close()

    assert list(marked(home)) == []
    assert list((home / SCRATCH).iterdir()) == []
    check_all(home, clients)
    attempts = check_notes(home, notes)
    launched = sum(gate == "" for _, gate in clients.acked)
    print(f"{dict(killer.killed)}, {launched} executions, {attempts} attempts")
