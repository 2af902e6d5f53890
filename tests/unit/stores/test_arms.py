"""
What a list costs does not grow with what it leaves out: steps of SQLite's machine, which are the same on every computer.

Method: each query is asked of a store of 2,000 executions that wait and of one of 8,000; it may take little more of the larger one.
"""

from collections.abc import Callable

import pytest
from tests.contract.store_rows import NOON

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Batch, Counts, HistoryRow, LaunchRow, PhaseRow, Series, WaitRow
from tidegate.ports.listings import ExecutionQuery, Mark, Narrowing, WaitQuery
from tidegate.stores import arms
from tidegate.stores.sqlite import SqliteStore, search

SMALL, LARGE = 2_000, 8_000
PROJECTS = 4
RARE = (17, 1_234)
"""Executions that have failed, and those with a rare title."""


def filled(size: int) -> SqliteStore:
    store = SqliteStore.memory()
    numbers = [
        store.catalog.put_workflow(WorkflowRow(0, f"flow-{i}", "v1", b"g", "", "", NOON)).id
        for i in range(2)
    ]
    for begin in range(1, size, 500):
        batch = Batch(counts=Counts({Phase.WAITING: 500}, {"input": 500}))
        for key in range(begin, begin + 500):
            flow = key % 2
            series = Series(f"project-{key % PROJECTS}", "dev", f"flow-{flow}")
            id_ = f"{key * 7919 % 65_536:04x}-{key:05}"
            name = "needle" if key in RARE else "title"
            batch.launches.append(
                LaunchRow(key, id_, numbers[flow], NOON + key, "me", series, Phase.WAITING)
            )
            batch.history.append(HistoryRow(key, 1, b"x"))
            batch.waits.append(
                WaitRow(key, "n0", "input", name, NOON + key, None, name, id_, series)
            )
        assert not store.journal.append(batch)
    store.journal.append(
        Batch(
            phases=[PhaseRow(key, Phase.FAILED, NOON) for key in RARE],
            counts=Counts({Phase.WAITING: -2, Phase.FAILED: 2}),
        )
    )
    return store


@pytest.fixture(autouse=True)
def _short_glance(monkeypatch):
    monkeypatch.setattr(arms, "GLANCE", 200)
    monkeypatch.setattr(arms, "EXAMINED", 400)


@pytest.fixture(scope="module")
def stores():
    both = filled(SMALL), filled(LARGE)
    yield both
    for store in both:
        store.close()


def steps(store: SqliteStore, ask: Callable[[], object]) -> int:
    """Count steps, by tens."""
    ask()  # what is remembered from then on
    count = 0

    def see() -> bool:
        nonlocal count
        count += 10
        return False

    with store._connections.alone() as connection:
        connection.set_progress_handler(see, 10)
        ask()
        connection.set_progress_handler(None)
    return count


IN_ONE = Narrowing(project="project-3")
WITHIN = Narrowing(within=(("project-1*", "*"), ("project-2", "dev")))


def found(text: str, where: Narrowing = IN_ONE) -> Narrowing:
    return Narrowing(project=where.project, within=where.within, text=text)


WHERE = {
    "all": Narrowing(),
    "a project": IN_ONE,
    "no such project": Narrowing(project="project-99"),
    "a workflow": Narrowing(workflow="flow-1"),
    "a grant": WITHIN,
    "a text that few have": Narrowing(text="needle"),
    "an id": Narrowing(text="-01234"),
    "a text that nobody has": Narrowing(text="zebra"),
    "a text that all have": Narrowing(text="title"),
    "the name of a workflow": Narrowing(text="low-1"),
    "a text in a project": found("-01233"),
    "a text that nobody has in a project": found("zebra"),
    "a text that nobody has, of a grant": found("zebra", WITHIN),
    "a short text that nobody has": Narrowing(text="zz"),
    "a short text that nobody has in a project": found("zz"),
    "a short text that nobody has, of a grant": found("zz", WITHIN),
}


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
@pytest.mark.parametrize("limit", [10, 100])
def test_a_page_of_the_inbox_costs_no_more_of_a_larger_store(stores, where, limit):
    small, large = (
        steps(store, lambda store=store: store.listings.waits(WaitQuery(where, limit=limit)).rows)
        for store in stores
    )

    assert large < 1.3 * small + 500, (small, large)


def test_a_page_in_the_middle_of_the_inbox_costs_no_more_than_the_first(stores):
    listings = stores[1].listings
    mark: Mark | None = None
    for _ in range(40):
        mark = listings.waits(WaitQuery(after=mark)).rows[-1].mark

    first = steps(stores[1], lambda: listings.waits(WaitQuery()).rows)
    middle = steps(stores[1], lambda: listings.waits(WaitQuery(after=mark)).rows)

    assert middle < 1.2 * first


EXECUTIONS = {
    **{f"{name}": ExecutionQuery(where) for name, where in WHERE.items()},
    "a common phase": ExecutionQuery(phases=(Phase.WAITING,)),
    "a rare phase": ExecutionQuery(phases=(Phase.FAILED,)),
    "a rare phase in a project": ExecutionQuery(IN_ONE, phases=(Phase.FAILED,)),
    "no such phase": ExecutionQuery(phases=(Phase.ABORTED, Phase.RUNNING)),
    "a text in a rare phase": ExecutionQuery(found("zebra"), phases=(Phase.FAILED,)),
    "a short time long ago": ExecutionQuery(since=NOON + 100, until=NOON + 120),
    "a short time in a project": ExecutionQuery(IN_ONE, since=NOON + 100, until=NOON + 120),
    "not since": ExecutionQuery(since=NOON + LARGE + 1),
}


@pytest.mark.parametrize("query", EXECUTIONS.values(), ids=EXECUTIONS)
def test_a_page_of_executions_costs_no_more_of_a_larger_store(stores, query):
    small, large = (
        steps(store, lambda store=store: store.listings.executions(query).rows) for store in stores
    )

    assert large < 1.3 * small + 500, (small, large)


def test_what_is_counted_is_read_and_not_counted(stores):
    small, large = (steps(store, store.listings.counts) for store in stores)

    assert large <= small + 10


def test_an_index_is_entered_in_groups_and_merged_little_by_little(monkeypatch):
    monkeypatch.setattr(search, "PENDING", 50)
    store = SqliteStore.memory()
    number = store.catalog.put_workflow(WorkflowRow(0, "w", "v1", b"g", "", "", NOON)).id
    costs = []
    for key in range(1, 2_001):
        id_ = f"{key * 7919 % 65_536:04x}-{key:05}"
        row = LaunchRow(key, id_, number, NOON, series=Series("", "", "w"))
        costs.append(steps_of_append(store, Batch([row], [HistoryRow(key, 1, b"x")])))
    store.close()

    common = sorted(costs)[len(costs) // 2]
    entering = [cost for cost in costs if cost > 3 * common]
    assert len(entering) <= 2_000 / 50 + 1
    # The last groups cost no more than the first: nothing is put off to be done at once.
    assert max(costs[1_500:]) < 3 * max(costs[100:600])


def steps_of_append(store: SqliteStore, batch: Batch) -> int:
    count = 0

    def see() -> bool:
        nonlocal count
        count += 10
        return False

    with store._connections.alone() as connection:
        connection.set_progress_handler(see, 10)
        assert not store.journal.append(batch)
        connection.set_progress_handler(None)
    return count
