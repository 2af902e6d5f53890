"""
The inbox: everything that waits for an answer, in all executions or in one, earliest due first; and one question in full.

A page is built from rows and graphs. It reads no history, so damage elsewhere does not affect it.
"""

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from zlib import crc32

from msgspec import structs

from tidegate.core.addresses import resolve
from tidegate.core.plan import Plan
from tidegate.core.state import NodePhase
from tidegate.engine.loop import Engine
from tidegate.errors import (
    InvalidValue,
    StoreDamaged,
)
from tidegate.ir.expr import natural
from tidegate.ir.graph import SECOND, Instant
from tidegate.ports.clock import Clock
from tidegate.ports.journal import Series
from tidegate.ports.listings import (
    NEVER_DUE,
    ListedWait,
    Listings,
    Mark,
    Narrowing,
    Patterns,
    SeriesCount,
    Sort,
    Span,
    WaitQuery,
    fits,
)
from tidegate.service.background import Decks, background_of
from tidegate.service.deciders import Deciders
from tidegate.service.executions import Executions
from tidegate.service.leads import leads_of
from tidegate.service.missing import Codes, Missing
from tidegate.service.moments import maybe, moment
from tidegate.service.questions import waiting_line, waiting_view
from tidegate.service.rounds import Rounds
from tidegate.service.signals import not_open
from tidegate.service.views import answer_view
from tidegate.wire import (
    ANSWERABLE,
    GetQuestion,
    InboxPage,
    InboxSummary,
    ListInbox,
    Tally,
    WaitingView,
)

MOST = 10_000
"""Questions of a workflow in a project that are counted; beyond that nobody reads the number, and counting 100,000 takes 10 ms."""

MINUTE, HOUR, DAY = 60 * SECOND, 3_600 * SECOND, 86_400 * SECOND

SUM = 4
"""Bytes of the checksum at the start of a cursor, which reveals an invalid one."""


class Inbox:
    """What waits for people."""

    def __init__(
        self,
        listings: Listings,
        engine: Engine,
        executions: Executions,
        missing: Missing,
        clock: Clock,
        rounds: Rounds,
    ) -> None:
        self._listings = listings
        self._programs = engine.programs
        self._damage = engine.damage
        self._executions = executions
        self._missing = missing
        self._clock = clock
        self._rounds = rounds

    def page(
        self, request: ListInbox, deciders: Deciders, within: Patterns | None = None
    ) -> InboxPage:
        """Return a page of the inbox; limited to these patterns, if given."""
        found = self._listings.waits(
            WaitQuery(
                where=Narrowing(
                    workflow=request.workflow,
                    project=request.project,
                    domain=request.domain,
                    within=within,
                    text=request.text,
                ),
                kinds=(request.kind,) if request.kind else ANSWERABLE,
                key=self._executions.key(request.execution) if request.execution else None,
                after=_mark(request.cursor),
                limit=request.limit + 1,
                due=due_span(request.due, request.zone, self._clock.now()),
                sort=_sort(request.sort),
            )
        )
        page = found.rows[: request.limit]
        more = page[-1].mark if len(found.rows) > request.limit else found.rest
        codes = self._missing.codes()
        return InboxPage(
            items=[self._line(row, codes, deciders) for row in page],
            next="" if more is None else _cursor(more),
        )

    def summary(self, within: Patterns | None, yours: Patterns | None) -> InboxSummary:
        """Count what waits within some patterns, and what of it is within those that the caller may answer."""
        found = self._listings.waits_by_series(ANSWERABLE, within, MOST)
        own = [each for each in found if _is_within(each.series, yours)]
        dues = [each.soonest for each in own if each.soonest is not None]
        return InboxSummary(
            yours=sum(each.count for each in own),
            all=sum(each.count for each in found),
            workflows=_tallies(found, own, lambda series: series.workflow),
            projects=_tallies(found, own, lambda series: series.project),
            soonest_due=moment(min(dues)) if dues else None,
            bounded=any(each.count >= MOST for each in found),
            most=MOST,
        )

    def question(self, request: GetQuestion, deciders: Deciders, decks: Decks) -> WaitingView:
        """
        Return an open question in full, or one that was decided, as the record of what was asked and shown.

        Errors: `UnknownSignal`, `AmbiguousSignal`; `Refused` and below if it was never asked.
        """
        now = self._executions.look(request.id)
        node = resolve(now.plan, now.state, request.name, now.row.id)
        if node not in now.plan.nodes:
            then = self._rounds.of_node(now, node)
            if then is None:
                raise not_open(now, node, request.name)
            now = then
        here = now.state.node(node)
        view = waiting_view(now, node)
        if here.phase is NodePhase.WAITING:
            lacks = self._missing.codes().lacks(now.row.workflow, now.row.id)
            view = structs.replace(view, leads=leads_of(now, node), damaged=lacks)
            view = structs.replace(view, background=background_of(now, node, view, decks))
            return deciders.told(view, now.row.project, now.row.domain)
        if here.began is None or not here.phase.is_terminal:
            raise not_open(now, node, request.name)
        return structs.replace(
            view,
            due=None,
            phase=here.phase.name,
            ended=maybe(here.ended),
            answer=answer_view(here.answer),
            background=background_of(now, node, view, decks),
        )

    def _line(self, listed: ListedWait, codes: Codes, deciders: Deciders) -> WaitingView:
        wait = listed.wait
        damaged = self._damage.why(wait.key) or listed.damaged
        damaged = damaged or codes.lacks(listed.workflow, wait.execution)
        plan: Plan | None = None
        if wait.shown.gate is None:
            try:
                plan = self._programs.get(listed.workflow).plan
            except StoreDamaged as error:
                damaged = self._damage.noticed(wait.key, wait.execution, error).message
        planned = None if plan is None else plan.nodes.get(wait.node)
        view = waiting_line(listed, None if planned is None else planned.node, damaged)
        return deciders.told(view, wait.series.project, wait.series.domain)


def due_span(due: str, zone: int, now: Instant) -> Span | None:
    """Return when something is due that is in one of the groups of the inbox. `zone` is where a day begins, in minutes east of UTC."""
    hour = Instant(now + HOUR)
    east = zone * MINUTE
    midnight = now - (now + east) % DAY + DAY
    today = Instant(max(midnight, hour))
    week = Instant(max(midnight + 6 * DAY, hour))
    spans = {
        "": None,
        "overdue": Span(None, now),
        "hour": Span(now, hour),
        "today": Span(hour, today),
        "week": Span(today, week),
        "later": Span(week, None),
        "none": NEVER_DUE,
    }
    return spans[due]


def _sort(sort: str) -> Sort | None:
    """Return the order that was asked for; None for that of the list itself."""
    by, _, figure = sort.removeprefix("-").partition(":")
    if sort in ("", "due"):
        return None
    return Sort(by, figure, sort.startswith("-"))


def _is_within(series: Series, patterns: Patterns | None) -> bool:
    return patterns is None or any(
        fits(project, series.project) and fits(domain, series.domain)
        for project, domain in patterns
    )


def _tallies(
    found: list[SeriesCount], own: list[SeriesCount], name_of: Callable[[Series], str]
) -> list[Tally]:
    """Return the counts by the name of something, in the order of names."""
    count: Counter[str] = Counter()
    yours: Counter[str] = Counter()
    for counts, among in ((count, found), (yours, own)):
        for each in among:
            counts[name_of(each.series)] += each.count
    return [
        Tally(name=name, count=count[name], yours=yours[name])
        for name in sorted(count, key=natural)
    ]


def _cursor(mark: Mark) -> str:
    return base64.urlsafe_b64encode(crc32(mark).to_bytes(SUM) + mark).decode()


def _mark(cursor: str) -> Mark | None:
    if not cursor:
        return None
    try:
        body = base64.b64decode(cursor, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        body = b""
    mark = Mark(body[SUM:])
    if crc32(mark).to_bytes(SUM) != body[:SUM]:
        raise InvalidValue(f"{cursor[:40]!r} is not a cursor; use the `next` of the previous page")
    return mark
