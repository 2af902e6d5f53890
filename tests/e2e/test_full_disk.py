"""A full disk: each command says so in one line, nothing that was acknowledged is lost, and when there is room everything goes on."""

import contextlib
import os
import resource
import subprocess
import sys
import threading
import urllib.request
from typing import NamedTuple

import pytest
from tests.e2e.small_disk import small_home
from tests.e2e.watched import until
from tests.serving import Server

TEXT = """
from tidegate import task, wait_for_input, workflow

@task
def echo(words: str) -> str:
    return words

@workflow
def text() -> str:
    return echo(words=wait_for_input("words", expected_type=str))
"""

LIMIT = 34_000
"""Bytes: room for the index of SQLite's log, and not for the log of one answer."""


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def small(tidegate):
    with small_home(tidegate, 8 * 1024 * 1024) as disk:
        yield disk


def complains(done):
    """It was one line about the disk, and the exit code of stores."""
    assert (done.code, done.out) == (5, "")
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    assert "no room is left on the disk" in done.err


def test_on_a_full_disk_each_command_says_so_and_afterwards_all_goes_on(tidegate, small):
    tidegate.write("wf.py", TEXT)
    assert tidegate("run", "wf.py", "text", "--id", "t", "--detach").code == 0
    small.fill()
    complains(tidegate("answer", "t", "words", "lost"))
    complains(tidegate("run", "wf.py", "text", "--id", "new", "--detach"))
    small.free()
    shown = tidegate("show", "t", "--json").json
    assert (shown["phase"], shown["waiting"][0]["name"]) == ("WAITING", "words")
    assert [each["id"] for each in tidegate("list", "--json").json] == ["t"]
    assert tidegate("answer", "t", "words", "kept").code == 0
    assert tidegate("resume", "t").out == '"kept"\n'
    assert tidegate("doctor").code == 0


def test_an_owner_whose_disk_fills_up_refuses_answers_and_goes_on_when_there_is_room(
    tidegate, small
):
    tidegate.write("wf.py", TEXT)
    run = tidegate.start("run", "wf.py", "text", "--id", "t", stdin=subprocess.DEVNULL)
    run.says("tidegate answer t words VALUE")
    small.fill()
    complains(tidegate("answer", "t", "words", "lost"))
    assert tidegate("show", "t", "--json").json["phase"] == "WAITING"
    assert run.process.poll() is None
    small.free()
    assert tidegate("answer", "t", "words", "kept").code == 0
    assert run.ends().out == '"kept"\n'
    assert tidegate("doctor").code == 0


def test_answers_that_were_acknowledged_before_the_disk_was_full_are_all_there(tidegate, small):
    tidegate.write("wf.py", TEXT)
    ids = [f"e{n}" for n in range(4)]
    owner = tidegate.start("run", "wf.py", "text", "--id", "owner", stdin=subprocess.DEVNULL)
    owner.says("tidegate answer owner words VALUE")
    for id_ in ids:
        assert tidegate("run", "wf.py", "text", "--id", id_, "--detach").code == 0
    filling = threading.Thread(target=small.fill)
    filling.start()
    codes = {id_: tidegate("answer", id_, "words", id_).code for id_ in ids}
    filling.join()
    assert set(codes.values()) <= {0, 5}
    owner.kill()
    small.free()
    for id_ in ids:
        answer = tidegate("show", id_, "--json").json["nodes"][0]["answer"]
        assert (answer is not None) == (codes[id_] == 0)
    assert tidegate("doctor").code == 0


def test_over_http_a_full_disk_refuses_answers_keeps_those_it_took_and_is_got_over(tidegate, small):
    tidegate.write("wf.py", TEXT)
    server = Server(tidegate.home).ready()
    assert tidegate("register", "wf.py").code == 0
    ids = [f"e{number}" for number in range(60)]
    ask = server.connect()
    for id_ in ids:
        assert ask("POST", "executions", {"workflow": "wf.text", "id": id_}).status == 201
    refused, took = [], threading.Event()

    def answer(some: list[str]) -> None:
        line = server.connect()
        for id_ in some:
            reply = line("PUT", f"executions/{id_}/signals/words", {"value": id_ * 100})
            assert reply.status == 200 or reply.body["code"] == "store_full", reply
            took.set()
            if reply.status != 200:
                assert reply.status == 507
                refused.append(id_)

    answering = [threading.Thread(target=answer, args=(ids[n:-1:4],)) for n in range(4)]
    for each in answering:
        each.start()
    assert took.wait(30)
    small.fill()
    for each in answering:
        each.join(60)
    answer(ids[-1:])
    assert refused
    for id_ in ids:
        given = ask("GET", f"executions/{id_}").body["nodes"][0]["answer"]
        assert (given is None) == (id_ in refused), id_

    small.free()

    answer(refused[:])
    server.kill()
    again = Server(tidegate.home).ready()
    ask = again.connect()
    for id_ in ids:
        ended = ask("GET", f"executions/{id_}?wait=20").body
        assert ended["outputs"] == {"o0": id_ * 100}, ended["error"] or ended["phase"]
    again.stop()
    server.close()
    again.close()
    assert tidegate("doctor").code == 0


STRIVING = """
import pathlib, time
from tidegate import task, wait_for_input, workflow

@task
def strive(signs: str) -> str:
    pathlib.Path(signs, "began").touch()
    while not pathlib.Path(signs, "end").exists():
        time.sleep(0.01)
    raise ValueError("for nothing")

@workflow
def striving(signs: str) -> str:
    return strive(signs=signs)

@workflow
def text() -> str:
    return wait_for_input("words", expected_type=str)
"""


def test_on_a_full_disk_what_ends_is_stored_and_health_says_what_is_wrong_until_there_is_room(
    tidegate, small, tmp_path
):
    tidegate.write("wf.py", STRIVING)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()
        ids = [f"e{number}" for number in range(20)]
        for id_ in (*ids, "last"):
            body = {"workflow": "wf.text", "id": id_}
            assert ask("POST", "executions", body).status == 201
        failing = {"workflow": "wf.striving", "id": "failing", "inputs": {"signs": str(tmp_path)}}
        assert ask("POST", "executions", failing).status == 201
        until((tmp_path / "began").exists)
        small.fill()
        long = {"value": "x" * 900_000}
        assert ask("PUT", "executions/last/signals/words", long).status == 507

        for id_ in ids:
            assert ask("POST", f"executions/{id_}/abort", {"reason": "no room"}).status == 200
            small.fill()  # somebody else takes whatever is given back
        (tmp_path / "end").touch()
        failed = ask("GET", "executions/failing?wait=20").body
        assert (failed["phase"], failed["error"]["code"]) == ("FAILED", "TaskRaised")
        assert ask("PUT", "executions/last/signals/words", long).status == 507
        health = ask("GET", "health")
        assert health.status == 503
        (part,) = [each for each in health.body["parts"] if each["name"] == "store"]
        assert "no room is left" in part["why"]
        assert 'tidegate_part_up{part="store"} 0' in metrics(server)
        until(lambda: "store has failed: no room is left" in server.said)
        small.free()
        until(lambda: ask("GET", "health").status == 200)
        assert ask("PUT", "executions/last/signals/words", long).status == 200
        server.kill()
        server.close()

        server = Server(tidegate.home).ready()
        ask = server.connect()
        phases = {id_: ask("GET", f"executions/{id_}").body["phase"] for id_ in (*ids, "failing")}
        assert phases == {**dict.fromkeys(ids, "ABORTED"), "failing": "FAILED"}
    finally:
        server.close()
    assert tidegate("doctor").code == 0


def test_a_server_that_starts_on_a_full_disk_begins_nothing_takes_aborts_and_continues_with_room(
    tidegate, small, tmp_path
):
    tidegate.write("wf.py", STRIVING)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()
        for id_ in ("running", "unwanted"):
            signs = tmp_path / id_
            signs.mkdir()
            body = {"workflow": "wf.striving", "id": id_, "inputs": {"signs": str(signs)}}
            assert ask("POST", "executions", body).status == 201
            until((signs / "began").exists)
            (signs / "began").unlink()
        server.kill()
        server.close()
        small.fill()

        server = Server(tidegate.home).ready()
        small.fill()
        ask = server.connect()
        assert ask("POST", "executions/unwanted/abort", {}).status == 200
        for id_ in ("running", "unwanted"):
            (tmp_path / id_ / "end").touch()
        assert not (tmp_path / "running" / "began").exists()
        small.free()
        assert ask("GET", "executions/running?wait=30").body["phase"] == "FAILED"
        assert ask("GET", "executions/unwanted").body["phase"] == "ABORTED"
        assert not (tmp_path / "unwanted" / "began").exists()
        until(lambda: ask("GET", "health").body["status"] == "ok")
    finally:
        server.close()


def metrics(server: Server) -> str:
    url = f"http://127.0.0.1:{server.port}/metrics"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(asked) as reply:
        return reply.read().decode()


def test_a_full_disk_takes_an_abort_also_where_nobody_runs_the_store_and_no_answer(tidegate, small):
    tidegate.write("wf.py", TEXT)
    for id_ in ("t", "u"):
        assert tidegate("run", "wf.py", "text", "--id", id_, "--detach").code == 0
    small.fill()

    assert tidegate("abort", "t").code == 0
    small.fill()
    complains(tidegate("answer", "u", "words", "lost"))

    small.free()
    assert tidegate("show", "t", "--json").json["phase"] == "ABORTED"
    assert tidegate("show", "u", "--json").json["phase"] == "WAITING"
    assert tidegate("doctor").code == 0


def test_a_little_room_is_enough_for_a_server_that_has_filled_the_disk_with_its_log(
    tidegate, small
):
    small.take(1_500_000)
    tidegate.write("wf.py", TEXT)
    with contextlib.closing(Server(tidegate.home)) as server:
        server.ready()
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()

        def launch() -> int:
            return ask("POST", "executions", {"workflow": "wf.text"}).status

        while launch() == 201:
            pass
        assert launch() == 507

        small.free()

        # In the log each of these is several times as large as in the database; a log that meets the end of the disk again begins again.
        assert all(launch() == 201 or launch() == 201 for _ in range(600))
        server.stop()
    assert tidegate("doctor").code == 0


def test_a_file_that_may_not_grow_is_said_in_one_line(tidegate):
    tidegate.write("wf.py", TEXT)
    assert tidegate("run", "wf.py", "text", "--id", "t", "--detach").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", "answer", "t", "words", "x" * 9_000],
        capture_output=True,
        text=True,
        env={**os.environ, "TIDEGATE_HOME": str(tidegate.home)},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)),
        check=False,
    )
    complains(Done(done.returncode, done.stdout, done.stderr))
    assert tidegate("answer", "t", "words", "kept").code == 0
    assert tidegate("resume", "t").out == '"kept"\n'
