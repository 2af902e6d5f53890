"""Two servers share a store on Postgres, with files in directories: what a task prints is read at either, wherever it runs."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_replicas import Pair, launch, outputs, shard_for, until
from tests.e2e.test_replicas_reports import paired, told_to_stop
from tests.serving import Connection, slowed

FLOW = """
import time
from pathlib import Path
from tidegate import task, workflow

@task
def talk(place: str) -> str:
    print("first", flush=True)
    while not Path(place, "more").exists():
        time.sleep(0.01)
    print("second", flush=True)
    while not Path(place, "end").exists():
        time.sleep(0.01)
    print("last", flush=True)
    return place

@workflow
def talks(place: str) -> str:
    return talk(place=place)
"""


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with paired(tmp_path_factory.mktemp("pair"), FLOW) as pair:
        yield pair


def talking(pair: Pair, ask: Connection, prefix: str) -> tuple[str, Path]:
    """Start a task at this server that has printed its first line; return its execution and where it looks for signs."""
    items = ask("GET", "replicas").body["items"]
    owned = next(each["shards"] for each in items if each["here"])
    id_ = next(f"{prefix}-{n}" for n in range(1_000) if shard_for(f"{prefix}-{n}") in owned)
    place = pair.place / id_
    place.mkdir()
    assert launch(ask, id_, "talks", place=str(place)).status == 201
    until(lambda: texts(ask("GET", f"executions/{id_}/logs").body) == ["first\n"])
    return id_, place


def texts(logs: Any) -> list[str]:
    return [each["text"] for each in logs["items"]]


def command(pair: Pair, name: str, *words: str) -> list[str]:
    where = ("--home", str(pair.place / name), "--store", pair.address)
    return [sys.executable, "-m", "tidegate", *words, *where]


def test_what_a_task_prints_after_it_was_handed_over_is_read_at_the_new_owner(pair: Pair):
    a, b = pair.both()
    id_, place = talking(pair, a, "talks")
    logs = f"executions/{id_}/logs"
    follow = command(pair, "b", "logs", "-f", id_)
    with subprocess.Popen(follow, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "talk | first\n"
        assert told_to_stop(pair, "a", b) < slowed(2)
        seen = b("GET", f"{logs}?after=0").body
        assert (texts(seen), seen["missing"]) == (["first\n"], "")
        (place / "more").touch()
        assert follower.stdout.readline() == "talk | second\n"
        until(lambda: texts(b("GET", logs).body) == ["first\nsecond\n"])
        # A position holds at each of the servers.
        for ask in (a, b):
            assert texts(ask("GET", f"{logs}?after={seen['next']}").body) == ["second\n"]

        (place / "end").touch()
        assert outputs(b, id_) == str(place)
        assert pair.servers["a"].wait() == 0
        follower.communicate(timeout=30)
    # Its directory has the rest: a server that is started there shows it to all.
    a = pair.start("a")
    until(lambda: texts(b("GET", logs).body) == ["first\nsecond\nlast\n"])
    assert texts(a("GET", logs).body) == ["first\nsecond\nlast\n"]
    assert texts(a("GET", f"executions/{id_}/nodes/talk/logs").body) == texts(b("GET", logs).body)


def test_a_server_that_does_not_reply_is_named_in_one_line(pair: Pair):
    a, b = pair.both()
    id_, place = talking(pair, a, "silent")
    server = pair.servers["a"]
    server.process.send_signal(signal.SIGSTOP)
    try:
        said = subprocess.run(
            command(pair, "b", "logs", id_), capture_output=True, text=True, timeout=60, check=False
        )
    finally:
        server.process.send_signal(signal.SIGCONT)
    silent = f"what was printed at http://127.0.0.1:{server.port} is missing: it does not reply"
    assert (said.returncode, said.stdout, said.stderr) == (0, "", f"{silent}\n")
    (place / "more").touch()
    (place / "end").touch()
    assert outputs(b, id_) == str(place)
