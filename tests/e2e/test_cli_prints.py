"""What tasks print is shown while they run, each line once and under its task, and nothing of it is lost at an end."""

from contextlib import closing

import pytest
from tests.serving import Server

FLOWS = """
import os, time
from tidegate import dynamic, task, wait_for_input, workflow

@task
def talk(n: int, path: str) -> int:
    print("first", n, flush=True)
    while not os.path.exists(path):
        time.sleep(0.01)
    print("second", n)
    print("no newline", end="")
    return n

@task
def loud(lines: int) -> int:
    for number in range(lines):
        print("x" * 99, number)
    return lines

@dynamic
def both(path: str) -> list[int]:
    return [talk(n=n, path=path) for n in range(2)]

@workflow
def one(path: str) -> int:
    return talk(n=7, path=path)

@workflow
def two(path: str) -> list[int]:
    return both(path=path)

@workflow
def much(lines: int) -> int:
    return loud(lines=lines)

@workflow
def asks(path: str) -> int:
    title = wait_for_input("title", expected_type=str)
    done = talk(n=1, path=path)
    title >> done
    return done
"""


@pytest.fixture
def flows(tidegate):
    tidegate.write("flows.py", FLOWS)
    return tidegate


def printed(err: str) -> list[str]:
    return [each for each in err.splitlines() if " | " in each]


def test_run_shows_lines_while_the_task_runs_and_each_once(flows, tmp_path):
    run = flows.start("run", "flows.py", "one", "--path", str(tmp_path / "go"))
    run.says("talk | first 7")
    (tmp_path / "go").touch()
    done = run.ends()
    assert printed(done.err) == ["talk | first 7", "talk | second 7", "talk | no newline"]
    assert done.out == "7\n"


def test_tasks_of_one_name_are_told_apart(flows, tmp_path):
    run = flows.start("run", "flows.py", "two", "--path", str(tmp_path / "go"))
    run.says("first 0")
    run.says("first 1")
    (tmp_path / "go").touch()
    said = printed(run.ends().err)
    assert sorted(each.partition(" | ")[2] for each in said) == sorted(
        ["first 0", "first 1", "second 0", "second 1", "no newline", "no newline"]
    )
    assert {each.partition(" | ")[0] for each in said[2:]} == {"talk (n0/n0)", "talk (n0/n1)"}


def test_much_is_shown_whole(flows):
    said = printed(flows("run", "flows.py", "much", "--lines", "5000").err)
    assert said == [f"loud | {'x' * 99} {number}" for number in range(5000)]


def test_resume_shows_what_is_printed_from_then_on(flows, tmp_path):
    (tmp_path / "go").touch()
    flows("run", "flows.py", "asks", "--id", "e", "--detach", "--path", str(tmp_path / "go"))
    flows("answer", "e", "title", "T")
    assert printed(flows("resume", "e").err)[0] == "talk | first 1"
    assert printed(flows("resume", "e").err) == []


def test_logs_follows_what_a_server_runs_until_the_end(flows, tmp_path):
    with closing(Server(flows.home, workers=1)) as server:
        server.ready()
        flows("run", "flows.py", "asks", "--id", "e", "--detach", "--path", str(tmp_path / "go"))
        logs = flows.start("logs", "e", "--follow")
        flows("answer", "e", "title", "T")
        assert logs.process.stdout.readline() == "talk | first 1\n"
        (tmp_path / "go").touch()
        assert logs.ends().out == "talk | second 1\ntalk | no newline\n"
        assert flows("logs", "e", "nobody", "-f").code == 4


def test_where_a_reader_of_logs_stands_is_checked(flows, tmp_path):
    (tmp_path / "go").touch()
    with closing(Server(flows.home, workers=1)) as server:
        ask = server.ready().connect()
        flows("run", "flows.py", "one", "--id", "e", "--path", str(tmp_path / "go"))
        whole = ask("GET", "executions/e/logs").body
        first = ask("GET", "executions/e/logs?after=0").body
        assert first["items"] == whole["items"]
        assert not whole["next"]
        assert ask("GET", f"executions/e/logs?after={first['next']}").body["items"] == []
        assert ask("GET", "executions/e/logs?after=end").body["items"] == []
        for bad in ("1", "e30", "!!!", "bnVsbA==", "eyJieXRlcyI6eyJhIjotMX19"):
            refused = ask("GET", f"executions/e/logs?after={bad}")
            assert (refused.status, refused.body["code"]) == (422, "invalid_value"), bad


def test_a_progress_bar_is_shown_as_it_stands(tidegate):
    tidegate.write(
        "bar.py",
        """
import sys, time
from tidegate import task, workflow

@task
def bar() -> int:
    for done in range(4):
        sys.stderr.write(f"\\r{done * 25}%")
        sys.stderr.flush()
    sys.stderr.write("\\r100%\\ndone\\r\\n")
    return 1

@workflow
def wf() -> int:
    return bar()
""",
    )
    assert "bar | 100%\nbar | done\n" in tidegate("run", "bar.py", "wf", "--id", "e").err
    assert tidegate("logs", "e").out.endswith("100%\ndone\n")
