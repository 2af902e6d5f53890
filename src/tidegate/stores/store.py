"""
What a row is on both sides: bindings of the statements of `queries.sql`, and structs of `tidegate.ports` made from results.

Nothing here knows which database it is.
"""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from msgspec import json
from msgspec.structs import asdict, astuple

from tidegate.core.state import ExecutionPhase
from tidegate.ports.access import LoginRow, TokenRow
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.journal import Batch, ExecutionRow, WaitRow
from tidegate.ports.listings import Counts, ExecutionQuery, WaitQuery

Bindings: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[Any, ...]
Grants: TypeAlias = tuple[tuple[str, str, str], ...]

FOREVER = 2**62
"""The due of a wait without end: it sorts behind every instant."""

KINDS = ("sleep", "input", "approve", "retry")
"""What `waits.kind` counts."""

_KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
_NO_KIND = -1
_BEFORE_ALL = (-(2**62), 0, 0, "")


def writes(batch: Batch) -> Iterator[tuple[str, Iterable[Row]]]:
    """
    Yield what a batch writes, as the name of a statement and its rows; lists without rows are left out.

    A wait that is both opened and ended in one batch is ended.
    """
    if batch.launches:
        yield "add_execution", map(astuple, batch.launches)
    if batch.history:
        yield "add_history", map(astuple, batch.history)
    if batch.phases:
        yield "set_phase", map(astuple, batch.phases)
    if batch.waits:
        yield "add_wait", map(_wait_bindings, batch.waits)
    if batch.ends:
        yield "end_wait", map(astuple, batch.ends)


def _wait_bindings(row: WaitRow) -> Row:
    # An instant after the year 140,000 is as good as the last one that sorts before FOREVER.
    due = FOREVER if row.due is None else min(row.due, FOREVER - 1)
    return (row.key, row.node, _KIND_NUMBERS[row.kind], row.name, row.opened, due)


def wait_row(row: Row) -> WaitRow:
    """Make a wait of a result row."""
    key, node, kind, name, opened, due = row
    return WaitRow(key, node, KINDS[kind], name, opened, None if due == FOREVER else due)


def wait_bindings(query: WaitQuery) -> Bindings:
    """Return the parameters of `waits`, `waits_where` and `waits_of`."""
    wanted = query.kinds or KINDS
    numbers = {k: n if k in wanted else _NO_KIND for k, n in _KIND_NUMBERS.items()}
    due, opened, key, node = query.after or _BEFORE_ALL
    return {
        **numbers,
        "key": query.key,
        "places": _places(query.places),
        "workflow": query.workflow,
        "project": query.project,
        "domain": query.domain,
        "text": _part(query.text),
        "after_due": due,
        "after_opened": opened,
        "after_key": key,
        "after_node": node,
        "limit": query.limit,
    }


def execution_row(row: Row) -> ExecutionRow:
    """Make an execution of a result row."""
    key, id_, workflow, name, version, phase, *rest = row
    return ExecutionRow(key, id_, workflow, name, version, ExecutionPhase(phase), *rest)


def execution_bindings(query: ExecutionQuery) -> Bindings:
    """Return the parameters of `executions`."""
    phases = query.phases or tuple(ExecutionPhase)
    return {
        "phases": sum(1 << phase for phase in set(phases)),
        "workflow": query.workflow,
        "project": query.project,
        "domain": query.domain,
        "text": _part(query.text),
        "since": -FOREVER if query.since is None else query.since,
        "until": FOREVER if query.until is None else query.until,
        "before": FOREVER if query.before is None else query.before,
        "limit": query.limit,
        "places": _places(query.places),
    }


def _places(places: tuple[tuple[str, str], ...] | None) -> str | None:
    return None if places is None else json.encode(places).decode()


def _part(text: str) -> str:
    r"""Return the LIKE pattern of what holds this text; what LIKE would read as a pattern is escaped with a backslash."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{literal}%" if text else ""


def is_narrowed(query: WaitQuery) -> bool:
    """Whether only the waits of some executions are wanted."""
    return query.places is not None or bool(
        query.workflow or query.project or query.domain or query.text
    )


def counts(phases: Iterable[Row], waits: Iterable[Row]) -> Counts:
    """Make counts of result rows."""
    return Counts(
        {ExecutionPhase(phase): count for phase, count in phases},
        {KINDS[kind]: count for kind, count in waits},
    )


def workflow_row(row: Row) -> WorkflowRow:
    """Make a workflow of a result row."""
    return WorkflowRow(*row)


def workflow_bindings(row: WorkflowRow) -> Bindings:
    """Return the parameters of `add_graph` and `add_workflow`."""
    return {
        "digest": hashlib.sha256(row.graph).digest(),
        "body": row.graph,
        "name": row.name,
        "version": row.version,
        "bundle": row.bundle,
        "module": row.module,
        "registered": row.registered,
    }


def token_bindings(row: TokenRow) -> Bindings:
    """Return the parameters of `put_token`."""
    return {**asdict(row), "grants": json.encode(row.grants).decode()}


def token_row(row: Row) -> TokenRow:
    """Make a token of a result row."""
    id_, name, hash_, grants, *rest = row
    return TokenRow(id_, name, hash_, json.decode(grants, type=Grants), *rest)


def login_row(row: Row) -> LoginRow:
    """Make a login of a result row."""
    return LoginRow(*row)
