"""A task that waits for a free worker says so, and behind what, as soon as that takes longer than a moment."""

from tests.e2e.watched import until
from tests.serving import Server

TEXT = """
import pathlib, time
from tidegate import task, workflow

@task
def hold(until: str) -> str:
    while not pathlib.Path(until).exists():
        time.sleep(0.01)
    return until

@workflow
def wf(until: str) -> str:
    return hold(until=until)
"""


def test_a_task_behind_another_says_so_until_it_begins(tidegate, tmp_path):
    tidegate.write("wf.py", TEXT)
    server = Server(tidegate.home, workers=1).ready()
    try:
        assert tidegate("register", "wf.py").code == 0
        ask = server.connect()

        def launch(id_: str, **more: str) -> str:
            until_ = str(tmp_path / id_)
            body = {"workflow": "wf.wf", "id": id_, "inputs": {"until": until_}, **more}
            assert ask("POST", "executions", body).status == 201
            return until_

        def node(id_: str, query: str = "") -> dict:
            found = ask("GET", f"executions/{id_}{query}").body["nodes"]
            return found[0] if found else {}

        first = launch("first")
        until(lambda: node("first")["phase"] == "RUNNING")
        second, other = launch("second"), launch("other", project="elsewhere")

        until(lambda: node("second")["held"] is not None)
        held = node("second")["held"]
        assert held["code"] == "busy"
        message = "waits for a free worker, behind a running attempt (wf.wf·hold)"
        assert held["message"] == message
        assert node("second")["phase"] == "QUEUED"
        assert message in tidegate("show", "second").out
        assert "held" not in tidegate("show", "second").out
        # Who looks again is told, though nothing has changed since.
        seq = ask("GET", "executions/second").body["seq"]
        assert node("second", f"?after={seq}")["held"] == held
        # Another project is not told what runs there, only how much.
        until(lambda: node("other")["held"] is not None)
        told = "waits for a free worker, behind a running attempt and a waiting attempt"
        assert node("other")["held"]["message"] == told
        assert ask("GET", "health").body["status"] == "ok"

        for path in (first, second, other):
            (tmp_path / path).touch()
        assert ask("GET", "executions/other?wait=30").body["phase"] == "SUCCEEDED"
        assert node("second")["held"] is None
    finally:
        server.close()


def test_who_follows_a_run_is_told_that_its_task_waits(tidegate, tmp_path):
    tidegate.write("wf.py", TEXT)
    server = Server(tidegate.home, workers=1).ready()
    try:
        ends = [str(tmp_path / "first"), str(tmp_path / "second")]
        first = tidegate.start(
            "run", "wf.py", "wf", "--until", ends[0], "--id", "first", "--detach"
        )
        ask = server.connect()
        until(lambda: ask("GET", "executions/first").status == 200)
        until(lambda: ask("GET", "executions/first").body["nodes"][0]["phase"] == "RUNNING")
        second = tidegate.start(
            "run", "wf.py", "wf", "--until", ends[1], "--id", "second", "--detach"
        )

        second.says("hold waits for a free worker, behind a running attempt (wf.wf·hold)")

        for path in ends:
            (tmp_path / path).touch()
        assert first.ends().code == 0
        assert second.ends().code == 0
    finally:
        server.close()
