"""
The connections to one Postgres database: one that writes, under one lock, and some that read.

A connection that is lost is made again when it is next needed; a read that fails with it is tried once more. Whether a commit happened
during which the connection was lost is asked of the server, and nobody is told anything before that is known.
"""

import select
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tidegate.errors import CommitUnknown, ConnectionLost, StoreError
from tidegate.stores.database import SqlConnection
from tidegate.stores.postgres.dialect import (
    NUL,
    explained,
    meaning,
    parameters,
    translated,
)
from tidegate.stores.postgres.past import Past
from tidegate.stores.postgres.pipeline import BEGIN, NUMBER, Command, Pipeline
from tidegate.stores.rows import Bindings, Row

IDLE_READERS = 8
"""How many reading connections are kept open for the next reader."""

PIECE = 200
"""Rows of a stream that are fetched at once."""

CONNECT_SECONDS = 10
STATEMENT_MS = 30_000
LOCK_MS = 10_000
IDLE_MS = 60_000
"""How long a connection may take to be made, a statement to run, to wait for a lock, and a transaction to stand idle."""

WRITER_IDLE_MS = 5_000
"""The same for a transaction that writes, and so may hold shards: if its process stands still, the locks are gone before the lease is."""

LIMITS = (
    f"SELECT set_config('statement_timeout', '{STATEMENT_MS}', false), set_config('lock_timeout', '{LOCK_MS}', false),"
    " set_config('idle_in_transaction_session_timeout', %s, false), set_config('TimeZone', 'UTC', false)"
)

PRIMARY = {"target_session_attrs": "primary"}

ASKING_SECONDS = 15.0
"""How long it is asked whether a commit happened."""

Background: TypeAlias = Callable[[str, Callable[[], None]], None]
"""Runs something in a supervised thread: its name, and what to call until it returns."""


class Transaction(NamedTuple):
    """A transaction that writes: its number, and since when the server runs that has given it."""

    number: str
    since: str


def connect(address: str, *, of: str) -> psycopg.Connection[Row]:
    """Open a connection. It gives up what takes too long, and notices a server that is gone."""
    given = conninfo_to_dict(address)
    wanted: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
        **given,
        "application_name": f"tidegate {of}",
    }
    raw = psycopg.connect(make_conninfo(**wanted), autocommit=True)
    try:
        # Not as options of the connection, which poolers refuse.
        raw.execute(LIMITS, (str(WRITER_IDLE_MS if of == "writer" else IDLE_MS),))
    except BaseException:
        raw.close()
        raise
    return raw


def is_pooled(address: str) -> bool:
    """Return whether connections share sessions of the server, as a pooler has them that is not in session mode."""
    with connect(address, of="opens") as one, connect(address, of="opens") as other:
        own = _session_of(one)
        with other.transaction():
            return _session_of(other) == own or _session_of(one) != own


def _session_of(raw: psycopg.Connection[Row]) -> int:
    row = raw.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def named(address: str) -> str:
    """Return an address as messages have it, without the password. Errors: `StoreError` for one that is none."""
    try:
        given = conninfo_to_dict(address)
    except psycopg.Error as error:
        raise StoreError(
            f"the address of the database cannot be read: {' '.join(str(error).split())}"
        ) from error
    host = str(given.get("host") or "localhost")
    port = f":{given['port']}" if given.get("port") else ""
    database = given.get("dbname") or ""
    if host.startswith("/"):
        return f"postgresql:///{database}?host={host}"
    return f"postgresql://{host}{port}/{database}"


class Session:
    """A connection, as the ports use it. With `together` it is in a transaction, which begins with the first statement."""

    def __init__(self, raw: psycopg.Connection[Row], together: Pipeline | None = None) -> None:
        self._raw = raw
        self._together = together
        self._begins = together is not None
        self._number: Transaction | None = None
        self._streams = 0

    @property
    def raw(self) -> psycopg.Connection[Row]:
        """The connection of psycopg."""
        if self._begins:
            self._raw.execute("BEGIN")
            self._begins = False
        return self._raw

    def together(self, commands: Sequence[Command], *, ends: bool = False) -> list[list[Row]]:
        """Run statements of a transaction that are sent together; return the rows of each. `ends`: they are its last."""
        assert self._together is not None
        first, last = [BEGIN] * self._begins, [NUMBER] * ends
        found = self._together.run([*first, *commands, *last])
        self._begins = False
        if ends:
            self._number = _transaction(found[-1])
        return found[len(first) : len(first) + len(commands)]

    def number(self) -> Transaction | None:
        """Return which transaction this is, once it has written all; None if it writes nothing."""
        if self._number is None and not self._begins:
            self.together((), ends=True)
        return self._number

    def execute(self, statement: str, bindings: Any = (), /) -> psycopg.Cursor[Row]:
        """Run a statement with its parameters."""
        return self.raw.cursor(binary=True).execute(statement, parameters(bindings))

    def executemany(self, statement: str, bindings: Iterable[Any], /) -> None:
        """Run a statement once for each of these."""
        self.raw.cursor().executemany(statement, [parameters(each) for each in bindings])

    def stream(self, statement: str, bindings: Bindings) -> Iterator[Row]:
        """Return the rows of a statement, fetched a few at a time. Only inside a transaction."""
        self._streams += 1
        if "text" in bindings:
            bindings = {**bindings, "text": str(bindings["text"]).replace("\0", NUL)}
        with self.raw.cursor(f"stream_{self._streams}", binary=True) as cursor:
            cursor.itersize = PIECE
            yield from cursor.execute(statement, bindings)


Proof: TypeAlias = Callable[[Session], bool]
"""Says whether what a transaction has written is there."""


class PostgresConnections:
    """The connections of one store. With `reads_only` nothing can be written."""

    def __init__(self, address: str, *, reads_only: bool, note: Path | None = None) -> None:
        self.name = named(address)
        """The address without its password."""
        self.sql = translated()
        # What a standby has not received yet looks as if it had never happened: who decides never asks one.
        self.address = address if reads_only else make_conninfo(address, **PRIMARY)
        self.past = Past(self.name, note)
        self._reads_only = reads_only
        self.held = self._writing = threading.RLock()
        self._writer: psycopg.Connection[Row] | None = None
        self._together: Pipeline | None = None
        self._readers: list[psycopg.Connection[Row]] = []
        self._closed = False

    def let_write(self) -> None:
        """Let what was opened for reading be written to."""
        self._reads_only, self.address = False, make_conninfo(self.address, **PRIMARY)

    @contextmanager
    def transaction(self, is_stored: Proof | None = None) -> Iterator[Session]:
        """
        Give the writing connection, inside a transaction which is committed at the end, or rolled back as a whole.

        `is_stored` says whether what it has written is there, for when the connection is lost during the commit.
        """
        with self._writing, explained(self.name):
            raw = self._ready_writer()
            try:
                session = Session(raw, self._together)
                yield session
                written = session.number()
            except BaseException:
                self._undo(raw)
                raise
            self._commit(raw, written, is_stored)

    @contextmanager
    def alone(self) -> Iterator[Session]:
        """Give the writing connection outside a transaction, and let nobody else of this process write meanwhile."""
        with self._writing, explained(self.name):
            yield Session(self._ready_writer())

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a connection that nobody else uses meanwhile."""
        self._refuse_closed()
        with explained(self.name):
            raw = self._reader()
            try:
                yield Session(raw)
            except BaseException:
                raw.close()
                raise
            self._give_back(raw)

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Give a reading connection on which several statements see one moment."""
        with self.reading() as session:
            session.raw.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield session
            session.raw.execute("ROLLBACK")

    def stream(
        self, connection: SqlConnection, statement: str, bindings: Bindings
    ) -> Iterator[Row]:
        """Return the rows of a statement, read only as far as they are taken."""
        assert isinstance(connection, Session)
        return connection.stream(statement, bindings)

    def rows(self, statement: str, bindings: Bindings) -> list[Row]:
        """Return the rows of a statement."""
        try:
            return self._rows(statement, bindings)
        except ConnectionLost:
            return self._rows(statement, bindings)

    def _rows(self, statement: str, bindings: Bindings) -> list[Row]:
        with self.reading() as session:
            return session.execute(statement, bindings).fetchall()

    def value(self, statement: str, bindings: Bindings) -> Any:
        """Return the first value of a statement's first row."""
        return self.rows(statement, bindings)[0][0]

    def close(self) -> None:
        """Close every connection."""
        with self._writing:
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    # -- readers --

    def _reader(self) -> psycopg.Connection[Row]:
        while True:
            try:
                raw = self._readers.pop()
            except IndexError:
                return connect(self.address, of="reader")
            if _is_alive(raw):
                return raw
            raw.close()

    def _give_back(self, raw: psycopg.Connection[Row]) -> None:
        if self._closed or raw.closed or len(self._readers) >= IDLE_READERS:
            raw.close()
            return
        self._readers.append(raw)
        if self._closed:
            with suppress(ValueError):
                self._readers.remove(raw)
                raw.close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError(f"the store {self.name} is closed: open it again")

    # -- the writer --

    def _ready_writer(self) -> psycopg.Connection[Row]:
        if self._reads_only:
            raise StoreError(
                f"the store {self.name} was opened for reading: nothing can be written"
            )
        self._refuse_closed()
        self.past.check()
        if self._writer is None or not _is_alive(self._writer):
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            raw = connect(self.address, of="writer")
            # Who answers now may be another server, with another past.
            try:
                self.ends(Session(raw))
            except BaseException:
                raw.close()
                raise
            self._writer, self._together = raw, Pipeline(raw)
        return self._writer

    def ends(self, session: Session) -> dict[int, int]:
        """Return where the history of each shard ends. Errors: `StoreError` if that is before what was seen."""
        mark = self.past.mark()
        ends: dict[int, int] = dict(session.execute(self.sql["last_positions"]).fetchall())
        self.past.compare(mark, ends)
        return ends

    def _undo(self, raw: psycopg.Connection[Row]) -> None:
        if raw.closed:
            return
        try:
            if raw.info.transaction_status is not pq.TransactionStatus.IDLE:
                raw.execute("ROLLBACK")
        except psycopg.Error:
            raw.close()

    def _commit(
        self,
        raw: psycopg.Connection[Row],
        written: Transaction | None,
        is_stored: Proof | None,
    ) -> None:
        try:
            raw.execute("COMMIT")
        except psycopg.OperationalError as error:
            raw.close()
            if written is not None and not self._did_commit(written, is_stored, error):
                raise meaning(error, self.name) from error

    def _did_commit(
        self, written: Transaction, is_stored: Proof | None, error: psycopg.Error
    ) -> bool:
        """
        Ask whether a transaction was committed, until it is known.

        Its number alone does not tell: a server that crashed gives numbers again that had not reached its log, and then speaks of another transaction.
        """
        until = time.monotonic() + ASKING_SECONDS
        while time.monotonic() < until:
            try:
                with connect(self.address, of="asks") as raw:
                    session = Session(raw)
                    asked = {"number": written.number}
                    found = session.execute(self.sql["commit_status"], asked).fetchall()[0]
                    if found[0] == "aborted":
                        return False
                    if found[0] != "in progress" and is_stored is not None:
                        return is_stored(session)
                    if found == ("committed", written.since):
                        return True
                    if found[0] == "committed":
                        break
            except psycopg.Error:
                time.sleep(0.2)
                continue
            time.sleep(0.05)
        raise CommitUnknown(
            f"{self.name} was lost during a commit, and it is not known whether that happened: look, and try again once the server runs"
        ) from error


def _is_alive(raw: psycopg.Connection[Row]) -> bool:
    """Whether a connection is usable, as far as can be seen without asking: a server that says something unasked says farewell."""
    if raw.closed or raw.broken:
        return False
    socket = select.poll()
    socket.register(raw.fileno(), select.POLLIN)
    return not socket.poll(0)


def _transaction(rows: list[Row]) -> Transaction | None:
    number, since = rows[0]
    return None if number is None else Transaction(number, since)
