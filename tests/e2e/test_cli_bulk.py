"""Many answers by one command: shown before they are sent, and each with a result of its own."""

import json
from typing import Any

import pytest

FLOWS = """
from tidegate import approve, dynamic, task, wait_for_input, workflow

@task
def write(i: int) -> str:
    return f"report {i}"

@dynamic
def check(n: int) -> list[str]:
    return [approve(write(i=i), f"ok-{i}") for i in range(1, n + 1)]

@workflow
def checks(n: int) -> list[str]:
    return check(n=n)

@workflow
def other() -> str:
    return approve(write(i=0), "other")

@workflow
def number() -> int:
    return wait_for_input("number", expected_type=int)
"""
OKS = [f"ok-{i}" for i in range(1, 12)]


@pytest.fixture
def place(tidegate: Any) -> Any:
    tidegate.write("flows.py", FLOWS)
    for words in (("checks", "--n", "11"), ("other",), ("number",)):
        assert tidegate("run", "flows.py", *words, "--id", words[0], "--detach").code == 0
    return tidegate


def waiting(tidegate: Any) -> list[str]:
    return [each["name"] for each in tidegate("inbox", "--json").json]


def test_all_approvals_of_a_workflow_are_shown_and_approved_after_a_yes_and_no_other(place: Any):
    screen = place.screen("approve", "--workflow", "checks", "--all", "--comment", "fine")
    for i in range(1, 12):
        screen.says(f"checks  ok-{i} ")
        screen.says(f"report {i}")
    screen.says("Approve these 11?")
    screen.type("y\n")
    for name in OKS:
        screen.says(f"checks  {name}  answered")
    screen.says("11 of 11 accepted")

    assert screen.ends() == 0
    assert waiting(place) == ["other", "number"]
    nodes = place("show", "checks", "--json").json["nodes"]
    given = [each["answer"] for each in nodes if each["kind"] == "approve"]
    assert {(each["value"], each["comment"], each["shown"]) for each in given} == {(True, "fine", "no")}  # fmt: skip


def test_without_a_yes_nothing_is_sent(place: Any):
    screen = place.screen("approve", "checks", "--all")
    screen.says("Approve these 11?")
    screen.type("n\n")
    assert screen.ends() == 130

    done = place("reject", "--all")

    assert done.code == 2
    assert "ok-11  report 11" in done.err
    assert "add --yes to reject without confirmation" in done.err
    assert len(waiting(place)) == 13


def test_questions_that_were_shown_whole_are_recorded_as_shown(place: Any):
    shown = {each["path"]: each["digest"] for each in place("inbox", "--json").json}

    done = place("approve", "checks", "ok-2", "--all", "--full", "--yes", "--json")

    assert done.code == 0, done
    assert [each["signal"].rpartition("/")[2] for each in done.json] == ["ok-2"]
    assert "report 2" in done.err
    assert "report 3" not in done.err
    nodes = place("show", "checks", "--json").json["nodes"]
    (given,) = [each["answer"] for each in nodes if each["answer"]]
    assert given["shown"] in shown.values()


def test_each_answer_of_a_file_has_a_result_and_the_first_that_failed_gives_the_exit_code(
    place: Any,
):
    lines = [
        {"execution": "number", "signal": "number", "value": "x"},
        {"execution": "checks", "name": "ok-3", "value": True, "comment": "mine"},
        {"execution": "other", "signal": "nobody", "value": True},
        {"execution": "number", "signal": "number", "value": 7},
    ]
    place.write("answers.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n")

    done = place("answer", "--from", "answers.jsonl", "--yes", "--comment", "all")

    assert done.code == 2, done
    said = done.out.splitlines()
    assert said[0].startswith("number  number  signal 'number' takes a whole number")
    assert said[1] == "checks  ok-3  answered"
    assert "no signal 'nobody'" in said[2]
    assert said[3] == "number  number  answered"
    assert "2 of 4 accepted" in done.err
    nodes = place("show", "checks", "--json").json["nodes"]
    assert [each["answer"]["comment"] for each in nodes if each["answer"]] == ["mine"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"execution": "number", "signal": "number", "value": 1}\n{"execution": "number"',
            "-:2: ",
        ),
        ('{"execution": "number", "value": 1}', "-:1: name the question"),
        ('{"execution": "number", "signal": "number", "valu": 1}', "unknown field `valu`"),
    ],
)
def test_a_file_with_a_fault_is_refused_whole_and_the_line_is_named(
    place: Any, text: str, said: str
):
    done = place("answer", "--from", "-", "--yes", stdin=text)

    assert done.code == 2
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "number" in waiting(place)


def test_a_line_that_names_no_execution_has_a_result_of_its_own(place: Any):
    text = '{"execution": "zzzz", "signal": "number", "value": 1}'

    done = place("answer", "--from", "-", "--yes", stdin=text)

    assert done.code == 4
    assert done.out.startswith("zzzz  number  no execution 'zzzz'")
    assert done.err == "0 of 1 accepted\n"


def test_words_that_are_of_one_answer_are_refused_with_many(place: Any):
    for words in (
        ("answer", "number", "--from", "-"),
        ("answer", "number", "number"),
        ("approve", "checks"),
        ("approve", "--workflow", "checks"),
        ("approve", "--all", "--key", "k"),
    ):
        done = place(*words)
        assert done.code == 2, (words, done)
        assert done.err.count("\n") == 1
