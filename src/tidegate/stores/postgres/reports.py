"""
The reports on attempts that go on while their shard changes hands: written by the server that runs them, read by the owner of the shard.

What is read or written in the background is done by the thread that keeps the lease: a notice makes it look, and it looks once a second without one.
Who is a keeper is judged by its row among the servers, so by the clock of the database.
"""

import logging
import threading
from collections.abc import Callable, Collection, Sequence

import msgspec

from tidegate.ports.executor import Attempt, Began, Lost, Report
from tidegate.ports.reports import KeptAttempt
from tidegate.stores.postgres.connections import PostgresConnections
from tidegate.stores.postgres.ownership import Ownership, shard_of
from tidegate.stores.postgres.pipeline import Command
from tidegate.stores.rows import Row

log = logging.getLogger(__name__)

_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(Report)


class PostgresReports:
    """The `AttemptReports` of one process."""

    def __init__(self, connections: PostgresConnections, ownership: Ownership) -> None:
        self._connections = connections
        self._sql = connections.sql
        self._ownership = ownership
        self._lock = threading.Lock()
        self._mine: set[Attempt] = set()
        """Those that run here for others, or are about to."""
        self._unsure = False
        """Whether a row may be there of which this server does not know."""
        self._pending: dict[Attempt, Report] = {}
        self._awaited: dict[Attempt, bytes | None] = {}
        """With the report that was told last; one that has ended is told once."""
        self._told: set[Attempt] = set()
        self._disowned: set[Attempt] = set()
        self._deliver: Callable[[Sequence[Report]], None] = lambda _: None
        self._end: Callable[[Collection[Attempt]], None] = lambda _: None
        self._fall_silent: Callable[[], None] = lambda: None
        self.wake: Callable[[], None] = lambda: None
        """Called when there is something to do in the background."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when other servers have something to look at."""

    def follow(
        self,
        deliver: Callable[[Sequence[Report]], None],
        end: Callable[[Collection[Attempt]], None],
        fall_silent: Callable[[], None],
    ) -> None:
        """Call these when something is told, when nobody awaits an attempt, and when this server may be taken for dead."""
        self._deliver, self._end, self._fall_silent = deliver, end, fall_silent

    # -- the keeper --

    def hand_over(self, attempts: Sequence[Attempt]) -> None:
        """Record that these attempts go on here."""
        with self._lock:
            new = set(attempts) - self._mine
            self._mine |= new
        try:
            self._change("many_hand_over", attempts, [self._ownership.name] * len(attempts))
        except BaseException:
            with self._lock:
                self._mine -= new
                self._unsure = True
            raise

    def write(self, report: Report) -> None:
        """Write what became of an attempt, in the background."""
        with self._lock:
            self._pending[Attempt(report.key, report.node, report.attempt)] = report
        self.wake()

    def silence(self) -> None:
        """Others may take this server for dead: what runs here for them must end."""
        if self._mine:
            self._fall_silent()

    # -- the owner --

    def found(self) -> list[KeptAttempt]:
        """Return the attempts in the shards that are owned."""
        bindings = {"shards": self._ownership.own}
        rows = self._connections.rows(self._sql["reports_in"], bindings)
        return [KeptAttempt(Attempt(*which), goes_on) for *which, goes_on in rows]

    def wait_for(self, attempts: Sequence[Attempt]) -> None:
        """Look for the reports on these attempts."""
        with self._lock:
            self._awaited.update(dict.fromkeys(attempts))
        if attempts:
            self.wake()

    def drop(self, attempts: Sequence[Attempt]) -> None:
        """Forget attempts in shards that are owned."""
        if attempts:
            self._change("many_end_report", attempts)
            with self._lock:
                self._mine.difference_update(attempts)
            self.on_change()

    def forget(self, attempts: Sequence[Attempt]) -> None:
        """Look for the reports on these no longer."""
        with self._lock:
            for each in attempts:
                self._awaited.pop(each, None)
                self._told.discard(each)

    def disown(self, attempts: Sequence[Attempt]) -> None:
        """Have the keepers of these end them, in the background."""
        self.forget(attempts)
        with self._lock:
            self._disowned.update(attempts)
        self.wake()

    def _change(self, name: str, attempts: Sequence[Attempt], *more: list[str]) -> None:
        with self._connections.transaction() as session:
            self._ownership.prove(session, {shard_of(each.key) for each in attempts})
            session.together([Command(name, (*_columns(attempts), *more))], ends=True)

    # -- the thread that keeps the lease --

    def tend(self) -> None:
        """Do what is to be done. Errors: `StoreError`, and then it is done next time."""
        self.flush()
        self._look_after()
        self._look_for()

    def flush(self) -> None:
        """Write what is pending. Errors: `StoreError`."""
        with self._lock:
            pending, disowned = list(self._pending.items()), sorted(self._disowned)
        for attempt, report in pending:
            has_ended = not isinstance(report.outcome, Began)
            bindings = {"key": attempt.key, "node": attempt.node, "attempt": attempt.number}
            bindings |= {"owner": self._ownership.name, "ended": has_ended}
            self._connections.rows(self._sql["report"], {**bindings, "body": _encode(report)})
            with self._lock:
                if self._pending.get(attempt) is report:
                    del self._pending[attempt]
                if has_ended:
                    self._mine.discard(attempt)
        if disowned:
            # What the history says of them is stored, so it does not matter who owns their shards by now.
            with self._connections.reading() as session:
                session.execute(self._sql["many_end_report"], _columns(disowned))
            with self._lock:
                self._disowned.difference_update(disowned)
        if pending or disowned:
            self.on_change()

    def _look_after(self) -> None:
        """End what runs here and is not awaited, and report as lost what is awaited and does not run here."""
        with self._lock:
            mine, unsure = self._mine - self._pending.keys(), self._unsure
        if not (mine or unsure):
            return
        rows = self._connections.rows(self._sql["reports_of"], {"owner": self._ownership.name})
        there = {Attempt(*row) for row in rows}
        with self._lock:
            gone = mine - there - self._pending.keys()
            self._mine -= gone
            unknown = {
                each
                for each in there - self._mine - self._pending.keys()
                if not self._ownership.owns(each.key)
            }
            self._unsure = unsure and bool(there - self._mine)
        if gone:
            self._end(gone)
        for each in sorted(unknown):
            self.write(Report(*each, Lost()))

    def _look_for(self) -> None:
        """Tell what became of attempts that are awaited."""
        with self._lock:
            awaited = [each for each in self._awaited if each not in self._told]
        if not awaited:
            return
        keys, nodes, attempts = _columns(awaited)
        bindings = {"keys": keys, "nodes": nodes, "attempts": attempts}
        rows = self._connections.rows(self._sql["reports_awaited"], bindings)
        there = {Attempt(*row[:3]): row for row in rows}
        with self._lock:
            told = [
                report
                for each in awaited
                if each in self._awaited
                and (report := self._told_by(each, there.get(each))) is not None
            ]
        if told:
            self._deliver(told)

    def _told_by(self, attempt: Attempt, row: Row | None) -> Report | None:
        """Return what a row says that was not told yet; with the lock."""
        if row is None:
            self._told.add(attempt)
            return Report(*attempt, Lost())
        *_, has_ended, body, is_alive = row
        if has_ended or not is_alive:
            self._told.add(attempt)
            return _read(attempt, body) if has_ended else Report(*attempt, Lost())
        if body is None or bytes(body) == self._awaited[attempt]:
            return None
        self._awaited[attempt] = bytes(body)
        return _read(attempt, body)


def _read(attempt: Attempt, body: bytes) -> Report:
    """Return a report; one that cannot be read is as if the attempt had been lost."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        log.warning("the report on %s cannot be read: %s", attempt, error)
        return Report(*attempt, Lost())


def _columns(attempts: Sequence[Attempt]) -> list[list[object]]:
    """Return attempts as one list a column."""
    return [list(column) for column in zip(*attempts, strict=True)]
