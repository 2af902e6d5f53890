"""The seed page's five workflows give their results in a plain call, with answers from the caller or from standard input."""

import importlib
import io
import sys
from types import ModuleType

import pytest

from tidegate import ExecutionFailed

REPORT = {"mean": 2.0, "length": 3, "max": 3.0, "min": 1.0}


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return importlib.import_module("tests.e2e.seed_page")


CASES = [
    ("reporting_wf", {"title": "T"}, "T\n", {"title": "T", **REPORT}),
    (
        "reporting_with_approval_wf",
        {"title": "T", "approve-final-report": True},
        "T\nyes\n",
        {"title": "T", **REPORT},
    ),
    (
        "approval_as_promise_wf",
        {"title": "T", "raw-report-approval": True},
        "T\nyes\n",
        {"title": "T", **REPORT},
    ),
    (
        "conditional_wf",
        {"title-input": "T", "review-passes": True},
        "T\nyes\n",
        {"title": "T", **REPORT},
    ),
    (
        "conditional_wf",
        {"title-input": "T", "review-passes": False},
        "T\nno\n",
        {"invalid_report": True},
    ),
]


@pytest.mark.parametrize(("name", "answers", "typed", "result"), CASES)
def test_a_workflow_takes_its_answers_from_the_caller(page, name, answers, typed, result):
    assert getattr(page, name).run({"data": [1, 2, 3]}, answers=answers) == result


@pytest.mark.parametrize(("name", "answers", "typed", "result"), CASES)
def test_a_workflow_takes_its_answers_from_standard_input(
    page, monkeypatch, name, answers, typed, result
):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

    assert getattr(page, name)(data=[1.0, 2.0, 3.0]) == result


def test_sleep_wf_jumps_over_its_ten_seconds(page, capsys):
    assert page.sleep_wf(num=7) == 7
    assert "slept 0:00:10" in capsys.readouterr().err


def test_a_rejected_report_fails_the_execution(page):
    with pytest.raises(ExecutionFailed, match="approve-final-report"):
        page.reporting_with_approval_wf.run(
            {"data": [1.0]}, answers={"title": "T", "approve-final-report": False}
        )


def test_a_failed_review_asks_for_no_title(page):
    assert page.conditional_wf.run({"data": [1.0]}, answers={"review-passes": False}) == {
        "invalid_report": True
    }
