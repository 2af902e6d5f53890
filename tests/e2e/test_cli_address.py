"""A command that has the address of a store on Postgres and nothing else: no directory of the store, no token, and the servers elsewhere."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.e2e.address_flow import FLOW
from tests.e2e.conftest import Terminal
from tests.e2e.test_replicas import Pair, register, until
from tests.postgres import Cluster, emptied, running
from tests.serving import Connection, Server, slowed

from tidegate.stores.postgres.store import PostgresStore
from tidegate.wire.owning import HEAD, Owning

FAST = "import time; now, ns = time.time, time.time_ns; time.time = lambda: now() + 300; time.time_ns = lambda: ns() + 300_000_000_000"
NEWER = "import importlib.metadata as metadata; metadata.version = lambda _: '99.0'"
SLOW = FAST.replace("+", "-")
"""Clocks that are five minutes off."""

SOON_GONE = "import tidegate.ports.terminals as terminals; terminals.SILENCE = 3.0"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def pair(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = tmp_path_factory.mktemp("pair")
    (place / "flow.py").write_text(FLOW)
    with ExitStack() as stack:
        pair = Pair(place, emptied(cluster), stack, "--blobs", f"file://{place}/files")
        pair.start("a", SOON_GONE)
        register(pair)
        yield pair


@pytest.fixture
def servers(pair: Pair) -> tuple[Connection, Connection]:
    """Both servers run, and have equal shards."""
    return pair.both(SOON_GONE)


@pytest.fixture
def afar(tidegate: Terminal, pair: Pair) -> Terminal:
    """A terminal that has the address, and an empty home."""
    tidegate.environment |= {"TIDEGATE_STORE": pair.address, "PLACE": "the terminal"}
    tidegate.write("flow.py", FLOW)
    return tidegate


@pytest.fixture
def beside(afar: Terminal, servers: tuple[Connection, Connection]) -> Terminal:
    """The same, while two servers run elsewhere."""
    return afar


def test_a_run_asks_at_its_terminal_works_there_and_gives_the_result(beside: Terminal):
    running, keyboard = beside.sit_down(
        "run", "flow.py", "report", "--data", "[1, 2]", "--id", "t1"
    )
    running.says("title")
    os.write(keyboard, b"Rain\n")
    running.says("review")
    os.write(keyboard, b"y\n")

    done = running.ends()
    assert (done.code, done.out) == (0, '"Rain: 3 at the terminal"\n'), done
    assert "adding at the terminal" in done.err
    os.close(keyboard)
    assert not beside.home.exists(), "nothing is made where nothing of the store is"


def test_what_was_interrupted_is_resumed_from_another_home_and_runs_at_that_terminal(
    beside: Terminal,
):
    words = ("run", "flow.py", "report", "--data", "[4]", "--id", "t2", "--no-wait")
    assert beside(*words).code == 7
    beside.environment["PLACE"] = "another terminal"
    following, keyboard = beside.sit_down("resume", "t2")
    following.says("title")
    os.write(keyboard, b"Snow\n")
    following.says("review")
    os.close(keyboard)
    assert beside("approve", "t2", "review").code == 0

    done = following.ends()
    assert (done.code, json.loads(done.out)) == (0, "Snow: 4 at another terminal"), done


def test_a_detached_run_is_left_to_the_servers(beside: Terminal):
    done = beside("run", "flow.py", "report", "--data", "[4]", "--id", "t3", "--detach")

    assert done.code == 0, done
    assert "in the workers of the store" in done.err
    until(lambda: "adding at a server" in beside("logs", "t3").out)


def test_everything_that_reads_sees_the_files_too(beside: Terminal, pair: Pair):
    given = pair.place / "given.txt"
    given.write_text("quiet")
    ran = beside("run", "flow.py", "shouts", "--text", str(given), "--id", "t4")
    assert ran.code == 0, ran
    words = ("run", "flow.py", "report", "--data", "[5]", "--id", "t5", "--no-wait")
    assert beside(*words).code == 7

    assert beside("get", "t4").out == "QUIET"
    assert "adding at the terminal" in beside("logs", "t5").out
    assert "the sum" in beside("deck", "t5", "total").out
    assert "missing" not in beside("show", "t4").out + beside("list").out + beside("inbox").out
    assert beside("open", "--print").out.startswith("http://127.0.0.1:")
    assert len(beside("replicas", "--json").json) == 2
    told = beside("doctor")
    assert (told.code, "were not checked" in told.out) == (6, True), told
    assert not beside.home.exists()


def test_a_file_is_an_answer_and_is_stored_where_the_servers_look_for_it(beside: Terminal):
    words = ("run", "flow.py", "asks_for_a_file", "--id", "t6", "--detach")
    assert beside(*words).code == 0
    given = beside.write("given.txt", "soft")

    done = beside("answer", "t6", "text", str(given))

    assert done.code == 0, done
    until(lambda: beside("show", "t6", "--json").json["phase"] == "SUCCEEDED")
    assert beside("get", "t6").out == "SOFT"


def test_what_failed_is_recovered_relaunched_and_registered_through_a_server(
    beside: Terminal, tmp_path: Path
):
    flag = tmp_path / "flag"
    words = ("run", "flow.py", "fails", "--flag", str(flag), "--id", "t7", "--detach")
    assert beside(*words).code == 1
    flag.touch()

    assert beside("recover", "t7", "--yes", "--id", "t8").out == "t8\n"
    until(lambda: beside("show", "t8", "--json").json["phase"] == "SUCCEEDED")
    assert beside("relaunch", "t7", "--id", "t9").out == "t9\n"
    until(lambda: beside("show", "t9", "--json").json["phase"] == "SUCCEEDED")
    beside.write("flow.py", FLOW.replace("return 7", "return 8"))
    registered = beside("register", "flow.py")
    assert registered.code == 0, registered
    assert "flow.fails" in registered.out
    assert not beside.home.exists()


def test_code_of_this_directory_recovers_what_another_machine_has_launched(
    beside: Terminal, tmp_path: Path
):
    words = ("run", "flow.py", "fails", "--flag", str(tmp_path / "never"), "--id", "r1", "--detach")
    assert beside(*words).code == 1
    beside.write("flow.py", FLOW.replace('raise ValueError("not yet")', "return 9"))

    assert beside("recover", "r1", "--here", "--yes", "--id", "r2").code == 0
    assert beside("resume", "r2").out == "9\n"


def test_a_token_is_made_listed_and_ended_from_the_address_within_a_second_everywhere(
    beside: Terminal, pair: Pair
):
    secret = beside("token", "create", "ada", "--role", "viewer").out.strip()
    lines = [Connection(pair.servers[name].port, secret) for name in ("a", "b")]
    for line in lines:
        until(lambda line=line: line("GET", "inbox").status == 200, 1)
    assert "ada" in beside("token", "list").out
    again = beside("token", "rotate", "ada", "--overlap", "0s").out.strip()
    for line in lines:
        until(lambda line=line: line("GET", "inbox").status == 401, 1)
        line.close()
    lines = [Connection(pair.servers[name].port, again) for name in ("a", "b")]
    assert beside("token", "revoke", "ada").code == 0
    for line in lines:
        until(lambda line=line: line("GET", "inbox").status == 401, 1)
        line.close()


def test_the_tasks_of_a_terminal_that_is_killed_go_on_once_it_counts_as_gone(
    beside: Terminal, tmp_path: Path
):
    flag = tmp_path / "flag"
    run = beside.start("run", "flow.py", "waits", "--flag", str(flag), "--id", "k1")
    begun = began(flag)
    until(lambda: begun() == ["the terminal"])
    run.kill()

    until(lambda: begun() == ["the terminal", "a server"], 30)
    flag.touch()
    until(lambda: beside("show", "k1", "--json").json["phase"] == "SUCCEEDED")


def test_when_the_server_of_a_terminal_dies_its_tasks_go_on_there_through_the_other(
    beside: Terminal, pair: Pair, servers: tuple[Connection, Connection], tmp_path: Path
):
    a, _ = servers
    owned = next(each["shards"] for each in a("GET", "replicas").body["items"] if each["here"])
    store = PostgresStore.open(pair.address, writer=False)
    id_ = next(f"d{n}" for n in range(1_000) if store.shares.home_shard(f"d{n}") in owned)
    store.close()
    flag = tmp_path / "flag"
    run = beside.start("run", "flow.py", "waits", "--flag", str(flag), "--id", id_)
    begun = began(flag)
    until(lambda: begun() == ["the terminal"])

    pair.servers["a"].kill()

    until(lambda: begun() == ["the terminal"] * 2, 40)
    flag.touch()
    done = run.ends()
    assert (done.code, done.out) == (0, '"the terminal"\n'), done


def began(flag: Path) -> Callable[[], list[str]]:
    """Where the task has begun, each time."""

    def begun() -> list[str]:
        path = Path(f"{flag}.began")
        return path.read_text().split("\n")[:-1] if path.exists() else []

    return begun


def test_nothing_is_done_in_the_owners_name_that_was_not_signed_for_it(
    pair: Pair, servers: tuple[Connection, Connection]
):
    a, _ = servers
    items = a("GET", "replicas").body["items"]
    here, other = sorted((each["here"], each["name"]) for each in items)[::-1]
    store = PostgresStore.open(pair.address, writer=False)
    secret, now = store.shares.secret(), store.shares.now()
    body = b'{"name": "mallory", "grants": [{"role": "admin"}]}'
    digest = sha256(body).hexdigest()
    right = Owning(here[1], now, 0, "root", "POST", "/api/v1/tokens", len(body), digest)

    def status(head: str | bytes, body: bytes = body, path: str = "/api/v1/tokens") -> int:
        line = http.client.HTTPConnection("127.0.0.1", pair.servers["a"].port, timeout=20)
        line.request("POST", path, body, {HEAD: head, "Content-Type": "application/json"})
        found = line.getresponse().status
        line.close()
        return found

    wrong = {
        "another key": right.signed(b"x" * 32),
        "another server": replace(right, to=other[1]).signed(secret),
        "a minute old": replace(right, at=now - 60_000_000).signed(secret),
        "another path": replace(right, target="/api/v1/sessions").signed(secret),
        "another method": replace(right, method="PUT").signed(secret),
        "nothing": "",
        "words": "a b c",
        "not ascii": b"\xff \xff",
    }
    for what, head in wrong.items():
        assert status(head) in (400, 401), what
    assert status(right.signed(secret), body.replace(b"mallory", b"eve    ")) == 400
    assert status(right.signed(secret), body + b" ") == 400
    assert not {each.name for each in store.access.tokens()} & {"mallory", "eve"}
    # What is refused is not the form.
    assert status(right.signed(secret)) == 200
    assert "mallory" in {each.name for each in store.access.tokens()}
    store.close()


@pytest.fixture(scope="module")
def other(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Another store, with one execution that waits, whose files are in a directory: its address, and that directory."""
    cluster.ask("CREATE DATABASE other")
    address, place = cluster.address("other"), tmp_path_factory.mktemp("other")
    (place / "flow.py").write_text(FLOW)
    words = ["run", "flow.py", "report", "--data", "[1]", "--id", "o1", "--no-wait"]
    where = ["--home", str(place / "home"), "--store", address]
    command = [sys.executable, "-m", "tidegate", *words, *where]
    done = subprocess.run(command, cwd=place, check=False, capture_output=True, timeout=60)
    assert done.returncode == 7, done
    yield address, place / "home"


def test_without_a_server_what_needs_no_files_works_and_all_else_says_where_they_are(
    afar: Terminal, other: tuple[str, Path]
):
    afar.environment["TIDEGATE_STORE"], home = other

    assert "title" in afar("inbox").out
    assert "missing" not in afar("show", "o1").out + afar("list").out
    assert afar("answer", "o1", "title", "Hail").code == 0
    for words in (
        ("run", "flow.py", "report", "--data", "[1]"),
        ("resume",),
        ("register", "flow.py"),
        ("serve", "--port", "0"),
        ("logs", "o1"),
    ):
        refused = afar(*words)
        (line,) = refused.err.splitlines()
        assert (refused.code, refused.out) == (5, ""), words
        assert f"are not in {afar.home}: start `tidegate serve` where they are" in line, words
    assert not (afar.home / "store").exists(), "this is not a home of the store"
    afar.environment["TIDEGATE_HOME"] = str(home)
    assert afar("resume", "o1", "--no-wait").code == 7
    assert "Hail: 1" in afar("show", "o1").out


@pytest.mark.parametrize(
    ("advertised", "said"),
    [
        ("https://127.0.0.1:1", "connection refused"),
        ("http://192.0.2.1:8433", "it has no TLS and is not on this machine"),
    ],
)
def test_servers_that_cannot_be_reached_are_said_in_one_line_and_nothing_is_done(
    afar: Terminal, other: tuple[str, Path], advertised: str, said: str
):
    address, home = other
    afar.environment["TIDEGATE_STORE"] = address
    server = Server(home, "--store", address, "--advertise", advertised).ready()
    try:
        began = time.monotonic()
        for words in (
            ("answer", "o1", "review", "true"),
            ("run", "flow.py", "report", "--data", "[1]"),
        ):
            refused = afar(*words)
            (line,) = refused.err.splitlines()
            assert (refused.code, refused.out) == (5, "")
            assert "can be reached from here" in line
            assert f"({advertised}: {said})" in line
        assert time.monotonic() - began < slowed(2 * 8), (
            "each takes at most a renewal and what a command takes"
        )
        shown = afar("show", "o1")
        assert (shown.code, "showing what the database has" in shown.err) == (0, True)
        assert afar("token", "list").code == 0
        assert not afar.home.exists()
    finally:
        server.close()


def test_tasks_of_a_server_of_another_version_are_not_run_here(
    afar: Terminal, other: tuple[str, Path]
):
    afar.environment["TIDEGATE_STORE"], home = other
    server = Server(home, "--store", other[0], planted=NEWER).ready()
    try:
        words = ("run", "flow.py", "report", "--data", "[1]", "--id", "v1")
        refused = afar(*words, "--no-wait")
        (line,) = refused.err.splitlines()
        assert refused.code == 5
        assert "is Tidegate 99.0, and this is" in line
        assert "let the server run them (--detach)" in line
        assert afar("show", "v1").code == 4, "nothing was launched"
        assert afar(*words, "--detach").code == 0
        assert afar("answer", "v1", "title", "Fog").code == 0
    finally:
        server.close()


@pytest.mark.parametrize(
    ("of_the_server", "of_the_terminal"), [(FAST, ""), ("", FAST), (SLOW, FAST)]
)
def test_clocks_that_are_five_minutes_off_change_nothing(
    afar: Terminal, other: tuple[str, Path], of_the_server: str, of_the_terminal: str
):
    address, home = other
    afar.environment["TIDEGATE_STORE"] = address
    server = Server(home, "--store", address, planted=of_the_server).ready()
    try:
        began = time.monotonic()
        run = afar.start("run", "flow.py", "naps", "--data", "[1, 2]", planted=of_the_terminal)
        done = run.ends()
        assert (done.code, done.out) == (0, "3\n"), done
        assert 2 <= time.monotonic() - began < slowed(20)
    finally:
        server.close()


def test_two_servers_start_at_once_in_an_empty_database(
    afar: Terminal, cluster: Cluster, tmp_path: Path
):
    for n in range(3):
        cluster.ask(f"CREATE DATABASE fresh{n}")
        words = ("--store", cluster.address(f"fresh{n}"), "--blobs", f"file://{tmp_path}/files{n}")
        with ExitStack() as stack:
            both = [Server(tmp_path / f"{name}{n}", *words) for name in ("a", "b")]
            for each in both:
                stack.callback(each.close)
            for each in both:
                each.ready()


def test_what_is_suggested_reaches_the_same_store_and_shows_no_password(
    beside: Terminal, pair: Pair
):
    del beside.environment["TIDEGATE_STORE"]
    address = pair.address.replace("tidegate@", "tidegate:secret@") + "&password=secret"
    words = ("run", "flow.py", "report", "--data", "[1]", "--id", "s1", "--no-wait")

    told = beside(*words, "--store", address).err

    assert f"answer --store '{pair.address}' s1 title VALUE" in told.replace("&'", "'")
    assert "secret" not in told


def test_a_command_that_has_the_store_alone_is_named_to_others_soon(
    afar: Terminal, cluster: Cluster, tmp_path: Path
):
    cluster.ask("CREATE DATABASE alone")
    afar.environment["TIDEGATE_STORE"] = cluster.address("alone")
    flag = tmp_path / "flag"
    run = afar.start("run", "flow.py", "waits", "--flag", str(flag), "--id", "a1")
    begun = began(flag)
    until(lambda: begun() == ["the terminal"])
    afar.environment["TIDEGATE_HOME"] = str(tmp_path / "another")

    start = time.monotonic()
    refused = afar("abort", "a1")

    (line,) = refused.err.splitlines()
    assert refused.code == 5
    assert f"process {run.process.pid} on" in line
    assert "stop it first" in line
    assert time.monotonic() - start < slowed(12), (
        "it is alive, so nobody waits for its lease to end"
    )
    assert afar("show", "a1").code == 0
    flag.touch()
    assert run.ends().out == '"the terminal"\n'
