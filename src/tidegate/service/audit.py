"""
The audit log: who decided, signed in, made, rotated and revoked tokens, and who was refused.

An action is logged in the same transaction as its effect; this module reads the log, and adds the refusals (401, 403, 429). Refusals cost an attacker
nothing, so they are aggregated: one line per principal or address, code and minute, at most `MOST_A_DAY` lines, and a count of those that did not fit.
"""

import threading
from typing import Final

from tidegate.errors import InvalidValue, StoreError
from tidegate.ir.graph import Instant
from tidegate.parts import Part
from tidegate.ports.audit import DROPPED, KINDS, REFUSED, Audit, AuditQuery, AuditRow
from tidegate.ports.clock import Clock
from tidegate.service.access import Principal
from tidegate.service.moments import instant, moment, number
from tidegate.wire import AuditLine, AuditPage, ListAudit

MOST_A_DAY: Final = 10_000
"""Lines of refusals that one day (UTC) may add: some 2 MB."""
PENDING: Final = 1_000
"""Different refusals that are counted separately within a minute; the rest are only counted together."""
SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
FOREVER: Final = Instant(2**62)
RECORDED: Final = frozenset({401, 403, 429})
"""Statuses that mean: not you, or not now. Errors of the request itself (404, 409, 422) appear only in the metrics."""

_Key = tuple[int, str, str, str, str]
"""The minute, the principal, its credential, its address, and the code."""


class AuditLog:
    """The audit log of a store. May be used from any thread; `refused` never blocks."""

    def __init__(self, audit: Audit, clock: Clock, part: Part | None = None) -> None:
        self._audit = audit
        self._clock = clock
        self._part = part or Part("audit", tidies=True)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._wake = threading.Event()
        self._counts: dict[_Key, int] = {}
        self._dropped = 0
        self._day = -1
        self._room = 0
        self._runs = False

    def refused(self, code: str, principal: Principal, address: str) -> None:
        """Count a refusal: under the principal's name if there is one, else under the address."""
        minute = self._clock.now() // MINUTE
        who, credential = principal.name, principal.credential
        key = (minute, who, credential, "" if who else address[:100], code)
        with self._lock:
            count = self._counts.get(key, 0)
            if count or len(self._counts) < PENDING:
                self._counts[key] = count + 1
            else:
                self._dropped += 1
            if not self._runs and not self._part.is_stopped:
                self._runs = True
                self._part.run(self._write_by_the_minute)
        self._wake.set()

    def page(self, request: ListAudit) -> AuditPage:
        """Return lines, newest first, including this minute's refusals. Errors: `InvalidValue`."""
        if request.kind and request.kind not in KINDS:
            raise InvalidValue(
                f"unknown kind {request.kind[:40]!r}; the kinds are: {', '.join(KINDS)}"
            )
        if not self._part.is_stopped:
            self.write()
        query = AuditQuery(
            kind=request.kind,
            who=request.who_did,
            execution=request.execution,
            since=instant("since", request.since) or Instant(0),
            until=instant("until", request.until) or FOREVER,
            before=number(request.cursor) or FOREVER,
            limit=request.limit,
        )
        found = self._audit.page(query)
        return AuditPage(
            items=[_line(row) for row in found.rows],
            next=str(found.before) if found.before else "",
        )

    def write(self, *, before: int = FOREVER) -> None:
        """Write the refusals counted in minutes before this one. Errors: `StoreError`; then they are kept."""
        with self._writing:
            now = self._clock.now()
            with self._lock:
                due = {key: count for key, count in self._counts.items() if key[0] < before}
                if not due and not self._dropped:
                    return
                for key in due:
                    del self._counts[key]
                dropped, self._dropped = self._dropped, 0
            try:
                if now // DAY != self._day:
                    there = self._audit.refusals(Instant(now // DAY * DAY))
                    self._day, self._room = now // DAY, max(0, MOST_A_DAY - there)
                rows = [_row(key, count) for key, count in due.items()]
                if dropped or len(rows) > self._room:
                    kept = rows[: max(0, self._room - 1)]
                    dropped += sum(row.count for row in rows[len(kept) :])
                    rows = kept
                    if self._room:
                        rows.append(AuditRow(now, REFUSED, about=DROPPED, count=dropped))
                        dropped = 0
                if rows:
                    self._audit.record(rows)
                self._room -= len(rows)
            except StoreError:
                with self._lock:
                    self._counts = {**due, **self._counts}
                    self._dropped += dropped
                raise
            with self._lock:
                self._dropped += dropped

    def close(self) -> None:
        """Write the pending refusals and stop the thread. Call it while the store is still open."""
        self._part.stop()
        self._wake.set()
        self._part.join()
        if self._counts:
            self._part.guard(lambda _: self.write())(None)

    def _write_by_the_minute(self) -> None:
        while not self._part.is_stopped:
            self._wake.wait()
            now = self._clock.now()
            if self._part.pause((MINUTE - now % MINUTE) / SECOND):
                return
            self._wake.clear()
            self.write(before=self._clock.now() // MINUTE)
            if self._counts:
                self._wake.set()


def _row(key: _Key, count: int) -> AuditRow:
    minute, who, credential, address, code = key
    at = Instant(minute * MINUTE)
    return AuditRow(at, REFUSED, who, credential, "", address, about=code, count=count)


def _line(row: AuditRow) -> AuditLine:
    return AuditLine(
        number=row.number,
        at=moment(row.at),
        kind=row.kind,
        who=row.who,
        credential=row.credential,
        via=row.via,
        address=row.address,
        execution=row.execution,
        about=row.about,
        outcome=row.outcome,
        shown=row.shown,
        count=row.count,
    )
