"""The threads of a server that shares a store: one keeps its lease and its share, one watches that it is renewed in time, the others pass on notices."""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from time import monotonic

from tidegate.core.shards import SHARDS
from tidegate.core.state import ExecutionPhase
from tidegate.errors import StoreError, StoreTooNew
from tidegate.ports.journal import Key
from tidegate.ports.shares import Turnover
from tidegate.stores.postgres.changes import PostgresChanges
from tidegate.stores.postgres.connections import Background, PostgresConnections
from tidegate.stores.postgres.notices import Notices
from tidegate.stores.postgres.ownership import RENEW_SECONDS, Ownership
from tidegate.stores.postgres.reports import PostgresReports
from tidegate.stores.rows import Row

TICK_SECONDS = 1.0
"""Longest pause between two looks at which shards are free."""

TIGHT_SECONDS = 0.2
"""The same, while something ought to change."""

MOST_TOUCHED = 100_000
"""Executions of others of whose changes one look tells."""

log = logging.getLogger(__name__)


class Keeping:
    """Keeps the lease, and what this server knows of the others."""

    def __init__(
        self,
        connections: PostgresConnections,
        ownership: Ownership,
        changes: PostgresChanges,
        reports: PostgresReports,
        written: Mapping[int, tuple[int, int]],
    ) -> None:
        self._connections = connections
        self._sql = connections.sql
        self._ownership = ownership
        self._changes = changes
        self._reports = reports
        self._look = threading.Event()
        self._ended = threading.Event()
        self._outdated = threading.Event()
        self._older = threading.Event()
        self._seen: dict[int, int] = {}
        self._written = written
        self._notices: Notices | None = None
        self._mark: list[Row] = []
        self._said = ""
        self._on_access: Callable[[], None] = lambda: None
        reports.wake = ownership.on_leave = self._look.set
        reports.on_change = ownership.on_give = self.say_freed

    def begin(self, background: Background, number: str) -> None:
        """Begin, in threads of their own."""
        background("lease", self._keep)
        background("database", self._say_older)
        if self._ownership.is_shared:
            self._notices = Notices(self._connections, number, self._ownership.name)
            self._seen = self._positions()
            self._changes.tell_others(self._notices.changed)
            background("lease-end", self._watch)
            background("version", self._say_outdated)
            background("notices", self._notices.send)
            background("listener", partial(self._notices.hear, self._hear))

    def on_access(self, call: Callable[[], None]) -> None:
        """Call this when tokens or sessions have changed."""
        self._on_access = call

    def say_freed(self) -> None:
        """Tell the others that shards are free, or that something is reported."""
        if self._notices is not None:
            self._notices.freed()

    def close(self) -> None:
        """End the threads."""
        self._ended.set()
        self._look.set()
        self._outdated.set()
        self._older.set()
        if self._notices is not None:
            self._notices.close()

    def _keep(self) -> None:
        due = monotonic() + RENEW_SECONDS
        pause = TICK_SECONDS
        while not self._ended.is_set():
            self._look.wait(min(pause, max(0.0, due - monotonic())))
            self._look.clear()
            if self._ended.is_set():
                return
            if self._ownership.outdated:  # as a commit may find first
                self._outdated.set()
            try:
                if monotonic() >= due:
                    self._connections.past.check()
                    self._ownership.renew()
                    self._connections.past.keep()
                    due = monotonic() + RENEW_SECONDS
                pause = self._compare()
                self._reports.tend()
                self._said = ""
            except StoreError as error:
                if self._connections.past.is_broken:
                    self._older.set()
                elif error.message != self._said and not self._ownership.outdated:
                    self._said = error.message
                    log.warning(
                        "the lease of %s could not be renewed: %s",
                        self._connections.name,
                        error.message,
                    )
                self._ended.wait(TICK_SECONDS)

    def _say_older(self) -> None:
        """Fail once the database is older than what was seen of it, and each time that this is run again: that is how it is said in health."""
        self._older.wait()
        if not self._ended.is_set():
            self._connections.past.check()

    def _say_outdated(self) -> None:
        """Fail once a newer version has told this one to stop writing, and each time that this is run again: that is how it is said in health."""
        self._outdated.wait()
        if not self._ended.is_set():
            why = (
                "this server has left the store to newer ones, and only passes requests on to them"
            )
            raise StoreTooNew(f"{self._ownership.outdated}; {why}")

    def _watch(self) -> None:
        """Give up what is owned when the lease may have ended. The thread that renews it may be waiting for a database that is silent."""
        while not self._ended.wait(max(self._ownership.left, TIGHT_SECONDS)):
            own = self._ownership.own
            if self._ownership.left <= 0:
                self._reports.silence()
                if own:
                    self._ownership.tell(Turnover(lost=own))

    def _compare(self) -> float:
        if not self._ownership.is_shared:
            return TICK_SECONDS
        found = self._ownership.survey()
        self._ownership.tell(found)
        is_settled = found == Turnover() and not self._ownership.lacks
        return TICK_SECONDS if is_settled else TIGHT_SECONDS

    # -- the listener's thread --

    def _hear(self, shards: int | None, freed: bool) -> None:  # noqa: FBT001 - as it is called back
        if freed:
            self._look.set()
        if shards is None:
            mark = self._connections.rows(self._sql["access_mark"], {})
            if mark != self._mark:
                self._mark = mark
                self._on_access()
        if shards is None or shards:
            self._follow(shards)

    def _follow(self, shards: int | None) -> None:
        """
        Tell the subscribers what others have changed since the last look.

        Who owns a shard says nothing of who wrote its last lines: it may be another's by now, or have been a moment ago.
        """
        now = self._positions()
        if not now:
            return  # the database is away: what was missed is told at the next look
        for shard, (begin, end) in dict(self._written).items():
            if begin <= self._seen.get(shard, 0) < end:
                self._seen[shard] = end
        moved = [
            shard
            for shard in range(SHARDS)
            if (shards is None or shards >> shard & 1)
            and now.get(shard, 0) > self._seen.get(shard, 0)
        ]
        if moved:
            wanted = {
                "shards": moved,
                "positions": [self._seen.get(shard, 0) for shard in moved],
                "limit": MOST_TOUCHED,
            }
            rows = self._connections.rows(self._sql["touched"], wanted)
            self._changes.hear({Key(key): ExecutionPhase(phase) for key, phase in rows})
        for shard in moved:
            self._seen[shard] = now[shard]

    def _positions(self) -> dict[int, int]:
        with suppress(StoreError), self._connections.reading() as session:
            return self._connections.ends(session)
        return {}
