"""Events as they are shown: with values in the history of their execution, a page of it bounded in bytes; in the stream without any."""

import msgspec
import pytest

from tidegate import approve, task, wait_for_input, workflow
from tidegate.core.history import Line, from_bytes
from tidegate.core.messages import Failure, TaskFailed, TaskStarted
from tidegate.core.state import NodeChanged, NodePhase, NodeState
from tidegate.errors import InvalidValue
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.service.access import person
from tidegate.service.events import MESSAGE, NAMED, PAGE_BYTES, event_line
from tidegate.testing import Sandbox
from tidegate.wire import Abort, Answer, ListEvents, Recover

SECRET = "SECRET-VALUE"
LARGE = 700_000


@task
def copied(text: str) -> str:
    return text


@task
def fails(text: str) -> str:
    raise ValueError(f"no {text} here " * 1_000)


@workflow
def passes(text: str) -> str:
    given = wait_for_input("words", expected_type=str, suggested=text)
    return approve(copied(text=given), "fine", show={"given": given})


@workflow
def breaks(text: str) -> str:
    return fails(text=wait_for_input("words", expected_type=str))


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def service(sandbox):
    return sandbox._service


def everything(service):
    cursor, found = service.feed.resume("0"), []
    while page := service.feed.after(cursor, 100):
        found += page
        cursor = page[-1].cursor
    return found


def test_no_message_of_the_stream_holds_a_value_of_any_kind(sandbox, service):
    run = sandbox.launch(passes, text=SECRET)
    service.handle(Answer(id=run.id, name="words", value=SECRET, comment=SECRET, key=SECRET))
    run.reject("fine", comment=SECRET)
    service.handle(Recover(id=run.id, new_id="again"))
    service.handle(Abort(id="again", reason=SECRET))

    messages = everything(service)

    assert SECRET not in msgspec.json.encode(messages).decode()
    assert {each.event.kind for each in messages} >= {"Launched", "AnswerGiven", "TaskSucceeded", "AbortRequested"}  # fmt: skip
    history = service.handle(ListEvents(id=run.id)).items
    assert SECRET in msgspec.json.encode(history).decode(), "the history of one execution has them"


def test_a_message_says_who_did_what_and_which_nodes_came_into_which_phase(sandbox, service):
    run = sandbox.launch(passes, text="x")
    ann = msgspec.structs.replace(person("ann"), via="ui")
    service.handle(Answer(id=run.id, name="words", value="hello"), ann)

    messages = {each.event.kind: each for each in everything(service)}

    told = messages["AnswerGiven"]
    assert (told.execution, told.workflow) == (run.id, passes.name)
    assert told.event.details == {
        "node": "n0",
        "who": "ann",
        "via": "ui",
        "phase": "RUNNING",
        "changes": {"n0": "SUCCEEDED", "n1": "QUEUED"},
        "changed": 2,
    }
    assert messages["TaskSucceeded"].event.details["phase"] == "WAITING"


def test_a_message_names_the_execution_that_another_one_repeats(sandbox, service):
    run = sandbox.launch(breaks, text="x")
    run.answer("words", "hello")
    service.handle(Recover(id=run.id, new_id="again"))

    launched = [each for each in everything(service) if each.event.kind == "Launched"]

    assert launched[-1].event.details["origin"] == run.id


def test_of_a_failure_the_beginning_of_its_message_is_told(sandbox, service):
    run = sandbox.launch(breaks, text="x")
    run.answer("words", "salt")

    (failed,) = [each for each in everything(service) if each.event.kind == "TaskFailed"]

    assert failed.event.details["failure"].startswith("ValueError: no salt here no salt")
    assert len(failed.event.details["failure"]) == MESSAGE
    whole = [each for each in run.events if each.kind == "TaskFailed"]
    assert len(whole[0].details["failure"]) > MESSAGE


@pytest.mark.parametrize(
    ("nodes", "named"),
    [(1, 1), (NAMED, NAMED), (NAMED + 1, NAMED), (10_000, NAMED)],
)
def test_of_very_many_changed_nodes_some_are_named_and_all_are_counted(nodes, named):
    changed = [NodeChanged(NodeId(f"n{n}"), NodeState(NodePhase.ABORTED)) for n in range(nodes)]
    event = event_line(3, Line(TaskStarted(Instant(1), NodeId("n0"), 1), list(changed)))

    assert event.details["changed"] == nodes
    assert len(event.details["changes"]) == named
    assert event.details["changes"]["n0"] == "ABORTED"


def test_names_of_nodes_deep_in_each_other_do_not_make_a_message_large():
    deep = "/".join(["n0"] * 1_000)
    changed = [NodeChanged(NodeId(f"{deep}/n{n}"), NodeState(NodePhase.FAILED, failure=Failure("c", "m" * 5_000))) for n in range(100)]  # fmt: skip
    about = TaskFailed(Instant(1), NodeId(f"{deep}/n0"), 1, Failure("c", ""))
    event = event_line(3, Line(about, list(changed)))

    assert event.details["changed"] == 100
    assert len(msgspec.json.encode(event)) < 15_000


def test_what_is_not_a_cursor_is_refused_and_one_from_beyond_the_end_is_the_latest(sandbox, service):  # fmt: skip
    sandbox.launch(passes, text="x")
    feed = service.feed
    for nonsense in ("x", "-1", "1.5", "٣", "9" * 400, " ", "1\n"):
        with pytest.raises(InvalidValue, match="is not a cursor"):
            feed.resume(nonsense)
    assert feed.resume(str(10**15)) == feed.latest()


# ---- the history of one execution ----


@workflow
def asks_often(text: str) -> list[str]:
    one = wait_for_input("one", expected_type=list[str])
    two = wait_for_input("two", expected_type=list[str])
    three = wait_for_input("three", expected_type=list[str])
    last = wait_for_input("last", expected_type=list[str])
    one >> two >> three >> last
    return last


def test_a_page_of_history_is_bounded_in_bytes_and_the_next_goes_on_where_it_ends(sandbox, service):
    run = sandbox.launch(asks_often, text="x" * LARGE)
    for name in ("one", "two", "three", "last"):
        run.answer(name, [name * 1_000] * (LARGE // 1_000 // len(name)))

    pages, after = [], 0
    while items := service.handle(ListEvents(id=run.id, after=after)).items:
        pages.append(items)
        after = items[-1].seq

    assert len(pages) > 2
    assert all(len(msgspec.json.encode(page)) < PAGE_BYTES + 800_000 for page in pages)
    told = [each for page in pages for each in page]
    assert [each.seq for each in told] == list(range(1, run.view.seq + 1))
    assert told[-1].details["value"] == ["last" * 1_000] * (LARGE // 4_000)


def test_only_the_lines_asked_for_are_read(sandbox, service, monkeypatch):
    run = sandbox.launch(asks_often, text="x")
    for name in ("one", "two", "three", "last"):
        run.answer(name, [name])
    journal, read = sandbox._store.journal, []
    history = journal.history

    def counting(*given):
        found = history(*given)
        read.extend(found)
        return found

    monkeypatch.setattr(journal, "history", counting)

    (only,) = service.handle(ListEvents(id=run.id, after=2, limit=1)).items

    assert only.seq == 3
    assert [from_bytes(body).event.at for body in read] == [only.at.timestamp() * 1_000_000]


def test_who_waits_for_history_is_answered_when_there_is_some(sandbox, service):
    run = sandbox.launch(asks_often, text="x")
    before = service.handle(ListEvents(id=run.id)).items[-1].seq
    assert service.handle(ListEvents(id=run.id, after=before, wait=0.01)).items == []
    run.answer("one", ["1"])
    assert service.handle(ListEvents(id=run.id, after=before, wait=60)).items[0].seq == before + 1
