"""A disk with little room left: people still decide, and no attempt begins, which everybody is told, until there is room; also after a restart."""

import os

import pytest
from tests.e2e.small_disk import small_home
from tests.e2e.test_full_disk import TEXT
from tests.e2e.watched import until
from tests.serving import Server

SIZE = 64 * 1024 * 1024
LEFT = SIZE // 200
"""Bytes that are left: half of what stays free of such a disk, and enough for answers."""


@pytest.fixture
def small(tidegate):
    with small_home(tidegate, SIZE) as disk:
        yield disk


def test_a_task_is_held_while_the_disk_has_little_room_also_after_a_restart(tidegate, small):
    tidegate.write("wf.py", TEXT)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()
        assert ask("POST", "executions", {"workflow": "wf.text", "id": "e"}).status == 201
        small.fill(LEFT)

        assert ask("PUT", "executions/e/signals/words", {"value": "kept"}).status == 200
        is_held(ask, tidegate)

        server.stop()
        server.close()
        server = Server(tidegate.home).ready()
        ask = server.connect()
        is_held(ask, tidegate)

        small.free()
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["outputs"] == {"o0": "kept"}, ended["error"]
        assert ask("GET", "health").body["status"] == "ok"
    finally:
        server.close()
    assert tidegate("doctor").code == 0


LARGE = """
from tidegate import Resources, task, wait_for_input, workflow

@task(requests=Resources(cpu=100_000, gpu=1))
def train(words: str) -> str:
    return words

@task(requests=Resources(mem="4Ei"))
def store(words: str) -> str:
    return words

@workflow
def large() -> str:
    return train(words=wait_for_input("words", expected_type=str))

@workflow
def huge() -> str:
    return store(words="a")
"""


def test_a_task_that_asks_for_all_processors_is_not_news_to_who_registers_it(tidegate):
    tidegate.write("wf.py", LARGE.replace("100_000, gpu=1", f"{os.cpu_count()}"))
    assert "train" not in tidegate("register", "wf.py").err


def test_a_task_that_asks_for_more_than_there_is_is_held_and_who_launches_it_is_told(tidegate):
    tidegate.write("wf.py", LARGE)
    cpu = "requests 100000 cpu, but the workers here have 2"
    server = Server(tidegate.home).ready()
    try:
        registered = tidegate("register", "wf.py")
        assert registered.code == 0
        assert f"note: wf.large: task 'train' {cpu}: it is held until" in registered.err
        assert "task 'train' has requests.gpu, which nothing here counts" in registered.err
        assert "task 'store' requests 4Ei of memory, but this machine has" in registered.err

        ask = server.connect()
        launched = ask("POST", "executions", {"workflow": "wf.large", "id": "e"}).body
        assert launched["notes"][0].startswith(f"task 'train' {cpu}")
        assert ask("PUT", "executions/e/signals/words", {"value": "kept"}).status == 200
        is_held(ask, tidegate, "too_large", cpu)

        told = tidegate("run", "wf.py", "huge", "--detach")
        assert "note: task 'store' requests 4Ei of memory" in told.err
        assert "store held: the task requests 4Ei of memory" in told.err
    finally:
        server.close()


TRAIN = """
import pathlib, time
from tidegate import File, task, workflow

@task
def train(signs: str) -> File:
    pathlib.Path(signs, "began").touch()
    while not pathlib.Path(signs, "end").exists():
        time.sleep(0.01)
    try:
        with open("model", "wb") as file:
            file.write(bytes(300_000))
    finally:
        pathlib.Path(signs, "made").touch()
    return File("model")

@workflow
def wf(signs: str) -> File:
    return train(signs=signs)
"""


def test_a_file_that_a_task_has_made_waits_for_room_and_is_kept(tidegate, small, tmp_path):
    tidegate.write("train.py", TRAIN)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "train.py").code == 0
        ask = server.connect()
        signs = tmp_path / "signs"
        signs.mkdir()
        body = {"workflow": "train.wf", "id": "e", "inputs": {"signs": str(signs)}}
        assert ask("POST", "executions", body).status == 201
        until((signs / "began").exists)
        # Room for the file itself, and not for the copy that is kept.
        small.fill(500_000)
        (signs / "end").touch()
        until((signs / "made").exists)

        line = server.connect()
        assert line("GET", "executions/e?wait=2").body["phase"] == "RUNNING"
        small.free()
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["phase"] == "SUCCEEDED", ended["error"]
    finally:
        server.close()


def test_what_waits_for_a_worker_when_the_room_goes_is_held_and_does_not_begin(
    tidegate, small, tmp_path
):
    tidegate.write("train.py", TRAIN.replace("300_000", "10"))
    server = Server(tidegate.home, workers=1).ready()
    try:
        assert tidegate("register", "train.py").code == 0
        ask = server.connect()
        signs = {id_: tmp_path / id_ for id_ in ("first", "e", "unwanted")}
        for id_, place in signs.items():
            place.mkdir()
            body = {"workflow": "train.wf", "id": id_, "inputs": {"signs": str(place)}}
            assert ask("POST", "executions", body).status == 201
        until((signs["first"] / "began").exists)
        small.fill(LEFT)
        for place in signs.values():
            (place / "end").touch()

        assert ask("GET", "executions/first?wait=30").body["phase"] == "SUCCEEDED"
        is_held(ask, tidegate)
        assert ask("POST", "executions/unwanted/abort", {}).status == 200
        assert not (signs["e"] / "began").exists()

        small.free()
        assert ask("GET", "executions/e?wait=30").body["phase"] == "SUCCEEDED"
        assert not (signs["unwanted"] / "began").exists()
        until(lambda: ask("GET", "health").body["status"] == "ok")
    finally:
        server.close()


def is_held(ask, tidegate, code: str = "no_room", why: str = "bytes are free") -> None:
    until(lambda: any("held" in each for each in ask("GET", "executions/e").body["nodes"]))
    view = ask("GET", "executions/e").body
    (node,) = [each for each in view["nodes"] if each["kind"] == "task"]
    # Nothing has changed since, but who looks again is told all the same.
    assert ask("GET", f"executions/e?after={view['seq']}").body["nodes"] == [node]
    assert node["phase"] == "QUEUED"
    assert node["held"]["code"] == code
    assert why in node["held"]["message"]
    assert node["held"]["since"]
    (line,) = [each for each in ask("GET", "executions").body["items"] if each["id"] == "e"]
    assert line["held"] == node["held"]["message"]
    health = ask("GET", "health")
    assert (health.status, health.body["status"]) == (200, "degraded")
    assert why in str(health.body)
    assert "held: " in tidegate("show", "e").out
