"""What graphs within graphs had is kept under fixed code, and what one execution after the other had."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.recovered_code import (
    FIX,
    Code,
    becomes,
    code_in,
    failed,
    node,
    waiting,
    why,
)

from tidegate.errors import (
    InvalidValue,
    NotRecoverable,
    RecoveredAlready,
    UnknownWorkflow,
)


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Code]:
    with code_in(tmp_path) as code:
        yield code


# ---- dynamic tasks, loops, sub-workflows, branches, sleeps ----

LABELS = """
@task
def load(n: int) -> list[int]:
    say("load")
    return list(range(n))

@task
def count(labels: list[int]) -> int:
    say("count")
    broken("count")
    return sum(labels)

@dynamic
def label(items: list[int]) -> int:
    say("draw")
    labels = [wait_for_input(f"label-{i}", expected_type=int, show={"i": i}) for i in items]
    return count(labels=labels)

@workflow
def wf(n: int) -> int:
    return label(items=load(n=n))
"""


def labelled(code: Code) -> None:
    code.breaks("count")
    code.launched(LABELS, n=3)
    for number in range(3):
        code.answer("one", f"label-{number}", number + 1)
    assert code.ran == ["load", "draw", "count"]
    code.breaks("count", broken=False)


def test_a_dynamic_task_that_is_unchanged_keeps_its_graph(code: Code):
    labelled(code)
    version = code.fixed(("return sum(labels)", "return sum(labels) * 2"))
    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)
    assert becomes(found) == {
        "load": "kept", "label": "kept", "label-0": "kept", "label-1": "kept", "label-2": "kept", "count": "runs",
    }  # fmt: skip
    assert (view.outputs, code.ran) == ({"o0": 12}, ["count"])


def test_one_that_has_changed_draws_its_graph_again_and_keeps_what_is_the_same_in_it(code: Code):
    labelled(code)
    version = code.fixed(("for i in items]", "for i in [7, *items[1:]]]"))

    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    assert (node(found, "label").becomes, why(found, "label")) == ("runs", "its code has changed")
    assert becomes(found)["label-1"] == "compared"
    assert waiting(view) == ["label-7"]
    assert code.ran == ["draw"]
    assert code.answer("two", "label-7", 70).outputs == {"o0": 75}


def test_inputs_that_change_leave_what_is_unchanged_within_a_dynamic_task(code: Code):
    labelled(code)
    version = code.fixed(("list(range(n))", "list(range(n + 1))"))
    view = code.recover("one", "two", version=version, rerun=["load"])
    assert waiting(view) == ["label-3"]
    assert code.answer("two", "label-3", 4).outputs == {"o0": 10}


LOOP = """
@task
def train(labels: list[int], number: int) -> int:
    say(f"train{number}")
    broken(f"train{number}")
    return sum(labels)

@dynamic
def rounds(number: int, known: list[int]) -> int:
    say(f"round{number}")
    if number == 4:
        return last(known=known)
    answer = wait_for_input("answer", expected_type=int, show={"number": number})
    score = train(labels=[*known, answer], number=number)
    return rounds(number=number + 1, known=[*known, score])

@task
def last(known: list[int]) -> int:
    return sum(known)

@workflow
def wf() -> int:
    return rounds(number=1, known=[])
"""


def third_round(code: Code) -> None:
    code.breaks("train3")
    code.launched(LOOP)
    for number in (1, 2, 3):
        code.answer("one", "answer", 10 * number)
    assert code.look("one").phase == "FAILED"
    assert code.ran == ["round1", "train1", "round2", "train2", "round3", "train3"]
    code.breaks("train3", broken=False)


def test_a_loop_goes_on_in_its_round_if_what_draws_it_is_unchanged(code: Code):
    third_round(code)
    version = code.fixed(('broken(f"train{number}")', "pass"))
    view = code.recover("one", "two", version=version)
    assert view.phase == "SUCCEEDED"
    assert code.ran == ["train3", "round4"]


def test_a_loop_whose_code_has_changed_goes_through_its_rounds_and_keeps_what_they_had(code: Code):
    third_round(code)
    version = code.fixed(("if number == 4:", "if number > 3:"))

    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    assert becomes(found)["rounds"].startswith("runs")
    assert view.outputs == {"o0": 10 + 30 + 70}
    assert code.ran == ["round1", "round2", "round3", "train3", "round4"]


def test_rounds_before_a_recovery_with_the_same_code_are_kept_too(code: Code):
    third_round(code)
    code.breaks("train3")
    assert code.recover("one", "two").phase == "FAILED"
    code.breaks("train3", broken=False)
    assert code.ran == ["train3"]
    version = code.fixed(("if number == 4:", "if number > 3:"))
    assert code.recover("two", "three", version=version).phase == "SUCCEEDED"
    assert code.ran == ["round1", "round2", "round3", "train3", "round4"]


INNER = """
@task
def step(x: int, name: str) -> int:
    say(f"{name}{x}")
    return x * 10

@task
def last(xs: list[int]) -> int:
    raise ValueError("bug")

@workflow
def part(x: int) -> int:
    return step(x=step(x=x, name="a"), name="b")

@workflow
def wf() -> int:
    return last(xs=[part(x=1), part(x=2)])
"""


@pytest.mark.parametrize(
    ("calls", "runs"),
    [
        ("[part(x=1), part(x=2)]", []),
        ("[part(x=2)]", []),
        ("[part(x=2), part(x=1)]", []),
        ("[part(x=3), part(x=1), part(x=2)]", ["a3", "b30"]),
    ],
)
def test_each_call_of_a_sub_workflow_keeps_what_it_came_to(code: Code, calls: str, runs: list[str]):
    code.launched(INNER)
    assert sorted(code.ran) == ["a1", "a2", "b10", "b20"]
    version = code.fixed(
        ("[part(x=1), part(x=2)]", calls), ('raise ValueError("bug")', "return sum(xs)")
    )
    assert code.recover("one", "two", version=version).phase == "SUCCEEDED"
    assert code.ran == runs


BRANCH = """
@task
def low(n: int) -> int:
    say("low")
    return n

@task
def high(n: int) -> int:
    say("high")
    return -n

@task
def last(x: int) -> int:
    raise ValueError("bug")

@workflow
def wf(n: int) -> int:
    short = sleep(timedelta(milliseconds=1))
    which = conditional("which").if_(n < 10).then(low(n=n)).else_().then(high(n=n))
    done = last(x=which)
    short >> done
    return done
"""


@pytest.mark.parametrize(("limit", "runs", "result"), [(11, [], 5), (2, ["high"], -5)])
def test_a_branch_is_decided_again_and_its_nodes_keep_what_they_came_to(
    code: Code, limit: int, runs: list[str], result: int
):
    code.launched(BRANCH, n=5)
    assert code.ran == ["low"]
    version = code.fixed(("n < 10", f"n < {limit}"), ('raise ValueError("bug")', "return x"))
    found = code.preview("one", version=version)
    assert becomes(found)["sleep"] == "kept"
    with pytest.raises(InvalidValue, match="is a branch"):
        code.preview("one", version=version, rerun=["which"])
    assert code.recover("one", "two", version=version).outputs == {"o0": result}
    assert code.ran == runs


# ---- successors ----


def test_the_rules_of_successors_hold_under_other_code(code: Code):
    failed(code)
    version = code.fixed(FIX)
    with pytest.raises(UnknownWorkflow):
        code.recover("one", "two", version="none")
    code.recover("one", "two", version=version)
    for more in ({}, {"version": version}):
        with pytest.raises(RecoveredAlready) as refused:
            code.recover("one", "three", **more)
        assert refused.value.details["execution"] == "two"
        with pytest.raises(RecoveredAlready):
            code.preview("one", **more)
    with pytest.raises(NotRecoverable):
        code.preview("two")
    assert code.recover("one", "two", version=version).id == "two"


def test_a_successor_that_fails_passes_on_what_both_had(code: Code):
    failed(code)
    version = code.fixed(
        ('raise ValueError("bug")', 'raise ValueError("other")'), ("times=3", "times=4")
    )
    code.recover("one", "two", version=version)
    assert code.answer("two", "ok").phase == "FAILED"
    assert code.ran == ["fit4", "train"]
    version = code.fixed(('raise ValueError("other")', "return total / 2"), ("times=4", "times=3"))

    view = code.recover("one", "three", version=version)

    assert view.origin == "two"
    assert (waiting(view), code.ran) == (["ok"], [])
    assert code.answer("three", "ok").outputs == {"o0": "T: 4.5"}
    title = next(each.answer for each in view.nodes if each.name == "title")
    assert title is not None
    assert (title.who, title.kept) == ("ann", "one")


def test_what_a_successor_has_not_reached_is_kept_by_the_next(code: Code):
    labelled(code)
    version = code.fixed(("return list(range(n))", 'broken("load")\n    return list(range(n))'))
    code.breaks("load")
    for new in ("two", "three"):
        assert (
            code.recover("one", new, version=version, rerun=["load"] if new == "two" else []).phase
            == "FAILED"
        )
    version = code.fixed(("return sum(labels)", "return sum(labels) + 0"))
    assert code.recover("one", "four", version=version).phase == "FAILED"
    code.breaks("load", broken=False)
    assert code.recover("one", "five").outputs == {"o0": 6}


def test_without_the_old_code_what_can_be_compared_is_kept(code: Code, tmp_path: Path):
    labelled(code)
    version = code.fixed(("return sum(labels)", "return sum(labels) * 2"))
    for bundle in (tmp_path / "home" / "bundles").iterdir():
        if not bundle.name.startswith(version):
            bundle.rename(tmp_path / bundle.name)
    found = code.preview("one", version=version)
    assert becomes(found)["load"] == "kept*"
    assert code.recover("one", "two", version=version).outputs == {"o0": 12}
    assert code.ran == ["draw", "count"]
