"""Decisions at the terminal: what was shown is recorded, and a recovery says what it keeps before it happens."""

import json
import os
import sqlite3
from contextlib import closing

from tests.serving import Server

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
    assert "first failed; a new execution continues it" in said
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
    assert "was already recovered, by second, which has succeeded" in again.err
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
    assert tidegate("relaunch", id_, "--id", "again").out == "again\n"
    assert tidegate("relaunch", id_, "--id", "again").code == 0
    tidegate("resume", "again", "--detach")
    assert sorted(questions(tidegate)) == ["note", "ok"]


# ---- with fixed code ----

FIXED = PROGRAM.replace('    if not Path(ledger + ".open").exists():\n', "    if False:\n")


def stored(tidegate) -> list[object]:
    """Return what the store has: versions, executions, their history and the audit log."""
    kinds = (("list", "--json"), ("audit", "--json"), ("events", "first", "--json"))
    with closing(sqlite3.connect(tidegate.home / "tidegate.db")) as store:
        versions = store.execute("SELECT name, version, bundle FROM workflows").fetchall()
    return [versions, *(tidegate(*words).out for words in kinds)]


def test_fixed_code_of_this_directory_goes_on_and_approvals_are_asked_again(tidegate):
    id_ = failed(tidegate)
    tidegate.write("pay.py", FIXED)

    preview = tidegate("recover", id_, "--here", "--preview")
    before = stored(tidegate)
    again = tidegate("recover", id_, "--here", "--preview", "--json")

    assert (preview.code, preview.err) == (0, "")
    assert "first failed; a new execution continues it, with version " in preview.out
    assert "answers kept: note (by " in preview.out
    assert (
        "asked for again, because the code has changed (--keep-approvals keeps them): ok (by "
        in (preview.out)
    )
    assert (
        "run again, with the same idempotency key if their inputs are the same: pay" in preview.out
    )
    assert {each["name"]: each["becomes"] for each in again.json["nodes"]} == {
        "note": "kept", "ok": "asked", "pay": "runs",
    }  # fmt: skip
    assert stored(tidegate) == before
    assert tidegate("show", id_, "--json").json["successor"] == ""

    done = tidegate("recover", id_, "--here", "--id", "second")
    assert (done.code, done.out) == (0, "second\n")
    assert tidegate("resume", "second", "--detach").code == 0
    assert sorted(questions(tidegate)) == ["ok"]
    tidegate("approve", "second", "ok")
    assert tidegate("resume", "second").json == 50
    paid = (tidegate.place / "ledger").read_text().splitlines()
    assert len(paid) == 2
    assert len(set(paid)) == 1
    assert tidegate("recover", id_, "--here", "--id", "second").out == "second\n"
    assert "was already recovered, by second" in tidegate("recover", id_, "--here").err


def test_approvals_are_kept_under_fixed_code_on_purpose_and_the_log_says_by_whom(tidegate):
    id_ = failed(tidegate)
    tidegate.write("pay.py", FIXED)
    done = tidegate("recover", id_, "--here", "--keep-approvals", "--id", "second")
    assert "approvals kept: ok (by " in done.err
    assert tidegate("resume", "second").json == 50
    told = answers(tidegate, "second")["ok"]
    assert (told["kept"], bool(told["kept_by"])) == ("first", True)
    lines = map(json.loads, tidegate("audit", "--json").out.splitlines())
    (line,) = [each for each in lines if each["execution"] == "second"]
    assert (line["kind"], line["about"], line["outcome"]) == ("decision", "ok", "kept")
    assert line["who"] == told["kept_by"]


def test_at_a_terminal_fixed_code_is_shown_first_and_no_changes_nothing(tidegate):
    id_ = failed(tidegate)
    tidegate.write("pay.py", FIXED)
    before = stored(tidegate)
    started, keyboard = tidegate.sit_down("recover", id_, "--here")
    started.says("Recover it?")
    os.write(keyboard, b"n\n")
    assert started.ends().code == 130
    assert "asked for again, because the code has changed" in started.err
    assert stored(tidegate) == before


def test_a_fault_in_the_fixed_code_is_said_with_its_line_and_changes_nothing(tidegate):
    id_ = failed(tidegate)
    before = stored(tidegate)
    for text, said in (
        (PROGRAM.replace("def payment(", "def payment "), "pay.py, line 14: SyntaxError"),
        (PROGRAM + "\n1 / 0\n", "pay.py:20: ZeroDivisionError"),
        (PROGRAM.replace("def payment(", "def payments("), "has no workflow 'pay.payment'"),
        (PROGRAM.replace("(amount: int, ledger: str) -> int:\n    note", "(amount: int, ledger: str, more: int) -> int:\n    note"), "more"),
    ):  # fmt: skip
        tidegate.write("pay.py", text)
        done = tidegate("recover", id_, "--here", "--yes")
        assert done.code != 0, text
        assert said in done.err
        assert "Traceback" not in done.err
    assert stored(tidegate) == before
    (tidegate.place / "pay.py").unlink()
    done = tidegate("recover", id_, "--here")
    assert "module 'pay' is not in" in done.err
    done = tidegate("recover", id_, "--here", "--version", "x")
    assert (done.code, "exclude each other" in done.err) == (2, True)
    done = tidegate("recover", id_, "--include", "x")
    assert (done.code, "add --here" in done.err) == (2, True)


def test_a_registered_version_can_be_named_and_a_node_be_run_again(tidegate):
    id_ = failed(tidegate)
    tidegate.write("pay.py", FIXED)
    assert tidegate("register", "pay.py", "--version", "v2").code == 0
    wrong = tidegate("recover", id_, "--version", "v3")
    assert (wrong.code, "has no version 'v3'" in wrong.err) == (4, True)
    wrong = tidegate("recover", id_, "--version", "v2", "--rerun", "nothing")
    assert "has no node 'nothing'; it has: " in wrong.err
    done = tidegate(
        "recover", id_, "--version", "v2", "--rerun", "note", "--id", "second", "--json"
    )
    assert "asked for again, because you named it: note" in done.err
    assert (done.json["id"], done.json["version"]) == ("second", "v2")
    tidegate("resume", "second", "--detach")
    assert sorted(questions(tidegate)) == ["note", "ok"]


def test_a_relaunch_takes_changed_inputs(tidegate):
    id_ = failed(tidegate)
    tidegate.write("other.open", "")
    other = str(tidegate.place / "other")
    done = tidegate("relaunch", id_, "--amount", "7", "--ledger", other, "--id", "again")
    assert (done.code, done.out) == (0, "again\n")
    assert tidegate("show", "again", "--json").json["inputs"] == {"amount": 7, "ledger": other}
    same = ("--inputs", json.dumps({"amount": 7, "ledger": other}), "--id", "again")
    assert tidegate("relaunch", id_, *same).out == "again\n"
    refused = tidegate("relaunch", id_, "--amount", "8", "--id", "again")
    assert (refused.code, "inputs" in refused.err) == (3, True)
    for words, said in (
        (("--amount", "x"), "--amount"),
        (("--amoun", "8"), "did you mean --amount?"),
        (("--inputs", "{"), "--inputs"),
        (("--inputs", '{"amont": 1}'), "amont"),
        (("8",), "unexpected argument"),
    ):
        wrong = tidegate("relaunch", id_, *words)
        assert wrong.code != 0
        assert said in wrong.err
        assert len(wrong.err.splitlines()) <= 3


ONLY_HERE = """
import only_here
from tidegate import task, workflow

@task
def load() -> int:
    return only_here.NUMBER

@task
def shown(n: int) -> str:
    raise ValueError("bug")

@workflow
def wf() -> str:
    return shown(n=load())
"""


def test_fixed_code_that_needs_what_only_the_terminal_has_goes_on_beside_a_server(tidegate):
    tidegate.write("flow.py", ONLY_HERE)
    tidegate.write("extra/only_here.py", "NUMBER = 7\n")
    server = Server(tidegate.home).ready()
    try:
        tidegate.environment["PYTHONPATH"] = str(tidegate.place / "extra")
        assert tidegate("run", "flow.py", "wf", "--id", "first").code == 1
        tidegate.write("flow.py", ONLY_HERE.replace('raise ValueError("bug")', "return str(n)"))
        done = tidegate("recover", "first", "--here", "--id", "second")
        assert (done.code, done.out) == (0, "second\n"), done.err
        assert "results kept: load" in done.err
        done = tidegate("resume", "second")
        assert (done.code, done.out) == (0, '"7"\n'), done.err
    finally:
        server.close()
