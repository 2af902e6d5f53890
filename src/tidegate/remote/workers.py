"""
The workers of a terminal, for the owner of a store that is another process: they run the attempts of one execution, for as long as the terminal stays.

They have a home of their own, for the time being, and write nothing in that of the store: what attempts print, publish and return goes through the local door.

Rule 1: what an attempt has printed is sent before its end, and its files before that.
Rule 2: when the owner is gone, everything ends that runs here, before another owner is looked for: that one repeats it.
Rule 3: nothing is left behind: what a terminal that was killed has left is removed by the next one.
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
from tidegate.ir.expr import NodeId
from tidegate.logs import Logs
from tidegate.ports.executor import Attempt, Began, Elsewhere, Executor, Job, Report
from tidegate.ports.terminals import (
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
from tidegate.remote.local import Connection, OwnerGone, connect
from tidegate.remote.requests import HttpCall
from tidegate.wire.bindings import API

PATH: Final = f"{API}/terminals"
SECRET: Final = "tidegate-terminal"

WAIT: Final = 20.0
"""Seconds that one call waits for something to do."""

TELL: Final = 0.2
"""Seconds between two looks at what attempts have printed and published: a person does not see less."""

AGAIN: Final = 0.5
"""Seconds after which what had no room is sent again."""

LOOK: Final = 0.1
"""Seconds between two looks for another owner."""

AHEAD: Final = 2
"""Attempts for each worker that are taken: one that runs, and one that need not be waited for."""

PIECE: Final = 1024 * 1024
"""Bytes of what an attempt prints that are sent at once."""

MANY: Final = 8 * 1024 * 1024
"""Bytes of logs that go with one call."""

PREFIX: Final = "tidegate-run-"
LOCK: Final = "lock"

S = TypeVar("S", bound=Struct)
log = logging.getLogger(__name__)


class OwnWorkers(Executor, Protocol):
    """The executor of a terminal; `life` tells its processes from all others."""

    @property
    def life(self) -> str:
        """Return what stands in the mark of its processes."""
        ...


class _Running(Struct):
    """An attempt that is here, and how much was sent of what it has printed and published."""

    job: Job
    printed: int = 0
    published: int = 0
    began: bool = False


class TerminalWorkers:
    """
    Serves one execution, or several in turn, of the store in `home`. `make` makes the executor with a home of its own; `is_owner` says whether this process owns the store.

    To be closed. May be used from any thread.
    """

    def __init__(
        self, home: Path, make: Callable[[Path], OwnWorkers], is_owner: Callable[[], bool]
    ) -> None:
        self._store = home
        self._make = make
        self._is_owner = is_owner
        self._wanted = Join("", "")
        self._secret = ""
        self._own: Path | None = None
        self._lock_file = -1
        self._executor: OwnWorkers | None = None
        self._jobs: dict[Attempt, _Running] = {}
        self._lock = threading.Lock()
        self._reports: SimpleQueue[Report | Answered | None] = SimpleQueue()
        """What is to be told; None wakes who tells."""
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []

    def serve(self, execution: str, bundle: str = "") -> str:
        """
        Serve an execution from now on, with `bundle` only as far as that is its code; return the secret, empty if this process, or none, owns the store.

        Errors: `StoreError` if the owner does not reply.
        """
        self._leave()
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
        """End everything that runs here, and leave."""
        self._closed.set()
        self._end_all()
        self._leave()
        self._reports.put(None)
        for each in self._threads:
            each.join(AGAIN)
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)
            os.close(self._lock_file)
            self._own = None

    # ---- the owner ----

    def _join(self) -> bool:
        """Join the owner of the store; return whether there is one that is not this process."""
        while not self._closed.is_set():
            connection = connect(self._store)
            if connection is None:
                return False
            with self._lock:
                room, life = self._slots() * AHEAD, self._running().life
                wanted = self._wanted = replace(self._wanted, life=life, room=room)
            try:
                self._secret = self._told(connection, "", Joined, wanted).secret
            except (OwnerGone, UnknownTerminal):
                # It has just ended; or it is this process, which opens the store at this moment.
                if self._is_owner():
                    return False
                time.sleep(LOOK)
            else:
                return True
        return False

    def _call(self, path: str, kind: type[S], body: Struct | None = None, **query: float) -> S:
        connection = connect(self._store)
        if connection is None:
            raise OwnerGone("nobody owns the store")
        return self._told(connection, path, kind, body, **query)

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
            with suppress(TidegateError):
                self._call("/leave", Handed)
            self._secret = ""

    # ---- what is to be done ----

    def _take_all(self) -> None:
        """Carry out what the owner hands over; look for the next owner when it is gone."""
        while not self._closed.is_set():
            secret = self._secret
            if not secret:
                self._closed.wait(LOOK)
                continue
            try:
                handed = self._call("/take", Handed, wait=WAIT)
                if secret == self._secret:
                    self._carry_out(handed)
            except (OwnerGone, UnknownTerminal) as error:
                if self._closed.is_set() or secret != self._secret:
                    continue
                log.debug("the owner of the store is gone: %s", error)
                self._secret = ""
                self._end_all()
                while not self._closed.is_set() and not self._is_owner() and not self._join():
                    self._closed.wait(LOOK)
            except TidegateError as error:
                # It is stopped, or has too much to do: what runs here goes on.
                log.debug("the owner of the store does not reply: %s", error)
                self._closed.wait(AGAIN)

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
            # Importing a module may take its time.
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

    # ---- what has become of it ----

    def _tell_all(self) -> None:
        """Tell the owner what has become of attempts, and what they have printed and published meanwhile."""
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
                # No room, no reply, or no owner: then the thread that takes ends what runs, and this is void. What was taken in already is ignored there.
                log.debug("the owner of the store is told again: %s", error)
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
        """Send every file that was made here, and remove it: from now on it is read in the store."""
        assert self._own is not None
        for path in sorted((self._own / "blobs").glob("[0-9a-f][0-9a-f]/*")):
            connection = connect(self._store)
            if connection is None:
                raise OwnerGone("nobody owns the store")
            call = HttpCall(
                method="POST", path=f"{PATH}/files", file=path, headers={SECRET: self._secret}
            )
            with connection:
                connection.reply(call)
            path.unlink()

    def _shown(self) -> tuple[list[Printed], list[Published]]:
        """Return what attempts that run have printed and published since."""
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
        """Return where the log of an attempt that has ended is, if it is still wanted."""
        with self._lock:
            found = self._jobs.get(Attempt(report.key, report.node, report.attempt))
        if found is None:
            return None
        job = found.job
        return job, self._logs().path(job.id, job.node, job.attempt)

    # ---- the workers ----

    def _running(self) -> OwnWorkers:
        """Return the executor, which is started when it is needed first."""
        if self._executor is None:
            own = self._own_home()
            self._executor = self._make(own)
            self._executor.start(self._heard)
        return self._executor

    def _heard(self, reports: Sequence[Report]) -> None:
        for each in reports:
            self._reports.put(each)

    def _slots(self) -> int:
        return max(1, self._running().capacity.cpu // 1000)

    def _end_all(self) -> None:
        """End everything that runs here, and wait until it has ended; the next one is started when it is needed."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.close()
        with self._lock:
            self._jobs.clear()
        while not self._reports.empty():
            self._reports.get()

    def _logs(self) -> Logs:
        return Logs(self._own_home())

    def _own_home(self) -> Path:
        if self._own is None:
            _remove_left()
            own = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._lock_file = os.open(own / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock_file, fcntl.LOCK_EX)
            self._own = own
        return self._own


def _whole(job: Job, path: Path) -> Iterator[Printed]:
    """Yield the log of an attempt that has ended, if it has printed anything."""
    with suppress(OSError):
        yield Printed(job.id, job.node, job.attempt, path.read_bytes(), whole=True)


def _news(path: Path, begin: int) -> tuple[int, bytes]:
    """Return up to where a file is read now, and what was not read before; it may have been shortened."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = begin if begin <= size else 0
        file.seek(begin)
        body = file.read(PIECE)
    return begin + len(body), body


def _remove_left() -> None:
    """Remove what terminals that were killed have left."""
    for own in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(own / LOCK, os.O_RDWR)
        except OSError:
            continue  # another user's, or one that is being made
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(own, ignore_errors=True)
        except OSError:
            pass  # somebody is at work there
        finally:
            os.close(lock)
