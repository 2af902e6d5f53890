"""Which node of fixed code is which node of the old one, and whether it is unchanged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.recovered_code import (
    FIX,
    FLOW,
    Code,
    becomes,
    code_in,
    failed,
    node,
    waiting,
    why,
)

from tidegate.errors import AlreadyAnswered


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Code]:
    with code_in(tmp_path) as code:
        yield code


def test_what_is_unchanged_is_kept_and_what_failed_runs_with_its_key(code: Code):
    code.launched(FLOW, n=3)
    code.answer("one", "title", "T")
    code.answer("one", "ok")
    before = code.lines()[-1]
    assert code.ran[-1] == "train"
    version = code.fixed(FIX)

    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    assert (found.same_code, found.new_version) == (False, version)
    assert becomes(found) == {
        "load": "kept", "fit": "kept", "title": "kept", "ok": "asked", "train": "runs", "report": "runs",
    }  # fmt: skip
    assert why(found, "ok") == "the code has changed"
    assert why(found, "train") == "it had not succeeded"
    assert node(found, "title").who == "ann"
    assert (waiting(view), code.ran) == (["ok"], [])
    assert code.answer("two", "ok").outputs == {"o0": "T: 4.5"}
    assert code.lines()[0] == before
    assert code.ran == ["train", "report"]
    kept = next(each.answer for each in view.nodes if each.name == "title")
    assert kept is not None
    assert (kept.who, kept.kept, kept.value) == ("ann", "one", "T")


@pytest.mark.parametrize(
    "body",
    [
        # another task and another gate before the others: every id is another one
        """    first = fit(items=[1], times=7)
    note = wait_for_input("note", expected_type=str, timeout=timedelta(days=1), on_timeout="x")
    items = load(n=n)
    total = fit(items=items, times=3)
    title = wait_for_input("title", expected_type=str)
    ok = approve(total, "ok", prompt="Train?")
    first >> note
    return report(score=train(total=ok), title=title)
""",
        # in another order
        """    title = wait_for_input("title", expected_type=str)
    items = load(n=n)
    ok = approve(fit(items=items, times=3), "ok", prompt="Train?")
    return report(title=title, score=train(total=ok))
""",
        # what it takes comes from elsewhere, and is the same
        """    load(n=99)
    items = same(items=load(n=n))
    total = fit(items=items, times=3)
    title = wait_for_input("title", expected_type=str)
    ok = approve(total, "ok", prompt="Train?")
    return report(score=train(total=ok), title=title)
""",
    ],
)
def test_where_a_node_stands_makes_no_difference(code: Code, body: str):
    failed(code)
    text = FLOW.replace(*FIX).partition("@workflow")[0]
    more = (
        '@task\ndef same(items: list[int]) -> list[int]:\n    say("same")\n    return items\n\n\n'
    )
    version = code.registered(f"{text}{more}@workflow\ndef wf(n: int) -> str:\n{body}")

    view = code.recover("one", "two", version=version)

    assert "ok" in waiting(view)
    assert "title" not in waiting(view)
    assert {"fit3", "train"}.isdisjoint(code.ran)


SEVERAL = (
    FLOW.partition("@workflow")[0]
    + """
@task
def last(xs: list[int]) -> list[int]:
    raise ValueError("bug")


@workflow
def wf(n: int) -> list[int]:
    items = load(n=n)
    return last(xs=[fit(items=items, times=1), fit(items=items, times=2), fit(items=items, times=3)])
"""
)


def test_of_equal_names_each_keeps_what_it_came_to(code: Code):
    code.launched(SEVERAL, n=3)
    assert sorted(code.ran) == ["fit1", "fit2", "fit3", "load"]
    version = code.fixed(
        (
            "fit(items=items, times=1), fit(items=items, times=2), ",
            "fit(items=items, times=4), fit(items=items, times=2), ",
        ),
        ('list[int]:\n    raise ValueError("bug")', "list[int]:\n    return xs"),
    )

    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    assert view.outputs == {"o0": [12, 6, 9]}
    assert code.ran == ["fit4"]
    assert becomes(found)["fit"] == "runs kept kept"


LATE = """
@task
def add(n: int, m: int) -> int:
    return n + m

@task
def check(n: int) -> int:
    raise ValueError("bug")

@workflow
def wf() -> int:
    checked = check(n=wait_for_input("first", expected_type=int))
    label = wait_for_input("label", expected_type=int)
    checked >> label
    return add(n=checked, m=label)
"""


def test_of_two_calls_that_come_to_the_same_by_other_ways_one_is_kept(code: Code):
    text = """
@task
def one_way(n: int) -> int:
    return n

@task
def other_way(n: int) -> int:
    return n

@task
def pay(amount: int) -> int:
    say(f"pay{amount}")
    return amount

@task
def last(paid: list[int]) -> int:
    raise ValueError("bug")

@workflow
def wf(n: int) -> int:
    return last(paid=[pay(amount=one_way(n=n))])
"""
    code.launched(text, n=5)
    assert code.ran == ["pay5"]
    version = code.fixed(
        ("pay(amount=one_way(n=n))]", "pay(amount=other_way(n=n)), pay(amount=other_way(n=n))]"),
        ('raise ValueError("bug")', "return sum(paid)"),
    )
    assert code.recover("one", "two", version=version).outputs == {"o0": 10}
    assert code.ran == ["pay5"]


def test_what_is_kept_is_not_answered_before_its_question_comes(code: Code):
    code.launched(LATE)
    code.answer("one", "label", 4)
    assert code.answer("one", "first", 1).phase == "FAILED"
    version = code.fixed(('raise ValueError("bug")', "return n"))
    view = code.recover("one", "two", version=version, rerun=["first"])
    assert waiting(view) == ["first"]
    with pytest.raises(AlreadyAnswered):
        code.answer("two", "label", 5, who="bob")
    assert code.answer("two", "first", 2).outputs == {"o0": 6}


def test_two_calls_where_there_was_one_are_one_that_is_kept_and_one_that_runs(code: Code):
    text = """
@task
def pay(amount: int) -> int:
    say(f"pay{amount}")
    return amount

@task
def last(paid: list[int]) -> int:
    raise ValueError("bug")

@workflow
def wf(amount: int) -> int:
    return last(paid=[pay(amount=amount)])
"""
    code.launched(text, amount=5)
    first = code.lines()[0].split()[1]
    assert code.ran == ["pay5"]
    version = code.fixed(
        ("[pay(amount=amount)]", "[pay(amount=amount), pay(amount=5)]"),
        ('raise ValueError("bug")', "return sum(paid)"),
    )

    assert code.recover("one", "two", version=version).outputs == {"o0": 10}

    (second,) = code.lines()
    assert second.split()[0] == "pay5"
    assert second.split()[1] != first


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("def fit(items: list[int], times: int) -> int", "def fit(items: list[int], times: float) -> int", "its signature has changed"),
        ("def fit(items: list[int], times: int) -> int", "def fit(items: list[int], times: int, more: int = 0) -> int", "its signature has changed"),
        ("fit(items=items, times=3)", "fit(items=items, times=4)", "its inputs have changed"),
        ('def load(n: int) -> list[int]:\n    say("load")', 'def load(n: int) -> list[int]:\n    say("load")', ""),
    ],
)  # fmt: skip
def test_a_result_is_kept_if_signature_and_inputs_are_the_same(
    code: Code, old: str, new: str, reason: str
):
    failed(code)
    version = code.fixed(FIX, (old, new))

    found = code.preview("one", version=version)
    code.recover("one", "two", version=version)

    assert (node(found, "fit").becomes, why(found, "fit")) == ("runs" if reason else "kept", reason)
    assert len(code.ran) == (1 if reason else 0)


def test_a_task_that_was_moved_to_another_module_is_the_same(code: Code, tmp_path: Path):
    failed(code)
    fit = FLOW[FLOW.index("@task\ndef fit") : FLOW.index("@task\ndef train")]
    (tmp_path / "tasks.py").write_text("from tidegate import task\n\n" + fit)
    version = code.fixed(FIX, (fit, ""), ("@workflow", "from tasks import fit\n\n@workflow"))
    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)
    assert becomes(found)["fit"] == "kept*"  # it has no `say` there
    assert (waiting(view), code.ran) == (["ok"], [])


ASK = """
@task
def look(n: int) -> str:
    return f"picture {n}"

@task
def last(x: list[str], y: int) -> int:
    raise ValueError("bug")

@workflow
def wf(n: int) -> int:
    label = wait_for_input("label", expected_type=int, prompt="Which?", show={"picture": look(n=n)})
    text = wait_for_input("text", expected_type=str)
    return last(x=[text], y=label)
"""


@pytest.mark.parametrize(
    ("old", "new", "label"),
    [
        ("", "", "kept"),
        ("Which?", "Which one?", "kept*"),
        ("expected_type=int", "expected_type=float", "asked its type has changed"),
        ("look(n=n)", "look(n=5)", "asked what it shows has changed"),
        ('show={"picture": look(n=n)}', 'show={"pic": look(n=n)}', "asked what it shows has changed"),
        ('"label"', '"labels"', "asked it is new"),
    ],
)  # fmt: skip
def test_an_answer_is_kept_if_it_is_one_to_the_same_question(
    code: Code, old: str, new: str, label: str
):
    code.launched(ASK, n=1)
    code.answer("one", "label", 4)
    code.answer("one", "text", "t")
    version = code.fixed(
        ('raise ValueError("bug")', "return y"),
        (old or "Which?", new or "Which?"),
        ("y: int)", "y: float)") if "float" in new else ("Which", "Which"),
    )

    found = code.preview("one", version=version)
    view = code.recover("one", "two", version=version)

    told = next(each for each in found.nodes if each.name.startswith("label"))
    said = f"{told.becomes}{'*' if told.changed else ''} {told.why}".strip()
    if said == "compared":  # what it shows has to be made first
        said = label
    assert said == label
    assert becomes(found)["text"] == "kept"
    if label.startswith("kept"):
        assert view.outputs == {"o0": 4}
    else:
        assert waiting(view) == [told.name]


EARLY = """
@task
def look(n: int) -> str:
    raise ValueError("bug")

@workflow
def wf() -> int:
    first = wait_for_input("first", expected_type=int)
    return wait_for_input("label", expected_type=int, show={"picture": look(n=first)})
"""


def test_an_answer_that_came_before_its_question_is_kept(code: Code):
    code.launched(EARLY)
    code.answer("one", "label", 4)
    assert code.answer("one", "first", 1).phase == "FAILED"
    version = code.fixed(('raise ValueError("bug")', "return str(n)"))
    assert code.recover("one", "two", version=version).outputs == {"o0": 4}
