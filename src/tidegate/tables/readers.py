"""
The readers of a store: two processes at most, started when a table is asked for and ended when none is for a minute.

Rule 1: a request that takes longer than its limit, or more memory, ends its reader; the next request has another one.
Rule 2: principals take turns, so that one with many requests delays the others by one request at most.
Rule 3: what a table was converted to is kept, and the least recently used goes when all of it exceeds `MOST_KEPT`.
"""

import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import msgspec

from tidegate import disk
from tidegate.errors import RateLimited, StoreError, TablesMissing, TableTooLarge, TidegateError
from tidegate.parts import Part
from tidegate.ports.tables import TableAsk, TableSource
from tidegate.tables import frames

READERS: Final = 2
QUEUED: Final = 20
"""Requests of one principal in the queue: a page has three, and those that it no longer wants are withdrawn."""

TIME: Final = 10.0
"""Seconds for a page of rows or a profile."""

CONVERTING: Final = 60.0
"""Seconds for a conversion. Measured for 0.93 GB of text on two cores: 8 s on a quiet machine, 25 s on one with four times as much to do as it can."""

MEMORY: Final = 512 * 1024 * 1024
"""Bytes of a reader's own memory. Measured: 0.93 GB of text are converted in 330 MB, at two threads."""

PAGE: Final = os.sysconf("SC_PAGE_SIZE")
IDLE: Final = 60.0
LARGEST: Final = 1024**3
"""Bytes of a value that is opened as a table."""

MOST_KEPT: Final = 4 * LARGEST
"""Bytes of all conversions together."""

_KEPT: Final = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
"""Of the environment, what finds the packages; nothing else is a reader's business."""

FORMAT: Final = 1
"""Part of the names of conversions: another way to convert makes others."""


class _Job:
    def __init__(self, source: TableSource, ask: TableAsk, who: str) -> None:
        self.source = source
        self.ask = ask
        self.who = who
        self.future: Future[bytes] = Future()

    @property
    def name(self) -> str:
        return f"{self.source.key}.{self.source.form}.{FORMAT}"


class TableReaders:
    """An adapter of the port `Tables`, over a directory of this machine. `parts` makes the parts that its threads are."""

    def __init__(self, root: Path, part: Callable[[str], Part]) -> None:
        self._root = root
        self._part = part
        self._parts: list[Part] = []
        self._more = threading.Condition()
        self._waiting: dict[str, deque[_Job]] = {}
        self._converting: set[str] = set()
        self._closed = False

    def ask(self, source: TableSource, ask: TableAsk, who: str) -> "Future[bytes]":
        """Have something read of a table; the future is the encoded reply. Errors, also of the future: see the port."""
        if find_spec("duckdb") is None:
            raise TablesMissing(
                "rows of large tables need DuckDB on the server: pip install 'tidegate[tables]'"
            )
        if source.size > LARGEST:
            raise TableTooLarge(
                f"the table has {source.size:,} bytes; {LARGEST:,} can be read", limit=LARGEST
            )
        job = _Job(source, ask, who)
        with self._more:
            if self._closed:
                raise StoreError("the store is being closed")
            waiting = self._waiting.setdefault(who, deque())
            if len(waiting) >= QUEUED:
                why = f"{QUEUED} reads of tables already wait for you; ask for fewer at once"
                raise RateLimited(why, retry_after=1)
            waiting.append(job)
            if not self._parts:
                self._start()
            self._more.notify()
        return job.future

    def close(self) -> None:
        """End the readers. What waits is refused."""
        with self._more:
            self._closed = True
            left = [job for jobs in self._waiting.values() for job in jobs]
            self._waiting.clear()
            for part in self._parts:
                part.stop()
            self._more.notify_all()
        for job in left:
            job.future.set_exception(StoreError("the store is being closed"))
        for part in self._parts:
            part.join()

    def _start(self) -> None:
        for n in range(READERS):
            part = self._part(f"tables-{n + 1}")
            part.run(partial(self._attend, part))
            self._parts.append(part)

    def _attend(self, part: Part) -> None:
        """Carry out jobs with one reader, until the part is stopped."""
        reader = _Reader(self._root)
        try:
            while not part.is_stopped:
                job = self._next(part, reader)
                if job is not None:
                    part.works()
                    self._carry_out(reader, job)
        finally:
            reader.end()

    def _next(self, part: Part, reader: "_Reader") -> _Job | None:
        with self._more:
            while (job := self._taken()) is None and not part.is_stopped:
                if not self._more.wait(IDLE if reader.is_running else None):
                    reader.end()
            return job

    def _taken(self) -> _Job | None:
        """Take the first job of the next principal that is still wanted, unless its table is being converted."""
        while (job := self._first()) is not None:
            if job.future.set_running_or_notify_cancel():
                self._converting.add(job.name)
                return job
        return None

    def _first(self) -> _Job | None:
        for who, jobs in self._waiting.items():
            job = next((each for each in jobs if each.name not in self._converting), None)
            if job is not None:
                jobs.remove(job)
                # Behind all others, or gone.
                del self._waiting[who]
                if jobs:
                    self._waiting[who] = jobs
                return job
        return None

    def _carry_out(self, reader: "_Reader", job: _Job) -> None:
        try:
            reply = self._reply(reader, job)
        except TidegateError as error:
            job.future.set_exception(error)
        except OSError as error:
            job.future.set_exception(disk.failed("a table cannot be read", error))
        else:
            job.future.set_result(reply)
        finally:
            with self._more:
                self._converting.discard(job.name)
                self._more.notify_all()

    def _reply(self, reader: "_Reader", job: _Job) -> bytes:
        table, note = self._root / f"{job.name}.parquet", self._root / f"{job.name}.json"
        if not (table.exists() and note.exists()):
            disk.make_directory(self._root / "new", durable=False)
            self._convert(reader, job, table, note)
        # What is being converted is alone; what is there may be read by both.
        with self._more:
            self._converting.discard(job.name)
            self._more.notify_all()
        with suppress(OSError):
            os.utime(table)
        query = {"shape": msgspec.Raw(note.read_bytes()), "query": job.ask.query}
        return reader.ask({"what": job.ask.what, "table": table.name, **query}, TIME)

    def _convert(self, reader: "_Reader", job: _Job, table: Path, note: Path) -> None:
        if why := disk.lacks_room(self._root):
            raise StoreError(f"a table cannot be opened: {why}")
        new = self._root / "new"
        with (
            disk.draft(partial(disk.new_file, new)) as source,
            disk.draft(partial(disk.new_file, new)) as target,
        ):
            with source.open("wb") as file:
                for piece in job.source.pieces():
                    file.write(piece)
            order = {"what": "convert", "form": job.source.form}
            within = {"source": f"new/{source.name}", "table": f"new/{target.name}"}
            shape = reader.ask({**order, **within}, CONVERTING)
            disk.write(note, shape, new)
            target.replace(table)
        self._evict(keep=table)

    def _evict(self, keep: Path) -> None:
        """Remove the least recently used conversions until the rest is within the limit."""
        found = sorted(self._root.glob("*.parquet"), key=lambda path: path.stat().st_mtime)
        kept = sum(path.stat().st_size for path in found)
        for path in found:
            if kept <= MOST_KEPT:
                return
            if path != keep and path.name.removesuffix(".parquet") not in self._converting:
                kept -= path.stat().st_size
                path.unlink(missing_ok=True)
                path.with_suffix(".json").unlink(missing_ok=True)


class _Reader:
    """One process, started with its first order."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def ask(self, order: dict[str, Any], seconds: float) -> bytes:
        """Have an order carried out. Errors: those of the reader; `TableTooLarge` if it takes too long or too much."""
        process = self._process = self._process or self._begun()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            frames.write(process.stdin, msgspec.json.encode(order))
            told = frames.receive(process.stdout.fileno(), seconds, self._weigh)
        except TimeoutError:
            self.end()
            why = f"this takes longer than {seconds:.0f} seconds; filter or search for less"
            raise TableTooLarge(why, seconds=seconds) from None
        except MemoryError:
            self.end()
            why = f"this takes more than the {MEMORY:,} bytes of memory that a reader of tables has"
            raise TableTooLarge(why) from None
        except (OSError, EOFError):
            self.end()
            why = "the reader of this table ended: it takes too much memory, or cannot be read"
            raise TableTooLarge(why) from None
        return frames.result_of(told)

    def _weigh(self) -> None:
        """Raise `MemoryError` if the process has more memory of its own than it may. Where the system does not say, it is not limited so."""
        assert self._process is not None
        try:
            with open(f"/proc/{self._process.pid}/statm") as file:  # noqa: PTH123 - no file
                _, resident, shared, *_ = map(int, file.read().split())
        except OSError:
            return
        if (resident - shared) * PAGE > MEMORY:
            raise MemoryError

    def end(self) -> None:
        """End the process at once, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _begun(self) -> "subprocess.Popen[bytes]":
        disk.make_directory(self._root, durable=False)
        return subprocess.Popen(  # noqa: S603 - this interpreter, with a module of ours
            [sys.executable, "-P", "-m", "tidegate.tables.reader", str(self._root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._root,
            env={**_KEPT, "HOME": str(self._root), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            close_fds=True,
        )
