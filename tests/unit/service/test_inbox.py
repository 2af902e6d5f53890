"""The inbox: rows and graphs, cut where values are large, page by page; and one question, whole."""

from datetime import timedelta

import msgspec
import pytest
from msgspec import UNSET

from tidegate import approve, conditional, dynamic, task, wait_for_input, workflow
from tidegate.core.waits import ROOM
from tidegate.engine import folds
from tidegate.errors import (
    AlreadyAnswered,
    ExecutionEnded,
    InvalidValue,
    NotWaitingYet,
    Refused,
    TimedOut,
    UnknownExecution,
    UnknownSignal,
    Withdrawn,
)
from tidegate.stores import arms
from tidegate.testing import Sandbox
from tidegate.wire import GetQuestion, ListExecutions, ListInbox, WaitingView

LARGE = 900_000


@task
def text(letters: int) -> str:
    return 'Total of the third quarter, by "region" and country:\n' * (letters // 53)


@task
def rows(letters: int) -> list[dict[str, str]]:
    return [{"name": f"row {n}", "value": f"{n} €"} for n in range(letters // 32)]


@workflow
def publish(letters: int) -> str:
    return approve(
        text(letters=letters),
        "publish",
        prompt="May the report of the quarter go out?",
        show={"rows": rows(letters=letters)},
        timeout=timedelta(days=1),
        on_timeout=False,
    )


@workflow
def title(about: str) -> str:
    return wait_for_input("title", expected_type=str, suggested=about, show={"about": about})


@workflow
def small(n: int) -> int:
    return wait_for_input("number", expected_type=int, suggested=n, prompt="Which?")


@dynamic
def more(left: int) -> int:
    number = wait_for_input("number", expected_type=int, prompt="How many more?", suggested=left)
    return number if left == 0 else more(left=left - 1)


@workflow
def unfolds() -> int:
    return more(left=1)


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def handle(sandbox):
    return sandbox._service.handle


def test_a_hundred_questions_over_large_values_make_a_small_page(sandbox, handle):
    for _ in range(100):
        sandbox.launch(publish, letters=LARGE)

    page = handle(ListInbox(limit=100))

    assert len(page.items) == 100
    assert len(msgspec.json.encode(page)) < 250_000
    for each in page.items:
        assert set(each.preview) == {"value", "show.rows"}
        assert (each.value, each.show) == (UNSET, {})
        texts = [view.text for view in each.preview.values()]
        assert sum(len(msgspec.json.encode(beginning)) - 2 for beginning in texts) <= ROOM
        assert all(len(beginning) > 400 for beginning in texts)
        assert all(view.size > 800_000 for view in each.preview.values())
    assert page.items[0].preview["value"].text.startswith("Total of the third quarter")
    assert page.items[0].preview["show.rows"].text.startswith('[{"name":"row 0"')


def test_a_list_reads_no_history(sandbox, handle, monkeypatch):
    run = sandbox.launch(publish, letters=10)
    sandbox.launch(unfolds)
    monkeypatch.setattr(sandbox._store.journal, "history", None)
    monkeypatch.setattr(folds, "from_bytes", None)

    assert len(handle(ListInbox()).items) == 3
    assert len(handle(ListInbox(execution=run.id)).items) == 1


def test_what_is_small_stands_whole_as_it_does_in_the_execution(sandbox):
    run = sandbox.launch(small, n=4)

    (listed,) = sandbox.inbox()

    assert listed == run.questions[0]
    assert (listed.suggested, listed.preview) == (4, {})


def test_a_question_is_whole_when_it_is_asked_for_alone(sandbox, handle):
    run = sandbox.launch(publish, letters=LARGE)
    (listed,) = handle(ListInbox()).items

    whole = handle(GetQuestion(id=run.id, name=listed.path))

    assert whole == run.questions[0]
    assert (len(whole.value), whole.preview) == (listed.preview["value"].size - 2 - 3 * whole.value.count("\n"), {})  # fmt: skip
    assert whole.prompt == listed.prompt == "May the report of the quarter go out?"
    assert (whole.on_timeout, listed.on_timeout) == (False, False)


def test_the_smallest_values_stand_whole_beside_the_beginning_of_the_large_ones(sandbox, handle):
    sandbox.launch(title, about="a" * 5_000)
    sandbox.launch(title, about="b" * 100)

    long, short = sorted(handle(ListInbox()).items, key=lambda each: not each.preview)

    assert set(long.preview) == {"suggested", "show.about"}
    assert {view.size for view in long.preview.values()} == {5_002}
    assert (short.suggested, short.show, short.preview) == ("b" * 100, {"about": "b" * 100}, {})


def test_gates_that_a_dynamic_task_returned_say_what_they_ask(sandbox, handle):
    run = sandbox.launch(unfolds)

    listed = handle(ListInbox()).items

    assert listed == run.questions
    assert len({each.path for each in listed}) == 2
    assert {each.prompt for each in listed} == {"How many more?"}
    assert {each.expects for each in listed} == {"a whole number"}
    for each in listed:
        assert handle(GetQuestion(id=run.id, name=each.path)) == each


def test_pages_follow_each_other_and_miss_nothing(sandbox, handle):
    ids = {sandbox.launch(small, n=n).id for n in range(7)}
    found: list[WaitingView] = []
    cursor = ""
    while True:
        page = handle(ListInbox(cursor=cursor, limit=3))
        found += page.items
        cursor = page.next
        if not cursor:
            break
    assert [each.execution for each in found] == [each.execution for each in sandbox.inbox()]
    assert {each.execution for each in found} == ids


@pytest.mark.parametrize("kind", [ListInbox, ListExecutions])
def test_a_search_that_is_given_up_has_a_page_without_a_row_and_with_a_next(
    sandbox, handle, monkeypatch, kind
):
    monkeypatch.setattr(arms, "GLANCE", 2)
    monkeypatch.setattr(arms, "EXAMINED", 3)
    ids = [f"e{n}" if n != 4 else "zz" for n in range(10)]
    for n, id_ in enumerate(ids):
        sandbox.launch_as(id_, small, n=n)

    pages, cursor = [], None
    while cursor != "":
        pages.append(handle(kind(text="ZZ", cursor=cursor or "")))
        cursor = pages[-1].next

    found = [[getattr(each, "execution", "") or each.id for each in page.items] for page in pages]
    at = ids.index("zz") if kind is ListInbox else 9 - ids.index("zz")
    assert found == [["zz"] if n == at // 3 else [] for n in range(4)]


@pytest.mark.parametrize("kept", [0, 1, 8, -1, -4])
def test_what_is_not_a_cursor_is_refused(sandbox, handle, kept):
    for n in range(3):
        sandbox.launch(small, n=n)
    cursor = handle(ListInbox(limit=1)).next

    for wrong in (cursor[:kept] if kept else "nonsense", f"A{cursor[1:]}" if cursor[0] != "A" else f"B{cursor[1:]}"):  # fmt: skip
        with pytest.raises(InvalidValue, match="is not a cursor"):
            handle(ListInbox(cursor=wrong))


# ---- questions that are not open ----


@workflow
def branches(n: int) -> int:
    first = wait_for_input("first", expected_type=int)
    chosen = (
        conditional("c").if_(first > n).then(wait_for_input("big", expected_type=int)).else_().then(1)
    )  # fmt: skip
    return approve(chosen, "last", timeout=timedelta(hours=1))


def test_a_question_that_is_not_open_is_refused_with_the_reason(sandbox, handle):
    def ask(run, name, error):
        with pytest.raises(error) as refused:
            handle(GetQuestion(id=run.id, name=name))
        assert type(refused.value) is error, refused.value
        return refused.value.message

    run = sandbox.launch(branches, n=5)
    assert handle(GetQuestion(id=run.id, name="first")).name == "first"
    ask(run, "last", NotWaitingYet)
    ask(run, "nonsense", UnknownSignal)
    run.answer("first", 1, who="ann")
    assert "ann" in ask(run, "first", AlreadyAnswered)
    ask(run, "big", Withdrawn)
    sandbox.advance(timedelta(hours=2))
    ask(run, "last", TimedOut)

    other = sandbox.launch(branches, n=5)
    other.abort()
    for name in ("first", "last"):
        assert "aborted" in ask(other, name, ExecutionEnded)

    with pytest.raises(UnknownExecution):
        handle(GetQuestion(id="nobody", name="first"))
    assert issubclass(NotWaitingYet, Refused)
