"""The use cases, as every door asks for them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from msgspec import UNSET, structs

from tidegate import approve, dynamic, sleep, task, wait_for_input, workflow
from tidegate.errors import (
    AlreadyAnswered,
    AmbiguousSignal,
    ExecutionEnded,
    IdTaken,
    InvalidValue,
    KeyReused,
    NotWaitingYet,
    UnknownExecution,
    UnknownNode,
    UnknownSignal,
    UnknownWorkflow,
)
from tidegate.service.access import person
from tidegate.service.executions import new_id
from tidegate.testing import Sandbox
from tidegate.wire import (
    Abort,
    Answer,
    CheckAnswer,
    CheckInputs,
    EndView,
    GetExecution,
    GetLogs,
    GetNode,
    Launch,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListWorkflows,
)


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int, prompt="How many?", suggested=4)


@workflow
def asks_twice() -> int:
    return add(a=wait_for_input("number", expected_type=int), b=ask())


@workflow
def review(n: int, note: str = "none") -> int:
    number = wait_for_input("number", timeout=timedelta(hours=1), expected_type=int)
    return approve(add(a=n, b=number), "fine")


@dynamic
def loop(left: int) -> int:
    number = wait_for_input("number", expected_type=int)
    if left == 0:
        return number
    return add(a=number, b=loop(left=left - 1))


@workflow
def looping() -> int:
    return loop(left=1)


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def handle(sandbox):
    return sandbox._service.handle


class TestLaunching:
    def test_every_input_that_is_wrong_is_named_at_once(self, sandbox, handle):
        sandbox.launch(review, n=1)
        with pytest.raises(InvalidValue) as caught:
            handle(Launch(workflow=review.name, inputs={"m": 1, "note": 2}))
        assert {fault.path[0] for fault in caught.value.faults} == {"m", "n", "note"}
        assert len(handle(ListExecutions()).items) == 1

    def test_a_default_is_filled_in(self, sandbox):
        assert sandbox.launch(review, n=1).view.inputs == {"n": 1, "note": "none"}

    def test_the_same_id_with_the_same_content_is_the_first_and_with_other_content_is_refused(
        self, sandbox, handle
    ):
        first = sandbox.launch_as("mine", review, n=1)
        again = handle(Launch(workflow=review.name, inputs={"n": 1, "note": "none"}, id="mine"))
        assert not again.created
        assert structs.replace(again, created=UNSET) == first.view
        with pytest.raises(IdTaken, match="inputs"):
            handle(Launch(workflow=review.name, inputs={"n": 2}, id="mine"))
        sandbox.launch(ask)
        with pytest.raises(IdTaken, match="workflow"):
            handle(Launch(workflow=ask.name, id="mine"))

    @pytest.mark.parametrize("id_", ["a b", "../x", "", "é", "x" * 65, "-x", "a\n"])
    def test_an_id_that_cannot_stand_in_a_path_or_an_address_is_refused(self, sandbox, handle, id_):
        sandbox.launch(ask)
        if id_:
            with pytest.raises(InvalidValue, match="is invalid"):
                handle(Launch(workflow=ask.name, id=id_))
        else:
            assert len(handle(Launch(workflow=ask.name, id=id_)).id) == 16

    def test_fresh_ids_are_short_plain_and_all_different(self):
        ids = {new_id() for _ in range(1000)}
        assert len(ids) == 1000
        assert all(id_.isalnum() and id_ == id_.lower() and len(id_) == 16 for id_ in ids)

    def test_an_unknown_workflow_is_answered_with_the_one_that_may_be_meant(self, sandbox, handle):
        sandbox.launch(review, n=1)
        with pytest.raises(UnknownWorkflow, match="did you mean 'review'"):
            handle(Launch(workflow="reviw"))
        with pytest.raises(UnknownWorkflow, match="no version 'x'"):
            handle(Launch(workflow=review.name, version="x"))

    def test_a_workflow_shows_what_it_takes_and_what_it_will_ask_for(self, sandbox, handle):
        sandbox.launch(review, n=1)
        sandbox.launch(looping)
        views = {view.name.rpartition(".")[2]: view for view in handle(ListWorkflows()).items}
        view = views["review"]
        assert [(each.name, each.expects) for each in view.inputs] == [
            ("n", "a whole number"),
            ("note", "text"),
        ]
        assert [signal.name for signal in view.signals] == ["number", "fine"]
        assert (view.dynamic, views["looping"].dynamic) == (False, True)


class TestAnswering:
    def test_a_value_of_another_type_is_refused_and_nothing_is_consumed(self, sandbox):
        run = sandbox.launch(ask)
        with pytest.raises(InvalidValue, match="takes a whole number") as caught:
            run.answer("number", "many")
        assert caught.value.faults
        assert (run.waiting, len(run.events)) == (["number"], 1)
        run.answer("number", 3)
        assert run.outputs == {"o0": 3}

    def test_an_unknown_signal_is_answered_with_those_there_are(self, sandbox):
        with pytest.raises(UnknownSignal, match="its signals are: number") as caught:
            sandbox.launch(ask).answer("nmber", 1)
        assert caught.value.details["signals"] == ["number"]

    def test_a_name_that_means_several_is_refused_with_their_paths_which_do(self, sandbox):
        run = sandbox.launch(asks_twice)
        with pytest.raises(AmbiguousSignal) as caught:
            run.answer("number", 1)
        paths = caught.value.details["paths"]
        assert paths == [each.path for each in run.questions]
        assert len(set(paths)) == 2
        for path in paths:
            assert run.answer(path, 1).signal == path
        assert run.outputs == {"o0": 2}

    def test_the_gates_of_an_unfolded_loop_are_told_apart_by_path(self, sandbox):
        run = sandbox.launch(looping)
        seen = []
        while run.questions:
            question = next(each for each in run.questions if each.path not in seen)
            seen.append(question.path)
            run.answer(question.path, len(seen))
        assert (run.outputs, len(seen)) == ({"o0": 3}, 2)

    def test_the_same_answer_again_is_accepted_forever_and_another_says_who_was_first(
        self, sandbox
    ):
        run = sandbox.launch(ask)
        first = run.answer("number", 3, who="ann", key="k")
        assert run.phase == "SUCCEEDED"
        assert run.answer("number", 3, who="ann") == first
        assert run.answer("number", 3, who="ann", key="k") == first
        for value in (4, "of no type"):
            with pytest.raises(AlreadyAnswered, match="by ann at 2026-01-01 00:00:00 UTC"):
                run.answer("number", value)

    def test_a_key_belongs_to_one_signal(self, sandbox):
        run = sandbox.launch(review, n=1)
        run.answer("number", 3, key="k")
        with pytest.raises(KeyReused, match="'k'"):
            run.answer("fine", True, key="k")

    def test_an_approval_cannot_come_before_what_it_approves_and_an_input_can(self, sandbox):
        run = sandbox.launch(review, n=1)
        with pytest.raises(NotWaitingYet, match="is not waiting yet"):
            run.approve("fine")
        assert run.answer("number", 3).early is False

    def test_after_the_end_an_answer_is_refused_with_the_reason(self, sandbox):
        run = sandbox.launch(ask)
        run.abort("enough")
        with pytest.raises(ExecutionEnded, match="aborted already"):
            run.answer("number", 3)

    def test_the_whole_question_is_in_the_inbox(self, sandbox):
        sandbox.launch_as("r", review, n=1).answer("number", 4)
        sandbox.launch_as("a", ask)
        inbox = {each.execution: each for each in sandbox.inbox()}
        assert (inbox["a"].prompt, inbox["a"].suggested, inbox["a"].due) == ("How many?", 4, None)
        assert (inbox["r"].kind, inbox["r"].value, inbox["r"].expects) == (
            "approve",
            5,
            "yes or no",
        )

    def test_the_inbox_comes_in_pages_without_gap_or_repetition(self, sandbox, handle):
        ids = {
            sandbox.launch(ask if n % 2 else review, **({} if n % 2 else {"n": n})).id
            for n in range(7)
        }
        seen, cursor = [], ""
        while True:
            page = handle(ListInbox(cursor=cursor, limit=2))
            seen += page.items
            cursor = page.next
            if not cursor:
                break
        assert sorted(each.execution for each in seen) == sorted(ids)
        dues = [each.due is None for each in seen]
        assert dues == sorted(dues)  # those without end come last

    @pytest.mark.parametrize("cursor", ["x", "e30=", "WzFd", "💥"])
    def test_a_cursor_of_ones_own_making_is_refused(self, sandbox, handle, cursor):
        with pytest.raises(InvalidValue, match="cursor"):
            handle(ListInbox(cursor=cursor))
        with pytest.raises(InvalidValue, match="cursor"):
            handle(ListExecutions(cursor=cursor))


class TestLooking:
    def test_what_is_not_there_is_said_by_name(self, sandbox, handle):
        run = sandbox.launch(ask)
        for request in (
            GetExecution(id="zz"),
            ListEvents(id="zz"),
            Abort(id="zz"),
            GetLogs(id="zz"),
            GetNode(id="zz", node="n0"),
        ):
            with pytest.raises(UnknownExecution, match="'zz'"):
                handle(request)
        with pytest.raises(UnknownNode, match="it has: number"):
            handle(GetLogs(id=run.id, node="nn"))

    def test_lists_are_newest_first_in_pages_and_by_phase(self, sandbox, handle):
        ids = [sandbox.launch(ask).id for _ in range(5)]
        sandbox.run(ids[0]).answer("number", 1)
        first = handle(ListExecutions(limit=3))
        rest = handle(ListExecutions(limit=3, cursor=first.next))
        assert [each.id for each in first.items + rest.items] == ids[::-1]
        assert rest.next == ""
        assert [each.id for each in handle(ListExecutions(phases=["succeeded"])).items] == ids[:1]
        assert first.items[0].waiting == ["number"]
        with pytest.raises(InvalidValue, match="the phases are: QUEUED"):
            handle(ListExecutions(phases=["DONE"]))

    def test_who_waits_for_the_end_is_told_at_the_end(self, sandbox, handle):
        run = sandbox.launch(ask)
        views = []
        waiter = threading.Thread(
            target=lambda: views.append(handle(GetExecution(id=run.id, wait=30)))
        )
        waiter.start()
        handle(Answer(id=run.id, name="number", value=5))
        waiter.join(30)
        assert [view.phase for view in views] == ["SUCCEEDED"]

    def test_who_waits_for_news_is_told_of_the_next_event(self, sandbox, handle):
        run = sandbox.launch(review, n=1)
        pages = []
        waiter = threading.Thread(
            target=lambda: pages.append(handle(ListEvents(id=run.id, after=1, wait=30)))
        )
        waiter.start()
        run.answer("number", 5)
        waiter.join(30)
        assert pages[0].items[0].kind == "AnswerGiven"
        assert pages[0].items[0].details["value"] == 5

    def test_waiting_ends_at_once_when_there_is_nothing_to_wait_for(self, sandbox, handle):
        run = sandbox.launch(ask)
        assert handle(GetExecution(id=run.id, wait=30, until_waiting=True)).phase == "WAITING"
        run.answer("number", 1)
        assert handle(GetExecution(id=run.id, wait=30)).phase == "SUCCEEDED"
        assert handle(ListEvents(id=run.id, after=1000, wait=30)).items == []

    def test_waiting_ends_when_the_time_is_up_or_the_service_closes(self, sandbox, handle):
        run = sandbox.launch(ask)
        assert handle(GetExecution(id=run.id, wait=0.01)).phase == "WAITING"
        with pytest.raises(InvalidValue, match="wait -1 must be between 0 and 3,600"):
            handle(GetExecution(id=run.id, wait=-1))
        sandbox._service.close()
        assert handle(GetExecution(id=run.id, wait=30)).phase == "WAITING"

    def test_an_execution_that_sleeps_has_something_left_to_run(self, sandbox, handle):
        @workflow
        def naps() -> None:
            sleep(timedelta(hours=1))

        run = sandbox.launch(naps)
        view = handle(GetExecution(id=run.id, wait=0.01, until_waiting=True))
        assert [each.kind for each in view.waiting] == ["sleep"]
        sandbox.advance(timedelta(hours=1))
        assert run.phase == "SUCCEEDED"

    def test_an_abort_is_reported_as_done_the_second_time_too(self, sandbox, handle):
        run = sandbox.launch(ask)
        assert handle(Abort(id=run.id, reason="enough")) == handle(Abort(id=run.id))
        other = sandbox.launch(ask)
        other.answer("number", 1)
        with pytest.raises(ExecutionEnded, match="succeeded already"):
            handle(Abort(id=other.id))


class TestChecking:
    """A value is checked without being sent."""

    @pytest.mark.parametrize(("value", "valid"), [(7, True), ("seven", False), (None, False)])
    def test_an_answer_is_checked_and_nothing_is_stored(self, sandbox, handle, value, valid):
        run = sandbox.launch(ask)
        before = handle(ListEvents(id=run.id)).items

        found = handle(CheckAnswer(id=run.id, name="number", value=value))

        assert (found.valid, bool(found.faults)) == (valid, not valid)
        assert handle(ListEvents(id=run.id)).items == before
        assert run.phase == "WAITING"

    def test_what_is_said_is_what_the_answer_would_be_refused_with(self, sandbox, handle):
        run = sandbox.launch(ask)

        found = handle(CheckAnswer(id=run.id, name="number", value="x"))

        with pytest.raises(InvalidValue) as refused:
            handle(Answer(id=run.id, name="number", value="x"))
        assert [(tuple(each.path), each.reason) for each in found.faults] == [
            (each.path, each.reason) for each in refused.value.faults
        ]

    def test_an_early_answer_is_checked_too_but_no_early_approval(self, sandbox, handle):
        @workflow
        def later() -> int:
            first = wait_for_input("first", expected_type=int)
            second = wait_for_input("second", expected_type=int)
            first >> second
            return approve(first, "third")

        run = sandbox.launch(later)

        assert handle(CheckAnswer(id=run.id, name="second", value=1)).valid
        with pytest.raises(NotWaitingYet):
            handle(CheckAnswer(id=run.id, name="third", value=True))

    def test_what_takes_no_answer_refuses_a_check_as_it_refuses_the_answer(self, sandbox, handle):
        run = sandbox.launch(ask)
        run.answer("number", 1)

        with pytest.raises(AlreadyAnswered):
            handle(CheckAnswer(id=run.id, name="number", value=1))
        with pytest.raises(UnknownSignal):
            handle(CheckAnswer(id=run.id, name="other", value=1))

    def test_inputs_are_checked_and_nothing_is_launched(self, sandbox, handle):
        sandbox.launch(review, n=1)

        assert handle(CheckInputs(name=review.name, inputs={"n": 2})).valid
        found = handle(CheckInputs(name=review.name, inputs={"m": 1, "note": 2}))

        assert {each.path[0] for each in found.faults} == {"m", "n", "note"}
        assert len(handle(ListExecutions()).items) == 1
        with pytest.raises(UnknownWorkflow):
            handle(CheckInputs(name="nothing", inputs={}))


class TestEndings:
    """A list says how executions ended."""

    def test_each_line_says_how_it_ended_by_whom_and_why(self, sandbox, handle):
        @task
        def fails() -> int:
            raise ValueError("warehouse refused\nthe connection")

        @workflow
        def broken() -> int:
            return fails()

        yes, no, silent, ended = (sandbox.launch(review, n=1) for _ in range(4))
        failed = sandbox.launch(broken)
        for run in (yes, no):
            run.answer("number", 2)
        yes.approve("fine")
        handle(Answer(id=no.id, name="fine", value=False, comment="too dear"), person("ben"))
        handle(Abort(id=ended.id, reason="wrong dates"), person("ann"))
        sandbox.advance(timedelta(hours=2))

        lines = {each.id: each.end for each in handle(ListExecutions()).items}

        assert lines[yes.id] is None
        assert lines[no.id] == EndView(
            kind="rejected", message="too dear", who="ben", node="n2", name="fine"
        )
        assert (lines[silent.id].kind, lines[silent.id].name) == ("timed_out", "number")
        assert lines[ended.id] == EndView(kind="aborted", message="wrong dates", who="ann")
        assert lines[failed.id].kind == "failed"
        assert "warehouse refused the connection" in lines[failed.id].message

        def listed(*ends: str, **more: Any) -> set[str]:
            return {each.id for each in handle(ListExecutions(ends=list(ends), **more)).items}

        assert listed("rejected") == {no.id}
        assert listed("timed_out", "failed") == {silent.id, failed.id}
        assert listed("aborted", phases=["SUCCEEDED"]) == {ended.id, yes.id}
        assert listed(phases=["FAILED"]) == {no.id, silent.id, failed.id}

    def test_a_store_that_is_checked_agrees_on_it(self, sandbox, handle):
        run = sandbox.launch(review, n=1)
        handle(Abort(id=run.id, reason="r"))

        assert sandbox._store.problems() == []
