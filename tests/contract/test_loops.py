"""A dynamic task that calls itself at its end is a loop: each round takes the place of the one before, for as many rounds as people need."""

from collections import Counter
from datetime import timedelta

import pytest

from tidegate import (
    approve,
    conditional,
    current_context,
    dynamic,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from tidegate.core import unfolding
from tidegate.engine import memory
from tidegate.errors import (
    AlreadyAnswered,
    AmbiguousSignal,
    KeyReused,
    NotWaitingYet,
    RecoveredAlready,
    TimedOut,
    UnknownSignal,
    Withdrawn,
)
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
RAN: list[tuple[str, str]] = []
"""What each call of a task was made with, and its idempotency key."""
FAILURES: Counter[str] = Counter()
"""How many times a task still fails, by what it is called with."""


@pytest.fixture
def sandbox():
    RAN.clear()
    FAILURES.clear()
    with Sandbox() as sandbox:
        yield sandbox


@task
def improve(draft: str, remark: str) -> str:
    RAN.append((remark, current_context().idempotency_key))
    if FAILURES[remark]:
        FAILURES[remark] -= 1
        raise ConnectionError(f"no {remark} today")
    return f"{draft}+{remark}"


@dynamic
def review(draft: str, remark: str) -> str:
    """Ask, improve, and ask again, until nobody has a remark."""
    if remark == "fine":
        return draft
    asked = wait_for_input("remark", expected_type=str, show={"draft": draft})
    return review(draft=improve(draft=draft, remark=asked), remark=asked)


@workflow
def report(draft: str) -> str:
    return approve(review(draft=draft, remark=""), "release")


def gates(run: Run) -> list[str]:
    return [question.path for question in run.questions]


def test_a_loop_of_a_thousand_rounds_asks_in_each_and_stays_as_small_as_in_the_first(
    sandbox: Sandbox,
):
    run = sandbox.launch(report, draft="d")
    paths, sizes = [], []
    for n in range(1_000):
        if n % 200 == 0:
            sizes.append(len(run.view.nodes))
        paths.append(run.answer("remark", f"r{n}").signal)
    run.answer("remark", "fine")
    run.approve("release")
    assert run.outputs == {"o0": "+".join(["d", *(f"r{n}" for n in range(1_000)), "fine"])}
    assert len(set(paths)) == 1_000
    assert max(map(len, paths)) < 20
    assert max(sizes) == min(sizes)
    assert len({key for _, key in RAN}) == len(RAN) == 1_001


def test_every_round_has_ids_of_its_own(sandbox: Sandbox):
    run = sandbox.launch(report, draft="d")
    seen: list[str] = []
    for n in range(5):
        ids = [node.id for node in run.view.nodes if node.parent == "n0"]
        assert not set(ids) & set(seen)
        seen += ids
        run.answer("remark", f"r{n}")
    assert seen[:6] == ["n0/n0", "n0/n1", "n0/n2", "n0~2/n0", "n0~2/n1", "n0~2/n2"]


def test_the_question_shows_what_the_round_before_has_made(sandbox: Sandbox):
    run = sandbox.launch(report, draft="d")
    for shown in ("d", "d+a", "d+a+b"):
        (question,) = run.questions
        assert question.show == {"draft": shown}
        run.answer("remark", "a" if shown == "d" else "b")


# ---- the ways to a next round ----


@dynamic
def decides(x: int) -> int:
    more = wait_for_input("more", expected_type=bool)
    again = conditional("again").if_(more.is_true())
    return again.then(decides(x=plus(x=x))).else_().then(x)


@dynamic
def through_a_workflow(x: int) -> int:
    more = wait_for_input("more", expected_type=bool)
    return more_or_less(x=x, more=more)


@workflow
def more_or_less(x: int, more: bool) -> int:
    again = conditional("again").if_(more.is_true())
    return again.then(through_a_workflow(x=plus(x=x))).else_().then(x)


@dynamic
def ping(x: int) -> int:
    more = wait_for_input("more", expected_type=bool)
    return pong(x=plus(x=x), more=more)


@dynamic
def pong(x: int, more: bool) -> int:
    return ping(x=x) if more else minus(x=x)


@dynamic
def returns_nothing(x: int, more: bool) -> None:
    if more:
        returns_nothing(x=plus(x=x), more=wait_for_input("more", expected_type=bool))


@task
def plus(x: int) -> int:
    return x + 1


@task
def minus(x: int) -> int:
    return x - 1


@workflow
def by_conditional() -> int:
    return decides(x=0)


@workflow
def by_workflow() -> int:
    return through_a_workflow(x=0)


@workflow
def by_another() -> int:
    return ping(x=0)


@workflow
def for_nothing() -> int:
    done = returns_nothing(x=0, more=True)
    last = minus(x=301)
    done >> last
    return last


@pytest.mark.parametrize("wf", [by_conditional, by_workflow, by_another, for_nothing])
def test_a_loop_may_go_through_conditionals_workflows_and_other_dynamics(sandbox: Sandbox, wf):
    run = sandbox.launch(wf)
    sizes = []
    for n in range(300):
        if n % 50 == 0:
            sizes.append(len(run.view.nodes))
        run.answer("more", True)
    run.answer("more", False)
    assert run.phase == "SUCCEEDED"
    assert run.outputs == {"o0": 300}
    assert max(sizes) <= min(sizes) + 6


@dynamic
def adds_up(x: int) -> int:
    more = wait_for_input(f"more {x}", expected_type=bool)
    again = conditional("again").if_(more.is_true())
    return plus(x=again.then(adds_up(x=plus(x=x))).else_().then(0))


@workflow
def nests() -> int:
    return adds_up(x=0)


def test_a_call_of_whose_result_something_is_made_nests_as_deep_as_graphs_may(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    run = sandbox.launch(nests)
    for depth in range(5):
        run.answer(f"more {depth}", True)
    run.answer("more 5", False)
    assert run.outputs == {"o0": 6}
    monkeypatch.setattr(unfolding, "MAX_NESTED", 5)
    run = sandbox.launch(nests)
    for depth in range(5):
        run.answer(f"more {depth}", True)
    assert run.phase == "FAILED"
    assert run.view.error is not None
    assert "graphs would be nested more than 5 deep" in run.view.error.message


@dynamic
def works_beside(x: int) -> int:
    """The call comes last in what is returned, but a gate beside it goes on."""
    if x == 3:
        return x
    wait_for_input(f"beside {x}", expected_type=int)
    return works_beside(x=plus(x=x))


@workflow
def goes_on_beside() -> int:
    return works_beside(x=0)


def test_a_round_in_which_something_goes_on_is_not_let_go(sandbox: Sandbox):
    run = sandbox.launch(goes_on_beside)
    assert sorted(run.waiting) == ["beside 0", "beside 1", "beside 2"]
    for n in (1, 0):
        run.answer(f"beside {n}", n)
    assert run.phase == "WAITING"
    run.answer("beside 2", 2)
    assert run.outputs == {"o0": 3}


@dynamic
def endless(x: int) -> int:
    return endless(x=plus(x=x))


@workflow
def runs_forever() -> int:
    return endless(x=0)


def test_a_loop_without_end_fails_its_own_execution_alone(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(unfolding, "MAX_ROUNDS", 50)
    run = sandbox.launch(runs_forever)
    assert run.phase == "FAILED"
    assert run.view.error is not None
    assert "it has called itself 50 times" in run.view.error.message
    assert sandbox.launch(by_conditional).waiting == ["more"]


# ---- answers meet the round they are for ----


@pytest.fixture
def third(sandbox: Sandbox) -> Run:
    """A loop in its third round; `a` and `b` were the answers before."""
    run = sandbox.launch(report, draft="d")
    run.answer("remark", "a", key="key-a", who="ann")
    run.answer("remark", "b", who="bob")
    assert gates(run) == ["n0~3/remark"]
    return run


@pytest.mark.parametrize("address", ["n0/remark", "n0/~.n0"])
def test_an_answer_to_a_round_that_is_over_is_refused_saying_who_answered(third: Run, address: str):
    events = third.events
    with pytest.raises(AlreadyAnswered, match="by ann") as refused:
        third.answer(address, "late")
    assert refused.value.details["who"] == "ann"
    assert (gates(third), third.events) == (["n0~3/remark"], events)


def test_the_same_answer_to_a_round_that_is_over_gets_the_same_reply(third: Run):
    first = third.answer("n0/remark", "a", who="ann")
    assert (first.who, first.signal) == ("ann", "n0/remark")
    assert third.answer("n0/~.n0", "a", who="ann", key="other") == first
    assert third.answer("n0~2/remark", "b", who="bob").who == "bob"
    with pytest.raises(AlreadyAnswered, match="by bob"):
        third.answer("n0~2/remark", "b", who="ann")
    assert gates(third) == ["n0~3/remark"]


@pytest.mark.parametrize("address", ["remark", "n0/remark", "n0/~.n0"])
def test_a_key_of_a_round_that_is_over_gets_its_reply_however_the_gate_is_addressed(
    third: Run, address: str
):
    assert third.answer(address, "a", who="ann", key="key-a").signal == "n0/remark"
    with pytest.raises(KeyReused):
        third.answer(address, "other", who="ann", key="key-a")
    assert gates(third) == ["n0~3/remark"]


def test_a_key_of_a_round_that_is_over_is_refused_for_another_round(third: Run):
    with pytest.raises(KeyReused):
        third.answer("n0~3/remark", "a", who="ann", key="key-a")


def test_a_name_means_the_round_that_is_open(third: Run):
    assert third.answer("remark", "c").signal == "n0~3/remark"
    assert gates(third) == ["n0~4/remark"]


def test_a_round_that_has_not_begun_has_no_signal(third: Run):
    for address in ("n0~4/remark", "n0~4/~.n0", "n0~1/remark", "n0~3/~.n7"):
        with pytest.raises(UnknownSignal):
            third.answer(address, "early")


def test_after_the_loop_its_answers_are_remembered_and_its_name_means_none(
    third: Run, sandbox: Sandbox
):
    third.answer("remark", "fine")
    with pytest.raises(AmbiguousSignal, match="none of them open"):
        third.answer("remark", "x")
    third.approve("release")
    assert third.phase == "SUCCEEDED"
    assert third.answer("n0~2/remark", "b", who="bob").who == "bob"
    assert third.answer("remark", "a", who="ann", key="key-a").who == "ann"
    with pytest.raises(AlreadyAnswered):
        third.answer("n0~2/~.n0", "x")


@dynamic
def naps(x: int) -> int:
    """The gate opens an hour after the round has begun."""
    if x == 3:
        return x
    nap = sleep(HOUR)
    early = wait_for_input("early", expected_type=int)
    nap >> early
    return naps(x=early)


@workflow
def naps_between() -> int:
    return naps(x=0)


def test_an_early_answer_is_used_in_its_own_round(sandbox: Sandbox):
    run = sandbox.launch(naps_between)
    assert run.answer("early", 1).early
    with pytest.raises(UnknownSignal):
        run.answer("n0~2/early", 3)
    sandbox.advance(HOUR)
    assert run.answer("n0~2/early", 3).early
    with pytest.raises(AmbiguousSignal):
        run.answer("early", 2)
    sandbox.advance(HOUR)
    assert run.outputs == {"o0": 3}
    assert run.answer("n0/early", 1).early


@dynamic
def times_out(x: int) -> int:
    if x == 3:
        return x
    asked = wait_for_input("asked", HOUR, int, on_timeout=x + 1)
    return times_out(x=asked)


@workflow
def times_out_in_turn() -> int:
    return times_out(x=0)


def test_the_timeout_of_each_round_is_its_own(sandbox: Sandbox):
    run = sandbox.launch(times_out_in_turn)
    for path in ("asked", "n0~2/asked", "n0~3/asked"):
        assert gates(run) == [path]
        sandbox.advance(HOUR - timedelta(microseconds=1))
        assert gates(run) == [path]
        sandbox.advance(timedelta(microseconds=1))
        with pytest.raises(TimedOut):
            run.answer("n0/asked", 9)
    assert run.outputs == {"o0": 3}


@dynamic
def withdraws(x: int) -> int:
    if x == 2:
        return x
    skip = wait_for_input("skip", expected_type=bool)
    asked = wait_for_input("unwanted", expected_type=int)
    chosen = conditional("c").if_(skip.is_true()).then(x).else_().then(plus(x=asked))
    return withdraws(x=plus(x=chosen))


@workflow
def withdraws_in_turn() -> int:
    return withdraws(x=0)


def test_a_gate_that_was_withdrawn_stays_so_when_its_round_is_over(sandbox: Sandbox):
    run = sandbox.launch(withdraws_in_turn)
    run.answer("skip", True)
    with pytest.raises(Withdrawn):
        run.answer("n0/unwanted", 1)
    assert sorted(gates(run)) == ["n0~2/skip", "n0~2/unwanted"]


@dynamic
def approves(x: int) -> int:
    if x == 2:
        return x
    return approves(x=approve(plus(x=x), "ok"))


@workflow
def approves_in_turn() -> int:
    return approves(x=0)


def test_a_rejection_in_a_round_fails_the_loop_and_what_holds_it(sandbox: Sandbox):
    run = sandbox.launch(approves_in_turn)
    run.approve("ok")
    run.reject("ok", who="ann")
    assert run.phase == "FAILED"
    assert run.view.error is not None
    assert (run.view.error.code, run.view.error.node) == ("Rejected", "n0~2/n1")
    assert run.answer("n0/ok", True).signal == "n0/ok"


def test_an_abort_ends_the_round_that_is_open(third: Run):
    third.abort("enough")
    assert third.phase == "ABORTED"
    assert {node.phase for node in third.view.nodes} <= {"ABORTED", "SKIPPED"}
    assert third.answer("n0/remark", "a", who="ann").who == "ann"


# ---- survival ----


def test_a_recovery_continues_with_the_round_that_failed(sandbox: Sandbox):
    FAILURES["c"] = 1
    run = sandbox.launch(report, draft="d")
    for remark in ("a", "b", "c"):
        run.answer("remark", remark)
    assert run.phase == "FAILED"
    before = len(RAN)
    again = run.recover()
    assert [remark for remark, _ in RAN[before:]] == ["c"]
    assert gates(again) == ["n0~4/remark"]
    again.answer("remark", "fine")
    again.approve("release")
    assert again.outputs == {"o0": "d+a+b+c+fine"}
    with pytest.raises(RecoveredAlready, match=f"by {again.id}, which has succeeded"):
        run.recover()
    assert len({key for remark, key in RAN if remark == "c"}) == 1


def test_a_recovery_of_a_recovery_continues_with_the_last_round(sandbox: Sandbox):
    FAILURES["b"], FAILURES["d"] = 1, 1
    run = sandbox.launch(report, draft="x")
    run.answer("remark", "a")
    run.answer("remark", "b")
    second = run.recover()
    for remark in ("c", "d"):
        second.answer("remark", remark)
    assert second.phase == "FAILED"
    third = second.recover()
    assert gates(third) == ["n0~5/remark"]
    third.answer("remark", "fine")
    third.approve("release")
    assert third.outputs == {"o0": "x+a+b+c+d+fine"}
    assert Counter(remark for remark, _ in RAN) == Counter("abbcdd") + Counter(["fine"])


def test_an_answer_that_came_early_is_taken_along_into_its_round(sandbox: Sandbox):
    run = sandbox.launch(naps_between)
    run.answer("early", 1)
    sandbox.advance(HOUR)
    run.answer("n0~2/early", 3)
    run.abort()
    again = run.recover()
    sandbox.advance(HOUR)
    assert again.outputs == {"o0": 3}


def test_an_engine_that_remembers_nothing_between_two_events_loops_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
):
    def told():
        RAN.clear()
        with Sandbox() as sandbox:
            run = sandbox.launch_as("a", report, draft="d")
            for n in range(20):
                run.answer("remark", f"r{n}", key=f"k{n}")
            for n in range(20):
                run.answer("remark", f"r{n}", key=f"k{n}")
            run.answer("remark", "fine")
            return run.view, run.events, list(RAN)

    warm = told()
    monkeypatch.setattr(memory, "HOT_BYTES", 0)
    assert told() == warm


def test_a_plain_call_goes_through_the_rounds_too():
    RAN.clear()
    answers = {"n0/remark": "a", "n0~2/remark": "b", "n0~3/remark": "fine", "release": True}
    assert report.run({"draft": "d"}, answers=answers) == "d+a+b+fine"


def test_an_approval_of_a_round_is_not_given_before_there_is_anything_to_approve(sandbox: Sandbox):
    @dynamic
    def late(x: int) -> int:
        if x == 1:
            return x
        nap = sleep(HOUR)
        value = plus(x=x)
        nap >> value
        return late(x=approve(value, "ok"))

    @workflow
    def wf() -> int:
        return late(x=0)

    run = sandbox.launch(wf)
    with pytest.raises(NotWaitingYet):
        run.approve("ok")
