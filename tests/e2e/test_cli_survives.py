"""Owners of a store come and go, politely or not; what was acknowledged stays, and every other command finds its way."""

import fcntl
import os
import subprocess

import pytest

WAITING = """
from datetime import timedelta
from pathlib import Path
from tidegate import approve, sleep, task, wait_for_input, workflow

@task
def add(a: int, b: int) -> int:
    return a + b

@task
def linger(until: str) -> str:
    import time
    while not Path(until).exists():
        time.sleep(0.01)
    return until

@workflow
def review(n: int) -> int:
    number = wait_for_input("number", expected_type=int)
    return approve(add(a=n, b=number), "fine")

@workflow
def lasting(until: str) -> str:
    return linger(until=until)

@task
def echo(words: str) -> str:
    return words

@workflow
def text() -> str:
    return echo(words=wait_for_input("words", expected_type=str))

@task
def fail(words: str) -> str:
    raise ValueError(words)

@workflow
def failing() -> str:
    return fail(words=wait_for_input("words", expected_type=str))
"""


@pytest.fixture(autouse=True)
def _workflows(tidegate):
    tidegate.write("wf.py", WAITING)


def test_killed_at_each_gate_it_comes_back_takes_the_answers_and_finishes(tidegate):
    first = tidegate.start("run", "wf.py", "review", "--n", "1", "--id", "r")
    first.says("a whole number")
    first.kill()
    shown = tidegate("show", "r", "--json").json
    assert (shown["phase"], shown["waiting"][0]["name"]) == ("WAITING", "number")
    second = tidegate.start("resume", "r")
    second.says("a whole number")
    second.type("2\n")
    second.says("value: 3")
    second.kill()
    assert tidegate("approve", "r", "fine", "--comment", "good").code == 0
    done = tidegate("resume", "r", "--json").json
    assert (done["phase"], done["outputs"]) == ("SUCCEEDED", {"o0": 3})
    assert tidegate("doctor").code == 0


def test_an_answer_while_nobody_runs_is_stored_and_says_how_to_go_on(tidegate):
    tidegate("run", "wf.py", "text", "--id", "t", "--detach", stdin="")
    done = tidegate("answer", "t", "words", "My report")
    assert done.code == 0
    assert "tidegate resume t" in done.err
    assert tidegate("resume", "t").out == '"My report"\n'
    again = tidegate("answer", "t", "words", '"My report"')
    assert again.code == 0
    other = tidegate("answer", "t", "words", "Another")
    assert other.code == 3
    assert "was already answered, with another value by" in other.err


def test_resume_without_an_id_shows_how_each_ended(tidegate):
    tidegate("run", "wf.py", "text", "--id", "t", "--detach")
    tidegate("answer", "t", "words", "My report")
    assert tidegate("resume").out == '"My report"\n'
    for name in "one", "two":
        tidegate("run", "wf.py", "text", "--id", name, "--detach")
    for name, answer in ("one", "1"), ("two", "2"):
        tidegate("answer", name, "words", answer)
    done = tidegate("resume")
    assert done.code == 0
    for words in 'one  wf.text  SUCCEEDED: "1"', 'two  wf.text  SUCCEEDED: "2"':
        assert words in done.err


def test_resume_without_an_id_says_why_an_execution_failed(tidegate):
    for name in "f0", "f1":
        tidegate("run", "wf.py", "failing", "--id", name, "--detach")
    for name in "f0", "f1":
        tidegate("answer", name, "words", "no")
    done = tidegate("resume")
    assert done.code == 1
    assert "f1  wf.failing  FAILED: node 'fail' failed: ValueError: no" in done.err


def test_a_task_that_was_killed_with_its_host_is_repeated(tidegate):
    mark = str(tidegate.place / "mark")
    first = tidegate.start("run", "wf.py", "lasting", "--until", mark, "--id", "l")
    first.says("running linger")
    first.kill()
    tidegate.write("mark", "")
    done = tidegate("resume", "l", "--json").json
    assert (done["phase"], done["nodes"][0]["attempts"]) == ("SUCCEEDED", 2)


def test_a_second_run_hands_its_work_to_the_first_and_takes_over_when_it_ends(tidegate):
    first = tidegate.start("run", "wf.py", "text", "--id", "one", stdin=subprocess.DEVNULL)
    first.says("tidegate answer one words VALUE")
    second = tidegate.start("run", "wf.py", "text", "--id", "two", stdin=subprocess.DEVNULL)
    second.says("tidegate answer two words VALUE")
    first.kill()
    listed = {each["id"]: each["phase"] for each in tidegate("list", "--json").json}
    assert listed == {"one": "WAITING", "two": "WAITING"}
    assert tidegate("answer", "two", "words", "mine").code == 0
    assert second.ends().out == '"mine"\n'


def test_code_that_was_changed_in_the_store_is_not_run_and_can_be_put_back(tidegate):
    tidegate("run", "wf.py", "text", "--id", "a", "--detach")
    tidegate("answer", "a", "words", "a")
    (packed,) = (tidegate.home / "bundles").glob("*/wf.py")
    packed.write_text(WAITING.replace("return words", "return words + '!'"))
    assert tidegate("doctor").code == 1
    done = tidegate("resume", "a")
    assert done.code == 5
    assert "was changed after it was packed" in done.err
    assert tidegate("run", "wf.py", "text", "--answer", "words=c").out == '"c"\n'
    assert tidegate("doctor").code == 0
    assert tidegate("resume", "a").out == '"a"\n'


def test_many_commands_at_once_each_get_their_way(tidegate):
    runs = [
        tidegate.start("run", "wf.py", "text", "--answer", f"words=w{n}", stdin=subprocess.DEVNULL)
        for n in range(4)
    ]
    assert sorted(run.ends().out for run in runs) == [f'"w{n}"\n' for n in range(4)]


@pytest.mark.parametrize("command", ["inbox", "list"])
def test_a_listing_that_is_cut_says_so_for_programs_too(tidegate, command):
    for name in "a", "b":
        tidegate("run", "wf.py", "text", "--id", name, "--detach")
    cut = tidegate(command, "--json", "--limit", "1")
    assert (len(cut.json), "--all" in cut.err) == (1, True)
    whole = tidegate(command, "--json", "--limit", "1", "--all")
    assert (len(whole.json), whole.err) == (2, "")


def test_a_listing_is_narrowed_by_phase_and_by_the_last_part_of_a_name(tidegate):
    tidegate("run", "wf.py", "text", "--id", "t", "--detach")
    assert [each["id"] for each in tidegate("list", "--workflow", "text", "--json").json] == ["t"]
    assert "wf.text" in tidegate("list", "--workflow", "wf.text", "--phase", "waiting").out
    none = tidegate("list", "--phase", "failed")
    assert (none.code, none.out) == (0, "")
    assert "no such executions" in none.err
    wrong = tidegate("list", "--workflow", "texts")
    assert (wrong.code, wrong.out) == (4, "")
    assert "did you mean 'text'?" in wrong.err


def test_the_inbox_the_list_and_the_tree_show_what_waits(tidegate):
    tidegate("run", "wf.py", "review", "--n", "1", "--id", "r", "--detach", "--answer", "number=4")
    inbox = tidegate("inbox", "--json").json
    assert [(each["execution"], each["name"], each["value"]) for each in inbox] == [
        ("r", "fine", 5)
    ]
    head, row = tidegate("inbox").out.splitlines()
    assert head.split() == ["ID", "NAME", "WORKFLOW", "LEFT", "TAKES", "QUESTION"]
    assert row.split()[:5] == ["r", "fine", "wf.review", "no", "timeout"]
    assert "value: 5" in tidegate("inbox", "--full").out
    assert "value: 5" in tidegate("show", "r").out
    assert "fine" in tidegate("list").out
    shown = tidegate("show", "r").out
    assert "SUCCEEDED  add" in shown
    assert "WAITING    fine" in shown
    assert tidegate("events", "r", "--json").json[0]["kind"] == "Launched"


def test_a_rejection_fails_the_execution_and_an_abort_ends_it(tidegate):
    for id_ in ("no", "end"):
        tidegate(
            "run", "wf.py", "review", "--n", "1", "--id", id_, "--detach", "--answer", "number=4"
        )
    assert tidegate("reject", "no", "fine", "--comment", "too high").code == 0
    shown = tidegate("show", "no", "--json").json
    assert (shown["phase"], shown["error"]["code"]) == ("FAILED", "Rejected")
    assert shown["nodes"][-1]["answer"]["comment"] == "too high"
    assert tidegate("abort", "end", "--reason", "enough").code == 0
    assert tidegate("inbox", "--json").json == []
    late = tidegate("approve", "end", "fine")
    assert late.code == 3
    assert "aborted already" in late.err


def test_the_beginning_of_an_id_is_enough_but_no_single_letter_decides(tidegate):
    for id_ in ("abcdef", "x"):
        assert tidegate("run", "wf.py", "text", "--id", id_, "--detach").code == 0
    assert tidegate("show", "abcd", "--json").json["id"] == "abcdef"
    assert tidegate("show", "x", "--json").json["id"] == "x"
    done = tidegate("abort", "a")
    assert (done.code, done.err.count("\n")) == (4, 1)
    assert "'a' is too short; give at least 4 characters of the id abcdef" in done.err
    assert tidegate("show", "abcdef", "--json").json["phase"] == "WAITING"


def test_a_store_whose_owner_does_not_reply_is_one_clear_line(tidegate):
    tidegate.home.mkdir()
    lock = os.open(tidegate.home / "engine.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    done = tidegate("run", "wf.py", "text")
    os.close(lock)
    assert (done.code, done.out) == (5, "")
    assert done.err.count("\n") == 1
    assert "in use" in done.err


def test_a_home_whose_path_is_too_long_for_a_socket_works_too(tidegate):
    home = tidegate.place / ("long" * 20) / ("er" * 40)
    run = tidegate.start(
        "run", "wf.py", "text", "--id", "t", "--home", str(home), stdin=subprocess.DEVNULL
    )
    run.says(f"tidegate answer --home {home} t words VALUE")
    done = tidegate("answer", "t", "words", "x", "--home", str(home))
    assert (done.code, "resume" in done.err) == (0, False)
    assert run.ends().out == '"x"\n'
