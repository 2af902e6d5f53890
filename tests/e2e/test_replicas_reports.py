"""Two servers share a store on Postgres: what one of them runs goes on there while the other takes over its executions, and hears what became of it."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.e2e.test_replicas import Pair, launch, outputs, register, shard_for, until
from tests.postgres import emptied, running
from tests.serving import Connection, Server, slowed

from tidegate.core.shards import SHARDS
from tidegate.stores.postgres.store import PostgresStore

FLOW = """
import os
import time
from datetime import timedelta
from pathlib import Path
from tidegate import task, wait_for_input, workflow

@task
def linger(place: str) -> str:
    with open(f"{place}/began", "a") as file:
        file.write(f"{os.getpid()}\\n")
    while not Path(place, "end").exists():
        time.sleep(0.01)
    return place

@task(timeout=timedelta(seconds=4))
def overruns(place: str) -> str:
    with open(f"{place}/began", "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(60)
    return place

@workflow
def late(place: str) -> str:
    return overruns(place=place)

@task
def together(place: str, number: int) -> str:
    return f"{place} {number}"

@workflow
def lasts(place: str) -> str:
    return together(place=linger(place=place), number=wait_for_input("number", timedelta(hours=1), int))

@workflow
def alone(place: str) -> str:
    return linger(place=place)

@task
def same(number: int) -> int:
    return number

@workflow
def asks(number: int) -> int:
    return same(number=wait_for_input("number", timedelta(hours=1), int))
"""


@contextmanager
def paired(place: Path, flow: str) -> Iterator[Pair]:
    """Two servers with these workflows on a database of their own; one of them runs."""
    (place / "flow.py").write_text(flow)
    with running() as cluster, ExitStack() as stack:
        pair = Pair(place, emptied(cluster), stack)
        pair.start("a")
        register(pair)
        yield pair


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with paired(tmp_path_factory.mktemp("pair"), FLOW) as pair:
        yield pair
        for server in pair.servers.values():
            if server.process.poll() is None:
                server.stop()
        store = PostgresStore.open(pair.address, writer=False)
        assert store.problems() == []
        assert store.database.rows("SELECT key FROM reports", {}) == []
        store.close()


@pytest.fixture
def both(pair: Pair) -> tuple[Connection, Connection]:
    """Both servers run, and have equal shards."""
    return pair.both()


def begun(pair: Pair, ask: Connection, prefix: str, workflow: str = "lasts") -> tuple[str, Path]:
    """Start a task that waits for a file, in an execution of this server; return its id and place."""
    items = ask("GET", "replicas").body["items"]
    owned = next(each["shards"] for each in items if each["here"])
    id_ = next(f"{prefix}-{n}" for n in range(1_000) if shard_for(f"{prefix}-{n}") in owned)
    place = pair.place / id_
    place.mkdir()
    assert launch(ask, id_, workflow, place=str(place)).status == 201
    until(lambda: (place / "began").exists() and phase_of(ask, id_) == "RUNNING")
    return id_, place


def phase_of(ask: Connection, id_: str) -> str:
    nodes = ask("GET", f"executions/{id_}").body["nodes"]
    return next(str(each["phase"]) for each in nodes if each["name"] in ("linger", "overruns"))


def count(place: Path) -> int:
    return len((place / "began").read_text().split())


def kinds(ask: Connection, id_: str) -> list[str]:
    return [e["kind"] for e in ask("GET", f"executions/{id_}/events").body["items"]]


def told_to_stop(pair: Pair, name: str, successor: Connection) -> float:
    """Tell a server to stop, and wait until the other has all shards; return how many seconds that took."""
    began = time.monotonic()
    pair.servers[name].process.terminate()

    until(lambda: shards_of(successor) == SHARDS)
    return time.monotonic() - began


def shards_of(ask: Connection) -> int:
    """How many shards a server has."""
    items = ask("GET", "replicas").body["items"]
    return next(len(each["shards"]) for each in items if each["here"])


def answered(ask: Connection, id_: str, value: int) -> float:
    """Answer its question; return how many seconds that took."""
    began = time.monotonic()
    reply = ask("PUT", f"executions/{id_}/signals/number", {"value": value})
    assert reply.status == 200, reply
    return time.monotonic() - began


def test_a_server_told_to_stop_hands_over_at_once_what_it_still_runs(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, b = both
    id_, place = begun(pair, a, "handed")
    assert told_to_stop(pair, "a", b) < slowed(2)
    assert answered(b, id_, 7) < slowed(2)
    assert pair.servers["a"].process.poll() is None
    assert phase_of(b, id_) == "RUNNING"

    (place / "end").touch()
    assert outputs(b, id_) == f"{place} 7"
    assert pair.servers["a"].wait() == 0
    assert count(place) == 1
    assert "TaskLost" not in kinds(b, id_)
    assert kinds(b, id_).count("TaskSucceeded") == 2


@pytest.mark.parametrize("comes_back", [False, True], ids=["stays away", "comes back"])
def test_a_server_that_is_killed_while_it_stops_has_its_task_repeated_once(
    pair: Pair, both: tuple[Connection, Connection], *, comes_back: bool
):
    a, b = both
    id_, place = begun(pair, a, f"killed-{comes_back:d}")
    assert told_to_stop(pair, "a", b) < slowed(2)
    port = pair.servers["a"].port
    pair.servers["a"].kill()
    if comes_back:
        pair.start("a", port=port)
        pair.settled(b, "a", "b")

    until(lambda: count(place) == 2)
    (place / "end").touch()
    assert answered(b, id_, 1) < slowed(2)
    assert outputs(b, id_) == f"{place} 1"
    assert count(place) == 2
    assert kinds(b, id_).count("TaskLost") == 1
    assert kinds(b, id_).count("TaskSucceeded") == 2


def test_what_still_runs_when_the_grace_ends_is_repeated_at_once(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, b = both
    id_, place = begun(pair, a, "graceless")
    assert told_to_stop(pair, "a", b) < slowed(2)
    pair.servers["a"].process.terminate()  # a second signal ends the grace
    assert pair.servers["a"].wait() == 0
    until(lambda: count(place) == 2)
    (place / "end").touch()
    assert answered(b, id_, 1) < slowed(2)
    assert outputs(b, id_) == f"{place} 1"
    assert count(place) == 2


def test_an_abort_at_the_new_owner_ends_the_task_where_it_runs(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, b = both
    id_, place = begun(pair, a, "aborted")
    assert told_to_stop(pair, "a", b) < slowed(2)
    task = int((place / "began").read_text())
    began = time.monotonic()
    assert b("POST", f"executions/{id_}/abort", {"reason": "enough"}).status == 200
    until(lambda: not Path(f"/proc/{task}").exists(), slowed(5))
    # With nothing left to do the server is gone, long before its grace ends.
    assert pair.servers["a"].wait() == 0
    assert time.monotonic() - began < slowed(10)
    assert count(place) == 1


def test_the_timeout_of_a_task_holds_where_it_runs(pair: Pair, both: tuple[Connection, Connection]):
    a, b = both
    id_, place = begun(pair, a, "late", "late")
    assert told_to_stop(pair, "a", b) < slowed(2)
    assert phase_of(b, id_) == "RUNNING"
    until(lambda: phase_of(b, id_) == "TIMED_OUT")
    assert b("GET", f"executions/{id_}").body["phase"] == "FAILED"
    assert pair.servers["a"].wait() == 0
    assert count(place) == 1


def test_what_a_terminal_runs_keeps_its_shard_where_it_is(
    pair: Pair, both: tuple[Connection, Connection], tmp_path: Path
):
    _, b = both
    where = ["--home", str(pair.place / "a"), "--store", pair.address]
    words = ["run", "flow.py", "alone", "--place", str(tmp_path), *where]
    command = [sys.executable, "-m", "tidegate", *words]
    with subprocess.Popen(command, cwd=pair.place, stdout=subprocess.PIPE, text=True) as terminal:
        until(lambda: (tmp_path / "began").exists())
        pair.servers["a"].process.terminate()
        until(lambda: shards_of(b) == SHARDS - 1)
        assert pair.servers["a"].process.poll() is None
        (tmp_path / "end").touch()
        until(lambda: shards_of(b) == SHARDS)
        said, _ = terminal.communicate(timeout=30)
    assert (terminal.returncode, said) == (0, f'"{tmp_path}"\n')
    assert pair.servers["a"].wait() == 0
    assert count(tmp_path) == 1


def test_a_task_is_handed_over_twice_and_reported_to_the_third_server(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, b = both
    id_, place = begun(pair, a, "twice")
    assert told_to_stop(pair, "a", b) < slowed(2)
    first = pair.servers["a"]
    pair.make_home("c")
    c = pair.start("c")
    try:
        assert told_to_stop(pair, "b", c) < slowed(2)
        assert pair.servers["b"].wait() == 0
        assert first.process.poll() is None
        assert answered(c, id_, 3) < slowed(2)
        # Nobody is there when it ends: the report waits for the next owner.
        pair.servers["c"].kill()
        (place / "end").touch()
        assert first.wait() == 0
        b = pair.start("b")
        assert outputs(b, id_) == f"{place} 3"
        assert count(place) == 1
    finally:
        pair.servers.pop("c").close()


def test_a_store_is_not_copied_before_what_was_handed_over_is_in_its_history(
    pair: Pair, both: tuple[Connection, Connection]
):
    home, target = pair.place / "b", pair.place / "copy"

    def tidegate(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tidegate", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    def refused() -> None:
        done = tidegate("store", "copy", pair.address, str(target), "--home", str(home))
        assert (done.returncode, done.stdout) == (5, ""), done
        assert f"tasks of execution {id_} were handed over by a server" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (target / "tidegate.db").exists()

    a, b = both
    id_, place = begun(pair, a, "copied", "alone")
    assert told_to_stop(pair, "a", b) < slowed(2)
    pair.servers["b"].stop()
    refused()
    (place / "end").touch()
    assert pair.servers["a"].wait() == 0
    refused()

    assert outputs(pair.start("b"), id_) == str(place)
    pair.servers["b"].stop()
    copied = tidegate("store", "copy", pair.address, str(target), "--home", str(home))
    assert copied.returncode == 0, copied
    shown = tidegate("show", id_, "--json", "--home", str(target)).stdout
    assert '"SUCCEEDED"' in shown
    assert count(place) == 1
    with psycopg.connect(pair.address) as connection:
        connection.execute("DELETE FROM marks WHERE name = 'moved'")


class Load:
    """Launches and answers at one server, over two connections, until the end of the block."""

    def __init__(self) -> None:
        self.replies: list[tuple[float, int]] = []
        """How many seconds each took, and its status."""

    @contextmanager
    def on(self, server: Server, name: str) -> Iterator[None]:
        stopped = threading.Event()
        works = [
            threading.Thread(target=self._work, args=(server.connect(), f"{name}-{n}", stopped))
            for n in range(2)
        ]
        for each in works:
            each.start()
        try:
            yield
        finally:
            stopped.set()
            for each in works:
                each.join()

    def _work(self, ask: Connection, mine: str, stopped: threading.Event) -> None:
        n = 0
        while not stopped.is_set():
            n += 1
            wanted = {"workflow": "flow.asks", "inputs": {"number": n}, "id": f"{mine}-{n}"}
            self._ask(ask, "POST", "executions", wanted)
            self._ask(ask, "PUT", f"executions/{mine}-{n}/signals/number", {"value": n})

    def _ask(self, ask: Connection, method: str, path: str, body: dict[str, Any]) -> None:
        began = time.monotonic()
        status = ask(method, path, body).status
        self.replies.append((time.monotonic() - began, status))

    def was_served(self, within: float) -> None:
        assert {status for _, status in self.replies} <= {200, 201}
        assert max(seconds for seconds, _ in self.replies) < within, len(self.replies)


def test_servers_restarted_one_after_the_other_under_load_hold_nobody_and_repeat_nothing(
    pair: Pair, both: tuple[Connection, Connection]
):
    load = Load()
    lasting = {name: begun(pair, ask, name) for name, ask in zip("ab", both, strict=True)}
    for name, other in (("a", "b"), ("b", "a")):
        with load.on(pair.servers[other], f"load-{name}"):
            assert told_to_stop(pair, name, pair.servers[other].connect()) < slowed(2)
            id_, place = lasting[name]
            assert pair.servers[name].process.poll() is None
            (place / "end").touch()
            assert pair.servers[name].wait() == 0
            pair.settled(pair.start(name), "a", "b")

    for id_, place in lasting.values():
        ask = pair.servers["a"].connect()
        assert answered(ask, id_, 5) < slowed(2)
        assert outputs(ask, id_) == f"{place} 5"
        assert count(place) == 1
    load.was_served(within=slowed(2))
