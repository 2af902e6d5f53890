"""A store on Postgres, at the terminal and behind a server: the same commands, with the address of the database."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from tests.e2e.conftest import Terminal
from tests.postgres import Cluster, emptied, running
from tests.serving import slowed

REPORT = """
from datetime import timedelta
from tidegate import approve, task, wait_for_input, workflow

@task
def total(data: list[int]) -> int:
    print("adding")
    return sum(data)

@task
def written(number: int, title: str) -> str:
    return f"{title}: {number}"

@workflow
def report(data: list[int]) -> str:
    title = wait_for_input("title", timedelta(hours=1), str)
    text = written(number=total(data=data), title=title)
    return approve(text, "review", timeout=timedelta(hours=1))
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@pytest.fixture
def stored(tidegate: Terminal, cluster: Cluster) -> Any:
    """A terminal whose store is on Postgres."""
    tidegate.environment["TIDEGATE_STORE"] = emptied(cluster)
    tidegate.write("report.py", REPORT)
    return tidegate


def test_a_workflow_runs_waits_and_is_answered_with_its_store_on_postgres(stored: Terminal):
    ran = stored("run", "report.py", "report", "--data", "[1, 2, 3]", "--id", "q3", "--no-wait")
    assert ran.code == 7, ran
    assert "adding" in ran.err

    assert stored("answer", "q3", "title", "Rain").code == 0
    assert stored("resume", "q3", "--no-wait").code == 7
    assert [each["name"] for each in stored("inbox", "--json").json] == ["review"]
    assert stored("approve", "q3", "review").code == 0
    ended = stored("resume", "q3")

    assert (ended.code, ended.out) == (0, '"Rain: 6"\n')
    assert stored("doctor").code == 0
    assert not (stored.home / "tidegate.db").exists()


def test_a_server_on_postgres_that_was_killed_is_followed_by_another_that_lost_nothing(
    stored: Terminal,
):
    first = stored.start("serve", "--port", "0")
    first.says("at http://127.0.0.1:")
    launched = stored("run", "report.py", "report", "--data", "[4]", "--id", "r1", "--detach")
    assert launched.code == 0, launched
    assert stored("answer", "r1", "title", "Snow").code == 0
    first.kill()

    second = stored.start("serve", "--port", "0")
    second.says("at http://127.0.0.1:")

    assert stored("approve", "r1", "review").code == 0
    assert stored("resume", "r1").out == '"Snow: 4"\n'


def test_a_server_alone_takes_answers_until_it_ends(stored: Terminal):
    stored.write(
        "slow.py",
        "import time\nfrom pathlib import Path\nfrom tidegate import task, workflow\n"
        "@task\ndef wait(flag: str) -> int:\n"
        "    Path(flag).with_suffix('.began').touch()\n"
        "    while not Path(flag).exists():\n        time.sleep(0.02)\n    return 1\n"
        "@workflow\ndef slow(flag: str) -> int:\n    return wait(flag=flag)\n",
    )
    flag = stored.place / "flag"
    server = stored.start("serve", "--port", "0")
    server.says("at http://127.0.0.1:")
    words = ("run", "report.py", "report", "--data", "[4]", "--id", "r1", "--detach")
    assert stored(*words).code == 0
    stored.start("run", "slow.py", "slow", "--flag", str(flag), "--id", "s1", "--detach")
    end = time.monotonic() + 30
    while not flag.with_suffix(".began").exists():
        assert time.monotonic() < end, "the task has not begun"
        time.sleep(0.05)

    server.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    refused = stored("run", "report.py", "report", "--data", "[4]", "--id", "r2", "--detach")
    assert "shutting down" in refused.err
    answered = stored("answer", "r1", "title", "Snow")

    assert (answered.code, time.monotonic() - began < slowed(10)) == (0, True), answered
    flag.touch()
    assert server.process.wait(30) == 0


def test_lists_are_rebuilt_from_the_history(stored: Terminal):
    for n in range(3):
        words = ("run", "report.py", "report", "--data", "[1]", "--id", f"r{n}", "--no-wait")
        assert stored(*words).code == 7
    before = stored("inbox", "--json").json
    assert len(before) == 3
    with psycopg.connect(stored.environment["TIDEGATE_STORE"]) as connection:
        connection.execute("DELETE FROM waits WHERE node = 'n0'")
        connection.execute("UPDATE counters SET value = 77")

    told = stored("doctor")
    assert told.code == 1
    assert "is WAITING, but nothing is listed that it waits for" in told.out

    assert stored("doctor", "--rebuild").code == 0
    assert stored("inbox", "--json").json == before


def test_doctor_says_that_the_database_is_older_than_what_was_seen_of_it(
    stored: Terminal, cluster: Cluster
):
    def wait(id_: str) -> None:
        words = ("run", "report.py", "report", "--data", "[1]", "--id", id_, "--no-wait")
        assert stored(*words).code == 7

    cluster.ask("CREATE DATABASE live")
    stored.environment["TIDEGATE_STORE"] = cluster.address("live")
    wait("kept")
    cluster.ask("CREATE DATABASE past TEMPLATE live")
    wait("missing")
    assert stored("doctor").code == 0
    cluster.ask("ALTER DATABASE live RENAME TO lost")
    cluster.ask("ALTER DATABASE past RENAME TO live")

    seen = stored.home / "seen"
    told = stored("doctor")
    assert told.code == 1
    assert len(told.out.splitlines()) == 1
    assert "is older than what this server has seen there (shard " in told.out
    assert f"end all its servers, remove {seen} and that file of the others" in told.out
    # It is not for `doctor` to remember that the database is as it is now.
    assert stored("doctor").out == told.out

    seen.unlink()
    assert stored("doctor").code == 0
    wait("after")


def test_the_files_of_one_store_are_never_used_with_another(stored: Terminal, cluster: Cluster):
    words = ("run", "report.py", "report", "--data", "[1]", "--no-wait")
    assert stored(*words).code == 7

    address = stored.environment.pop("TIDEGATE_STORE")
    refused = stored("list")
    assert refused.code == 5
    assert "has the files of a store on Postgres: give its address with --store" in refused.err
    assert stored("--store", address, "list").code == 0

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS other")
        connection.execute("CREATE DATABASE other")
    refused = stored("list", "--store", cluster.address("other"))
    assert (refused.code, refused.out) == (5, "")
    assert "has no store: start `tidegate serve` there first" in refused.err
    refused = stored(*words, "--store", cluster.address("other"))
    assert refused.code == 5
    assert "are those of another store" in refused.err


@pytest.mark.parametrize("address", ["mysql://localhost/x", "store.db", "localhost"])
def test_an_address_of_another_kind_is_refused_before_anything_is_made(
    tidegate: Terminal, address: str
):
    done = tidegate("list", "--store", address)

    assert done.code == 5
    assert "it looks like postgresql://USER@HOST/DATABASE" in done.err
    assert len(done.err.splitlines()) == 1
    assert not tidegate.home.exists()


def test_no_task_sees_the_address_of_the_database(stored: Terminal):
    stored.write(
        "spy.py",
        "import os\nfrom tidegate import task, workflow\n"
        "@task\ndef seen() -> str:\n    return os.environ.get('TIDEGATE_STORE', 'nothing')\n"
        "@workflow\ndef spy() -> str:\n    return seen()\n",
    )

    done = stored("run", "spy.py", "spy")

    assert (done.code, done.out) == (0, '"nothing"\n')
