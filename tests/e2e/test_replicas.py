"""Two servers share a store on Postgres: each takes everything, and the other continues what one leaves."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.postgres import Cluster, emptied, running
from tests.serving import LONGEST, Connection, Reply, Server, slowed

from tidegate.api.peers import HEAD, PATH, signed
from tidegate.core.shards import SHARDS, home_shard
from tidegate.stores.postgres.ownership import LEASE_SECONDS
from tidegate.stores.postgres.store import PostgresStore

FLOW = """
import os
import time
from datetime import timedelta
from tidegate import approve, sleep, task, wait_for_input, workflow

@task
def double(x: int) -> int:
    return 2 * x

@task
def slow(x: int, seconds: float, log: str) -> int:
    with open(log, "a") as file:
        file.write("began\\n")
    time.sleep(seconds)
    return x

@workflow
def asks(x: int) -> int:
    return double(x=wait_for_input("number", timedelta(hours=1), int))

@workflow
def works(x: int, seconds: float, log: str) -> int:
    return double(x=slow(x=x, seconds=seconds, log=log))

@task
def seen() -> str:
    return os.environ.get("ONLY_AT_THE_TERMINAL", "nothing")

@workflow
def looks() -> str:
    return seen()

@workflow
def naps(x: int) -> int:
    nap = sleep(timedelta(seconds=14))
    return double(x=x)
"""

MUTE = "from tidegate.stores.postgres.notices import Notices; Notices.send = lambda self: self._ended.wait()"


class Pair:
    """Two servers, `a` and `b`, with files in one place; `words` are for both."""

    def __init__(self, place: Path, address: str, stack: ExitStack, *words: str) -> None:
        self._words = words
        self.place = place
        self.address = address
        self._stack = stack
        self.servers: dict[str, Server] = {}
        for name in ("a", "b"):
            self.make_home(name)

    def make_home(self, name: str) -> None:
        """Make a directory for a server."""
        home = self.place / name
        home.mkdir(mode=0o700)
        for shared in ("blobs", "bundles"):
            (self.place / shared).mkdir(mode=0o700, exist_ok=True)
            (home / shared).symlink_to(self.place / shared)

    def start(self, name: str, planted: str = "", port: int = 0) -> Connection:
        """Start a server, and return a connection to it."""
        words = ("--store", self.address, *self._words)
        server = Server(self.place / name, *words, workers=1, planted=planted, port=port).ready()
        self._stack.callback(server.close)
        self.servers[name] = server
        return server.connect()

    def both(self, planted: str = "") -> tuple[Connection, Connection]:
        """Start those that do not run; once they have equal shards, return a connection to each."""
        for name in ("a", "b"):
            server = self.servers.get(name)
            if server is None or server.process.poll() is not None:
                self.start(name, planted)
        a, b = (self.servers[name].connect() for name in ("a", "b"))
        self.settled(a, "a", "b")
        return a, b

    def settled(self, ask: Connection, *names: str) -> list[dict[str, Any]]:
        """Wait until these servers have equal shards of the store, and return what is said of them."""

        def found() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = ask("GET", "replicas").body["items"]
            return items

        until(
            lambda: (
                sorted(len(each["shards"]) for each in found())
                == [SHARDS // len(names)] * len(names)
            )
        )
        return found()


def until(is_so: Callable[[], bool], seconds: float = LONGEST) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        threading.Event().wait(0.05)


def outputs(ask: Connection, id_: str) -> Any:
    """Wait until an execution has succeeded, and return what it gives."""
    found: list[Any] = []

    def is_over() -> bool:
        view = ask("GET", f"executions/{id_}").body
        assert view["phase"] not in ("FAILED", "ABORTED", "TIMED_OUT"), view
        found[:] = [view["outputs"]["o0"]] if view["phase"] == "SUCCEEDED" else []
        return bool(found)

    until(is_over, 40)
    return found[0]


def launch(ask: Connection, id_: str, workflow: str = "asks", **inputs: Any) -> Reply:
    """Launch an execution."""
    body = {"workflow": f"flow.{workflow}", "inputs": inputs or {"x": 0}, "id": id_}
    return ask("POST", "executions", body)


def answer(ask: Connection, id_: str, value: int) -> Reply:
    """Answer its question."""
    return ask("PUT", f"executions/{id_}/signals/number", {"value": value})


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def pair(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = tmp_path_factory.mktemp("pair")
    (place / "flow.py").write_text(FLOW)
    with ExitStack() as stack:
        pair = Pair(place, emptied(cluster), stack)
        pair.start("a")
        register(pair)
        yield pair


def register(pair: Pair) -> None:
    words = ["register", "flow.py", "--home", str(pair.place / "a"), "--store", pair.address]
    subprocess.run([sys.executable, "-m", "tidegate", *words], cwd=pair.place, check=True)


@pytest.fixture
def both(pair: Pair) -> tuple[Connection, Connection]:
    """Both servers run, and have equal shards."""
    return pair.both()


def ids(prefix: str) -> list[str]:
    """Ids that lead to shards of both servers."""
    return [f"{prefix}-{n}" for n in range(8)]


def test_every_server_takes_every_launch_and_every_answer(both: tuple[Connection, Connection]):
    a, b = both
    for id_ in ids("any"):
        assert launch(a, id_).status == 201
        # The same launch at the other server is the same execution.
        assert launch(b, id_).status == 200
    assert {each["execution"] for each in b("GET", "inbox").body["items"]} >= set(ids("any"))
    for n, id_ in enumerate(ids("any")):
        assert answer((a, b)[n % 2], id_, n).status == 200
        late = answer((b, a)[n % 2], id_, n + 1)
        assert (late.status, late.body["code"]) == (409, "already_answered")
    for n, id_ in enumerate(ids("any")):
        assert outputs((b, a)[n % 2], id_) == 2 * n


def test_a_successor_is_found_at_its_owner_whatever_its_id_says(
    both: tuple[Connection, Connection],
):
    a, b = both
    for n, id_ in enumerate(ids("first")):
        launch(a, id_)
        assert b("POST", f"executions/{id_}/abort", {}).status == 200
        # It is in the shard of the execution that it continues, not in that of its id.
        assert home_shard(f"next-{id_}") != home_shard(id_)
        assert a("POST", f"executions/{id_}/recover", {"id": f"next-{id_}"}).status == 201
        for each in (a, b):
            answer(each, f"next-{id_}", n)
    for n, id_ in enumerate(ids("first")):
        assert outputs(b, f"next-{id_}") == 2 * n
    for each in (a, b):
        assert answer(each, "nobody", 1).body["code"] == "unknown_execution"


def test_a_command_that_has_nothing_but_the_address_decides_through_the_owner(
    pair: Pair, both: tuple[Connection, Connection], tmp_path: Path
):
    a, b = both

    def at_once(*words: str) -> "subprocess.CompletedProcess[str]":
        there = ["--home", str(tmp_path / "nothing"), "--store", pair.address]
        command = [sys.executable, "-m", "tidegate", *words, *there]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    for n, id_ in enumerate(ids("bare")[:3]):
        launch(a, id_)
        done = at_once("answer", id_, "number", str(n))
        assert (done.returncode, done.stdout) == (0, ""), done
        assert done.stderr.strip() == f"answered number of {id_}"
        assert outputs(b, id_) == 2 * n
    again = at_once("answer", "bare-0", "number", "9")
    assert again.returncode != 0
    assert "already" in again.stderr
    launch(a, "bare-end")
    assert at_once("abort", "bare-end").returncode == 0
    assert b("GET", "executions/bare-end").body["phase"] == "ABORTED"
    assert len(a("GET", "replicas").body["items"]) == 2


def test_what_a_terminal_runs_is_placed_at_the_server_it_is_at(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, _ = both
    owned = next(each["shards"] for each in a("GET", "replicas").body["items"] if each["here"])

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        where = ["--home", str(pair.place / "a"), "--store", pair.address]
        return subprocess.run(
            [sys.executable, "-m", "tidegate", "run", "flow.py", "looks", *where, *words],
            cwd=pair.place,
            env={**os.environ, "ONLY_AT_THE_TERMINAL": "here"},
            capture_output=True,
            text=True,
            check=True,
        )

    for _ in range(5):
        assert run().stdout == '"here"\n'
    elsewhere = next(f"far-{n}" for n in range(1_000) if shard_for(f"far-{n}") not in owned)
    far = run("--id", elsewhere)
    assert far.stdout == '"nothing"\n'
    assert "another server decides about this id, and runs its tasks" in far.stderr


def test_metrics_say_what_each_server_owns(pair: Pair, both: tuple[Connection, Connection]):
    owned: list[str] = []
    for name in ("a", "b"):
        said = scraped(pair.servers[name])
        owned += [line for line in said if line.startswith("tidegate_shard_owned{")]
        (age,) = [line for line in said if line.startswith("tidegate_lease_age_seconds ")]
        assert 0 <= float(age.split()[1]) < LEASE_SECONDS
    assert len(owned) == len(set(owned)) == SHARDS


def scraped(server: Server) -> list[str]:
    """The lines of a server's metrics."""
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    line.request("GET", "/metrics", headers={"Authorization": f"Bearer {server.token}"})
    found = line.getresponse().read().decode().splitlines()
    line.close()
    return found


def test_a_refusal_of_another_server_is_passed_on_as_it_is(both: tuple[Connection, Connection]):
    a, b = both
    for id_ in ids("wrong"):
        launch(a, id_)
        said = [ask("PUT", f"executions/{id_}/signals/number", {"value": "six"}) for ask in both]
        assert said[0].status == said[1].status == 422
        assert said[0].body == said[1].body
        assert b("POST", f"executions/{id_}/abort", {"reason": "done"}).status == 200
        assert a("POST", f"executions/{id_}/abort", {"reason": "done"}).status == 200


@pytest.mark.parametrize("planted", ["", MUTE], ids=["notices", "all notices lost"])
def test_who_waits_at_one_server_is_told_what_happens_at_the_other(
    pair: Pair, both: tuple[Connection, Connection], planted: str
):
    if planted:
        pair.servers["a"].stop()
        pair.start("a", planted)
    a, b = (pair.servers[name].connect() for name in ("a", "b"))
    pair.settled(b, "a", "b")
    owned = next(each["shards"] for each in a("GET", "replicas").body["items"] if each["here"])
    id_ = next(
        f"told{len(planted)}-{n}"
        for n in range(1_000)
        if shard_for(f"told{len(planted)}-{n}") in owned
    )
    launch(a, id_)
    seen: list[tuple[float, Reply]] = []
    waiting = threading.Thread(
        target=lambda: seen.append(
            (time.monotonic(), b("GET", f"executions/{id_}/events?after=1&wait=20"))
        )
    )
    began = time.monotonic()
    waiting.start()
    until(lambda: bool(a("GET", f"executions/{id_}").body))
    assert answer(a, id_, 3).status == 200
    waiting.join()

    assert seen[0][1].body["items"], seen
    assert time.monotonic() - began < slowed(5)
    if planted:
        pair.servers["a"].stop()


def shard_for(id_: str) -> int:
    """The shard in which an execution with this id is launched."""
    return home_shard(id_)


def test_a_token_and_its_end_hold_at_every_server_within_a_second(
    pair: Pair, both: tuple[Connection, Connection]
):

    def command(*words: str) -> str:
        where = ["--home", str(pair.place / "a"), "--store", pair.address]
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", "token", *words, *where],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    secret = command("create", "ada", "--role", "viewer")
    b = Connection(pair.servers["b"].port, secret)
    until(lambda: b("GET", "inbox").status == 200, slowed(1))
    command("revoke", "ada")
    until(lambda: b("GET", "inbox").status == 401, slowed(1))
    b.close()


def test_nothing_is_believed_that_no_server_of_the_store_has_signed(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, _ = both
    launch(a, "forged")
    store = PostgresStore.open(pair.address, writer=False)
    secret, now = store.shares.secret(), store.shares.now()
    store.close()
    items = a("GET", "replicas").body["items"]
    here, other = sorted((each["here"], each["name"]) for each in items)[::-1]
    body = json.dumps(
        [
            {
                "principal": {"name": "mallory", "grants": [{"role": "admin"}], "local": True},
                "request": {"type": "abort", "id": "forged"},
            }
        ]
    ).encode()
    wrong = {
        "another key": signed(b"x" * 32, here[1], now, body),
        "for another server": signed(secret, other[1], now, body),
        "a minute old": signed(secret, here[1], now - 60_000_000, body),
        "of another body": signed(secret, here[1], now, body.replace(b"mallory", b"eve")),
        "nothing": b"",
        "not ascii": b"\xff \xff",
        "words": b"a b c d e",
    }
    for what, head in wrong.items():
        assert post(pair.servers["a"].port, body, head) in (400, 401, 403, 404), what
    assert a("GET", "executions/forged").body["phase"] == "WAITING"
    # What is refused is not the form: with the right head it is done, wherever the execution is.
    heads = {name: signed(secret, name, now, body) for _, name in (here, other)}
    for each in items:
        post(int(each["address"].rpartition(":")[2]), body, heads[each["name"]])
    assert a("GET", "executions/forged").body["phase"] == "ABORTED"


def post(port: int, body: bytes, head: bytes) -> int:
    """Send this to where servers pass on requests."""

    line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    line.request("POST", PATH, body, {HEAD.decode(): head, "Content-Type": "application/json"})
    status = line.getresponse().status
    line.close()
    return status


def test_a_restart_of_one_server_after_the_other_refuses_nothing_and_holds_nobody_for_2_s(
    pair: Pair, both: tuple[Connection, Connection]
):
    replies: list[tuple[float, int]] = []
    stopped = threading.Event()

    def work(ask: Connection, mine: str) -> None:
        n = 0
        while not stopped.is_set():
            n += 1
            for act in (lambda i: launch(ask, i), lambda i: answer(ask, i, 1)):
                began = time.monotonic()
                reply = act(f"{mine}-{n}")
                replies.append((time.monotonic() - began, reply.status))

    _, b = both
    log = pair.place / "log"
    for n, id_ in enumerate(ids("during")):
        launch(b, id_, "works", x=n, seconds=2.0, log=str(log))
    clients = [
        threading.Thread(target=work, args=(b_line, f"r{n}"))
        for n, b_line in enumerate([pair.servers["b"].connect() for _ in range(2)])
    ]
    for client in clients:
        client.start()
    pair.servers["a"].stop()
    pair.start("a")
    a = pair.servers["a"].connect()
    until(
        lambda: any(each["here"] and each["shards"] for each in a("GET", "replicas").body["items"])
    )
    stopped.set()
    for client in clients:
        client.join()

    assert {status for _, status in replies} <= {200, 201}
    assert max(seconds for seconds, _ in replies) < slowed(2)
    assert [outputs(b, id_) for id_ in ids("during")] == [2 * n for n in range(8)]
    # No task that was running was repeated.
    assert log.read_text().count("began") == 8


def test_what_a_killed_server_had_goes_on_elsewhere_within_15_s(
    pair: Pair, both: tuple[Connection, Connection], tmp_path: Path
):
    a, b = both
    for n, id_ in enumerate(ids("left")):
        launch(a, id_)
        launch(a, f"t{id_}", "works", x=n, seconds=0.5, log=str(tmp_path / "log"))
        launch(a, f"s{id_}", "naps", x=n)
    began = time.monotonic()
    pair.servers["a"].kill()

    for n, id_ in enumerate(ids("left")):
        assert answer(b, id_, n).status == 200
    assert time.monotonic() - began < LEASE_SECONDS + slowed(5)
    for n, id_ in enumerate(ids("left")):
        assert outputs(b, id_) == 2 * n
        assert outputs(b, f"t{id_}") == 2 * n
        assert outputs(b, f"s{id_}") == 2 * n


def test_a_server_that_stood_still_past_its_lease_changes_nothing_and_joins_again(
    pair: Pair, both: tuple[Connection, Connection]
):
    a, b = both
    for id_ in ids("still"):
        launch(b, id_)
    stopped = pair.servers["a"]
    os.kill(stopped.process.pid, signal.SIGSTOP)
    try:
        for n, id_ in enumerate(ids("still")):
            assert answer(b, id_, n).status == 200
        assert len(b("GET", "replicas").body["items"]) == 1
    finally:
        os.kill(stopped.process.pid, signal.SIGCONT)

    for n, id_ in enumerate(ids("still")):
        late = answer(a, id_, 99)
        assert (late.status, late.body["code"]) == (409, "already_answered")
        assert outputs(a, id_) == 2 * n
    pair.settled(a, "a", "b")
    store = PostgresStore.open(pair.address, writer=False)
    assert store.problems() == []
    store.close()
