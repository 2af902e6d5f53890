"""A disk with little room left: people still decide, and no attempt begins, which everybody is told, until there is room; also after a restart."""

import subprocess
from pathlib import Path

import pytest
from tests.e2e.test_full_disk import TEXT
from tests.e2e.watched import until
from tests.serving import Server

SIZE = 64 * 1024 * 1024
LEFT = SIZE // 200
"""Bytes that are left: half of what stays free of such a disk, and enough for answers."""


@pytest.fixture
def small(tidegate):
    tidegate.home.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "tmpfs", str(tidegate.home)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("this system has no mount command")
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield tidegate.home / "filler"
    tidegate.close()
    subprocess.run(["umount", "-l", str(tidegate.home)], check=True)


def fill(filler: Path, leave: int = LEFT) -> None:
    """Leave so little room that nothing may begin."""
    left = int(subprocess.check_output(["stat", "-f", "-c", "%a", str(filler.parent)])) * 4096
    filler.write_bytes(bytes(left - leave))


def test_a_task_is_held_while_the_disk_has_little_room_also_after_a_restart(tidegate, small):
    tidegate.write("wf.py", TEXT)
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()
        assert ask("POST", "executions", {"workflow": "wf.text", "id": "e"}).status == 201
        fill(small)

        assert ask("PUT", "executions/e/signals/words", {"value": "kept"}).status == 200
        is_held(ask, tidegate)

        server.stop()
        server.close()
        server = Server(tidegate.home).ready()
        ask = server.connect()
        is_held(ask, tidegate)

        small.unlink()
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["outputs"] == {"o0": "kept"}, ended["error"]
        assert ask("GET", "health").body["status"] == "ok"
    finally:
        server.close()
    assert tidegate("doctor").code == 0


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
        fill(small, 500_000)
        (signs / "end").touch()
        until((signs / "made").exists)

        line = server.connect()
        assert line("GET", "executions/e?wait=2").body["phase"] == "RUNNING"
        small.unlink()
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["phase"] == "SUCCEEDED", ended["error"]
    finally:
        server.close()


def is_held(ask, tidegate) -> None:
    (node,) = [each for each in ask("GET", "executions/e").body["nodes"] if each["kind"] == "task"]
    assert node["phase"] == "QUEUED"
    assert node["held"]["code"] == "no_room"
    assert "bytes are free" in node["held"]["message"]
    assert node["held"]["since"]
    (line,) = ask("GET", "executions").body["items"]
    assert line["held"] == node["held"]["message"]
    health = ask("GET", "health")
    assert (health.status, health.body["status"]) == (200, "degraded")
    assert "bytes are free" in str(health.body)
    assert "held: " in tidegate("show", "e").out
