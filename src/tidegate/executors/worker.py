"""
A worker: the process in which users' code runs, for one bundle, one assignment at a time.

It is forked with two descriptors (see `forker`): a stream of frames, and the pipe of permits (see `frames`). It blocks on the pipe, and holds nothing that a crash would lose: each report is sent before the next permit is taken.

Standard output and error are one file, which the supervisor opened; what an attempt has printed is moved from there to its log.
An interrupt from the terminal is the engine's business and ignored here. SIGTERM ends the attempt as an exception would, so that it can clean up.
"""

import faulthandler
import io
import os
import select
import shutil
import signal
import sys
import time
from collections import deque
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, assert_never

from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.bundles.directory import BundleDirectory
from tidegate.core.messages import TASK_RAISED, Failure, final
from tidegate.errors import CodeError
from tidegate.executors.code import check, describe, load_task
from tidegate.executors.frames import (
    LENGTH,
    Assignment,
    Check,
    Checked,
    Describe,
    Described,
    Done,
    Frames,
    Ready,
    Run,
    Setup,
    Started,
    Unable,
    Up,
    down,
    pack,
)
from tidegate.executors.premises import Premises
from tidegate.home import BLOBS, BUNDLES
from tidegate.ir.graph import Graph, PythonTarget
from tidegate.logs import Logs, keep_log
from tidegate.ports.executor import Raised, Returned, Unfolded
from tidegate.sdk.failures import failure_of
from tidegate.sdk.invoke import invoke
from tidegate.sdk.report import DeckReport
from tidegate.sdk.task import Task
from tidegate.sdk.trace import TaskRun
from tidegate.types.values import with_pickle

CHUNK = 64 * 1024
TERMINATED = 128 + signal.SIGTERM


class Worker:
    """The process itself, from its set-up to the end of its stream."""

    def __init__(self, stream: int, permits: int) -> None:
        self._stream = stream
        self._permits = permits
        self._waiter = select.poll()
        self._waiter.register(permits, select.POLLIN)
        self._frames = Frames()
        self._bodies: deque[bytes] = deque()
        self._pid = os.getpid()
        # A copy, for the author's code may close or replace the descriptors 1 and 2.
        self._printed = os.dup(1)
        self._ending = False
        setup = self._receive()
        assert isinstance(setup, Setup)
        home = Path(setup.home)
        self._logs = Logs(home)
        # Plain strings, for they are looked at after every attempt.
        self._directories = (f"{setup.directory}/work", f"{setup.directory}/files")
        for directory in self._directories:
            Path(directory).mkdir(parents=True)
        blobs = BlobDirectory(home / BLOBS)
        self._blobs = with_pickle(BlobFiles(blobs, Path(self._directories[1])))
        self._tasks: dict[PythonTarget, Task[..., Any]] = {}
        self._source = ""
        self._fault: CodeError | None = None
        """Why the source tree cannot be used. What comes first fails with it, and then the worker ends: the next one looks again."""
        try:
            self._source = str(BundleDirectory(home / BUNDLES).tree(setup.bundle))
        except CodeError as error:
            self._fault = error
        else:
            # First, as for a script; the package itself is imported by now, and no file of the author's can hide it.
            sys.path.insert(0, self._source)

    def serve(self) -> None:
        """Carry out assignments until the supervisor closes the pipe."""
        _prepare_output()
        signal.signal(signal.SIGINT, _ignore)
        signal.signal(signal.SIGTERM, self._terminate)
        # Before the handler, and in C: the log shows where a task hung, even if it never comes back to Python.
        faulthandler.register(signal.SIGTERM, all_threads=False, chain=True)
        self._premises = Premises(self._printed)
        self._send(Ready())
        while (number := self._next_permit()) is not None:
            assignment = self._fetch(number)
            if assignment is None:
                return
            report = self._carry_out(assignment)
            if self._ending or os.getpid() != self._pid:
                # Told to end; or this is a copy of us, forked by the attempt, that came back from it.
                os._exit(TERMINATED)
            self._send(report)
            if self._fault is not None or not self._premises.restore():
                # What is left behind ends with us; what waits here is given to another worker.
                os._exit(0)

    def _carry_out(self, assignment: Assignment) -> Up:
        match assignment:
            case Run():
                return self._run(assignment)
            case Describe() | Check():
                report = self._answer(assignment)
                # What importing a module prints belongs to no attempt.
                _flush_output()
                os.ftruncate(self._printed, 0)
                self._premises.note()
                return report
            case _:
                assert_never(assignment)

    def _answer(self, question: Describe | Check) -> Up:
        try:
            self._check_source()
            match question:
                case Describe(number, module):
                    return Described(number, describe(module, self._source))
                case Check(number, target, value):
                    return Checked(number, check(target, value, self._blobs, self._source))
        except CodeError as error:
            trace = error.details.get("trace", "")
            return Unable(question.number, Failure(error.code, error.message, trace))

    def _run(self, run: Run) -> Done:
        began = time.perf_counter_ns()
        outcome: Returned | Unfolded | Raised
        report = DeckReport(partial(self._logs.keep_deck, run.id, run.node, run.attempt))
        try:
            task = self._task(run.target)
            if run.timed:
                self._send(Started(run.number))
            began = time.perf_counter_ns()
            result = invoke(
                task,
                run.inputs,
                dynamic=run.dynamic,
                blobs=self._blobs,
                run=TaskRun(
                    execution=run.id,
                    node=run.node,
                    attempt=run.attempt,
                    idempotency_key=run.idempotency_key,
                    working_directory=self._directories[0],
                    report=report,
                ),
            )
            outcome = Unfolded(result) if isinstance(result, Graph) else Returned(result)
        except BaseException as error:  # noqa: BLE001 - the edge to the author's code: sys.exit() too fails the attempt alone
            outcome = Raised(failure_of(error, self._source))
        done = Done(run.number, (time.perf_counter_ns() - began) // 1000, outcome)
        if os.getpid() == self._pid:
            _flush_output()
            with suppress(OSError):  # as of a log
                report.publish()
            if not self._ending:  # else the supervisor looks at what was printed
                self._tidy(run)
        return done

    def _check_source(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _task(self, target: PythonTarget) -> Task[..., Any]:
        task = self._tasks.get(target)
        if task is None:
            self._check_source()
            task = self._tasks[target] = load_task(target.module, target.name, self._source)
            self._premises.note()
        return task

    def _tidy(self, run: Run) -> None:
        """Move what was printed to the attempt's log, and leave empty directories to the next one."""
        with suppress(OSError):  # a log that cannot be written is no reason for an attempt to fail
            if os.fstat(self._printed).st_size:
                keep_log(self._printed, self._logs.path(run.id, run.node, run.attempt))
                os.ftruncate(self._printed, 0)
        for directory in self._directories:
            _empty(directory)

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        raise SystemExit(TERMINATED)

    # ---- the two descriptors ----

    def _next_permit(self) -> int | None:
        while True:
            try:
                permit = os.read(self._permits, LENGTH)
            except BlockingIOError:
                self._waiter.poll()
            else:
                return int.from_bytes(permit) if permit else None

    def _fetch(self, number: int) -> Assignment | None:
        # What was taken back lies in the stream all the same, before the one we look for.
        while (message := self._receive()) is not None:
            assert not isinstance(message, Setup)
            if message.number == number:
                return message
        return None

    def _receive(self) -> Setup | Assignment | None:
        while not self._bodies:
            chunk = os.read(self._stream, CHUNK)
            if not chunk:
                return None
            self._bodies.extend(self._frames.feed(chunk))
        return down.decode(self._bodies.popleft())

    def _send(self, message: Up) -> None:
        rest = memoryview(_packed(message))
        while rest:
            rest = rest[os.write(self._stream, rest) :]


def _packed(message: Up) -> bytes:
    try:
        return pack(message)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        assert isinstance(message, Done)
        failure = final(TASK_RAISED, f"the outputs cannot be stored: {error}")
        return pack(Done(message.number, message.micros, Raised(failure)))


def _prepare_output() -> None:
    # A crash loses at most a line; and no locale makes a print fail.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    faulthandler.enable()


def _flush_output() -> None:
    # The author's code may have closed one, or put something else in its place.
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(AttributeError, ValueError, OSError):
            stream.flush()  # type: ignore[union-attr]


def _empty(directory: str) -> None:
    with suppress(OSError):
        try:
            if not os.listdir(directory):  # noqa: PTH208 - half the price, and every attempt pays it
                return
        except FileNotFoundError:
            pass
        shutil.rmtree(directory, ignore_errors=True)
        Path(directory).mkdir()


def _ignore(_number: int, _frame: FrameType | None) -> None:
    # Not SIG_IGN, which programs started by a task would inherit.
    return
