"""
Test a workflow with scripted answers and a clock that you move.

    $ python testing.py

The sandbox is the engine and the rules of a real run, in memory. Put such functions into your own tests.
"""

from datetime import timedelta

from report import report_wf

from tidegate.testing import Sandbox


def test_it_is_published_after_a_title_and_a_yes() -> None:
    """All answers at once."""
    result = report_wf.run({"data": [1.0, 3.0]}, answers={"title": "Ours", "review": True})
    assert result == {"title": "Ours", "mean": 2.0, "length": 2, "max": 3.0, "min": 1.0}


def test_it_fails_without_a_title_in_an_hour() -> None:
    """Nobody answers."""
    with Sandbox() as sandbox:
        run = sandbox.launch(report_wf, data=[1.0])
        assert run.waiting == ["title"]
        sandbox.advance(timedelta(minutes=61))
        assert run.phase == "FAILED"


if __name__ == "__main__":
    test_it_is_published_after_a_title_and_a_yes()
    test_it_fails_without_a_title_in_an_hour()
