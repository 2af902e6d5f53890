"""The inbox: rows and graphs, cut where values are large, page by page; and one question, whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from tidegate import approve, conditional, dynamic, task, wait_for_input, workflow
from tidegate.core.waits import ROOM
from tidegate.engine import folds
from tidegate.errors import (
    AlreadyAnswered,
    ExecutionEnded,
    InvalidValue,
    NotWaitingYet,
    Refused,
    UnknownExecution,
    UnknownSignal,
    Withdrawn,
)
from tidegate.service import inbox
from tidegate.service.access import Grant, Principal, Role, person
from tidegate.service.moments import maybe
from tidegate.stores import arms
from tidegate.testing import Sandbox, to_instant
from tidegate.wire import (
    Answer,
    GetExecution,
    GetQuestion,
    Launch,
    ListExecutions,
    ListInbox,
    SummarizeInbox,
    WaitingView,
)

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


def plain(view: WaitingView) -> WaitingView:
    """A question without what only a single one says."""
    return structs.replace(view, leads=[], background=None)


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

    assert plain(whole) == run.questions[0]
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
        assert plain(handle(GetQuestion(id=run.id, name=each.path))) == each


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


def test_a_question_that_was_never_asked_is_refused_with_the_reason(sandbox, handle):
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
    ask(run, "big", Withdrawn)

    other = sandbox.launch(branches, n=5)
    other.abort()
    assert "aborted" in ask(other, "last", ExecutionEnded)
    early = sandbox.launch(two_numbers)
    early.answer("second", 1, who="ann")
    assert "ann" in ask(early, "second", AlreadyAnswered)

    with pytest.raises(UnknownExecution):
        handle(GetQuestion(id="nobody", name="first"))
    assert issubclass(NotWaitingYet, Refused)


# ---- the record ----


@workflow
def two_numbers() -> int:
    first = wait_for_input("first", expected_type=int)
    second = wait_for_input("second", expected_type=int)
    first >> second
    return second


def test_a_decided_question_shows_what_was_asked_and_shown_and_the_decision(sandbox, handle):
    launched(handle, sandbox, "risk", "tom")
    (asked,) = handle(ListInbox()).items
    open_ = handle(GetQuestion(id=asked.execution, name=asked.handle))
    answer = Answer(
        id=asked.execution, name=asked.handle, value=False, comment="too early", shown=asked.digest
    )
    handle(answer, person("ben"))

    record = handle(GetQuestion(id=asked.execution, name=asked.handle))

    assert (record.title, record.figures, record.prompt) == (
        open_.title,
        open_.figures,
        open_.prompt,
    )
    assert (record.value, record.show, record.digest) == (open_.value, open_.show, open_.digest)
    assert (record.phase, record.ended, record.due) == ("FAILED", sandbox.now, None)
    assert record.answer is not None
    assert (record.answer.value, record.answer.who) == (False, "ben")
    assert (record.answer.comment, record.answer.shown) == ("too early", asked.digest)
    assert (record.may, record.leads) == (False, [])


def test_a_question_that_timed_out_or_was_withdrawn_has_a_record_without_a_decision(
    sandbox, handle
):
    launched(handle, sandbox, "", "tom")
    aborted = sandbox.launch(small, n=7)
    (timed,) = (each for each in handle(ListInbox()).items if each.name == "go")
    aborted.abort()
    sandbox.advance(timedelta(hours=3))

    silent = handle(GetQuestion(id=timed.execution, name="go"))
    ended = handle(GetQuestion(id=aborted.id, name="number"))

    assert (silent.phase, silent.answer, silent.value) == ("TIMED_OUT", None, 0.9)
    assert silent.ended == silent.opened + timedelta(hours=2)
    assert (ended.phase, ended.answer, ended.suggested) == ("ABORTED", None, 7)


# ---- titles, figures, who may ----

ANN = Principal("ann", (Grant(Role.APPROVER, "risk"), Grant(Role.VIEWER)), "api")


@workflow
def deploy(region: str, auc: float) -> float:
    return approve(
        auc,
        "go",
        title="Deploy to {region}",
        figures={"AUC": auc},
        prompt="May it go out?\nLook well.",
        timeout=timedelta(hours=2),
    )


def launched(handle, sandbox, project: str, name: str, *, region="eu", auc=0.9) -> None:
    """Launch `deploy` as somebody, in a project."""
    version = sandbox._register(deploy)
    request = Launch(
        workflow=deploy.name,
        version=version,
        inputs={"region": region, "auc": auc},
        project=project,
    )
    handle(request, person(name))
    sandbox._engine.settle()


def test_a_question_has_a_title_figures_and_who_launched_it_in_lists_and_alone(sandbox, handle):
    launched(handle, sandbox, "", "tom")

    (listed,) = handle(ListInbox()).items
    whole = handle(GetQuestion(id=listed.execution, name=listed.path))

    for view in (listed, whole, handle(GetExecution(id=listed.execution)).waiting[0]):
        assert (view.title, view.figures) == ("Deploy to eu", {"AUC": 0.9})
        assert (view.launched_by, view.may, view.who_may) == ("tom", True, "")
    assert plain(whole) == listed


def test_without_a_title_a_question_has_the_name_of_its_gate(sandbox, handle):
    run = sandbox.launch(small, n=4)

    for view in (*handle(ListInbox()).items, *run.questions):
        assert view.title == "number"


def test_yours_are_those_that_you_may_answer(sandbox, handle):
    for project in ("ops", "risk", "risk"):
        launched(handle, sandbox, project, "tom")

    assert len(handle(ListInbox(), ANN).items) == 3
    assert [each.may for each in handle(ListInbox(yours=True), ANN).items] == [True, True]
    viewer = Principal("eve", (Grant(Role.VIEWER),), "api")
    assert handle(ListInbox(yours=True), viewer).items == []
    assert len(handle(ListInbox(yours=True)).items) == 3


def test_the_summary_counts_what_is_yours_and_all(sandbox, handle, monkeypatch):
    for project in ("ops", "risk", "risk"):
        launched(handle, sandbox, project, "tom")
        sandbox.advance(timedelta(minutes=10))
    sandbox.launch(small, n=1)

    found = handle(SummarizeInbox(), ANN)

    assert (found.yours, found.all, found.bounded) == (2, 4, False)
    assert found.soonest_due == sandbox.now + timedelta(minutes=100)
    assert {(each.name, each.count, each.yours) for each in found.workflows} == {
        (deploy.name, 3, 2),
        (small.name, 1, 0),
    }
    assert [(each.name, each.count, each.yours) for each in found.projects] == [
        ("", 1, 0),
        ("ops", 1, 0),
        ("risk", 2, 2),
    ]
    monkeypatch.setattr(inbox, "MOST", 2)
    bounded = handle(SummarizeInbox(), ANN)
    assert (bounded.all, bounded.bounded, bounded.most) == (4, True, 2)


def test_the_summary_of_nothing_is_empty(handle):
    found = handle(SummarizeInbox())

    assert (found.yours, found.all, found.workflows, found.soonest_due) == (0, 0, [], None)


@pytest.mark.parametrize(
    ("sort", "regions"),
    [
        ("title", ["a", "b", "c"]),
        ("-title", ["c", "b", "a"]),
        ("figure:AUC", ["b", "c", "a"]),
        ("-figure:AUC", ["a", "c", "b"]),
        ("-opened", ["c", "a", "b"]),
        ("due", ["b", "a", "c"]),
        ("figure:none", ["b", "a", "c"]),
    ],
)
def test_the_inbox_is_sorted_by_what_it_shows(sandbox, handle, sort, regions):
    for region, auc in (("b", 0.5), ("a", 0.9), ("c", 0.7)):
        launched(handle, sandbox, "", "tom", region=region, auc=auc)
        sandbox.advance(timedelta(minutes=2))

    first = handle(ListInbox(sort=sort, limit=2))
    rest = handle(ListInbox(sort=sort, limit=2, cursor=first.next))

    titles = [each.title for each in (*first.items, *rest.items)]
    assert titles == [f"Deploy to {region}" for region in regions]
    assert rest.next == ""


@pytest.mark.parametrize("text", ["to EU", "0.9", "may it go", "deploy"])
def test_the_inbox_is_searched_by_what_a_row_shows(sandbox, handle, text):
    launched(handle, sandbox, "", "tom")
    sandbox.launch(small, n=1)

    assert [each.name for each in handle(ListInbox(text=text)).items] == ["go"]


def test_the_inbox_is_not_searched_by_what_no_row_shows(sandbox, handle):
    launched(handle, sandbox, "", "tom")

    assert handle(ListInbox(text="look well")).items == []


AT = to_instant(datetime(2026, 11, 28, 15, 12, 40, tzinfo=UTC))


@pytest.mark.parametrize(
    ("due", "zone", "begin", "end"),
    [
        ("overdue", 0, None, "28T15:12:40"),
        ("hour", 0, "28T15:12:40", "28T16:12:40"),
        ("today", 0, "28T16:12:40", "29T00:00:00"),
        ("today", 60, "28T16:12:40", "28T23:00:00"),
        ("today", -300, "28T16:12:40", "29T05:00:00"),
        # In the last hour of a day nothing is left of it beyond the next hour.
        ("today", 600, "28T16:12:40", "29T14:00:00"),
        ("today", 525, "28T16:12:40", "28T16:12:40"),
        ("week", 0, "29T00:00:00", "+05T00:00:00"),
        ("week", 525, "28T16:12:40", "+04T15:15:00"),
        ("later", 0, "+05T00:00:00", None),
    ],
)
def test_the_groups_of_due_times_follow_the_day_of_the_reader(due, zone, begin, end):
    def at(text: str | None) -> datetime | None:
        if text is None:
            return None
        month = 12 if text.startswith("+") else 11
        return datetime.fromisoformat(f"2026-{month}-{text.removeprefix('+')}+00:00")

    span = inbox.due_span(due, zone, AT)

    assert (maybe(span.since), maybe(span.until)) == (at(begin), at(end))


def test_the_groups_of_due_times_leave_nothing_out_and_overlap_nowhere(sandbox, handle):
    def timed(minutes: int) -> Any:
        @workflow
        def waits() -> str:
            return wait_for_input("g", timedelta(minutes=minutes), str)

        return waits

    for minutes in (1, 59, 61, 300, 60 * 30, 60 * 24 * 6, 60 * 24 * 30):
        sandbox.launch(timed(minutes))
    sandbox.launch(small, n=1)

    groups = ("overdue", "hour", "today", "week", "later", "none")
    found = [each for due in groups for each in handle(ListInbox(due=due, zone=90)).items]

    assert [each.execution for each in found] == [
        each.execution for each in handle(ListInbox()).items
    ]
