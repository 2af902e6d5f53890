"""Servers of two versions on one database: an upgrade while executions go on, and one after which the older version must not write."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.e2e.test_replicas import Pair, outputs, register, until
from tests.e2e.test_replicas_reports import (
    FLOW,
    Load,
    answered,
    begun,
    count,
    shards_of,
    told_to_stop,
)
from tests.postgres import Cluster, running
from tests.serving import Server, slowed

from tidegate.core.shards import SHARDS
from tidegate.stores.postgres.dialect import SCHEMA

ADDS = """
from tidegate.stores import statements
known = statements.migrations

def migrations(database):
    found = known(database)
    if database != "postgres":
        return found
    sql = "ALTER TABLE executions ADD COLUMN newer bigint"
    return (*found, statements.Migration(len(found) + 1, "newer", sql))

statements.migrations = migrations
"""
"""Makes a process that of the next version, which adds to the schema."""

STOPS = ADDS.replace("newer bigint", f"newer bigint; UPDATE store SET least = {SCHEMA + 1}")
"""The same, and versions before it must stop writing."""

BEFORE = (
    ADDS[: ADDS.index("    sql =")] + "    return found[:3]\n\nstatements.migrations = migrations\n"
)
"""Makes a process that of the last version that did not know of tasks that go on at another server."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


@contextmanager
def older(place: Path, cluster: Cluster) -> Iterator[Pair]:
    """Two servers of the version before, on a database of their own."""
    name = place.name.replace("-", "_")
    cluster.ask(f'CREATE DATABASE "{name}"')
    (place / "flow.py").write_text(FLOW)
    with ExitStack() as stack:
        pair = Pair(place, cluster.address(name), stack)
        pair.start("a")
        register(pair)
        yield pair


def schema(pair: Pair) -> int:
    with psycopg.connect(pair.address) as connection:
        ((number,),) = connection.execute("SELECT max(number) FROM schema_version").fetchall()
        return int(number)


def test_servers_are_upgraded_one_after_the_other_while_executions_go_on(
    tmp_path: Path, cluster: Cluster
):
    with older(tmp_path, cluster) as pair:
        load = Load()
        lasting = {n: begun(pair, ask, n) for n, ask in zip("ab", pair.both(), strict=True)}
        for name, other in (("a", "b"), ("b", "a")):
            with load.on(pair.servers[other], f"load-{name}"):
                assert told_to_stop(pair, name, pair.servers[other].connect()) < slowed(2)
                _, place = lasting[name]
                assert pair.servers[name].process.poll() is None
                (place / "end").touch()
                assert pair.servers[name].wait() == 0
                newer = pair.start(name, ADDS)
                pair.settled(newer, "a", "b")
                assert schema(pair) == SCHEMA + 1
            # Both are there, of two versions after the first turn: each decides about its own, and passes on the rest.
            for server in pair.servers.values():
                with load.on(server, f"after-{name}-{server.port}"):
                    until(lambda: len(load.replies) > 20)

        ask = pair.servers["a"].connect()
        for id_, place in lasting.values():
            assert answered(ask, id_, 5) < slowed(2)
            assert outputs(ask, id_) == f"{place} 5"
            assert count(place) == 1
        load.was_served(within=slowed(2))
        assert all("error" not in each.said.lower() for each in pair.servers.values())


def test_beside_a_version_that_would_repeat_them_tasks_keep_their_shards_until_they_end(
    tmp_path: Path, cluster: Cluster
):
    with older(tmp_path, cluster) as pair:
        b = pair.start("b", BEFORE)
        a, _ = pair.both()
        id_, place = begun(pair, a, "stays")
        pair.servers["a"].process.terminate()
        until(lambda: shards_of(b) == SHARDS - 1)
        assert pair.servers["a"].process.poll() is None
        assert answered(b, id_, 1) < slowed(2)

        (place / "end").touch()
        assert outputs(b, id_) == f"{place} 1"
        assert pair.servers["a"].wait() == 0
        assert count(place) == 1


def test_a_version_that_must_not_write_says_so_in_one_line_and_only_passes_requests_on(
    tmp_path: Path, cluster: Cluster
):
    with older(tmp_path, cluster) as pair:
        load = Load()
        a, b = pair.both()
        id_, place = begun(pair, a, "runs")
        assert told_to_stop(pair, "b", a) < slowed(2)
        assert pair.servers["b"].wait() == 0
        before = pair.servers["a"].said
        with load.on(pair.servers["a"], "load"):
            b = pair.start("b", STOPS)
            until(lambda: shards_of(b) == SHARDS)
            # What ran at the older one has ended there, before the newer one repeats it.
            until(lambda: count(place) == 2)
            served = len(load.replies)
            until(lambda: len(load.replies) > served + 20)
        load.was_served(within=slowed(10))

        (place / "end").touch()
        assert answered(a, id_, 1) < slowed(2)
        assert outputs(a, id_) == f"{place} 1"
        assert count(place) == 2
        until(lambda: a("GET", "health").body["status"] == "degraded")
        health = a("GET", "health").body
        (why,) = [each["why"] for each in health["parts"] if not each["up"]]
        assert f"is written by a newer Tidegate (its schema is {SCHEMA + 1}" in why
        assert "install that version" in why
        assert "only passes requests on" in why
        said = pair.servers["a"].said.removeprefix(before).splitlines()
        # A commit that is refused at that moment is tried again at the other: then its store works again.
        assert [e for e in said if e != "store works again"] == [f"version has failed: {why}"]

        pair.servers["a"].stop()
        again = Server(pair.place / "a", "--store", pair.address)
        try:
            assert again.wait() == 5
            assert again.said.count("\n") == 1
            assert "install that version" in again.said
        finally:
            again.close()
