"""The rounds of a loop: listed with small values, and each with its nodes and questions, long after it was replaced."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tidegate import dynamic, task, wait_for_input, workflow
from tidegate.engine import folds
from tidegate.errors import AlreadyAnswered, UnknownNode
from tidegate.testing import Sandbox
from tidegate.wire import CheckAnswer, GetQuestion, GetRound, ListRounds


@dataclass
class Score:
    accuracy: float
    notes: list[str]


@task
def train(labels: int) -> Score:
    return Score(labels / 10, ["long"] * 50)


@dynamic
def refine(done: int) -> int:
    labels = wait_for_input("label", expected_type=int, prompt="How many?", show={"done": done})
    score = train(labels=labels)
    return again(labels=labels, score=score)


@dynamic
def again(labels: int, score: Score) -> int:
    return labels if score.accuracy >= 0.9 else refine(done=labels)


@workflow
def learning() -> int:
    return refine(done=0)


@workflow
def single() -> float:
    return train(labels=wait_for_input("label", expected_type=int)).accuracy


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def handle(sandbox):
    return sandbox._service.handle


def rounds(handle: Any, id_: str, **more: Any) -> list[tuple[int, str, dict[str, Any]]]:
    found = handle(ListRounds(id=id_, node="refine", **more))
    return [(each.round, each.phase, each.outputs) for each in found.items]


def test_each_round_is_listed_with_its_small_values(sandbox, handle):
    run = sandbox.launch(learning)
    assert rounds(handle, run.id) == [(1, "RUNNING", {})]
    for labels in (2, 5):
        run.answer("label", labels)

    assert rounds(handle, run.id) == [
        (1, "SUCCEEDED", {"accuracy": 0.2, "label": 2}),
        (2, "SUCCEEDED", {"accuracy": 0.5, "label": 5}),
        (3, "RUNNING", {}),
    ]
    run.answer("label", 9)
    assert rounds(handle, run.id)[2] == (3, "SUCCEEDED", {"accuracy": 0.9, "label": 9})


def test_rounds_follow_each_other_in_time_and_in_pages(sandbox, handle):
    run = sandbox.launch(learning)
    for labels in (1, 2, 3, 4):
        run.answer("label", labels)

    whole = handle(ListRounds(id=run.id, node="refine"))
    pages, after = [], 0
    while after is not None:
        page = handle(ListRounds(id=run.id, node="refine", after=after, limit=2))
        pages += page.items
        after = page.next

    assert whole.next is None
    assert pages == whole.items
    assert [each.round for each in pages] == [1, 2, 3, 4, 5]
    for before, then in pairwise(pages):
        assert before.ended == then.began
    assert whole.most >= 1000


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6])
def test_no_page_is_missing_or_doubled_at_its_edge(sandbox, handle, limit):
    run = sandbox.launch(learning)
    for labels in (1, 2, 3):
        run.answer("label", labels)
    found, after = [], 0
    while after is not None:
        page = handle(ListRounds(id=run.id, node="refine", after=after, limit=limit))
        found += [each.round for each in page.items]
        after = page.next

    assert found == [1, 2, 3, 4]


def test_a_second_list_reads_nothing_of_the_rounds_before(sandbox, handle, monkeypatch):
    run = sandbox.launch(learning)
    run.answer("label", 2)
    first = rounds(handle, run.id)
    monkeypatch.setattr(folds, "from_bytes", None)

    assert rounds(handle, run.id) == first


def test_the_nodes_of_an_earlier_round_are_as_they_were_when_it_ended(sandbox, handle):
    run = sandbox.launch(learning)
    run.answer("label", 2, who="ann")
    run.answer("label", 5, who="ben")

    def nodes(number: int) -> dict[str, Any]:
        found = handle(GetRound(id=run.id, node="refine", round=str(number)))
        assert found.round == number
        return {each.name: each for each in found.items}

    first, second, third = nodes(1), nodes(2), nodes(3)
    assert first["label"].answer.who == "ann"
    assert second["label"].answer.who == "ben"
    assert (first["train"].inputs, second["train"].inputs) == ({"labels": 2}, {"labels": 5})
    assert first["train"].outputs["o0"]["accuracy"] == 0.2
    assert third["label"].phase == "WAITING"
    assert {each.id for each in (first["label"], second["label"], third["label"])} == {
        "n0/n0",
        "n0~2/n0",
        "n0~3/n0",
    }


def test_there_is_no_round_before_the_first_or_after_the_last(sandbox, handle):
    run = sandbox.launch(learning)
    run.answer("label", 2)

    with pytest.raises(UnknownNode, match="has no round 3; it has 2"):
        handle(GetRound(id=run.id, node="refine", round="3"))


def test_only_a_loop_has_rounds(sandbox, handle):
    run = sandbox.launch(single)

    with pytest.raises(UnknownNode, match="is not a dynamic task, so it has no rounds"):
        handle(ListRounds(id=run.id, node="train"))
    with pytest.raises(UnknownNode):
        handle(ListRounds(id=run.id, node="nothing"))


def test_a_question_of_an_earlier_round_is_kept_as_a_record(sandbox, handle):
    run = sandbox.launch(learning)
    (first,) = run.questions
    run.answer("label", 2, who="ann")
    (second,) = run.questions
    run.answer("label", 5, who="ben")

    one, two = (handle(GetQuestion(id=run.id, name=each.handle)) for each in (first, second))

    assert (one.answer.value, one.answer.who, one.show) == (2, "ann", {"done": 0})
    assert (two.answer.value, two.answer.who, two.show) == (5, "ben", {"done": 2})
    assert (one.digest, two.digest) == (first.digest, second.digest)
    assert (one.handle, one.phase, one.prompt) == (first.handle, "SUCCEEDED", "How many?")
    with pytest.raises(AlreadyAnswered, match="ann"):
        handle(CheckAnswer(id=run.id, name=first.handle, value=1))
