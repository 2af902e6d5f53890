"""A bucket is lost while a server runs: every command says so in one line, nothing is half-written, and what needs files goes on once it is back."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.watched import until
from tests.objects import Cable, ObjectServer
from tests.serving import Connection, Server

from tidegate.objects.bucket import Bucket

FLOW = """
import time
from pathlib import Path

from tidegate import Deck, File, approve, task, workflow


@task(enable_deck=True)
def make(n: int, place: str) -> File:
    print("made", flush=True)
    Deck("first", "<p>published</p>")
    while not Path(place, "go").exists():
        time.sleep(0.05)
    print("goes on", flush=True)
    Path("out.bin").write_bytes(b"x" * n)
    return File("out.bin")


@task
def measure(file: File) -> int:
    with open(file, "rb") as content:
        return len(content.read())


@workflow
def wf(n: int, place: str) -> int:
    return measure(file=approve(make(n=n, place=place), "ok"))


@workflow
def takes(file: File) -> int:
    return measure(file=file)
"""


class Lost:
    """An object store that can be lost, and comes back with what was there."""

    def __init__(self) -> None:
        self.server = ObjectServer()
        self.cable = Cable(self.server.port)
        self.variables = {**self.server.variables, "AWS_ENDPOINT_URL": self.cable.endpoint}
        self.address = self.server.bucket("lost")
        self.objects: dict[str, bytes] = {}

    def lose(self) -> None:
        bucket = Bucket(self.address)
        self.objects = {each.name: b"".join(bucket.read(each.name)) for each in bucket.list("")}
        self.server.stop()

    def find(self) -> None:
        # Nobody sees it empty.
        self.cable.state = "cut"
        self.server.start()
        self.server.bucket("lost")
        for name, content in self.objects.items():
            self.server.ask("PUT", f"/lost/a/place/{name}", content)
        self.cable.state = "whole"

    def close(self) -> None:
        self.server.stop()
        self.cable.close()


@pytest.fixture
def lost(tidegate, monkeypatch) -> Iterator[Lost]:
    """The object store of servers that start from now on; commands have no credentials."""
    with closing(Lost()) as lost:
        for name, text in lost.variables.items():
            monkeypatch.setenv(name, text)
        yield lost


def tasks(ask: Connection, id_: str) -> list[dict[str, Any]]:
    return [node for node in ask("GET", f"executions/{id_}").body["nodes"] if node["attempts"]]


def held(ask: Connection, id_: str) -> dict[str, str]:
    return next((node["held"] for node in tasks(ask, id_) if node.get("held")), {})


def test_every_command_says_that_the_bucket_is_lost_and_what_needs_it_goes_on_when_it_is_back(
    tidegate, lost: Lost, tmp_path: Path
):
    tidegate.write("flow.py", FLOW)
    tidegate.write("in.bin", "given")
    (tmp_path / "go").touch()
    late = tmp_path / "late"
    late.mkdir()
    server = Server(tidegate.home, "--blobs", lost.address).ready()
    try:
        ask = server.connect()
        assert tidegate("register", "flow.py").code == 0
        for id_, place in (("one", tmp_path), ("two", late)):
            inputs = {"n": 300_000, "place": str(place)}
            launched = {"workflow": "flow.wf", "id": id_, "inputs": inputs}
            assert ask("POST", "executions", launched).status == 201
        until(lambda: ask("GET", "executions/one").body["phase"] == "WAITING")
        follower = tidegate.start("logs", "-f", "two")
        assert follower.process.stdout.readline() == "make | made\n"
        lost.lose()
        shutil.rmtree(tidegate.home / "cache")

        say_so_at_every_door(tidegate, ask, lost.address)
        follower.says(f"the output cannot be read now: {lost.address} cannot be reached")
        assert ask("PUT", "executions/one/signals/ok", {"value": True}).status == 200
        found = until(lambda: held(ask, "one"))
        assert (found["code"], found["message"]) == (
            "no_objects",
            f"{lost.address} cannot be reached",
        )
        assert ask("GET", "health").body["status"] == "degraded"

        # A running task waits to store its file; not even its copy on this machine has to stay.
        (late / "go").touch()
        copies = tidegate.home / "cache" / "blobs"
        until(lambda: [path for path in copies.glob("??/*") if path.stat().st_size == 300_000])
        shutil.rmtree(copies)
        assert tasks(ask, "two")[0]["phase"] == "RUNNING"

        lost.find()
        assert ask("GET", "executions/one?wait=30").body["outputs"] == {"o0": 300_000}
        until(lambda: ask("GET", "executions/two").body["phase"] == "WAITING")
        assert ask("PUT", "executions/two/signals/ok", {"value": True}).status == 200
        assert ask("GET", "executions/two?wait=30").body["outputs"] == {"o0": 300_000}
        assert [each["attempts"] for id_ in ("one", "two") for each in tasks(ask, id_)] == [1] * 4
        ended = follower.ends()
        assert (ended.code, ended.out) == (0, "make | goes on\n")
        assert "published" in tidegate("deck", "two", "make").out
        tidegate.environment |= lost.variables
        assert tidegate("doctor").code == 0
    finally:
        server.close()


def say_so_at_every_door(tidegate, ask: Connection, address: str) -> None:
    """Try what needs files, and see that it is refused in one line and has changed nothing."""
    away = f"{address} cannot be reached"
    workflows = tidegate("workflows", "--json").out
    tidegate.write("flow.py", FLOW.replace('"made"', '"made otherwise"'))
    for words in (
        ("register", "flow.py"),
        ("run", "--detach", "--id", "three", "flow.py", "wf", "--n", "1", "--place", "."),
        ("logs", "one"),
        ("logs", "-f", "one"),
        ("deck", "one", "make"),
        ("get", "one", "make", "-o", "got.bin"),
    ):
        done = tidegate(*words)
        assert (done.code, done.out, done.err) == (5, "", f"error: {away}\n"), words
    digest = ask("GET", "executions/one/nodes/make/values").body["outputs"]["o0"]["$blob"]
    octets = {"Content_Type": "application/octet-stream"}
    launched = {"workflow": "flow.takes", "id": "four", "inputs": {"file": {"$blob": "0" * 64}}}
    for method, path, body, more in (
        ("POST", "blobs", b"a large value" * 100_000, octets),
        ("POST", "executions", launched, {}),
        ("GET", f"blobs/{'0' * 64}/facts", None, {}),
        ("GET", f"blobs/{digest}", None, {}),
        ("GET", "executions/two/logs", None, {}),
        ("GET", "executions/one/nodes/make/deck", None, {}),
    ):
        reply = ask(method, path, body, **more)
        assert (reply.status, reply.body["code"], reply.body["detail"]) == (
            503,
            "objects_away",
            away,
        ), path
    for command in ("show one", "list", "inbox", "events one"):
        assert tidegate(*command.split()).code == 0, command

    assert [each["id"] for each in ask("GET", "executions").body["items"]] == ["two", "one"]
    assert tidegate("workflows", "--json").out == workflows
    assert not (tidegate.place / "got.bin").exists()
    assert not [path for path in (tidegate.home / "cache" / "blobs").glob("*/*") if path.is_file()]


def test_a_file_that_a_task_waits_to_store_may_be_refused_to_somebody_else_meanwhile(
    tidegate, lost: Lost, tmp_path: Path
):
    tidegate.write("flow.py", FLOW)
    server = Server(tidegate.home, "--blobs", lost.address).ready()
    try:
        ask = server.connect()
        assert tidegate("register", "flow.py").code == 0
        launched = {"workflow": "flow.wf", "id": "one", "inputs": {"n": 9, "place": str(tmp_path)}}
        assert ask("POST", "executions", launched).status == 201
        until(lambda: tasks(ask, "one")[0]["phase"] == "RUNNING")
        lost.lose()
        (tmp_path / "go").touch()
        copies = tidegate.home / "cache" / "blobs"
        until(lambda: list(copies.glob("??/*")))
        octets = "application/octet-stream"
        for _ in range(3):
            assert ask("POST", "blobs", b"x" * 9, Content_Type=octets).status == 503
        lost.find()

        until(lambda: ask("GET", "executions/one").body["phase"] == "WAITING")
        assert tasks(ask, "one")[0]["attempts"] == 1
    finally:
        server.close()
