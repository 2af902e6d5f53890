"""
What every executor promises, wherever it runs tasks.

Method: an adapter's test file makes a subclass of `ExecutorContract` and gives it two fixtures, `crew` and `fresh`: a started executor that runs
the tasks of `SHOP`, and a memory of its reports. `fresh` is for one test alone.
"""

import itertools
import textwrap
import threading
from pathlib import Path

from tidegate.bundles.whole import LIST, list_of
from tidegate.core.messages import TASK_RAISED
from tidegate.home import BUNDLES
from tidegate.ir.graph import PythonTarget, Requirements, TaskNode
from tidegate.ports.executor import Began, Executor, Job, Raised, Report, Returned, Unfolded, left

SHOP = """
import asyncio
import os
import subprocess
import sys
from typing import NamedTuple

from tidegate import current_context, dynamic, task, wait_for_input


class Pair(NamedTuple):
    low: int
    high: int


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def spread(items: list[int]) -> Pair:
    return Pair(min(items), max(items))


@task
def nothing() -> None:
    return None


@task
def same(value: dict[str, list[str | None]]) -> dict[str, list[str | None]]:
    return value


@task
async def later(text: str) -> str:
    await asyncio.sleep(0)
    return text.upper()


@task
def deep(n: int) -> int:
    return deeper(n)


def deeper(n: int) -> int:
    raise LookupError(f"no shelf {n}")


@task
def leave(code: int) -> int:
    sys.exit(code)


@task
def liar() -> int:
    return "three"


@task
def who() -> dict[str, str]:
    now = current_context()
    return {
        "execution": now.execution_id,
        "node": now.node,
        "attempt": str(now.attempt),
        "key": now.idempotency_key,
    }


@task
def variables(which: str) -> list[str]:
    program = [sys.executable, "-c", f"import os; print(os.environ['{which}'])"]
    printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    return [os.environ[which], printed.strip()]


@task
def has(which: str) -> bool:
    return which in os.environ


@dynamic
def plan(n: int) -> int:
    total = 0
    for i in range(n):
        total = add(a=total, b=i)
    return wait_for_input("last word", expected_type=int)


@dynamic
def lost(n: int) -> int:
    raise RuntimeError("lost the plan")


plain = 3
"""

BUNDLE = "b" * 64
PATIENCE = 60.0
"""Seconds after which a report is held to be missing."""

_keys = itertools.count(1)


def write_bundle(home: Path, *, digest: str = BUNDLE, **modules: str) -> str:
    """Put source code where an executor finds it unpacked."""
    tree = home / BUNDLES / digest
    tree.mkdir(parents=True, exist_ok=True)
    for name, text in modules.items():
        (tree / f"{name}.py").write_text(textwrap.dedent(text))
    files = {path.name: path.read_bytes() for path in tree.glob("*.py")}
    (tree / LIST).write_bytes(list_of(files))
    return digest


def job(name: str, *, module: str = "shop", bundle: str = BUNDLE, **columns) -> Job:
    """An attempt of a task in an execution of its own. Columns of `Job` are given in capitals, the rest are inputs."""
    key = next(_keys)
    inputs = {k: v for k, v in columns.items() if not k.isupper()}
    fields = {
        "key": key,
        "id": f"e{key}",
        "node": "n0",
        "attempt": 1,
        "target": PythonTarget(module, name),
        "inputs": inputs,
        "bundle": bundle,
    }
    return Job(**fields | {k.lower(): v for k, v in columns.items() if k.isupper()})


class Crew:
    """A started executor, and everything it has said."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.reports: list[Report] = []
        self._ends: dict[tuple[int, str, int], list] = {}
        self._heard = threading.Condition()
        executor.start(lambda reports: self.deliver(reports))

    def deliver(self, reports) -> None:
        with self._heard:
            self.reports.extend(reports)
            for each in reports:
                if not isinstance(each.outcome, Began):
                    place = each.key, each.node, each.attempt
                    self._ends.setdefault(place, []).append(each.outcome)
            self._heard.notify_all()

    def submit(self, *jobs: Job) -> None:
        self.executor.submit(jobs)

    def run(self, name: str, **columns):
        """Run one attempt, and return its outcome."""
        one = job(name, **columns)
        self.submit(one)
        return self.outcome(one)

    def outcome(self, job: Job):
        """Wait for what became of an attempt."""
        self.until(lambda: self.said_of(job))
        return self.said_of(job)[0]

    def outcomes(self, jobs):
        return [self.outcome(each) for each in jobs]

    def said_of(self, job: Job) -> list:
        """What was said of an attempt, but for its beginning."""
        return self._ends.get((job.key, job.node, job.attempt), [])

    def until(self, holds) -> None:
        with self._heard:
            assert self._heard.wait_for(holds, PATIENCE), self.reports[-20:]


class ExecutorContract:
    """The promises. `crew` and `fresh` are fixtures of the subclass."""

    def test_an_attempt_gives_its_output(self, crew: Crew):
        assert crew.run("add", a=1, b=2) == Returned({"o0": 3})

    def test_outputs_have_the_names_the_author_gave_them(self, crew: Crew):
        assert crew.run("spread", items=[3, 1, 2]) == Returned({"low": 1, "high": 3})

    def test_a_task_may_give_nothing(self, crew: Crew):
        assert crew.run("nothing") == Returned({})

    def test_values_come_back_as_they_went(self, crew: Crew):
        value = {"": [], "ключ": ["", None, "\N{GRINNING FACE}", "a\0b"]}

        assert crew.run("same", value=value) == Returned({"o0": value})

    def test_an_attempt_has_its_variables_and_the_next_one_has_not(self, crew: Crew):
        asked = Requirements(environment={"TIDE_TEST": "ü=1"})

        assert crew.run("variables", which="TIDE_TEST", REQUIRES=asked) == Returned(
            {"o0": ["ü=1", "ü=1"]}
        )
        assert crew.run("has", which="TIDE_TEST") == Returned({"o0": False})

    def test_a_task_may_be_asynchronous(self, crew: Crew):
        assert crew.run("later", text="a") == Returned({"o0": "A"})

    def test_an_exception_fails_the_attempt_and_shows_the_authors_lines_alone(self, crew: Crew):
        outcome = crew.run("deep", n=7)

        assert isinstance(outcome, Raised)
        failure = outcome.failure
        assert (failure.code, failure.message) == (TASK_RAISED, "LookupError: no shelf 7")
        assert failure.retryable
        assert "return deeper(n)" in failure.trace
        assert 'raise LookupError(f"no shelf {n}")' in failure.trace
        assert "tidegate" not in failure.trace

    def test_leaving_the_program_fails_the_attempt_alone(self, crew: Crew):
        outcome = crew.run("leave", code=3)

        assert isinstance(outcome, Raised)
        assert outcome.failure.message == "SystemExit: 3"
        assert crew.run("add", a=1, b=1) == Returned({"o0": 2})

    def test_an_input_of_another_type_is_refused_for_good(self, crew: Crew):
        outcome = crew.run("add", a="one", b=2)

        assert isinstance(outcome, Raised)
        assert "'a'" in outcome.failure.message
        assert not outcome.failure.retryable

    def test_an_output_of_another_type_fails_the_attempt(self, crew: Crew):
        outcome = crew.run("liar")

        assert isinstance(outcome, Raised)
        assert "shop:liar" in outcome.failure.message

    def test_a_task_that_is_not_there_fails_the_attempt_for_good(self, crew: Crew):
        for name in ("absent", "plain"):
            outcome = crew.run(name)

            assert isinstance(outcome, Raised)
            assert name in outcome.failure.message
            assert not outcome.failure.retryable

    def test_a_dynamic_task_unfolds_into_a_graph(self, crew: Crew):
        outcome = crew.run("plan", n=2, DYNAMIC=True)

        assert isinstance(outcome, Unfolded)
        kinds = [type(node).__name__ for node in outcome.graph.nodes.values()]
        assert kinds == ["TaskNode", "TaskNode", "InputNode"]
        first = next(iter(outcome.graph.nodes.values()))
        assert isinstance(first, TaskNode)
        assert first.target == PythonTarget("shop", "add")

    def test_a_dynamic_task_that_raises_fails(self, crew: Crew):
        outcome = crew.run("lost", n=2, DYNAMIC=True)

        assert isinstance(outcome, Raised)
        assert outcome.failure.message == "RuntimeError: lost the plan"

    def test_an_attempt_knows_which_one_it_is(self, crew: Crew):
        outcome = crew.run("who", ID="e-1", NODE="n2/n0", ATTEMPT=3)

        assert outcome == Returned(
            {"o0": {"execution": "e-1", "node": "n2/n0", "attempt": "3", "key": "e-1/n2/n0"}}
        )

    def test_every_attempt_is_reported_on_once(self, crew: Crew):
        jobs = [job("add", a=i, b=0) for i in range(300)]

        crew.submit(*jobs[:100])
        for each in jobs[100:]:
            crew.submit(each)

        assert crew.outcomes(jobs) == [Returned({"o0": i}) for i in range(300)]
        assert [len(crew.said_of(each)) for each in jobs] == [1] * 300

    def test_nodes_and_attempts_of_one_execution_are_told_apart(self, crew: Crew):
        jobs = [
            job("add", a=n, b=attempt, KEY=10_000, ID="e10000", NODE=f"n{n}", ATTEMPT=attempt)
            for n in range(3)
            for attempt in range(1, 4)
        ]

        crew.submit(*jobs)

        assert crew.outcomes(jobs) == [
            Returned({"o0": each.inputs["a"] + each.attempt}) for each in jobs
        ]

    def test_what_a_report_brings_about_may_be_submitted_at_once(self, crew: Crew):
        chain = [job("add", a=i, b=1) for i in range(50)]
        rest = iter(chain[1:])
        deliver = crew.deliver

        def go_on(reports):
            deliver(reports)
            for _ in reports:
                crew.submit(*itertools.islice(rest, 1))

        crew.deliver = go_on
        crew.submit(chain[0])

        assert crew.outcomes(chain)[-1] == Returned({"o0": 50})
        crew.deliver = deliver

    def test_a_closed_executor_can_be_closed_again_and_leaves_what_comes_to_the_next(
        self, fresh: Crew
    ):
        fresh.run("nothing")
        fresh.executor.close()
        before = list(fresh.reports)

        late = job("add", a=1, b=1)
        fresh.submit(late)
        fresh.executor.cancel(1, "n0", 1)
        fresh.executor.close()

        assert fresh.reports == [*before, left(late)]
