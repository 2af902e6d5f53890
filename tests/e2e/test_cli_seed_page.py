"""The workflows of the seed page, run as a person would, with every process killed at every waiting point."""

import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

TITLED = {"title": "T", "mean": 2.0, "length": 3, "max": 3.0, "min": 1.0}
DATA = ("--data", "[1, 2, 3]")
PAGE = Path(__file__).with_name("seed_page.py")
WORKFLOWS = {
    "sleep": ("sleep_wf", "--num", "7"),
    "report": ("reporting_wf", "--data", "[1, 2, 3]"),
    "final": ("reporting_with_approval_wf", "--data", "[1, 2, 3]"),
    "raw": ("approval_as_promise_wf", "--data", "[1, 2, 3]"),
    "passed": ("conditional_wf", "--data", "[1, 2, 3]"),
    "failed": ("conditional_wf", "--data", "[1, 2, 3]"),
}
NEXT = {
    "final": "approve final approve-final-report",
    "raw": "approve raw raw-report-approval",
    "passed": "answer passed review-passes",
    "failed": "answer failed review-passes",
}
"""What those wait for that have had their first answer."""


def slept(view: dict) -> timedelta:
    (sleeping,) = (node for node in view["nodes"] if node["kind"] == "sleep")
    return datetime.fromisoformat(sleeping["ended"]) - datetime.fromisoformat(sleeping["began"])


def test_the_seed_page_survives_a_kill_at_each_waiting_point(tidegate):
    tidegate.write("page.py", PAGE.read_text())
    runs = [
        tidegate.start("run", "page.py", *words, "--id", id_, stdin=subprocess.DEVNULL)
        for id_, words in WORKFLOWS.items()
    ]
    for run, id_ in zip(runs, WORKFLOWS, strict=True):
        run.says("sleeping" if id_ == "sleep" else "tidegate answer")
    for run in runs:
        run.kill()

    for id_ in ("report", "final", "raw"):
        assert tidegate("answer", id_, "title", "T").code == 0
    for id_ in ("passed", "failed"):
        assert tidegate("answer", id_, "title-input", "T").code == 0
    # Answered, and nothing has been done about it yet; now each comes to its next waiting point, and is killed there.
    for id_, words in NEXT.items():
        second = tidegate.start("resume", id_, stdin=subprocess.DEVNULL)
        second.says(f"tidegate {words}")
        second.kill()
        assert tidegate("doctor").code == 0

    assert tidegate("approve", "final", "approve-final-report").code == 0
    assert tidegate("approve", "raw", "raw-report-approval").code == 0
    assert tidegate("answer", "passed", "review-passes", "true").code == 0
    assert tidegate("answer", "failed", "review-passes", "false").code == 0
    done = tidegate("resume", "--json")
    assert done.code == 0
    listed = {each["id"]: each["phase"] for each in tidegate("list", "--json").json}
    assert listed == dict.fromkeys(WORKFLOWS, "SUCCEEDED")
    expected = {"sleep": 7, "final": TITLED, "raw": TITLED, "report": TITLED, "passed": TITLED}
    expected["failed"] = {"invalid_report": True}
    views = {id_: tidegate("show", id_, "--json").json for id_ in WORKFLOWS}
    assert {id_: view["outputs"] for id_, view in views.items()} == {
        id_: {"o0": value} for id_, value in expected.items()
    }
    assert timedelta(seconds=10) <= slept(views["sleep"]) < timedelta(seconds=30)
    assert tidegate("doctor").code == 0


IN_ADVANCE = [
    ("reporting_wf", ("title=T",), TITLED),
    ("reporting_with_approval_wf", ("title=T", "approve-final-report=true"), TITLED),
    ("approval_as_promise_wf", ("title=T", "raw-report-approval=true"), TITLED),
    ("conditional_wf", ("title-input=T", "review-passes=true"), TITLED),
    ("conditional_wf", ("review-passes=false",), {"invalid_report": True}),
]


def test_the_seed_page_takes_its_answers_in_advance(tidegate):
    tidegate.write("page.py", PAGE.read_text())
    for name, answers, result in IN_ADVANCE:
        given = [word for each in answers for word in ("--answer", each)]
        done = tidegate("run", "page.py", name, *DATA, *given)
        assert (done.code, done.json) == (0, result), (name, answers, done)


def test_the_seed_page_asks_at_a_terminal(tidegate):
    tidegate.write("page.py", PAGE.read_text())
    run, keyboard = tidegate.sit_down("run", "page.py", "approval_as_promise_wf", *DATA)
    try:
        run.says("title")
        os.write(keyboard, b"T\n")
        run.says("raw-report-approval")
        os.write(keyboard, b"yes\n")
        done = run.ends()
    finally:
        os.close(keyboard)
    assert (done.code, done.json) == (0, TITLED)
