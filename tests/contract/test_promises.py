"""
The promises P1 to P11 as far as one process can show them; killing and cutting power is the business of `tests/crash`.

Method of the restarts: a sandbox whose store is a directory is closed, or its directory is copied at any moment, as if the power had gone,
and another sandbox opens it. A story told with restarts must have the very history of the story told without.
"""

import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
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
from tidegate.core.keys import own_key
from tidegate.errors import AlreadyAnswered, InvalidValue, TidegateError
from tidegate.ir.expr import NodeId
from tidegate.runtime import problems_of
from tidegate.testing import Run, Sandbox

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
RAN: Counter[str] = Counter()
KEYS: list[str] = []
CUT: list[Callable[[], Any]] = []
"""What happens while a task runs."""


@task
def count(x: int) -> int:
    run = current_context()
    RAN[run.node] += 1
    KEYS.append(run.idempotency_key)
    for cut in CUT:
        cut()
    return x


@task(retries=2, backoff=HOUR)
def third_time(x: int) -> int:
    run = current_context()
    if run.attempt < 3:
        raise ConnectionError("away")
    return count.function(x)


@task
def raises(x: int) -> int:
    raise ValueError("bad")


@task
def collect(parts: list[int]) -> int:
    return sum(parts)


@workflow
def inner(x: int) -> int:
    return count(x=wait_for_input("title", HOUR, int, on_timeout=3))


@dynamic
def unfolds(x: int) -> int:
    return count(x=wait_for_input("late", expected_type=int))


@workflow
def story(x: int) -> int:
    first = count(x=x)
    nap = sleep(HOUR)
    asked = wait_for_input("asked", expected_type=int, show=[first])
    nap >> asked
    ok = approve(asked, "ok", 3 * HOUR)
    retried = third_time(x=ok)
    inside = inner(x=retried)
    chosen = conditional("c").if_(inside > 2).then(unfolds(x=inside)).else_().then(count(x=inside))
    return collect(parts=[first, chosen])


Act = Callable[[Sandbox, Run], Any]

STORY: list[Act] = [
    lambda sandbox, run: run.answer("asked", 5, who="ann", comment="early", key="k1"),
    lambda sandbox, run: sandbox.advance(HOUR),
    lambda sandbox, run: run.approve("ok", who="bob"),
    lambda sandbox, run: sandbox.advance(HOUR),
    lambda sandbox, run: sandbox.advance(HOUR),
    lambda sandbox, run: sandbox.advance(HOUR),
    lambda sandbox, run: sandbox.advance(HOUR),
    lambda sandbox, run: run.answer("late", 7),
]


@pytest.fixture(autouse=True)
def nothing_ran():
    RAN.clear()
    KEYS.clear()
    CUT.clear()


def tell(home: Path, before: Callable[[int], bool]) -> Run:
    """Tell the story, with a restart before those acts that `before` says; leave the store closed."""
    sandbox = Sandbox(home=home)
    sandbox.__enter__()
    try:
        run = sandbox.launch_as("story", story, x=1)
        for number, act in enumerate(STORY):
            if before(number):
                now = sandbox.now
                sandbox.__exit__(None, None, None)
                sandbox = Sandbox(home=home, now=now)
                sandbox.__enter__()
                run = sandbox.run("story")
            act(sandbox, run)
        assert run.outputs == {"o0": 8}
        seen.update({"view": run.view, "events": run.events})
    finally:
        sandbox.__exit__(None, None, None)
    return run


seen: dict[str, Any] = {}
"""What the story that was told last came to."""


@contextmanager
def reopened(home: Path, sandbox: Sandbox) -> Iterator[Sandbox]:
    """Open a copy of a store that is in use, as it would be found if the power went now."""
    copy = home.with_name(f"{home.name}-copy-{len(list(home.parent.iterdir()))}")
    shutil.copytree(home, copy)
    with Sandbox(home=copy, now=sandbox.now) as again:
        yield again


# ---- restarts ----


def test_a_restart_at_any_waiting_point_is_as_if_it_had_not_happened(tmp_path: Path):
    tell(tmp_path / "plain", lambda _: False)
    plain, ran = dict(seen), Counter(RAN)
    for point in range(len(STORY)):
        RAN.clear()
        tell(tmp_path / f"at {point}", lambda number, point=point: number == point)
        assert (seen, ran) == (plain, RAN)
    RAN.clear()
    tell(tmp_path / "everywhere", lambda _: True)
    assert (seen, ran) == (plain, RAN)
    for home in tmp_path.iterdir():
        assert problems_of(home) == (1, [])


def test_a_timer_that_came_due_while_nobody_ran_fires_at_the_restart(tmp_path: Path):
    with Sandbox(home=tmp_path) as sandbox:
        run = sandbox.launch_as("story", story, x=1)
        launched = sandbox.now
        assert run.node("asked").phase == "QUEUED"
    with Sandbox(home=tmp_path, now=launched + HOUR - TICK) as sandbox:
        assert sandbox.run("story").node("sleep").phase == "WAITING"
    with Sandbox(home=tmp_path, now=launched + 5 * HOUR) as sandbox:
        run = sandbox.run("story")
        assert run.waiting == ["asked"]
        assert run.node("sleep").ended == sandbox.now


def test_a_timeout_that_came_while_nobody_ran_counts_at_the_restart(tmp_path: Path):
    @workflow
    def wf() -> int:
        return wait_for_input("g", HOUR, int)

    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch_as("late", wf)
        due = sandbox.now + HOUR
    with Sandbox(home=tmp_path, now=due) as sandbox:
        assert sandbox.run("late").node("g").phase == "TIMED_OUT"
        assert sandbox.inbox() == []


# ---- P1 ----


def test_p1_an_answer_that_was_acknowledged_is_in_the_store_at_that_moment(tmp_path: Path):
    home = tmp_path / "home"
    with Sandbox(home=home) as sandbox:
        run = sandbox.launch_as("story", story, x=1)
        reply = run.answer("asked", 5, who="ann", key="k1")
        with reopened(home, sandbox) as again:
            answer = again.run("story").signals["asked"].answer
            assert answer is not None
            assert (answer.value, answer.who, answer.at) == (5, "ann", reply.at)
            assert again.run("story").answer("asked", 5, who="ann", key="k1") == reply


def test_p1_a_launch_that_was_acknowledged_is_in_the_store_at_that_moment(tmp_path: Path):
    home = tmp_path / "home"
    with Sandbox(home=home) as sandbox:
        view = sandbox.launch_as("story", story, x=1).view
        with reopened(home, sandbox) as again:
            assert again.run("story").view == view


# ---- P2 ----


def test_p2_a_retry_with_the_same_key_gets_the_same_reply_forever(tmp_path: Path):
    @workflow
    def wf() -> int:
        return count(x=wait_for_input("g", expected_type=int))

    with Sandbox(home=tmp_path) as sandbox:
        reply = sandbox.launch_as("one", wf).answer("g", 5, who="ann", key="k")
    for years in range(3):
        with Sandbox(home=tmp_path, now=sandbox.now + years * 9000 * HOUR) as sandbox:
            run = sandbox.run("one")
            assert run.phase == "SUCCEEDED"
            assert run.answer("g", 5, who="ann", key="k") == reply
            with pytest.raises(AlreadyAnswered, match="by ann"):
                run.answer("g", 6, key="other")
    assert sum(RAN.values()) == 1


# ---- P3 ----


@workflow
def five_fates(x: int) -> int:
    answered = wait_for_input("answered", expected_type=int)
    defaulted = wait_for_input("defaulted", HOUR, int, on_timeout=9)
    unwanted = wait_for_input("skipped", expected_type=int)
    chosen = conditional("c").if_(answered > 1).then(count(x=x)).else_().then(count(x=unwanted))
    rejected = approve(chosen, "rejected", 2 * HOUR)
    left = wait_for_input("aborted", expected_type=int)
    return collect(parts=[rejected, left, defaulted])


def test_p3_a_gate_has_one_outcome_and_every_reader_sees_the_same_one(sandbox: Sandbox):
    run = sandbox.launch(five_fates, x=1)
    run.answer("answered", 2)
    sandbox.advance(HOUR)
    run.reject("rejected")
    outcomes = {
        "answered": "SUCCEEDED",
        "defaulted": "SUCCEEDED",
        "skipped": "SKIPPED",
        "rejected": "FAILED",
        "aborted": "ABORTED",
    }
    ends: Counter[str] = Counter()
    for event in run.events:
        ends.update(event.details.get("changes", {}).keys())
    for name, phase in outcomes.items():
        node, signal = run.node(name), run.signals[name]
        assert (node.phase, signal.phase) == (phase, phase)
        assert node.answer == signal.answer
        assert (node.answer is not None) is (name in ("answered", "defaulted", "rejected"))
        last = [e for e in run.events if node.id in e.details.get("changes", {})][-1]
        assert (last.details["changes"][node.id], last.at) == (phase, node.ended)
        for value in (1, True):
            with suppress(TidegateError):
                run.answer(name, value)
        assert (run.node(name), run.signals[name]) == (node, signal)
    assert (run.waiting, sandbox.inbox()) == ([], [])


# ---- P4 ----


def test_p4_a_recorded_result_is_not_made_again(tmp_path: Path):
    with Sandbox(home=tmp_path) as sandbox:
        run = sandbox.launch_as("story", story, x=1)
        sandbox.advance(HOUR)
    for _ in range(3):
        with Sandbox(home=tmp_path, now=sandbox.now) as sandbox:
            run = sandbox.run("story")
            assert run.node("count").outputs == {"o0": 1}
    assert RAN == {"n0": 1}


def test_p4_an_attempt_that_died_with_its_host_is_repeated_with_the_same_idempotency_key(
    tmp_path: Path,
):
    home, copy = tmp_path / "home", tmp_path / "copy"
    with Sandbox(home=home) as sandbox:
        CUT.append(lambda: copy.exists() or shutil.copytree(home, copy))
        sandbox.launch_as("story", story, x=1)
    with Sandbox(home=copy, now=sandbox.now) as again:
        run = again.run("story")
        assert run.node("count").phase == "SUCCEEDED"
        assert run.node("sleep").phase == "WAITING"
    assert RAN == {"n0": 2}
    assert 2 * [own_key("story", NodeId("n0"))] == KEYS


# ---- P5 ----


def test_p5_every_execution_has_ended_or_is_listed_with_what_it_waits_for(sandbox: Sandbox):
    @workflow
    def fails() -> int:
        return raises(x=1)

    runs = [sandbox.launch(story, x=1), sandbox.launch(fails), sandbox.launch(five_fates, x=1)]
    runs.append(sandbox.launch(five_fates, x=1))
    runs[-1].abort()
    for _ in range(20):
        for run in runs:
            view = run.view
            ended = view.phase in ("SUCCEEDED", "FAILED", "ABORTED")
            assert ended is (view.waiting == [])
            listed = {each.name for each in sandbox.inbox() if each.execution == run.id}
            assert listed == set(run.waiting)
            for question in run.questions[:1]:  # the answer may let others be withdrawn
                assert question.expects
                run.answer(question.path, question.kind == "approve" or 7)
        sandbox.advance(HOUR)
    assert [run.phase for run in runs] == ["SUCCEEDED", "FAILED", "SUCCEEDED", "ABORTED"]


# ---- P6 ----


@workflow
def naps() -> list[int]:
    woken = []
    for minutes in (1, 5, 5, 60, 10_000):
        nap, after = sleep(timedelta(minutes=minutes)), count(x=minutes)
        nap >> after
        woken.append(after)
    return woken


def test_p6_a_sleep_ends_at_its_instant_and_not_a_microsecond_before(sandbox: Sandbox):
    run = sandbox.launch(naps)
    start = sandbox.now
    for minutes, awake in ((1, 1), (5, 3), (60, 4), (10_000, 5)):
        sandbox.advance(start + timedelta(minutes=minutes) - TICK - sandbox.now)
        assert sum(RAN.values()) == (0 if minutes == 1 else {5: 1, 60: 3, 10_000: 4}[minutes])
        sandbox.advance(TICK)
        assert sum(RAN.values()) == awake
    for node in run.view.nodes:
        if node.kind == "sleep":
            assert node.began == start
            assert node.ended is not None
    ends = [node.ended - start for node in run.view.nodes if node.kind == "sleep" and node.ended]
    assert ends == [timedelta(minutes=minutes) for minutes in (1, 5, 5, 60, 10_000)]


# ---- P7 ----


@workflow
def waits_in_every_way(x: int) -> int:
    sleep(HOUR)
    third_time(x=x)
    unfolds(x=x)
    return approve(wait_for_input("asked", HOUR, int), "ok")


def test_p7_what_waits_has_no_process_thread_or_open_file_of_its_own(tmp_path: Path):
    me = psutil.Process()

    def held() -> tuple[int, int, int]:
        return threading.active_count(), len(me.children(recursive=True)), me.num_fds()

    with Sandbox(home=tmp_path) as sandbox:
        sandbox.launch(waits_in_every_way, x=1)
        idle = held()
        for _ in range(100):
            sandbox.launch(waits_in_every_way, x=1)
        assert len(sandbox.inbox()) == 100  # a page
        assert held() == idle


# ---- P8 ----


def test_p8_a_waiting_execution_continues_with_the_graph_it_was_launched_with(tmp_path: Path):
    def version_one() -> int:
        return wait_for_input("old", expected_type=int)

    def version_two() -> str:
        return wait_for_input("new", expected_type=str)

    first = workflow(name="release")(version_one)
    second = workflow(name="release")(version_two)
    with Sandbox(home=tmp_path) as sandbox:
        old = sandbox.launch_as("old", first)
        new = sandbox.launch_as("new", second)
        assert (old.waiting, new.waiting) == (["old"], ["new"])
    with Sandbox(home=tmp_path, now=sandbox.now) as sandbox:
        sandbox.launch(second)
        old, new = sandbox.run("old"), sandbox.run("new")
        old.answer("old", 3)
        new.answer("new", "three")
        assert (old.outputs, new.outputs) == ({"o0": 3}, {"o0": "three"})


# ---- P11 ----


def test_p11_each_decision_says_who_when_through_what_and_with_what_comment(sandbox: Sandbox):
    run = sandbox.launch(five_fates, x=1)
    run.answer("answered", 2, who="ann", comment="enough", key="k1")
    sandbox.advance(HOUR)
    run.reject("rejected", who="bob", comment="no")
    told = {event.details["node"]: event for event in run.events if event.kind == "AnswerGiven"}
    for name, value, who, comment in (
        ("answered", 2, "ann", "enough"),
        ("rejected", False, "bob", "no"),
    ):
        node = run.node(name)
        event, answer = told[node.id], node.answer
        assert answer is not None
        details = event.details
        assert (details["value"], details["who"], details["comment"]) == (value, who, comment)
        assert (answer.value, answer.who, answer.comment) == (value, who, comment)
        assert event.at == answer.at == node.ended
        assert details["via"] == answer.via == "code"
    defaulted = run.node("defaulted").answer
    assert defaulted is not None
    assert (defaulted.who, defaulted.via, defaulted.by_timeout) == ("timeout", "timeout", True)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("who", "\ud800"),
        ("who", "x" * 256),
        ("comment", "so \udfff"),
        ("comment", "x" * 10_001),
        ("key", "\ud800"),
        ("key", "x" * 256),
    ],
    ids=lambda each: ascii(each)[:20],
)
def test_p11_a_text_that_cannot_be_stored_is_refused_naming_it(
    sandbox: Sandbox, field: str, text: str
):
    run = sandbox.launch(story, x=1)
    before = run.view, run.events
    with pytest.raises(InvalidValue, match=field):
        run.answer("asked", 5, **{field: text})
    assert (run.view, run.events) == before
    run.answer("asked", 5, who="Zoë 🌊", comment="x" * 10_000, key="k" * 255)


def test_p11_a_reason_to_abort_that_cannot_be_stored_is_refused(sandbox: Sandbox):
    run = sandbox.launch(story, x=1)
    with pytest.raises(InvalidValue, match="reason"):
        run.abort("\ud800")
    assert run.phase == "WAITING"
