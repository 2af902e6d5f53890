"""An attempt that fills the disk: it is the one that is ended for it, and nobody else notices."""

import pytest
from tests.e2e.small_disk import small_home
from tests.serving import Server

from tidegate.executors.written import size_of

SIZE = 64 * 1024 * 1024

FILL = """
import os, time
from tidegate import task, wait_for_input, workflow

def room() -> int:
    found = os.statvfs(".")
    return found.f_bavail * found.f_frsize

@task
def fill() -> str:
    block = bytes(64 * 1024)
    with open("data", "wb", buffering=0) as file:
        while room() > 650_000:
            file.write(block)
        for _ in range(100):  # slowly, and for less than what is left
            file.write(bytes(4096))
            time.sleep(0.05)
    return "it was let"

@task
def shout() -> str:
    while room() > 640_000:
        os.write(1, bytes(64 * 1024))
    while room() < 20_000_000:
        time.sleep(0.01)
    return "there is room again"

@workflow
def filling() -> str:
    return fill()

@workflow
def shouting() -> str:
    return shout()

@workflow
def text() -> str:
    return wait_for_input("words", expected_type=str)
"""


@pytest.fixture
def server(tidegate):
    with small_home(tidegate, SIZE):
        tidegate.write("wf.py", FILL)
        server = Server(tidegate.home).ready()
        try:
            assert tidegate("register", "wf.py").code == 0
            yield server
        finally:
            server.close()


def test_an_attempt_that_goes_on_filling_the_disk_is_ended_and_what_it_wrote_is_freed(server):
    ask = server.connect()
    for name in ("text", "filling"):
        assert ask("POST", "executions", {"workflow": f"wf.{name}", "id": name}).status == 201

    failed = ask("GET", "executions/filling?wait=30").body
    assert (failed["phase"], failed["error"]["code"]) == ("FAILED", "TaskOutOfRoom"), failed
    assert "bytes in its directory and keeps writing" in failed["error"]["message"]
    assert ask("PUT", "executions/text/signals/words", {"value": "x"}).status == 200
    assert ask("GET", "executions/text?wait=30").body["phase"] == "SUCCEEDED"
    assert ask("GET", "health").status == 200


def test_what_an_attempt_prints_is_cut_while_it_runs_when_the_disk_has_little_room(server):
    ask = server.connect()
    assert ask("POST", "executions", {"workflow": "wf.shouting", "id": "s"}).status == 201
    ended = ask("GET", "executions/s?wait=30").body
    assert ended["outputs"] == {"o0": "there is room again"}, ended["error"]


def test_of_a_workers_directory_all_counts_but_its_copy_of_the_source(tmp_path):
    for name in ("source/code", "0/model", "0/deep/source/data", "files/input"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(8192))
    (tmp_path / "0" / "link").symlink_to(tmp_path / "source" / "code")
    assert size_of(tmp_path) == 3 * 8192
