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

PAY_LATE = PAY.replace("from shoplib import fee\n", "").replace(
    "    return amount", "    from shoplib import fee\n    return amount"
)
"""The same, but that the library is imported when the task runs."""

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


def waiting(tidegate, serve, *words: str, flow: str = PAY) -> Server:
    """Return a server on which an execution `e` waits for its amount."""
    tidegate.write("pay.py", flow)
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

    def test_so_is_one_whose_task_imports_it_in_its_body_under_the_number_that_it_has(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve, flow=PAY_LATE)
        (lib / "shoplib.py").unlink()
        ask = serve().connect()
        answer(ask)

        why = held(ask)
        assert why["code"] == "missing"
        assert why["message"] == "module shoplib, which the code imports, is missing: restore it"
        for _ in range(2):
            ask = serve().connect()
            assert held(ask)["since"] == why["since"]
        (lib / "shoplib.py").write_text(TEN)

        ended = ask("GET", "executions/e?wait=30").body
        assert ended["outputs"] == {"o0": 1.0}, ended["error"]
        assert task(ask)["attempts"] == 1

    def test_a_warm_worker_sees_that_a_module_has_gone(self, tidegate, serve, lib):
        ask = waiting(tidegate, serve, flow=PAY_LATE).connect()
        assert ask("POST", "executions", {"workflow": "pay.wf", "id": "warm"}).status == 201
        assert ask("PUT", "executions/warm/signals/amount", {"value": 1.0}).status == 200
        assert ask("GET", "executions/warm?wait=30").body["phase"] == "SUCCEEDED"
        (lib / "shoplib.py").unlink()
        answer(ask)
        assert held(ask)["code"] == "missing"
        (lib / "shoplib.py").write_text(TEN)
        assert ask("GET", "executions/e?wait=30").body["outputs"] == {"o0": 1.0}

    def test_an_execution_whose_library_can_no_longer_be_imported_is_held(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve)
        (lib / "shoplib.py").write_text("rate = 0.5\n")
        ask = serve().connect()
        answer(ask)

        assert "cannot import name 'fee'" in held(ask)["message"]

        assert ask("POST", "executions/e/abort", {}).status == 200
        assert task(ask)["held"] is None


def metric(ask, name: str) -> str:
    ask("GET", "health")
    line = ask._line
    line.request("GET", "/api/v1/metrics", headers=ask._headers)
    text = line.getresponse().read().decode()
    return next(each.split()[-1] for each in text.splitlines() if each.startswith(name))


class TestAnotherEnvironment:
    def test_an_execution_that_continues_with_another_library_says_so_everywhere(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve)
        (lib / "shoplib.py").write_text(HALF)
        server = serve()
        ask = server.connect()
        answer(ask)

        ended = ask("GET", "executions/e?wait=30").body

        assert ended["outputs"] == {"o0": 5.0}
        assert ended["differs"] == f"module shoplib ({lib / 'shoplib.py'}) has changed"
        assert metric(ask, "tidegate_elsewhere_attempts_total") == "1"
        assert "execution e continues in another environment" in server.said
        shown = tidegate("show", "e").out
        assert f"continued in another environment than it was launched in: {ended['differs']}" in (
            shown
        )
        kinds = [each["kind"] for each in ask("GET", "executions/e/events").body["items"]]
        assert "EnvironmentDiffers" in kinds

    def test_it_is_held_with_strict_environment_until_the_library_is_back(
        self, tidegate, serve, lib
    ):
        waiting(tidegate, serve)
        (lib / "shoplib.py").write_text(HALF)
        ask = serve("--strict-environment").connect()
        answer(ask)

        why = held(ask)

        assert why["code"] == "environment"
        assert "module shoplib" in why["message"]
        assert metric(ask, 'tidegate_held_attempts{code="environment"}') == "1"
        assert task(ask)["phase"] == "QUEUED"
        resumed = tidegate("resume", "e")
        assert (resumed.code, "module shoplib" in resumed.err) == (5, True)

        (lib / "shoplib.py").write_text(TEN)
        ended = ask("GET", "executions/e?wait=30").body
        assert ended["outputs"] == {"o0": 1.0}
        assert (ended["differs"], task(ask)["attempts"]) == ("", 1)

    def test_a_launch_keeps_what_was_recorded_last_before_it(self, tidegate, serve, lib):
        waiting(tidegate, serve)
        (lib / "shoplib.py").write_text(HALF)
        ask = serve("--strict-environment").connect()
        assert tidegate("register", "pay.py").code == 0
        launch = {"workflow": "pay.wf", "id": "later"}
        assert ask("POST", "executions", launch).status == 201
        answer(ask)
        held(ask)

        assert ask("PUT", "executions/later/signals/amount", {"value": 10.0}).status == 200

        later = ask("GET", "executions/later?wait=30").body
        assert (later["outputs"], later["differs"]) == ({"o0": 5.0}, "")
        assert held(ask)["code"] == "environment"

    def test_a_terminal_that_goes_on_strictly_says_what_holds_it_and_ends(self, tidegate, lib):
        tidegate.environment["PYTHONPATH"] = str(lib)
        tidegate.write("pay.py", PAY)
        launched = tidegate("run", "pay.py", "wf", "--id", "e", "--detach")
        assert launched.code == 0, launched.err
        (lib / "shoplib.py").write_text(HALF)
        assert tidegate("answer", "e", "amount", "10.0").code == 0

        strict = tidegate("resume", "e", "--strict-environment")
        assert strict.code == 5
        assert "module shoplib" in strict.err

        done = tidegate("resume", "e")
        assert (done.code, done.out.strip()) == (0, "5.0")


READ = """
from pathlib import Path
from tidegate import current_context, task, workflow

@task
def read() -> str:
    there = current_context().launched_from
    return Path(there, "rates.csv").read_text() + there

@task
def lost() -> str:
    return open("rates.csv").read()

@workflow
def wf() -> str:
    return read()

@workflow
def fails() -> str:
    return lost()
"""


class TestLaunchedFrom:
    def test_a_task_knows_the_directory_of_the_terminal_that_launched_it(self, tidegate):
        tidegate.write("read.py", READ)
        tidegate.write("rates.csv", "in ")

        done = tidegate("run", "read.py", "wf")

        assert done.json == f"in {tidegate.place}"

    def test_a_file_that_is_only_there_is_said_to_be_and_how_it_is_packed(self, tidegate):
        tidegate.write("read.py", READ)
        tidegate.write("rates.csv", "in ")

        done = tidegate("run", "read.py", "fails")

        assert done.code == 1
        assert f"there is one in {tidegate.place}, where the execution was launched" in done.err
        assert "--include rates.csv" in done.err
        assert tidegate("run", "read.py", "fails", "--include", "rates.csv").json == "in "

    def test_a_file_that_a_module_opens_when_it_is_imported_is_said_to_be_missing_likewise(
        self, tidegate
    ):
        tidegate.write("early.py", 'RATES = open("rates.csv").read()\n' + READ)
        tidegate.write("rates.csv", "in ")

        done = tidegate("run", "early.py", "wf")

        assert done.code != 0
        assert "--include rates.csv" in done.err
        assert tidegate("run", "early.py", "wf", "--include", "rates.csv").code == 0
