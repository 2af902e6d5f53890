"""
Rows on both sides: parameters of the statements in `shared.sql`, and structs of `tidegate.ports` made from results.

Nothing here knows which database it is.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec.structs import asdict, astuple

from tidegate.core.endings import Ending
from tidegate.core.state import ExecutionPhase
from tidegate.core.waits import NOTHING, Shown
from tidegate.errors import InvalidValue
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports.access import SessionRow, TokenRow
from tidegate.ports.audit import AuditRow
from tidegate.ports.catalog import WorkflowRow
from tidegate.ports.changes import ChangeRow, Cursor
from tidegate.ports.journal import Batch, Counts, ExecutionRow, PhaseRow, Recorded, Series, WaitRow
from tidegate.ports.listings import NEVER_DUE, ListedWait, Mark, Sort, Span

Bindings: TypeAlias = dict[str, Any]
Row: TypeAlias = tuple[Any, ...]
Grants: TypeAlias = tuple[tuple[str, str, str], ...]

KINDS = ("sleep", "input", "approve", "retry")
"""The numbers in `waits.kind`."""

KIND_NUMBERS = {kind: number for number, kind in enumerate(KINDS)}

REJECTED, TIMED_OUT = 6, 7
OF_ENDINGS = {
    "failed": int(ExecutionPhase.FAILED),
    "aborted": int(ExecutionPhase.ABORTED),
    "rejected": REJECTED,
    "timed_out": TIMED_OUT,
}
"""The numbers in `executions.part` by how an execution ended; for others it is the phase."""

PARTS = (*map(int, ExecutionPhase), REJECTED, TIMED_OUT)

LATEST = 2**63 - 1
"""No instant, key or position is larger."""

_NEVER = b"\xff"
"""Prefix of every wait without a due time; the first byte of any instant is smaller."""

LAST = b"\xff\xff"
"""After every wait."""

_LONGEST = 2**62 - 1
"""Later and earlier instants are ordered as if they were this: some 146,000 years."""

MINUTE, HOUR = 60 * SECOND, 3_600 * SECOND

_DIGITS = re.compile(r"(\d+)", re.ASCII)
_PLAIN = re.compile(r"(?:[a-z/]|0(?!\d)|(?<!\d)[1-9]\d*)*", re.ASCII)
"""The ids that nodes are given: no two of them have the same place in a list."""

_encode = msgspec.msgpack.Encoder().encode
_ending = msgspec.msgpack.Decoder(Ending).decode
_mark = msgspec.msgpack.Decoder(tuple[Sort, Any, bytes]).decode
_json = msgspec.json.Encoder().encode
_shown = msgspec.msgpack.Decoder(Shown | str).decode
_NOTHING = _encode(NOTHING)


def writes(batch: Batch, number_of: Callable[[Series], int]) -> Iterator[tuple[str, list[Row]]]:
    """
    Yield the writes of a batch, as the name of a statement and its rows; empty lists are left out.

    `number_of` numbers a series. A wait that is both opened and ended in one batch is ended.
    """
    if batch.launches:
        yield (
            "add_execution",
            [
                (row.key, row.id, row.workflow, number_of(row.series), row.phase, row.at, row.who)
                for row in batch.launches
            ],
        )
    if batch.history:
        yield "add_history", [(row.key, row.seq, row.body) for row in batch.history]
    if batch.phases:
        yield "set_phase", [phase_bindings(row) for row in batch.phases]
    if batch.waits:
        yield "add_wait", [wait_bindings(row, number_of(row.series)) for row in batch.waits]
    if batch.ends:
        yield "end_wait", [(row.key, row.node) for row in batch.ends]
    if batch.reported:
        yield "end_report", [*batch.reported]
    if batch.audit:
        yield "add_audit", [audit_bindings(row) for row in batch.audit]
    if counters := counter_rows(batch.counts):
        yield "count", counters


# ---- waits ----


def order_of(row: WaitRow) -> bytes:
    """
    Return the sort key of a wait, to be compared as bytes, which every database does in the same way; no two waits share one.

    Earliest due first and those without a due time last, then the oldest execution first, and within it in source order.
    """
    return b"".join(
        (
            _NEVER if row.due is None else _ordered(_rounded(row.due, row.due - row.opened)),
            _counted(row.key),
            _natural(row.node),
            b"" if _PLAIN.fullmatch(row.node) else b"\0" + row.node.encode(),
        )
    )


def bounds_of(due: Span | None) -> tuple[bytes, bytes]:
    """Return the places in a list before and after all waits that are due in a span, to the minute; those without a due time are in none."""
    if due is None:
        return b"", LAST
    if due == NEVER_DUE:
        return _NEVER, LAST
    since = b"" if due.since is None else _ordered(due.since - due.since % MINUTE)
    until = _NEVER if due.until is None else _ordered(due.until + -due.until % MINUTE)
    return since, until


def _rounded(due: Instant, timeout: int) -> int:
    """
    Return an instant to the second, or to the minute if there was an hour or more until then.

    Questions with the same timeout that follow tasks open some moments after each other, and stay in source order.
    """
    unit = MINUTE if timeout >= HOUR else SECOND
    return due - due % unit


def _ordered(number: int) -> bytes:
    return (max(-_LONGEST, min(number, _LONGEST)) + 2**62).to_bytes(8)


def _counted(number: int) -> bytes:
    """Return a non-negative number in few bytes, the first of which gives their count."""
    size = (number.bit_length() + 7) // 8
    return size.to_bytes() + number.to_bytes(size)


@lru_cache(4096)
def _natural(text: str) -> bytes:
    """Return a text such that `item 9` sorts before `item 10`: each number is prefixed with its number of digits."""
    parts = _DIGITS.split(text)
    parts[1::2] = [f"{len(d):02}{d}" for digits in parts[1::2] if (d := digits.lstrip("0") or "0")]
    return "".join(parts).casefold().encode().replace(b"\0", b"\1")


def folded(text: str) -> str:
    """Return a text as it is searched."""
    return text.lower() if text.isascii() else text.casefold()


def wait_bindings(row: WaitRow, series: int, damaged: str = "") -> Row:
    """Return the parameters of `add_wait`; with `damaged`, why what lists show beside the name is not known."""
    shown = row.shown
    return (
        row.key,
        row.node,
        KIND_NUMBERS[row.kind],
        order_of(row),
        series,
        row.name,
        row.path,
        row.opened,
        None if row.due is None else due_bound(row.due),
        row.handle,
        row.form,
        row.digest,
        _natural(shown.title or row.name),
        _json(dict(shown.figures)).decode() if shown.figures else "{}",
        folded(_searched(row)),
        _encode(damaged or shown) if damaged or shown is not NOTHING else _NOTHING,
    )


def _searched(row: WaitRow) -> str:
    """Return the texts by which a wait is found."""
    shown = row.shown
    if not (shown.title or shown.figures or row.words):
        return row.name
    figures = [str(value) for _, value in shown.figures if value is not None]
    return "\n".join(each for each in (row.name, shown.title, *figures, row.words) if each)


def listed_wait(row: Row) -> ListedWait:
    """Make a wait from a row of `wait_rows`; one that cannot be read says so, and affects nothing else."""
    order, key, node, kind, name, path, opened, due, handle, form, digest, body, *rest = row
    execution, workflow, who, *series = rest
    damaged = ""
    shown = NOTHING
    if body != _NOTHING:
        try:
            found = _shown(body)
        except msgspec.MsgspecError as error:
            damaged = (
                f"what lists show of it cannot be read ({error}): run `tidegate doctor --rebuild`"
            )
        else:
            if isinstance(found, str):
                damaged = found
            else:
                shown = found
    wait = WaitRow(
        key, node, KINDS[kind], name, opened, due, path, execution, Series(*series), handle, form, digest, shown
    )  # fmt: skip
    return ListedWait(wait, workflow, Mark(order), damaged, who)


def mark_of(sort: Sort, value: Any, order: bytes) -> Mark:
    """Return the mark of a row in a list that is sorted by a value."""
    return Mark(_encode((sort, value, order)))


def marked(mark: Mark | None, sort: Sort) -> tuple[bool, Any, bytes]:
    """Return whether a page is the first, else the value and the place of the row after which it begins. Errors: `InvalidValue`."""
    if mark is None:
        return True, None, b""
    try:
        known, value, order = _mark(mark)
    except (msgspec.MsgspecError, ValueError):
        known, value, order = None, None, b""
    if known != sort:
        raise InvalidValue("the cursor is of a list in another order; begin with its first page")
    return False, value, order


# ---- executions ----


def execution_row(row: Row) -> ExecutionRow:
    """Make an execution of a result row."""
    key, id_, workflow, name, version, phase, *rest, ending = row
    rest.append(None if ending is None else _ending(ending))
    return ExecutionRow(key, id_, workflow, name, version, ExecutionPhase(phase), *rest)


def phase_bindings(row: PhaseRow) -> Row:
    """Return the parameters of `set_phase`."""
    ending = row.ending
    part = row.phase if ending is None else OF_ENDINGS[ending.kind]
    return row.key, row.phase, row.at, part, None if ending is None else _encode(ending)


def parts_of(phases: Iterable[ExecutionPhase], endings: Iterable[str]) -> list[int]:
    """Return the parts that have executions in one of these phases, or that ended in one of these ways; all parts if none is named."""
    found = {part for phase in phases for part in PARTS if phase_of(part) is phase}
    return sorted(found | {OF_ENDINGS[each] for each in endings} or PARTS)


def phase_of(part: int) -> ExecutionPhase:
    """Return the phase of a part."""
    return ExecutionPhase(part) if part < REJECTED else ExecutionPhase.FAILED


def recorded(rows: list[Row]) -> Recorded | None:
    """Make an execution with its history of the rows of `recorded`; None if there are none."""
    if not rows:
        return None
    key, workflow, project, domain, _ = rows[0]
    bodies = [row[-1] for row in rows if row[-1] is not None]
    return Recorded(key, workflow, project, domain, bodies)


def counter_rows(counts: Counts) -> list[Row]:
    """Return the parameters of `count`: the name of a counter, and by how much it changes."""
    phases = [(f"phase:{phase.value}", by) for phase, by in counts.phases.items() if by]
    return phases + [(f"wait:{kind}", by) for kind, by in counts.waits.items() if by]


def counts_of(rows: Iterable[Row]) -> Counts:
    """Make counts from the rows of `counters`; zeros are left out."""
    counts = Counts()
    for name, value in rows:
        what, _, which = name.partition(":")
        if value and what == "phase":
            counts.phases[ExecutionPhase(int(which))] = value
        elif value:
            counts.waits[which] = value
    return counts


def change_row(row: Row) -> ChangeRow:
    """Make a change of a row of `changes`."""
    position, *rest = row
    return ChangeRow(cursor_of(position), *rest)


def cursor_of(position: int) -> Cursor:
    """Return the cursor after a line."""
    return Cursor(str(position))


# ---- catalog and access ----


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
        "recorded": row.recorded,
    }


def token_bindings(row: TokenRow) -> Bindings:
    """Return the parameters of `put_token`."""
    return {**asdict(row), "grants": msgspec.json.encode(row.grants).decode()}


def token_row(row: Row) -> TokenRow:
    """Make a token of a result row."""
    id_, name, hash_, grants, *rest = row
    return TokenRow(id_, name, hash_, msgspec.json.decode(grants, type=Grants), *rest)


def session_row(row: Row) -> SessionRow:
    """Make a session of a result row."""
    return SessionRow(*row)


def audit_bindings(row: AuditRow) -> Row:
    """Return the parameters of `add_audit`."""
    return astuple(row)[:-1]


def audit_row(row: Row) -> AuditRow:
    """Make a line of the audit log of a result row."""
    return AuditRow(*row)


def due_bound(until: Instant) -> int:
    """Return an instant in the range of the database."""
    return min(until, LATEST)
