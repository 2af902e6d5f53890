"""What a command says when its store on Postgres cannot be used: one line that names it, the fault and what to do, soon, and nothing is made."""

import socket
import time
from collections.abc import Iterator

import psycopg
import pytest
from tests.e2e.conftest import Terminal
from tests.e2e.test_replicas import until
from tests.postgres import Cluster, pooling, running
from tests.serving import Server, slowed

FLOW = "from tidegate import task, workflow\n@task\ndef one() -> int:\n    return 1\n@workflow\ndef flow() -> int:\n    return one()\n"

COMMANDS = (
    ("list",),
    ("answer", "some-id", "title", "Rain"),
    ("run", "flow.py", "flow"),
    ("resume",),
    ("recover", "some-id", "--yes"),
    ("token", "create", "ada", "--role", "viewer"),
    ("serve", "--port", "0"),
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        with psycopg.connect(cluster.address(), autocommit=True) as connection:
            connection.execute("CREATE ROLE weak LOGIN")
            connection.execute("CREATE DATABASE empty")
            connection.execute("CREATE DATABASE newer")
        yield cluster


@pytest.fixture(autouse=True)
def flow(tidegate: Terminal) -> None:
    tidegate.write("flow.py", FLOW)


def says(tidegate: Terminal, address: str, *words: str, within: float = 10.0) -> None:
    """Check that every command says this in its one line, soon, and makes nothing."""
    for command in COMMANDS:
        began = time.monotonic()
        done = tidegate(*command, "--store", address)
        took = time.monotonic() - began
        assert (done.code, done.out) == (5, ""), (command, done)
        (line,) = done.err.splitlines()
        assert line.startswith("error: "), command
        assert all(each in line for each in words), (command, line)
        assert took < slowed(within), (command, took)
        made = {path.name for path in tidegate.home.glob("*")} - {"engine.lock", "owner"}
        assert made == set(), command


def test_an_address_that_nobody_has(tidegate: Terminal):
    says(tidegate, "postgresql://me@no-such-host.invalid/x", "no-such-host.invalid", "address")


def test_a_port_where_nobody_listens(tidegate: Terminal):
    says(tidegate, "postgresql://me@127.0.0.1:1/x", "127.0.0.1:1", "Connection refused")


def test_a_database_that_is_not_there(tidegate: Terminal, cluster: Cluster):
    says(tidegate, cluster.address("nowhere"), 'database "nowhere" does not exist')


def test_a_role_without_permission(tidegate: Terminal, cluster: Cluster):
    tidegate("token", "create", "ada", "--role", "viewer", "--store", cluster.address())
    for path in tidegate.home.glob("*"):
        path.unlink()
    address = cluster.address().replace("tidegate@", "weak@")
    says(tidegate, address, "no permission in", "permission denied", "grant it")


def test_a_role_that_may_not_make_tables_in_an_empty_database(tidegate: Terminal, cluster: Cluster):
    address = cluster.address("empty").replace("tidegate@", "weak@")

    done = tidegate("run", "flow.py", "flow", "--store", address)

    assert (done.code, done.out) == (5, "")
    (line,) = done.err.splitlines()
    assert "permission denied for schema public): grant it" in line
    assert "CREATE TABLE" not in line


def test_a_store_that_a_newer_version_writes(tidegate: Terminal, cluster: Cluster):
    address = cluster.address("newer")
    tidegate("token", "create", "ada", "--role", "viewer", "--store", address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("INSERT INTO schema_version (number) VALUES (999)")
        connection.execute("UPDATE store SET least = 999")
    for path in tidegate.home.glob("*"):
        path.unlink()

    says(tidegate, address, "newer Tidegate", "its schema is 999", "install that version")


def test_a_backup_that_is_restored_behind_an_idle_server_is_said_in_its_health(
    tidegate: Terminal, cluster: Cluster
):
    cluster.ask("CREATE DATABASE live")
    # Its token is in the backup, too.
    first = Server(tidegate.home, "--store", cluster.address("live"), workers=1).ready()
    first.stop()
    first.close()
    cluster.ask("CREATE DATABASE past TEMPLATE live")
    run = ("run", "flow.py", "flow", "--store", cluster.address("live"))
    assert tidegate(*run).code == 0
    server = Server(tidegate.home, "--store", cluster.address("live"), workers=1).ready()
    try:
        assert server.connect()("GET", "health").body["status"] == "ok"
        cluster.ask("ALTER DATABASE live ALLOW_CONNECTIONS false")
        cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'live'")
        cluster.ask("ALTER DATABASE live RENAME TO lost")
        cluster.ask("ALTER DATABASE past RENAME TO live")

        ask = server.connect()
        until(lambda: ask("GET", "health").body["status"] == "degraded")
        parts = ask("GET", "health").body["parts"]
        (why,) = [each["why"] for each in parts if each["name"] == "database"]
        assert "is older than what this server has seen there (shard " in why
        said = [line for line in server.said.splitlines() if "is older than what" in line]
        assert len(said) == 1, said
    finally:
        server.close()


@pytest.mark.parametrize(
    ("mode", "said"),
    [("transaction", "set it to session mode"), ("statement", "transaction blocks not allowed")],
)
def test_a_pooler_that_is_not_in_session_mode(
    tidegate: Terminal, cluster: Cluster, mode: str, said: str
):
    with pooling(cluster, mode) as address:
        says(tidegate, address, said)


def test_a_server_that_accepts_and_says_nothing_is_given_up_after_ten_seconds(tidegate: Terminal):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/x"
        began = time.monotonic()
        done = tidegate("list", "--store", address)
        assert (done.code, done.out) == (5, "")
        (line,) = done.err.splitlines()
        assert "connection timeout expired" in line
        assert 9 < time.monotonic() - began < slowed(20)
