"""
The workers of a terminal, when another process owns the store: they run the attempts of one execution for the owner, for as long as the terminal stays.

They use a temporary directory of their own, and write nothing into the store's: what attempts print, publish and return goes through the owner's door, which
is the local socket, or that of a server on another machine.

Rule 1: an attempt's output is sent before its outcome, and its files before its output.
Rule 2: when the owner is gone, everything that runs here is ended before another owner is looked for, because that one repeats it.
Rule 3: nothing is left behind: whatever a killed terminal has left is removed by the next one.
Rule 4: over the network, an owner that does not reply counts as gone once the database no longer says that its lease is fresh, because others repeat what
        runs here when that has ended; and after `QUIET` seconds in any case, because the owner itself repeats it after `SILENCE` seconds.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final, Protocol, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tidegate.errors import CodeError, TidegateError, UnknownTerminal
from tidegate.home import BLOBS
from tidegate.ir.expr import NodeId
from tidegate.logs import Logs
from tidegate.ports.executor import Attempt, Began, Elsewhere, Executor, Job, Report
from tidegate.ports.terminals import (
    QUIET,
    Answered,
    Asked,
    DescribedThere,
    Handed,
    Join,
    Joined,
    Printed,
    Published,
    Said,
)
from tidegate.remote.local import AnyDoor, Connection, OwnerGone
from tidegate.remote.requests import HttpCall
from tidegate.remote.servers import OutOfReach
from tidegate.wire.bindings import API

PATH: Final = f"{API}/terminals"
SECRET: Final = "tidegate-terminal"

WAIT, WAIT_AFAR = 20.0, 4.0
"""Seconds that one call waits for work, here and over the network."""

REPLY_AFAR: Final = 5.0
"""Seconds beyond that in which a server must reply: with the wait, less than `QUIET`."""

TELL: Final = 0.2
"""Seconds between two checks of what attempts have printed and published: a shorter delay is not noticeable."""

LEAVE: Final = 2.0
"""Seconds that a leaving terminal waits for the owner's reply: somebody has pressed Ctrl-C."""

AGAIN: Final = 0.5
"""Seconds after which a refused or failed send is retried."""

LOOK: Final = 0.1
"""Seconds between two checks for another owner."""

AHEAD: Final = 2
"""Attempts taken per worker: one that runs, and one that is ready to start at once."""

PIECE: Final = 1024 * 1024
"""Bytes of an attempt's output that are sent at once."""

MANY: Final = 8 * 1024 * 1024
"""Bytes of logs that are sent with one call."""

PREFIX: Final = "tidegate-run-"
LOCK: Final = "lock"

S = TypeVar("S", bound=Struct)
log = logging.getLogger(__name__)


class OwnWorkers(Executor, Protocol):
    """The executor of a terminal; `life` distinguishes its processes from all others."""

    @property
    def life(self) -> str:
        """Return the value in the marker of its processes."""
        ...


class _Running(Struct):
    """An attempt that runs here, and how much of its output and decks has been sent."""

    job: Job
    printed: int = 0
    published: int = 0
    began: bool = False


class TerminalWorkers:
    """
    Serves one execution, or several in turn, of the store behind a door. `make` creates the executor in a directory of its own; `is_owner` says whether
    this process owns the store.

    Must be closed. May be used from any thread.
    """

    def __init__(
        self, door: AnyDoor, make: Callable[[Path], OwnWorkers], is_owner: Callable[[], bool]
    ) -> None:
        self._door = door
        self._make = make
        self._is_owner = is_owner
        self._wanted = Join("", "")
        self._secret = ""
        self._heard_at = 0.0
        """When the call began that was answered last."""
        self._own: Path | None = None
        self._lock_file = -1
        self._executor: OwnWorkers | None = None
        self._jobs: dict[Attempt, _Running] = {}
        self._lock = threading.RLock()
        self._joining = threading.Lock()
        self._reports: SimpleQueue[Report | Answered | None] = SimpleQueue()
        """What is to be reported; None wakes the reporting thread."""
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def serve(self, execution: str, bundle: str = "") -> str:
        """
        Serve an execution from now on; with `bundle`, only attempts of that code. Return the secret; empty if this process or no process owns the store.

        Errors: `StoreError` if the owner does not reply.
        """
        with self._joining:
            self._leave()
            self._door.seek(execution)
            self._wanted = Join(execution, "", bundle)
            if self._is_owner() or not self._join():
                return ""
        if not self._threads:
            self._threads = [
                threading.Thread(target=each, name=f"tidegate-{name}", daemon=True)
                for name, each in (("taking", self._take_all), ("telling", self._tell_all))
            ]
            for each in self._threads:
                each.start()
        return self._secret

    def close(self) -> None:
        """End everything that runs here, and leave the owner."""
        self._closed.set()
        self._end_all()
        self._leave()
        self._reports.put(None)
        for each in self._threads:
            each.join(AGAIN)
        if self._own is not None and self._lock_file >= 0:
            shutil.rmtree(self._own, ignore_errors=True)
            os.close(self._lock_file)
            self._lock_file = -1

    # ---- the owner ----

    def _join(self) -> bool:
        """Join the owner of the store; return whether there is one other than this process."""
        while not self._closed.is_set():
            connection, began = self._door.connect(), time.monotonic()
            if connection is None:
                return False
            try:
                with self._lock:
                    room, life = self._slots() * AHEAD, self._running().life
                    told = {"life": life, "room": room, "is_afar": connection.is_afar}
                    wanted = self._wanted = replace(self._wanted, **told)
                self._heard_at = began
                self._secret = self._told(connection, "", Joined, wanted).secret
            except (OwnerGone, UnknownTerminal):
                # The owner has just ended, or it is this process, which is opening the store at this moment.
                if self._is_owner():
                    return False
                self._closed.wait(LOOK)
            else:
                return True
        return False

    def _call(self, path: str, kind: type[S], body: Struct | None = None, **query: float) -> S:
        connection = self._connection()
        return self._told(connection, path, kind, body, **query)

    def _connection(self) -> Connection:
        connection = self._door.connect(REPLY_AFAR if self._wanted.is_afar else None, stay=True)
        if connection is None:
            raise OwnerGone("no process owns the store")
        return connection

    def _told(
        self,
        connection: Connection,
        path: str,
        kind: type[S],
        body: Struct | None = None,
        **query: float,
    ) -> S:
        call = HttpCall(
            method="POST",
            path=f"{PATH}{path}",
            query=dict(query),
            content=None if body is None else msgspec.msgpack.encode(body),
            headers={SECRET: self._secret} if self._secret else {},
            wait=query.get("wait", 0.0),
        )
        with connection:
            return msgspec.msgpack.decode(connection.reply(call).content, type=kind)

    def _leave(self) -> None:
        if self._secret:
            self._end_all()
            # One that is suspended notices by itself when this process ends.
            with suppress(TidegateError):
                if (connection := self._door.connect(LEAVE, stay=True)) is not None:
                    self._told(connection, "/leave", Handed)
            self._secret = ""

    # ---- work ----

    def _take_all(self) -> None:
        """Carry out the owner's work; look for the next owner when this one is gone."""
        while not self._closed.is_set():
            secret = self._secret
            if not secret:
                self._closed.wait(LOOK)
                continue
            began = time.monotonic()
            try:
                handed = self._call(
                    "/take", Handed, wait=WAIT_AFAR if self._wanted.is_afar else WAIT
                )
                if secret == self._secret:
                    self._heard_at = began
                    self._carry_out(handed)
                if self._wanted.is_afar and self._door.is_wrong():
                    log.debug("another server decides about the execution by now")
                    self._leave()
                    self._door.seek(self._wanted.execution)
                    self._join_again(secret)
            except TidegateError as error:
                # If it is suspended or overloaded, what runs here continues.
                log.debug("the owner of the store does not reply: %s", error)
                if self._is_gone(error):
                    self._join_again(secret)
                else:
                    self._closed.wait(AGAIN)

    def _is_gone(self, error: TidegateError) -> bool:
        """Return whether somebody else may repeat what runs here, after a call has failed."""
        if isinstance(error, UnknownTerminal) or not self._wanted.is_afar:
            return isinstance(error, UnknownTerminal | OwnerGone)
        return time.monotonic() > self._heard_at + QUIET or not self._door.is_kept()

    def _join_again(self, gone: str) -> None:
        """End what runs for an owner that is gone, and join the next one; `serve` may do that meanwhile."""
        while not self._closed.is_set() and not self._is_owner():
            with self._joining:
                if self._secret not in ("", gone):
                    return
                if self._secret:
                    self._secret = ""
                    self._end_all()
                with suppress(OutOfReach):
                    self._door.seek(self._wanted.execution)
                    if self._join():
                        return
            self._closed.wait(LOOK)

    def _carry_out(self, handed: Handed) -> None:
        executor = self._running()
        for attempt in handed.unwanted:
            with self._lock:
                self._jobs.pop(attempt, None)
            executor.cancel(*attempt)
        with self._lock:
            self._jobs |= {Attempt(j.key, j.node, j.attempt): _Running(j) for j in handed.jobs}
        if handed.jobs:
            executor.submit(handed.jobs)
        for each in handed.asked:
            # Importing a module may take a while.
            threading.Thread(target=self._answer, args=(executor, each), daemon=True).start()

    def _answer(self, executor: OwnWorkers, asked: Asked) -> None:
        try:
            if asked.target is None:
                found = [
                    DescribedThere(each.name, each.variable, each.graph, each.error, each.recorded)
                    for each in executor.describe(asked.bundle, asked.module)
                ]
                answer = Answered(asked.number, workflows=found)
            else:
                faults = executor.check(asked.bundle, asked.target, asked.value)
                answer = Answered(asked.number, faults=list(faults))
        except CodeError as error:
            trace = str(error.details.get("trace", ""))
            answer = Answered(asked.number, error=error.message, trace=trace)
        except TidegateError as error:
            answer = Answered(asked.number, error=error.message)
        self._reports.put(answer)

    # ---- reports ----

    def _tell_all(self) -> None:
        """Report outcomes of attempts, and what they have printed and published in the meantime."""
        while not self._closed.is_set():
            try:
                found = [self._reports.get(timeout=TELL if self._jobs else WAIT)]
                while not self._reports.empty():
                    found.append(self._reports.get())
            except Empty:
                found = []
            news = [each for each in found if each is not None]
            secret = self._secret
            try:
                if secret:
                    self._tell(news)
            except (TidegateError, OSError) as error:
                # No room, no reply, or no owner. In the last case the other thread ends what runs, and this becomes void. The owner ignores what it has already received.
                log.debug("reporting to the owner of the store again: %s", error)
                for each in news:
                    self._reports.put(each)
                self._closed.wait(AGAIN)

    def _tell(self, news: Sequence[Report | Answered]) -> None:
        reports = [each for each in news if isinstance(each, Report)]
        ended = [r for r in reports if not isinstance(r.outcome, Began | Elsewhere)]
        if ended or any(isinstance(each, Answered) for each in news):
            self._send_files()
        printed, published = self._shown()
        logs = [self._log_of(report) for report in ended]
        printed += [each for path in logs if path is not None for each in _whole(*path)]
        while sum(len(each.body) for each in printed) > MANY:
            few, printed = printed[:1], printed[1:]
            self._call("/say", Handed, Said(printed=few))
        answers = [each for each in news if isinstance(each, Answered)]
        if reports or answers or printed or published:
            told = [replace(each, job=None) for each in reports]
            self._call("/say", Handed, Said(told, answers, printed, published))
        for found in logs:
            if found is not None:
                found[1].unlink(missing_ok=True)
        with self._lock:
            for report in ended:
                self._jobs.pop(Attempt(report.key, report.node, report.attempt), None)

    def _send_files(self) -> None:
        """Send every file that was created here, then remove it: from now on it is read from the store."""
        assert self._own is not None
        for path in sorted((self._own / BLOBS).glob("[0-9a-f][0-9a-f]/*")):
            connection = self._connection()
            call = HttpCall(
                method="POST", path=f"{PATH}/files", file=path, headers={SECRET: self._secret}
            )
            with connection:
                connection.reply(call)
            path.unlink()

    def _shown(self) -> tuple[list[Printed], list[Published]]:
        """Return what running attempts have printed and published since the last call."""
        printed, published = [], []
        logs = self._logs()
        with self._lock:
            jobs = list(self._jobs.values())
        for each in jobs:
            job, whose = each.job, (each.job.id, each.job.node, each.job.attempt)
            with suppress(OSError):
                each.printed, body = _news(logs.live_path(*whose), each.printed)
                if body:
                    start = each.printed - len(body)
                    printed.append(Printed(job.id, NodeId(job.node), job.attempt, body, start))
            at = logs.published_at(*whose)
            if at != each.published and (page := logs.read_published(*whose)) is not None:
                each.published = at
                published.append(Published(job.id, NodeId(job.node), job.attempt, page))
        return printed, published

    def _log_of(self, report: Report) -> tuple[Job, Path] | None:
        """Return the path of the log of an attempt that has ended, if it is still wanted."""
        with self._lock:
            found = self._jobs.get(Attempt(report.key, report.node, report.attempt))
        if found is None:
            return None
        job = found.job
        return job, self._logs().path(job.id, job.node, job.attempt)

    # ---- the workers ----

    def _running(self) -> OwnWorkers:
        """Return the executor, which is started when it is first needed. Errors: `OwnerGone` once this is closed, so that nothing starts that nobody ends."""
        with self._lock:
            if self._closed.is_set():
                raise OwnerGone("this terminal is leaving")
            if self._executor is None:
                self._executor = self._make(self._own_home())
                self._executor.start(self._heard)
            return self._executor

    def _heard(self, reports: Sequence[Report]) -> None:
        for each in reports:
            self._reports.put(each)

    def _slots(self) -> int:
        return max(1, self._running().capacity.cpu // 1000)

    def _end_all(self) -> None:
        """End everything that runs here, and wait for it; a new executor is started when needed."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()
        with self._lock:
            self._jobs.clear()
        while not self._reports.empty():
            self._reports.get()

    def _logs(self) -> Logs:
        assert self._own is not None, "an executor was started"
        return Logs(self._own)

    def _own_home(self) -> Path:
        if self._own is None:
            _remove_left()
            own = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock_file = os.open(own / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            self._own = own
        return self._own


def _whole(job: Job, path: Path) -> Iterator[Printed]:
    """Yield the log of an attempt that has ended, if there is one."""
    with suppress(OSError):
        yield Printed(job.id, job.node, job.attempt, path.read_bytes(), whole=True)


def _news(path: Path, begin: int) -> tuple[int, bytes]:
    """Return the new read position in a file, and what was not read before; the file may have been shortened."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = begin if begin <= size else 0
        file.seek(begin)
        body = file.read(PIECE)
    return begin + len(body), body


def _remove_left() -> None:
    """Remove the directories that killed terminals have left behind."""
    for own in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(own / LOCK, os.O_RDWR)
        except OSError:
            continue  # another user's, or one that is being created
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(own, ignore_errors=True)
        except OSError:
            pass  # its terminal is still running
        finally:
            os.close(lock)
