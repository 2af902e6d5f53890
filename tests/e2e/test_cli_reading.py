"""What the terminal shows of large values and of damaged executions, on its own store and on a server's."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import apsw
import pytest
from tests.serving import Server

FLOWS = """
from tidegate import approve, task, wait_for_input, workflow

@task
def report(lines: int) -> str:
    return "a line of the report\\n" * lines

@workflow
def publish(lines: int) -> str:
    return approve(report(lines=lines), "publish", prompt="May it go out?")

@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int)
"""

LAST = "a line of the report"


@pytest.fixture
def home(tidegate: Any) -> Path:
    tidegate.write("flows.py", FLOWS)
    for words in (("publish", "--lines", "3000", "--id", "large"), ("ask", "--id", "small")):
        done = tidegate("run", "flows.py", *words, "--detach")
        assert done.code == 0, done
    return Path(tidegate.home)


def bend(home: Path, execution: str) -> int:
    """Have the disk return another byte in the last line of an execution; return its number, which follows the pace of the machine."""
    connection = apsw.Connection(str(home / "tidegate.db"))
    key = connection.execute("SELECT key FROM executions WHERE id = ?", (execution,)).get
    last = connection.execute("SELECT max(seq) FROM history WHERE key = ?", (key,)).get
    of_it = (key, last)
    where = "WHERE key = ?1 AND seq = ?2"
    body = bytearray(connection.execute(f"SELECT body FROM history {where}", of_it).get)
    body[len(body) // 2] ^= 1
    connection.execute(f"UPDATE history SET body = ?3 {where}", (*of_it, bytes(body)))
    connection.close()
    return int(last)


def url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture(params=["own", "server"])
def tell(request: pytest.FixtureRequest, tidegate: Any, home: Path) -> Any:
    """Runs commands on the store of this machine, or on a server that owns it, which starts with the first."""
    servers: list[Server] = []

    def run(*words: str) -> Any:
        if request.param == "own":
            return tidegate(*words)
        if not servers:
            servers.append(Server(home, workers=1).ready())
            tidegate.environment["TIDEGATE_TOKEN"] = servers[0].token
        return tidegate(*words, "--server", url(servers[0]))

    yield run
    for server in servers:
        server.close()


def test_the_inbox_says_of_a_value_that_is_too_large_how_large_it_is(tell):
    done = tell("inbox")

    assert done.code == 0, done
    (line,) = [line for line in done.out.splitlines() if line.startswith("large")]
    assert "May it go out?" in line
    assert "(value: 66 KB)" in line
    assert LAST not in done.out
    (other,) = [line for line in done.out.splitlines() if line.startswith("small")]
    assert "KB" not in other


def test_a_question_that_is_opened_is_whole(tell):
    full = tell("inbox", "--full")
    assert full.code == 0, full
    assert full.out.count(LAST) > 20
    assert "lines; in full: " in full.out

    listed = {each["execution"]: each for each in json.loads(tell("inbox", "--json").out)}
    assert "value" not in listed["large"]
    assert listed["large"]["preview"]["value"]["size"] > 60_000
    assert listed["large"]["preview"]["value"]["text"].startswith(LAST)
    assert listed["small"]["preview"] == {}

    shown = json.loads(tell("show", "large", "--json").out)
    assert shown["waiting"][0]["value"].count(LAST) == 3_000


def test_a_damaged_execution_says_so_in_every_list_and_hides_no_other(tell, home):
    line = bend(home, "large")
    shown = tell("show", "large")
    assert shown.code == 5, shown
    assert "large" in shown.out
    assert f"execution large is damaged: line {line}: " in shown.err
    assert "tidegate doctor" in shown.err
    assert "Traceback" not in shown.err

    for command in (("list",), ("inbox",), ("inbox", "--full")):
        done = tell(*command)
        assert done.code == 0, done
        assert "large" in done.out
        assert "small" in done.out

    refused = tell("approve", "large", "publish")
    assert refused.code == 5, refused
    assert "execution large is damaged" in refused.err
    assert tell("answer", "small", "number", "4").code == 0


def test_a_server_that_has_met_the_damage_marks_it_in_its_lists(tidegate, home):
    bend(home, "large")
    server = Server(home, workers=1).ready()
    try:
        tidegate.environment["TIDEGATE_TOKEN"] = server.token
        there = ("--server", url(server))
        assert tidegate("show", "large", *there).code == 5
        for command in ("list", "inbox"):
            done = tidegate(command, *there)
            assert done.code == 0, done
            (line,) = [line for line in done.out.splitlines() if line.startswith("large")]
            assert "(damaged)" in line
            assert "execution large is damaged" in done.err
            items = json.loads(tidegate(command, "--json", *there).out)
            marks = {each.get("execution", each.get("id")): each["damaged"] for each in items}
            assert "execution large is damaged" in marks["large"]
            assert marks["small"] == ""
    finally:
        server.close()


def test_to_continue_with_everything_says_which_one_is_damaged_and_continues_with_the_others(
    tidegate, home
):
    bend(home, "large")
    done = tidegate("resume", "--detach")
    assert done.code == 1, done
    assert "execution large is damaged" in done.err
    assert "small" in done.err
    assert "Traceback" not in done.err


def test_one_whose_code_is_gone_says_so_and_what_to_do_and_goes_on_when_it_is_back(tidegate, home):
    shutil.rmtree(home / "bundles")
    shown = tidegate("show", "small")
    assert shown.code == 0, shown
    assert "the code of execution small" in shown.out
    assert "register the same source again" in shown.out
    assert "number" in shown.out, "what can be read is shown"

    assert tidegate("register", "flows.py").code == 0
    assert "is missing" not in tidegate("show", "small").out


def test_the_doctor_writes_lists_again_and_says_how_far_it_is_unless_somebody_runs_the_store(
    tidegate, home
):
    connection = apsw.Connection(str(home / "tidegate.db"))
    connection.execute("DELETE FROM waits")
    connection.close()
    found = tidegate("doctor")
    assert found.code == 1, found
    assert "it is waiting, but is not listed" in found.out

    server = Server(home, workers=1).ready()
    refused = tidegate("doctor", "--rebuild")
    server.close()
    assert refused.code == 5, refused
    assert refused.err.count("\n") == 1

    done = tidegate("doctor", "--rebuild")
    assert done.code == 0, done
    assert "lists rebuilt: 2 of 2 executions" in done.err
    assert "large" in tidegate("inbox").out


NAMES = ["-x", "--help", "a b", "a  b", "it's", "$HOME", "a/b", "~0"]


@pytest.mark.parametrize("name", NAMES)
def test_the_command_that_is_shown_answers_whatever_the_name(tidegate: Any, name: str):
    flow = f"""
from tidegate import wait_for_input, workflow

@workflow
def wf() -> int:
    return wait_for_input({name!r}, expected_type=int)
"""
    tidegate.write("odd.py", flow)
    assert tidegate("run", "odd.py", "wf", "--detach", "--id", "e").code == 0
    shown = tidegate("show", "e").out.splitlines()[-1].removeprefix("  $ ")
    words = shlex.split(shown)
    assert words[1:] == [*words[1:-1], "VALUE"]

    done = tidegate(*words[1:-1], "7")

    assert done.code == 0, done
    assert tidegate("show", "e", "--json").json["nodes"][0]["answer"]["value"] == 7
