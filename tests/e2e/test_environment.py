"""What a bundle does not hold: a module that is gone keeps an execution waiting, and a library that has changed is said, or waited for."""

from pathlib import Path

import pytest
from tests.e2e.watched import until
from tests.serving import Server

PAY = """
from shoplib import fee
from tidegate import task, wait_for_input, workflow

@task
def pay(amount: float) -> float:
    return amount * fee()

@workflow
def wf() -> float:
    return pay(amount=wait_for_input("amount", expected_type=float))
"""

TEN = "def fee():\n    return 0.1\n"
HALF = "def fee():\n    return 0.5\n"


@pytest.fixture
def lib(tmp_path: Path, monkeypatch) -> Path:
    """A directory of modules that every process of this test can import."""
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "shoplib.py").write_text(TEN)
    monkeypatch.setenv("PYTHONPATH", str(lib))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return lib


@pytest.fixture
def serve(tidegate, lib, monkeypatch):
    servers: list[Server] = []
    tidegate.environment["PYTHONPATH"] = str(lib)

    def start(*words: str) -> Server:
        while servers:
            old = servers.pop()
            old.stop()
            old.close()
        servers.append(Server(tidegate.home, *words, workers=1).ready())
        return servers[-1]

    yield start
    for each in servers:
        each.close()


def waiting(tidegate, serve, *words: str) -> Server:
    """Return a server on which an execution `e` waits for its amount."""
    tidegate.write("pay.py", PAY)
    server = serve(*words)
    assert tidegate("register", "pay.py").code == 0
    ask = server.connect()
    assert ask("POST", "executions", {"workflow": "pay.wf", "id": "e"}).status == 201
    return server


def answer(ask) -> None:
    assert ask("PUT", "executions/e/signals/amount", {"value": 10.0}).status == 200


def held(ask) -> dict:
    def found():
        nodes = ask("GET", "executions/e").body["nodes"]
        return [each["held"] for each in nodes if each["kind"] == "task" and each["held"]]

    until(found)
    return found()[0]


def task(ask) -> dict:
    (node,) = (each for each in ask("GET", "executions/e").body["nodes"] if each["kind"] == "task")
    return node


class TestMissing:
    def test_an_execution_whose_module_is_gone_is_held_and_goes_on_when_it_is_back(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve)
        (lib / "shoplib.py").unlink()
        ask = serve().connect()
        answer(ask)

        why = held(ask)

        assert why["code"] == "missing"
        assert "No module named 'shoplib'" in why["message"]
        assert (task(ask)["phase"], task(ask)["attempts"]) == ("QUEUED", 1)
        assert "shoplib" in ask("GET", "executions").body["items"][0]["held"]
        assert ask("GET", "health").body["status"] == "degraded"
        assert "held: " in tidegate("show", "e").out

        (lib / "shoplib.py").write_text(TEN)
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["outputs"] == {"o0": 1.0}, ended["error"]
        assert task(ask)["attempts"] == 1
        assert ask("GET", "health").body["status"] == "ok"

    def test_an_execution_whose_library_cannot_be_imported_any_more_is_held(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve)
        (lib / "shoplib.py").write_text("rate = 0.5\n")
        ask = serve().connect()
        answer(ask)

        assert "cannot import name 'fee'" in held(ask)["message"]

        assert ask("POST", "executions/e/abort", {}).status == 200
        assert task(ask)["held"] is None
