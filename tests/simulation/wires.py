"""
Connections to the simulated database: what psycopg is to our code, with a network in between that can be cut, or be silent.

A request reaches the server, or does not; its answer reaches the host, or does not. What was sent is on its way even if its host is stopped or dies.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import psycopg
from psycopg import errors, pq

from tidegate.stores.postgres.dialect import translated
from tidegate.stores.postgres.pipeline import PLAIN, Command, bindings

from .answers import ANSWERS, names, plain
from .tables import Row, Tables, Transaction
from .timeline import SECOND, Machine, Timeline, Waiter

SILENCE = 10 * SECOND
"""After which the network is taken for broken (`tcp_user_timeout`, `connect_timeout`)."""
IDLE = 60 * SECOND
"""`idle_in_transaction_session_timeout`: longer than that of the store, so that more happens meanwhile."""
OVER = ("COMMIT", "ROLLBACK")
READS = frozenset(ANSWERS) - {
    "fence",
    "take",
    "renew",
    "let_go",
    "many_add_execution",
    "many_add_history",
    "many_hand_over",
    "many_end_report",
    "report",
}
"""Statements that wait for nobody."""


class Notice(NamedTuple):
    payload: str


class Host(Machine):
    """A machine with connections. `fate` is what becomes of its next commit."""

    def __init__(self, name: str, rate: float, offset: int) -> None:
        super().__init__(name, rate, offset)
        self.silent = False
        self.fate = ""
        self.wires: list[Wire] = []
        self.stuck: list[tuple[Wire, Callable[[], object]]] = []


class Session:
    """The server's side of a connection."""

    def __init__(self, server: "Server", host: str) -> None:
        self._server = server
        self._host = host
        self.tx: Transaction | None = None
        self.over = False
        self._turn = 0

    def run(self, text: str, bindings: Any) -> list[Row]:
        """Run a statement, on a strand of the server."""
        tables = self._server.tables
        self._turn += 1
        if text.startswith("BEGIN"):
            self.tx = Transaction(tables.clock(), self._host)
            return []
        if text in OVER:
            tx, self.tx = self.tx, None
            if tx is not None:
                (tables.commit if text == "COMMIT" else tables.abort)(tx)
            return []
        if self.tx is not None:
            return self._inside(self.tx, text, bindings)
        alone = Transaction(tables.clock(), self._host)
        try:
            rows = self._answer(alone, text, bindings)
        except BaseException:
            tables.abort(alone)
            raise
        tables.commit(alone)
        return rows

    def _inside(self, tx: Transaction, text: str, bindings: Any) -> list[Row]:
        if tx.failed:
            raise errors.InFailedSqlTransaction("current transaction is aborted")
        try:
            return self._answer(tx, text, bindings)
        except psycopg.Error:
            tx.failed = True
            raise

    def _answer(self, tx: Transaction, text: str, bindings: Any) -> list[Row]:
        name = names().get(text)
        if name is not None:
            return ANSWERS[name](self._server.tables, tx, bindings)
        return plain(self._server.tables, tx, text)

    def rest(self, wire: "Wire") -> None:
        """Wait for the next statement; in a transaction not for long."""
        turn = self._turn

        def look() -> None:
            if self._turn == turn:
                wire.cut()

        if self.tx is not None:
            self._server.timeline.at(self._server.idle, look, self._server.machine)

    def close(self) -> None:
        self.over = True
        if self.tx is not None:
            self._server.tables.abort(self.tx)
            self.tx = None


class Server:
    """The database server, its network, and who listens."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.machine = Machine("server")
        self.tables = Tables(timeline, self.machine)
        self.up = True
        self.wires: list[Wire] = []
        self.drops_notices = False
        self.idle = IDLE
        self.fates: Counter[str] = Counter()
        self.act: Callable[[Host, str], None] = lambda *_: None
        """Does to a host, or to the server, what the fate of a commit says."""

    def delay(self) -> int:
        return self.timeline.rng.randint(50, 2_000)

    def connect(self, address: str, *, of: str) -> "Wire":
        host = self.timeline.here.machine
        assert isinstance(host, Host)
        self.timeline.sleep(self.delay() / SECOND)
        for _ in range(SILENCE // SECOND):
            if not host.silent:
                break
            self.timeline.sleep(1)
        else:
            raise psycopg.OperationalError("connection timeout expired")
        if not self.up:
            raise psycopg.OperationalError("connection refused")
        wire = Wire(self, host, of)
        self.wires.append(wire)
        host.wires.append(wire)
        return wire

    def crash(self, seconds: float) -> None:
        """End as a crash does, and be there again after some seconds."""
        if not self.up:
            return
        self.up = False
        before, self.machine = self.machine, Machine("server")
        self.tables.crash()
        for wire in list(self.wires):
            wire.cut()
        self.timeline.kill(before)
        self.timeline.at(round(seconds * SECOND), self._rise)

    def _rise(self) -> None:
        self.up = True

    def notify(self, channel: str, payload: str) -> None:
        if not self.drops_notices:
            for wire in self.wires:
                if channel in wire.listens and not wire.host.silent:
                    self.timeline.at(self.delay(), lambda w=wire: w.hear(payload))

    def heal(self, host: Host) -> None:
        """Let the network of a host be there again: what is still wanted arrives late."""
        host.silent = False
        stuck, host.stuck = host.stuck, []
        for wire, act in stuck:
            if wire.broken:
                wire.session.close()
            else:
                self.timeline.at(self.delay(), act)
        for wire in self.wires:
            if wire.host is host and wire.broken:
                wire.session.close()


class Info:
    def __init__(self, wire: "Wire") -> None:
        self._wire = wire

    @property
    def transaction_status(self) -> pq.TransactionStatus:
        return (
            pq.TransactionStatus.INTRANS if self._wire.in_transaction else pq.TransactionStatus.IDLE
        )


class Cursor:
    def __init__(self, wire: "Wire") -> None:
        self._wire = wire
        self._rows: list[Row] = []

    def execute(self, text: str, bindings: Any = ()) -> "Cursor":
        self._rows = self._wire.ask(text, bindings)
        return self

    def fetchall(self) -> list[Row]:
        return self._rows

    def fetchone(self) -> Row | None:
        return self._rows[0] if self._rows else None


class Wire:
    """The host's side of a connection, as psycopg has it."""

    def __init__(self, server: Server, host: Host, of: str) -> None:
        self._server = server
        self._timeline = server.timeline
        self.host = host
        self.of = of
        self.session = Session(server, host.name)
        self.closed = False
        self.broken = False
        self.in_transaction = False
        self.listens: set[str] = set()
        self.info = Info(self)
        self._heard: list[str] = []
        self._waiter: Waiter | None = None
        self._pipelined = False

    # -- as psycopg has it --

    def cursor(self, **_: Any) -> Cursor:
        return Cursor(self)

    def execute(self, text: Any, bindings: Any = ()) -> Cursor:
        return Cursor(self).execute(text, bindings)

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """Statements that are sent one after the other, and arrive as one."""
        self._pipelined = True
        try:
            yield
        finally:
            self._pipelined = False

    def notifies(self, *, timeout: float, stop_after: int) -> Iterator[Notice]:
        if not self._heard:
            self._waiter = Waiter(self._timeline)
            self._waiter.wait(timeout)
            self._waiter = None
        if self.broken:
            self.closed = True
            raise psycopg.OperationalError("the connection is lost")
        heard, self._heard = self._heard[:stop_after], self._heard[stop_after:]
        yield from map(Notice, heard)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._leave()
            if not self.host.silent:
                self._timeline.at(self._server.delay(), self.session.close, self._server.machine)

    # -- what happens to it --

    def hear(self, payload: str) -> None:
        self._heard.append(payload)
        if self._waiter is not None:
            self._waiter.done(None)

    def cut(self) -> None:
        """Break it, at both ends."""
        self.session.close()
        self.lose()

    def lose(self) -> None:
        """Break it at the host's end; the server does not learn it."""
        self.broken = True
        self._leave()
        if self._waiter is not None:
            self._waiter.done(psycopg.OperationalError("the connection is lost"))

    def _leave(self) -> None:
        if self in self.host.wires:
            self.host.wires.remove(self)
        if self in self._server.wires and not self.host.silent:
            self._server.wires.remove(self)

    # -- requests --

    def ask(self, text: Any, bindings: Any) -> list[Row]:
        """Have a statement run, and return its rows."""
        self._refuse_lost()
        if isinstance(text, bytes):
            self.listens.add(text.decode().split('"')[1])
            return []
        if "pg_notify" in text:
            self._server.notify(*bindings)
            return []
        fate = ""
        if self.host.fate and text == "COMMIT" and self._decides():
            fate, self.host.fate = self.host.fate, ""
            self._server.fates[fate] += 1
            self._before(fate)
            self._refuse_lost()
        waiter = self._waiter = Waiter(self._timeline)
        quick = 0 if self._pipelined else self._server.delay()
        self._pass(lambda: self._arrive(text, bindings, waiter, fate), quick)
        if fate == "lost meanwhile":
            self.lose()
        said = waiter.wait()
        self._waiter = None
        self.in_transaction = self.session.tx is not None
        if isinstance(said, BaseException):
            self.closed = self.closed or self.broken
            raise said
        rows: list[Row] = said
        return rows

    def _refuse_lost(self) -> None:
        if self.closed or self.broken:
            self.closed = True
            raise psycopg.OperationalError("the connection is lost")

    def _decides(self) -> bool:
        """Whether a fate may meet this commit: it stores events, or hands attempts over."""
        tx = self.session.tx
        return tx is not None and bool(tx.lines or tx.hands_over)

    def _before(self, fate: str) -> None:
        if fate == "cut before":
            self.cut()
        elif fate in ("killed before", "stopped before"):
            self._server.act(self.host, fate)
            self._timeline.sleep(0)

    def _pass(self, act: Callable[[], object], delay: int) -> None:
        """Let something travel in this connection."""

        def arrive() -> None:
            if self.host.silent:
                self.host.stuck.append((self, act))
                waiter = self._waiter
                self._timeline.at(
                    SILENCE, lambda: self.lose() if waiter and self._waiter is waiter else None
                )
            else:
                act()

        self._timeline.at(delay, arrive)

    def _arrive(self, text: str, bindings: Any, waiter: Waiter, fate: str) -> None:
        def run() -> None:
            said: Any
            if fate == "crash before":
                self._server.act(self.host, fate)
                return
            try:
                said = self.session.run(text, bindings)
            except psycopg.Error as error:
                said = error
            self.session.rest(self)
            if fate in ("cut after", "killed after", "stopped after", "crash after"):
                self._server.act(self.host, fate)
                if fate != "stopped after":
                    self.cut()
                    return
            quick = 0 if self._pipelined else self._server.delay()
            self._pass(lambda: waiter.done(said), quick)

        if self.session.over or not self._server.up:
            return
        if fate == "lost meanwhile":
            self._timeline.at(
                self._timeline.rng.randint(1, SECOND),
                lambda: self._timeline.spawn(self._server.machine, run),
                self._server.machine,
            )
        elif names().get(text) in READS:
            run()
        else:
            self._timeline.spawn(self._server.machine, run)


class Pipeline:
    """Statements that are sent together, as `stores.postgres.pipeline` sends them: they arrive one after another, without a pause."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def run(self, calls: Sequence[Command]) -> list[list[Row]]:
        first, *more = calls
        rows = [self._run(first)]
        with self._wire.pipeline():
            return rows + [self._run(each) for each in more]

    def _run(self, call: Command) -> list[Row]:
        plain = PLAIN.get(call.name)
        text = translated()[call.name] if plain is None else plain.text
        return self._wire.execute(text, bindings(call)).fetchall()


def is_alive(wire: Wire) -> bool:
    """Whether it is usable, as far as can be seen without asking."""
    return not (wire.closed or wire.broken)
