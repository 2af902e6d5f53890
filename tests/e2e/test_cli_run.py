"""`tidegate run`: from a file to a result, by way of what it asks for."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

REPORT = '''
import typing
from datetime import timedelta
from tidegate import approve, task, wait_for_input, workflow

@task
def create_report(data: typing.List[float]) -> dict:
    print("this many:", len(data))
    return {"mean": sum(data) / len(data)}

@task
def finalize_report(report: dict, title: str) -> dict:
    return {"title": title, **report}

@workflow
def plain(data: typing.List[float]) -> dict:
    """Only the numbers."""
    return create_report(data=data)

@workflow
def reporting(data: typing.List[float]) -> dict:
    report = create_report(data=data)
    title = wait_for_input("title", timeout=timedelta(hours=1), expected_type=str)
    final = finalize_report(report=report, title=title)
    return approve(final, "final", timeout=timedelta(hours=2))
'''

ASKING = """
import typing
from datetime import timedelta
from tidegate import approve, sleep, task, wait_for_input, workflow

@task
def add(a: int, b: int) -> int:
    return a + b

@task
def boom(n: int) -> int:
    raise ValueError("no \\x1b[31mgood")

@workflow
def two() -> int:
    return add(a=wait_for_input("first", expected_type=int), b=wait_for_input("second", expected_type=int))

@workflow
def both(n: int, flag: bool = False) -> typing.Tuple[int, bool]:
    return add(a=n, b=1), flag

@workflow
def nothing() -> None:
    sleep(timedelta(milliseconds=300))

@workflow
def fails(n: int) -> int:
    return boom(n=n)

@workflow
def gate() -> int:
    return wait_for_input("number", expected_type=int)

@workflow
def brief() -> int:
    return wait_for_input("soon", expected_type=int, timeout=timedelta(seconds=2.5), on_timeout=7)

@workflow
def text() -> str:
    return wait_for_input("text", expected_type=str)

@workflow
def yes() -> int:
    return approve(add(a=1, b=1), "fine")
"""


def test_a_result_is_json_on_standard_output_and_all_else_is_elsewhere(tidegate):
    tidegate.write("wf.py", REPORT)
    done = tidegate("run", "wf.py", "plain", "--data", "[1, 2, 3]")
    assert (done.code, done.json) == (0, {"mean": 2.0})
    assert done.out.count("\n") == 1
    assert done.err.startswith("execution ")


def test_lines_of_a_pipe_are_the_answers_in_the_order_of_the_questions(tidegate):
    tidegate.write("wf.py", REPORT)
    done = tidegate("run", "wf.py", "reporting", "--data", "[1, 2]", stdin="My report\nyes\n")
    assert done.json == {"title": "My report", "mean": 1.5}
    assert '"title": "My report"' in done.err  # the value under approval was shown


def test_a_wrong_answer_is_asked_for_again_and_changes_nothing(tidegate):
    tidegate.write("wf.py", ASKING)
    done = tidegate("run", "wf.py", "two", stdin="many\n1\n\n2\n")
    assert (done.code, done.json) == (0, 3)
    assert done.err.count("expected a whole number") == 2


def test_answers_given_in_advance_need_nobody(tidegate):
    tidegate.write("wf.py", REPORT)
    done = tidegate(
        "run",
        "wf.py",
        "reporting",
        "--data",
        "[1, 2]",
        "--answer",
        "final=true",
        "--answer",
        "title=Now",
    )
    assert done.json == {"title": "Now", "mean": 1.5}


def test_several_outputs_are_an_object_and_none_is_null(tidegate):
    tidegate.write("wf.py", ASKING)
    assert tidegate("run", "wf.py", "both", "--n", "-5", "--flag").json == {"o0": -4, "o1": True}
    assert tidegate("run", "wf.py", "nothing").json is None


def test_inputs_come_from_files_and_from_one_object_too(tidegate):
    tidegate.write("wf.py", REPORT)
    tidegate.write("data.json", "[4, 6]")
    tidegate.write("all.json", '{"data": [1, 3]}')
    assert tidegate("run", "wf.py", "plain", "--data", "@data.json").json == {"mean": 5.0}
    assert tidegate("run", "wf.py", "plain", "--inputs", "@all.json").json == {"mean": 2.0}


def test_without_a_workflow_it_lists_those_of_the_file_and_help_lists_inputs(tidegate):
    tidegate.write("wf.py", REPORT)
    listed = tidegate("run", "wf.py")
    assert listed.code == 0
    assert "reporting" in listed.out
    assert "Only the numbers." in listed.out
    asked = tidegate("run", "wf.py", "reporting", "--help")
    assert "--data" in asked.out
    assert "list of numbers" in asked.out
    assert "title" in asked.out


def test_a_workflow_that_cannot_be_compiled_is_named_beside_those_that_can(tidegate):
    broken = "\n@workflow\ndef bad() -> int:\n    return add(a=1)\n"
    tidegate.write("wf.py", ASKING + broken)
    listed = tidegate("run", "wf.py")
    assert listed.code == 0
    assert "bad" not in listed.out
    assert "cannot be compiled: wf.bad: " in listed.err
    assert tidegate("run", "wf.py", "yes", "--answer", "fine=true").code == 0
    registered = tidegate("register", "wf.py")
    assert registered.code == 2
    assert "wf.yes" in registered.out
    assert "not registered: wf.bad: " in registered.err


def test_detached_it_returns_when_nothing_more_can_happen_without_an_answer(tidegate):
    tidegate.write("wf.py", REPORT)
    done = tidegate(
        "run", "wf.py", "reporting", "--data", "[1]", "--detach", "--json", "--answer", "title=T"
    )
    assert done.json.keys() == {"id", "phase", "waiting"}
    assert done.json["phase"] == "WAITING"
    assert [each["name"] for each in done.json["waiting"]] == ["final"]
    assert done.json["waiting"][0]["value"] == {"title": "T", "mean": 1.0}


def test_a_failure_is_one_line_and_exit_code_1(tidegate):
    tidegate.write("wf.py", ASKING)
    done = tidegate("run", "wf.py", "fails", "--n", "1")
    assert done.code == 1
    said = "error: node 'boom' failed: ValueError: no ‹U+001B›[31mgood"
    assert done.err.splitlines()[-1] == said
    assert "\x1b" not in done.err


def test_the_same_id_again_is_the_same_execution(tidegate):
    tidegate.write("wf.py", ASKING)
    first = tidegate("run", "wf.py", "both", "--n", "1", "--id", "one", "--json")
    again = tidegate("run", "wf.py", "both", "--n", "1", "--id", "one", "--json")
    other = tidegate("run", "wf.py", "both", "--n", "2", "--id", "one", "--json")
    assert first.json == again.json
    assert (other.code, other.out) == (3, "")
    assert "choose another id" in other.err


def test_at_the_end_of_input_it_says_what_it_waits_for_and_keeps_waiting(tidegate):
    tidegate.write("wf.py", ASKING)
    run = tidegate.start("run", "wf.py", "gate", "--id", "g", stdin=subprocess.DEVNULL)
    run.says("tidegate answer g number VALUE")
    assert tidegate("answer", "g", "number", "7").code == 0
    assert run.ends().out == "7\n"


def test_a_prompt_notices_an_answer_from_elsewhere(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "gate", "--id", "g")
    run.says("a whole number")
    done = tidegate("answer", "g", "number", "8")
    assert done.code == 0
    assert "resume" not in done.err
    run.says("answered by")
    assert run.ends().out == "8\n"
    os.close(keyboard)


def test_at_a_terminal_it_asks_shows_what_is_approved_and_asks_again(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "yes")
    run.says("value: 2")
    os.write(keyboard, b"perhaps\n")
    run.says("expected yes or no")
    os.write(keyboard, b"yes\n")
    assert run.ends().out == "2\n"
    os.close(keyboard)


MOVES_AT_ONCE = """
import sys
from tidegate.cli import progress
progress.QUIET = 0.0
sys.stderr.isatty = lambda: True
"""


def test_who_does_not_answer_is_told_how_to_on_a_line_without_the_moving_one(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "gate", planted=MOVES_AT_ONCE)
    run.says("a whole number")
    os.write(keyboard, b"\x04")
    run.says("answer with: tidegate answer")
    before, _, _ = run.err.partition("waiting for number: a whole number")
    assert before.splitlines()[-1].endswith("\x1b[K")
    run.interrupt()
    assert run.ends().code == 130
    os.close(keyboard)


def test_what_was_half_typed_for_one_question_never_answers_the_next(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "two", "--id", "t")
    run.says("Answer 'first'")
    os.write(keyboard, b"4")
    assert tidegate("answer", "t", "first", "1").code == 0
    run.says("Answer 'second'")
    os.write(keyboard, b"2\n")
    assert run.ends().out == "3\n"
    os.close(keyboard)


def test_a_line_that_the_terminal_has_cut_is_not_an_answer_but_a_file_is(tidegate):
    tidegate.write("wf.py", ASKING)
    long = "x" * 5_000
    tidegate.write("long.txt", long)
    run, keyboard = tidegate.sit_down("run", "wf.py", "text")
    run.says("Answer 'text'")
    os.write(keyboard, long.encode() + b"\n")
    run.says("put the answer into a file, and type @FILE")
    os.write(keyboard, b"@long.txt\n")
    assert run.ends().json == long
    os.close(keyboard)


def test_a_timeout_that_comes_while_a_question_is_open_ends_it_as_it_said(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "brief")
    run.says("left, then 7 is used")
    run.says("soon: answered by the timeout meanwhile: 7")
    assert run.ends().out == "7\n"
    os.close(keyboard)


def test_ctrl_d_stops_asking_and_says_how_to_answer_from_elsewhere(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "gate", "--id", "g")
    run.says("Answer 'number'")
    os.write(keyboard, b"\x04")
    run.says("answer with: tidegate answer g number VALUE")
    assert tidegate("answer", "g", "number", "3").code == 0
    assert run.ends().out == "3\n"
    os.close(keyboard)


def test_ctrl_c_leaves_the_execution_waiting_and_says_how_to_go_on(tidegate):
    tidegate.write("wf.py", ASKING)
    run, keyboard = tidegate.sit_down("run", "wf.py", "gate", "--id", "g")
    run.says("a whole number")
    run.interrupt()
    done = run.ends()
    assert done.code == 130
    assert done.err.splitlines()[-1].endswith("tidegate resume g")
    assert "Traceback" not in done.err
    os.close(keyboard)
    assert tidegate("resume", "g", stdin="5\n").json == 5


MISTAKES = [
    (("run", "missing.py", "x"), 2, "missing.py: no such file"),
    (("run", "wff.py", "x"), 2, "wff.py: no such file; did you mean wf.py?"),
    (("run", "wf.py", "--n", "1"), 2, "name a workflow before --n"),
    (("run", "syntax.py", "x"), 2, "syntax.py, line 1: SyntaxError"),
    (("run", "imports.py", "x"), 2, "No module named 'not_there'"),
    (("run", "empty.py", "x"), 2, "defines no workflow"),
    (("run", "wf.py", "gates"), 4, "module 'wf' has no workflow 'gates'; did you mean 'gate'?"),
    (("run", "wf.py", "both"), 2, "--n (a whole number)"),
    (("run", "wf.py", "both", "--m", "1"), 2, "the inputs are: --n, --flag"),
    (("run", "wf.py", "both", "--n", "one"), 2, "--n: expected a whole number, got 'one'"),
    (("run", "wf.py", "both", "--n", "@nowhere"), 2, "nowhere: cannot be read"),
    (
        ("run", "wf.py", "gate", "--answer", "numbr=1"),
        4,
        "no signal 'numbr'; its signals are: number",
    ),
    (("run", "wf.py", "gate", "--answer", "number=x"), 2, "expected a whole number"),
    (("run", "wf.py", "gate", "--id", "../up"), 2, "the id '../up' is invalid"),
    (("run", "wf.py", "gate", "--home", "wf.py"), 5, "wf.py is not a directory"),
    (("show", "nothing-like-it"), 4, "no execution 'nothing-like-it'"),
    (("answer", "nothing-like-it", "x", "1"), 4, "no execution 'nothing-like-it'"),
    (
        ("answer", "only-an-id"),
        2,
        "give ID, NAME and JSON, or --from FILE; see tidegate answer --help",
    ),
    (("list", "--limit", "0"), 2, "0 is not in the range x>=1; see tidegate list --help"),
    (("register", "empty.py"), 2, "defines no workflow"),
    (("shwo",), 2, "did you mean 'show'?"),
]


def test_what_is_wrong_is_said_in_one_line(tidegate):
    tidegate.write("syntax.py", "def x(:")
    tidegate.write("imports.py", "import not_there")
    tidegate.write("empty.py", "x = 1")
    tidegate.write("wf.py", ASKING)

    def attempt(number):
        words = MISTAKES[number][0]
        home = () if "--home" in words else ("--home", f"home-{number}")
        return tidegate(*words, *home)

    with ThreadPoolExecutor(3) as pool:
        attempts = list(pool.map(attempt, range(len(MISTAKES))))
    for (words, code, message), done in zip(MISTAKES, attempts, strict=True):
        assert (done.code, done.out) == (code, ""), (words, done)
        assert done.err.startswith("error: "), (words, done)
        assert done.err.count("\n") == 1, (words, done)
        assert message in done.err, (words, done)


FILES = """
from tidegate import File, task, workflow

@task
def words(text: File) -> int:
    found = len(open(text).read().split())
    print("counted \x1b[31mred", found)
    return found

@workflow
def count(text: File) -> int:
    return words(text=text)
"""


def test_a_file_is_given_by_its_path_and_what_a_task_prints_is_kept(tidegate):
    tidegate.write("wf.py", FILES)
    tidegate.write("words.txt", "one two three")
    assert tidegate("run", "wf.py", "count", "--text", "words.txt", "--id", "c").json == 3
    printed = tidegate("logs", "c", "words").out
    assert printed.splitlines()[1] == "counted red 3"
    assert "\x1b" not in printed


PUT_TOGETHER = """
from tidegate import Workflow, task, workflow

@task
def double(n: int) -> int:
    return 2 * n

twice = Workflow("sums.twice.made")
twice.add_workflow_output("o0", twice.add_entity(double, n=twice.add_workflow_input("n", int)).outputs["o0"])

@workflow(name="sums.four")
def four_times(n: int) -> int:
    return twice(n=twice(n=n))
"""


def test_a_workflow_is_found_by_its_name_and_by_the_variable_that_holds_it(tidegate):
    tidegate.write("wf.py", PUT_TOGETHER)
    names = {"twice": 6, "sums.twice.made": 6, "four_times": 12}
    for name, result in names.items():
        assert tidegate("run", "wf.py", name, "--n", "3").json == result


def test_a_task_that_ends_at_once_is_shown_as_long_as_it_ran(tidegate):
    tidegate.write(
        "wf.py",
        """
import time
from tidegate import task, workflow

@task
def spin(seconds: float) -> float:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return seconds

@workflow
def spinning() -> float:
    return spin(seconds=0.04)
""",
    )
    assert tidegate("run", "wf.py", "spinning", "--id", "spin").code == 0
    (node,) = tidegate("show", "spin", "--json").json["nodes"]
    began, ended = (datetime.fromisoformat(node[at]) for at in ("began", "ended"))
    assert timedelta(seconds=0.04) <= ended - began < timedelta(seconds=10)


def test_the_same_launch_with_other_code_is_the_first_execution_and_that_is_said(tidegate):
    source = """
from tidegate import wait_for_input, workflow

@workflow
def text(n: int = 1) -> str:
    return wait_for_input("words", expected_type=str)

@workflow
def other(n: int = 1) -> str:
    return wait_for_input("words", expected_type=str)
"""
    tidegate.write("again.py", source)
    nightly = ("run", "again.py", "text", "--id", "nightly", "--detach")
    assert tidegate(*nightly).code == 0
    same = tidegate(*nightly)
    assert (same.code, "code has changed" in same.err) == (0, False)

    # A new default is not another input: it was not given then, and is not now.
    tidegate.write("again.py", source.replace("n: int = 1", "n: int = 2"))
    changed = tidegate(*nightly)

    assert changed.code == 0, changed.err
    assert "the code has changed since" in changed.err
    shown = tidegate("show", "nightly", "--json").json
    assert shown["inputs"] == {"n": 1}
    assert len(tidegate("list", "--json").json) == 1
    for words in (("--n", "3"), ("--n", "2")):
        refused = tidegate(*nightly, *words)
        assert (refused.code, "inputs" in refused.err) == (3, True)
    refused = tidegate("run", "again.py", "other", "--id", "nightly", "--detach")
    assert (refused.code, "workflow" in refused.err) == (3, True)
    assert tidegate("answer", "nightly", "words", "hello").code == 0
    assert tidegate(*nightly).code == 0
