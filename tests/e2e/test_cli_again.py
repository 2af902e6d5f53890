"""Decisions at the terminal: what was shown is recorded, and a recovery says what it keeps before it happens."""

import json
import os

PROGRAM = """
from pathlib import Path
from tidegate import approve, current_context, task, wait_for_input, workflow

@task
def pay(amount: int, ledger: str) -> int:
    with open(ledger, "a") as file:
        file.write(f"{amount} {current_context().idempotency_key}\\n")
    if not Path(ledger + ".open").exists():
        raise ValueError("the bank is closed")
    return amount

@workflow
def payment(amount: int, ledger: str) -> int:
    note = wait_for_input("note", expected_type=str)
    paid = pay(amount=approve(amount, "ok", prompt="Pay it?"), ledger=ledger)
    note >> paid
    return paid
"""


def launched(tidegate, *more: str) -> str:
    tidegate.write("pay.py", PROGRAM)
    ledger = str(tidegate.place / "ledger")
    done = tidegate("run", "pay.py", "payment", "--amount", "50", "--ledger", ledger, *more)
    assert done.code in (0, 1), done.err
    return done.out.strip()


def answers(tidegate, id_: str) -> dict[str, dict[str, str]]:
    nodes = tidegate("show", id_, "--json").json["nodes"]
    return {each["name"]: each["answer"] for each in nodes if each["answer"]}


def questions(tidegate) -> dict[str, dict[str, str]]:
    return {each["name"]: each for each in tidegate("inbox", "--json").json}


def test_the_record_says_what_was_shown_and_of_what_is_typed_by_hand_that_nothing_was(tidegate):
    id_ = launched(tidegate, "--id", "first", "--detach")
    asked = questions(tidegate)
    refused = tidegate("approve", id_, "ok", "--shown", asked["note"]["digest"])
    assert (refused.code, refused.out) == (3, "")
    assert "has changed since it was shown: handle" in refused.err
    assert tidegate("approve", id_, "ok", "--shown", asked["ok"]["digest"]).code == 0
    assert tidegate("answer", id_, asked["note"]["handle"], "by hand").code == 0
    found = answers(tidegate, id_)
    assert (found["ok"]["shown"], found["note"]["shown"]) == (asked["ok"]["digest"], "no")
    told = tidegate("show", id_).out
    assert told.count("shown: no") == 1


def test_the_command_that_stands_beside_a_question_says_what_was_shown(tidegate):
    id_ = launched(tidegate, "--detach")
    digest = questions(tidegate)["ok"]["digest"]
    for words in (("show", id_), ("inbox", "--full")):
        assert f"tidegate approve {id_} --shown {digest} ok" in tidegate(*words).out


def test_an_answer_at_a_prompt_says_what_was_shown_and_one_given_in_advance_does_not(tidegate):
    tidegate.write("ledger.open", "")
    tidegate.write("pay.py", PROGRAM)
    ledger = str(tidegate.place / "ledger")
    words = ("run", "pay.py", "payment", "--amount", "50", "--ledger", ledger, "--id", "first")
    done = tidegate(*words, "--answer", "note=for the roof", stdin="y\n")
    assert (done.code, done.json) == (0, 50)
    found = answers(tidegate, "first")
    assert found["ok"]["shown"].startswith("1:")
    assert found["note"]["shown"] == "no"


def failed(tidegate) -> str:
    id_ = launched(tidegate, "--id", "first", "--detach")
    tidegate("answer", id_, "note", "for the roof")
    tidegate("approve", id_, "ok")
    assert tidegate("resume", id_).code == 1
    return id_


def test_a_recovery_says_what_it_keeps_before_it_happens(tidegate):
    id_ = failed(tidegate)
    tidegate.write("ledger.open", "")
    done = tidegate("recover", id_, "--id", "second")
    assert (done.code, done.out) == (0, "second\n")
    said, _, after = done.err.partition("not running")
    assert "first failed; a new execution goes on with it" in said
    assert "answers kept: note (by " in said
    assert "approvals kept: ok (by " in said
    assert "run again, with the same idempotency key if their inputs are the same: pay" in said
    assert "tidegate resume second" in after
    assert tidegate("resume", "second").json == 50
    paid = (tidegate.place / "ledger").read_text().splitlines()
    assert len(paid) == 2
    assert len(set(paid)) == 1
    assert "kept from first" in tidegate("show", "second").out
    again = tidegate("recover", id_)
    assert (again.code, again.out) == (3, "")
    assert "was recovered already, by second, which has succeeded" in again.err
    assert tidegate("recover", id_, "--id", "second").out == "second\n"


def test_after_an_abort_it_says_that_approvals_are_asked_for_again(tidegate):
    id_ = launched(tidegate, "--id", "first", "--detach")
    tidegate("approve", id_, "ok")
    tidegate("abort", id_)
    done = tidegate("recover", id_, "--id", "second", "--json")
    assert "asked for again, because it was aborted: ok (by " in done.err
    assert "approvals kept" not in done.err
    assert json.loads(done.out)["origin"] == "first"
    tidegate("resume", "second", "--detach")
    assert sorted(questions(tidegate)) == ["note", "ok"]


def test_at_a_terminal_it_asks_first(tidegate):
    id_ = failed(tidegate)
    started, keyboard = tidegate.sit_down("recover", id_)
    started.says("Recover it?")
    os.write(keyboard, b"n\n")
    assert started.ends().code == 130
    assert tidegate("show", id_, "--json").json["successor"] == ""


def test_a_relaunch_keeps_nothing(tidegate):
    id_ = failed(tidegate)
    assert tidegate("relaunch", id_, "--id", "anew").out == "anew\n"
    assert tidegate("relaunch", id_, "--id", "anew").code == 0
    tidegate("resume", "anew", "--detach")
    assert sorted(questions(tidegate)) == ["note", "ok"]
