"""`tidegate run` runs here: beside another process that owns the store, attempts run in workers of the terminal that follows their execution."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.users import SERVICE, as_user, owned_by, python, serving
from tests.e2e.watched import until
from tests.serving import Server

FLOW = """
import os, sys, subprocess, time
from pathlib import Path
from tidegate import Deck, File, dynamic, task, wait_for_input, workflow

@task
def look() -> str:
    umask = os.umask(0)
    os.umask(umask)
    return f"{os.environ.get('MINE', 'not set')} {umask:o} {os.getppid()}"

@workflow
def looks() -> str:
    return look()

@task
def tick(until: str) -> str:
    print("it has begun")
    while not os.path.exists(until):
        time.sleep(0.02)
    print("it ends")
    return os.environ.get("MINE", "not set")

@workflow
def ticks(until: str) -> str:
    return tick(until=until)

@task
def write(size: int) -> File:
    made = Path("made.bin")
    with made.open("wb") as file:
        file.truncate(size)
    Deck("made", f"<b>{size} bytes</b>")
    print("written")
    return File(made)

@task
def read(made: File) -> int:
    return Path(made.path).stat().st_size

@workflow
def writes(size: int) -> tuple[File, int]:
    made = write(size=size)
    return made, read(made=made)

@task
def decide(where: str, execution: str) -> str:
    words = [sys.executable, "-m", "tidegate", "answer", "--home", where, execution, "title", "mine"]
    return subprocess.run(words, capture_output=True, text=True).stderr

@workflow
def decides(where: str, execution: str) -> tuple[str, str]:
    return wait_for_input("title", expected_type=str), decide(where=where, execution=execution)

@dynamic
def spread(n: int) -> list[str]:
    return [look() for _ in range(n)]

@workflow
def spreads() -> list[str]:
    return spread(n=wait_for_input("n", expected_type=int))

@workflow
def asks() -> str:
    return wait_for_input("title", expected_type=str)
"""

LONGEST = 30.0


@pytest.fixture
def served(tidegate: Any):
    """A terminal, beside a server that owns its store and has another environment."""
    tidegate.write("flows.py", FLOW)
    server = Server(tidegate.home).ready()
    tidegate.server = server
    tidegate.environment["MINE"] = "the terminal's"
    yield tidegate
    server.close()


def of(served: Any, execution: str) -> Any:
    return json.loads(served("show", execution, "--json").out)


def scratch() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("tidegate-run-*"))


def test_beside_a_server_attempts_have_the_environment_and_the_umask_of_the_terminal(served: Any):
    before, own = scratch(), os.umask(0o007)
    try:
        done = served("run", "flows.py", "looks")
    finally:
        os.umask(own)

    assert json.loads(done.out).split()[:3] == ["the", "terminal's", "7"]
    assert scratch() - before == set(), "nothing is left of the workers"
    detached = served("run", "flows.py", "looks", "--detach")
    assert "in the workers of the store (" in detached.err
    assert of(served, detached.out.strip())["outputs"]["o0"].startswith("not set")


def test_the_environment_is_stored_nowhere(served: Any):
    served.environment["MINE"] = "a-secret-of-the-terminal"
    served("run", "flows.py", "writes", "--size", "3")
    served.server.stop()

    for path in served.home.rglob("*"):
        if path.is_file():
            assert b"a-secret-of-the-terminal" not in path.read_bytes(), path


def test_what_only_the_terminal_has_can_be_imported_there(served: Any):
    served.write("flow2.py", "import only_there\n" + FLOW)
    served.write("elsewhere/only_there.py", "")

    refused = served("run", "flow2.py", "looks")
    assert refused.code == 2
    assert "No module named 'only_there'; searched in " in refused.err
    served.environment["PYTHONPATH"] = str(served.place / "elsewhere")
    assert served("run", "flow2.py", "looks").code == 0


def test_what_attempts_print_and_publish_is_read_at_every_door_meanwhile(served: Any):
    stop = served.place / "stop"
    running = served.start("run", "flows.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")

    ask = served.server.connect()
    logs = until(lambda: ask("GET", "executions/e/logs").body["items"])
    assert [each["text"] for each in logs] == ["it has begun\n"]
    stop.touch()
    assert json.loads(running.ends().out) == "the terminal's"
    assert served("logs", "e").out.endswith("it has begun\nit ends\n")


def test_who_resumes_is_shown_what_is_printed_from_then_on(served: Any):
    stop = served.place / "stop"
    running = served.start("run", "flows.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")
    other = served.start("resume", "e")
    other.says("running tick")
    stop.touch()

    assert other.ends().err.count("tick | it ends") == 1
    assert "it has begun" not in other.err
    running.ends()


def test_files_logs_and_decks_go_through_the_door(served: Any):
    done = served("run", "flows.py", "writes", "--size", str(70 * 1024 * 1024), "--id", "e")

    assert done.code == 0, done.err
    assert json.loads(done.out)["o1"] == 70 * 1024 * 1024
    assert served("logs", "e", "write").out.endswith("written\n")
    assert "73400320 bytes" in served("deck", "e", "write").out


def test_a_terminal_that_is_killed_leaves_its_execution_held_until_a_terminal_like_it_comes(
    served: Any,
):
    served.write("flow2.py", "import only_there\n" + FLOW)
    served.write("elsewhere/only_there.py", "")
    served.environment["PYTHONPATH"] = str(served.place / "elsewhere")
    stop = served.place / "stop"
    running = served.start("run", "flow2.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")
    running.kill()

    def held() -> Any:
        (node,) = of(served, "e")["nodes"]
        return node["phase"] == "QUEUED" and node["held"]

    assert "only_there" in until(held)["message"]
    stop.touch()
    gone = served("resume", "e")
    assert gone.code == 0, gone.err
    assert json.loads(gone.out) == "the terminal's"
    assert "tick, attempt 2" not in served("logs", "e").out.partition("it ends")[2]


def test_another_environment_holds_an_execution_unless_it_is_told_not_to(served: Any):
    served.write("flow2.py", "import versioned\n" + FLOW)
    old, new = served.write("old/versioned.py", ""), served.write("new/versioned.py", "n = 2")
    served.environment["PYTHONPATH"] = str(old.parent)
    stop = served.place / "stop"
    running = served.start("run", "flow2.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")
    running.interrupt()
    assert "interrupted; continue with: " in running.ends().err
    stop.touch()

    served.environment["PYTHONPATH"] = str(new.parent)
    refused = served("resume", "e")
    assert refused.code == 5
    assert "the environment is not the one it was launched in: module versioned" in refused.err
    assert "tidegate resume e --any-environment" in refused.err
    assert served("resume", "e", "--any-environment").code == 0


def test_an_attempt_goes_to_one_of_the_terminals_that_serve_an_execution(served: Any):
    asking = served.start("run", "flows.py", "spreads", "--id", "e")
    asking.says("Answer 'n'")
    other = served.start("resume", "e")
    other.says("Answer 'n'")
    asking.type("24\n")

    both = [json.loads(each.ends().out) for each in (asking, other)]
    assert both[0] == both[1]
    assert all(each.startswith("the terminal's") for each in both[0])
    assert len({each.split()[-1] for each in both[0]}) > 1, "both have done something"
    assert [n["attempts"] for n in of(served, "e")["nodes"] if n["name"] == "look"] == [1] * 24


def test_when_the_owner_dies_the_terminal_goes_on_by_itself(served: Any):
    stop = served.place / "stop"
    running = served.start("run", "flows.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")
    served.server.kill()

    running.says("tick, attempt 2 | it has begun")
    stop.touch()
    assert json.loads(running.ends().out) == "the terminal's"


def test_workers_of_a_terminal_may_not_decide(served: Any):
    running = served.start(
        "run", "flows.py", "decides", "--where", str(served.home), "--execution", "e", "--id", "e"
    )
    running.says("execution e")
    node = until(
        lambda: next((n for n in of(served, "e")["nodes"] if n["phase"] == "SUCCEEDED"), None)
    )
    assert "a task of this store cannot use its local door" in node["outputs"]["o0"]
    running.interrupt()
    running.ends()


def test_over_the_network_nobody_serves_an_execution(served: Any):
    ask = served.server.connect()
    for path in ("terminals", "terminals/take", "terminals/say", "terminals/files"):
        reply = ask("POST", path, b"", Content_Type="application/octet-stream")
        assert (reply.status, "only on the machine of the store" in reply.body["detail"]) == (
            403,
            True,
        )


def test_beside_a_service_user_root_writes_nothing_in_the_home():
    python()
    top = Path(tempfile.mkdtemp(dir="/var/tmp"))
    top.chmod(0o755)
    home = top / "h"
    home.mkdir(mode=0o700)
    os.chown(home, SERVICE, SERVICE)
    (top / "flows.py").write_text(FLOW)
    try:
        with serving(SERVICE, home):
            done = as_user(
                0,
                "run",
                "flows.py",
                "writes",
                "--size",
                "5",
                "--home",
                str(home),
                cwd=top,
                MINE="root",
            )
            assert done.returncode == 0, done.stderr
            assert owned_by(0, home) == []
    finally:
        shutil.rmtree(top)


@pytest.mark.parametrize("how", ["interrupt", "kill"])
def test_nothing_is_shown_as_running_that_is_not(tidegate: Any, how: str):
    tidegate.write("flows.py", FLOW)
    stop = tidegate.place / "stop"
    running = tidegate.start("run", "flows.py", "ticks", "--until", str(stop), "--id", "e")
    running.says("tick | it has begun")
    assert "RUNNING" in tidegate("show", "e").out
    getattr(running, how)()
    running.ends()

    shown, listed = tidegate("show", "e").out, tidegate("list").out
    assert "  interrupted; continue with `tidegate resume e`" in listed
    assert "RUNNING" not in shown + listed
    assert shown.splitlines()[-1].startswith("interrupted; continue with `")
    assert shown.splitlines()[-1].endswith(" resume e`")
    (line,) = tidegate("list", "--json").json
    assert (line["phase"], line["held"]) == (
        "QUEUED",
        "interrupted; continue with `tidegate resume e`",
    )
    assert tidegate("list", "--phase", "QUEUED", "--json").json == [line]
    assert tidegate("list", "--phase", "RUNNING", "--json").json == []
    assert "it has begun" in tidegate("logs", "e").out
    stop.touch()
    assert tidegate("resume", "e").code == 0
    assert "interrupted" not in tidegate("show", "e").out


def test_without_a_wait_it_ends_with_seven_and_says_what_it_waits_for(tidegate: Any):
    tidegate.write("flows.py", FLOW)

    waits = tidegate("run", "flows.py", "asks", "--id", "e", "--no-wait")
    assert (waits.code, waits.out) == (7, "e\n")
    assert "waiting for title, no timeout" in waits.err
    assert tidegate("resume", "e", "--no-wait").code == 7
    tidegate("answer", "e", "title", "done")
    done = tidegate("resume", "e", "--no-wait")
    assert (done.code, done.out) == (0, '"done"\n')
    assert tidegate("run", "flows.py", "asks", "--no-wait", "--detach").code == 2


def test_without_anybody_at_the_terminal_it_says_what_it_waits_for_and_until_when(tidegate: Any):
    tidegate.write(
        "until.py",
        """
from datetime import timedelta
from tidegate import wait_for_input, workflow

@workflow
def asks() -> str:
    return wait_for_input("title", timeout=timedelta(hours=1), expected_type=str)
""",
    )
    running = tidegate.start("run", "until.py", "asks", "--id", "e", stdin=subprocess.DEVNULL)
    running.says("waiting for title: text; 59 min")
    running.says("tidegate answer e title VALUE")
    tidegate("answer", "e", "title", "done")
    assert running.ends().out == '"done"\n'
