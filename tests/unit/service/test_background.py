"""What there is to look at before a question, without the values themselves."""

from pathlib import Path
from typing import Any

import msgspec

from tidegate import approve, task, wait_for_input, workflow
from tidegate.logs import Logs
from tidegate.testing import Sandbox
from tidegate.wire import BackgroundView, GetQuestion, WaitingView


@task
def measure(n: int) -> list[int]:
    return [n] * 3


@task
def note(n: int) -> str:
    return "noted " * n


@workflow
def looked_at(n: int, name: str) -> str:
    rows = measure(n=n)
    words = note(n=n)
    approve(words, "first", show={"rows": rows})
    return wait_for_input("second", expected_type=str, show={"words": words})


@task
def length(words: str) -> int:
    return len(words)


@workflow
def many(n: int) -> int:
    return approve(length(words=note(n=n)), "go")


@workflow
def bare() -> str:
    return wait_for_input("second", expected_type=str)


def question(sandbox: Sandbox, flow: Any, gate: str, **inputs: Any) -> WaitingView:
    run = sandbox.launch(flow, **inputs)
    return sandbox._service.handle(GetQuestion(id=run.id, name=gate))


def test_a_report_is_named_and_what_the_question_shows_itself_has_no_size(tmp_path: Path):
    with Sandbox(home=tmp_path) as sandbox:
        run = sandbox.launch(looked_at, n=2, name="x")
        report = Logs(tmp_path)._directory("decks", run.id, "n0") / "1.html"
        report.parent.mkdir(parents=True)
        report.write_text("<p>measured</p>")
        shown = sandbox._service.handle(GetQuestion(id=run.id, name="first")).background
        assert [(each.name, each.deck, each.size) for each in shown.before] == [
            ("measure", True, 0)
        ]
        assert shown.inputs == 2


def test_what_is_large_is_told_by_its_size_and_not_sent():
    with Sandbox() as sandbox:
        asked = question(sandbox, many, "go", n=5_000)
        assert [each.name for each in asked.background.before] == ["note"]
        assert asked.background.before[0].size == len(msgspec.json.encode("noted " * 5_000))
        assert len(msgspec.json.encode(asked)) < 3_000


def test_a_question_after_nothing_has_no_background():
    with Sandbox() as sandbox:
        assert question(sandbox, bare, "second").background == BackgroundView(before=[], inputs=0)
