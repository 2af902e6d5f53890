"""Rows for the contract suites of a store: a workflow, executions launched with a line of history each, and what they wait for."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tidegate.core.state import ExecutionPhase as Phase
from tidegate.core.waits import Shown
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import (
    Batch,
    Counts,
    ExecutionRow,
    HistoryRow,
    Key,
    LaunchRow,
    Series,
    WaitRow,
)
from tidegate.ports.listings import (
    ExecutionQuery,
    ListedWait,
    Mark,
    Narrowing,
    Page,
    WaitQuery,
)
from tidegate.ports.store import Store

NOON = 1_800_000_000_000_000
EVERY_KIND = ("sleep", "input", "approve", "retry")
REPORT = Series("", "", "report")


def workflow(name="report", version="v1", graph=b"graph"):
    return WorkflowRow(0, name, version, graph, "bundle-digest", "report.py", NOON)


def launch(store: Store, *keys, at=NOON, phase=Phase.QUEUED, series=REPORT, who="local", ids="e"):
    """Launch executions e1, e2, ..., each with one line of history."""
    number = store.catalog.put_workflow(workflow(series.workflow)).id
    rows = [LaunchRow(k, f"{ids}{k}", number, at + k, who, series, phase) for k in keys]
    history = [HistoryRow(k, 1, b"launched") for k in keys]
    conflicts = store.journal.append(
        Batch(rows, history, counts=Counts({phase: len(keys)} if keys else {}))
    )
    assert not conflicts


def wait(key, node="n1", kind="input", opened=NOON, due=None, **columns):
    """Make what one of `launch` waits for."""
    columns = {
        "name": f"name-of-{node}",
        "path": node,
        "execution": f"e{key}",
        "series": REPORT,
    } | columns
    return WaitRow(key=key, node=node, kind=kind, opened=opened, due=due, **columns)


def open_waits(store: Store, *rows: WaitRow) -> None:
    """Store what has begun to wait."""
    kinds = Counter(row.kind for row in rows)
    assert not store.journal.append(Batch(waits=list(rows), counts=Counts(waits=dict(kinds))))


def titled(text: str) -> Shown:
    """Make what a list shows of a question with a title."""
    return Shown(title=text)


def listed(store: Store, text="", **query) -> list[ListedWait]:
    """List what waits."""
    where = {name: query.pop(name) for name in Narrowing.__struct_fields__ if name in query}
    return store.listings.waits(WaitQuery(where=Narrowing(text=text, **where), **query)).rows


def pages_of_waits(store: Store, **query) -> Iterator[Page[ListedWait, Mark]]:
    """List what waits, page by page, to the end."""
    after: Mark | None = None
    while True:
        page = store.listings.waits(WaitQuery(after=after, **query))
        if not page.rows and page.rest is None:
            return
        yield page
        after = page.rows[-1].mark if page.rest is None else page.rest


def pages_of_executions(store: Store, **query) -> Iterator[Page[ExecutionRow, Key]]:
    """List executions, page by page, to the end."""
    before: Key | None = None
    while True:
        page = store.listings.executions(ExecutionQuery(before=before, **query))
        if not page.rows and page.rest is None:
            return
        yield page
        before = page.rows[-1].key if page.rest is None else page.rest


def waits(store: Store, text="", **query) -> list[WaitRow]:
    """List what waits, as it was stored."""
    return [row.wait for row in listed(store, text, **query)]


def nodes(rows: Sequence[WaitRow]) -> list[tuple[int, str]]:
    return [(row.key, row.node) for row in rows]


def keys(store: Store, text="", **query) -> list[int]:
    """List executions by their keys."""
    where = {name: query.pop(name) for name in Narrowing.__struct_fields__ if name in query}
    found = store.listings.executions(
        ExecutionQuery(where=Narrowing(text=text, **where), **query)
    ).rows
    return [row.key for row in found]
