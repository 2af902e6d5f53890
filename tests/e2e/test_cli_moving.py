"""A store is moved with everything in it: from a file into Postgres and back, its files into an object store and back; what waits is answered there."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.conftest import Terminal
from tests.objects import ObjectServer, running
from tests.postgres import Cluster, emptied
from tests.postgres import running as postgres

from tidegate.home import MOVED

FLOW = """
from pathlib import Path

from tidegate import File, task, wait_for_input, workflow


@task
def make(n: int) -> File:
    print("made", n)
    Path("out.bin").write_bytes(b"x" * n)
    return File("out.bin")


@task
def measure(file: File, add: int) -> int:
    with open(file, "rb") as content:
        return len(content.read()) + add


@workflow
def wf(n: int = 10) -> int:
    return measure(file=make(n=n), add=wait_for_input("add", expected_type=int))
"""


@pytest.fixture(scope="module")
def cluster():
    with postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory, server: ObjectServer) -> Path:
    """The home of a store in which three executions wait, one has ended, and there is a token."""
    line = Terminal(tmp_path_factory.mktemp("original"))
    line.write("flow.py", FLOW)
    for id_ in ("one", "two", "three", "four"):
        ran = line("run", "flow.py", "wf", "--n", "20", "--id", id_, "--no-wait")
        assert ran.code == 7, ran
    assert line("answer", "four", "add", "1").code == 0
    assert line("resume", "four").out == "21\n"
    assert line("token", "create", "ann", "--role", "viewer").code == 0
    return line.home


@pytest.fixture
def line(tidegate: Terminal, server: ObjectServer, waiting: Path) -> Terminal:
    """The command line, with a store like that."""
    tidegate.write("flow.py", FLOW)
    tidegate.environment.update(server.variables)
    shutil.copytree(waiting, tidegate.home)
    return tidegate


def goes_on(line: Terminal, id_: str, *where: str) -> None:
    """Answer what waits, and see it end, with the file and the code that were moved."""
    assert line("answer", id_, "add", "5", *where).code == 0
    ended = line("resume", id_, *where)
    assert (ended.code, ended.out) == (0, "25\n"), ended


def shown(line: Terminal, *where: str) -> Any:
    """What a store has, as lists say it."""
    kept = ("id", "phase", "launched", "changed", "waiting", "who", "version", "end")
    found = [{key: each[key] for key in kept} for each in line("list", "--json", *where).json]
    tokens = line("token", "list", "--json", *where).json
    printed = line("logs", "four", "--json", *where).out
    return found, tokens, line("audit", "--json", *where).out, printed


def test_a_store_goes_into_postgres_and_an_object_store_and_back_with_all_that_waits(
    line: Terminal, cluster: Cluster, server: ObjectServer
):
    address, bucket = emptied(cluster), server.bucket()
    there = ("--store", address, "--home", str(line.place / "there"))
    before = shown(line)

    copied = line("store", "copy", str(line.home), address, *there[2:], "--blobs", bucket)

    assert copied.code == 0, copied
    assert "executions  4" in copied.out
    assert shown(line, *there) == before
    assert line("doctor", *there).code == 0, line("doctor", *there)
    assert line("inbox", "--json", *there).json[0]["execution"] == "one"
    goes_on(line, "one", *there)
    # The original says where it went, and does nothing.
    refused = line("answer", "two", "add", "5")
    assert refused.code == 5
    assert "was moved to" in refused.err
    assert line("serve", "--port", "0").code == 5
    assert line("list").code == 0

    back = ("--home", str(line.place / "back"))
    again = shown(line, *there)
    copied = line("store", "copy", address, str(line.place / "back"), *there[2:])

    assert copied.code == 0, copied
    assert shown(line, *back) == again
    goes_on(line, "two", *back)
    assert line("doctor", *back).code == 0
    refused = line("resume", *there)
    assert refused.code == 5
    assert "was moved to another place" in refused.err
    # New executions, and new numbers of rows, come after those that were copied.
    ran = line("run", "flow.py", "wf", "--n", "1", "--id", "new", "--no-wait", *back)
    assert ran.code == 7, ran
    assert line("list", "--json", *back).json[0]["id"] == "new"


def test_only_the_files_move_if_the_store_stays_where_it_is(line: Terminal, server: ObjectServer):
    home = str(line.home)
    copied = line("store", "copy", home, home, "--blobs", server.bucket())
    assert copied.code == 0, copied
    for name in ("blobs", "bundles"):
        (line.home / name).rename(line.place / name)
    goes_on(line, "one")
    assert line("doctor").code == 0

    assert line("store", "copy", home, home).code == 0
    (line.home / "cache").rename(line.place / "cache")
    goes_on(line, "two")
    assert line("doctor").code == 0


def test_nothing_is_copied_into_what_is_not_empty_or_from_what_is_running(
    line: Terminal, cluster: Cluster
):
    address = emptied(cluster)
    other = str(line.place / "other")
    assert line("run", "flow.py", "wf", "--id", "x", "--no-wait", "--home", other).code == 7
    refused = line("store", "copy", str(line.home), other)
    assert (refused.code, "is not empty: nothing was copied" in refused.err) == (5, True)

    serving = line.start("serve", "--port", "0")
    serving.says("at http://127.0.0.1:")
    refused = line("store", "copy", str(line.home), address, "--home", str(line.place / "there"))
    assert refused.code == 5
    assert "already runs the store" in refused.err
    serving.kill()
    assert not (line.home / MOVED).exists()
    nothing = line("store", "copy", str(line.place / "nowhere"), other)
    assert (nothing.code, "there is no store in" in nothing.err) == (5, True)


@pytest.mark.parametrize("into", ["postgres", "file"])
def test_a_copy_that_was_killed_is_not_there_and_is_made_again(
    line: Terminal, cluster: Cluster, into
):
    home = str(line.place / "there")
    target = emptied(cluster) if into == "postgres" else home
    there = ("--home", home, *(("--store", target) if into == "postgres" else ()))
    died = line.start("store", "copy", str(line.home), target, "--home", home, planted=DIES)
    assert died.ends().code == 99

    if into == "postgres":
        assert line("list", "--json", *there).json == []
    else:
        assert not (line.place / "there" / "tidegate.db").exists()
    assert line("inbox", "--json").json[0]["execution"] == "one"

    copied = line("store", "copy", str(line.home), target, "--home", home)
    assert copied.code == 0, copied
    goes_on(line, "three", *there)


DIES = """
import os
from tidegate.stores import moving
moving.refuse_different = lambda *_: os._exit(99)
"""
"""Dies when all rows are copied, before they count."""


def test_a_copy_that_differs_is_refused_and_the_original_goes_on(line: Terminal, cluster: Cluster):
    died = line.start(
        "store", "copy", str(line.home), str(line.place / "there"), planted=LOSES
    ).ends()
    assert died.code == 5
    assert "the copy differs:" in died.err
    assert not (line.place / "there" / "tidegate.db").exists()
    goes_on(line, "one")


LOSES = """
from tidegate.stores import moving
counted, calls = moving.counted, []
def lost(database):
    found = counted(database)
    calls.append(1)
    if len(calls) == 1:
        found["history"] = moving.Rows(found["history"].count - 1, "0" * 64)
    return found
moving.counted = lost
"""
"""Sees one line too few in the copy."""
