"""
A worker: the process that imports a bundle's code once, and has a child carry out each assignment.

It is forked with two descriptors (see `forker`): a stream of frames, and the pipe of permits (see `frames`). It blocks on the pipe, and holds nothing that a crash would lose: each report is sent before the next permit is taken.

Rule 1: the worker imports modules, and runs nothing else of the author's. So whatever an attempt does to its process ends with that process.
Rule 2: a child is forked ahead, so nobody waits for the fork. Its attempt's descendants are ended before the report is sent.
Rule 3: a process that cannot be forked, because the code has left threads or open connections in it (`copyable`), is its own child: it carries
        out one assignment and ends.
Rule 4: when the supervisor is gone, the worker ends, with all its descendants.

Standard output and error are one file, which the supervisor opened; an attempt's output is moved from there to its log.
An interrupt from the terminal is the engine's business and ignored here. SIGTERM ends the attempt like an exception, so that it can clean up.
"""

import faulthandler
import gc
import io
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, assert_never

from msgspec import structs

from tidegate.core.messages import TASK_RAISED, final
from tidegate.errors import CodeError, StoreError
from tidegate.executors import trees
from tidegate.executors.attempt import Means, carry_out, flush_output, unable
from tidegate.executors.code import load_module, load_task, warm
from tidegate.executors.copyable import files_to_reopen, holdings, reopen
from tidegate.executors.directory import Directories
from tidegate.executors.endings import TERMINATED, crash, ended_by, last_words, tail
from tidegate.executors.environment import Environments, another_environment
from tidegate.executors.frames import (
    LENGTH,
    Assignment,
    Check,
    Describe,
    Differs,
    Done,
    Frames,
    Ready,
    Run,
    Setup,
    Started,
    Up,
    down,
    pack,
)
from tidegate.executors.frozen import freeze_published
from tidegate.executors.objects import Trees, files_of
from tidegate.executors.patience import PatientFiles
from tidegate.executors.spare import Spare, receive
from tidegate.executors.surroundings import taken_umask
from tidegate.executors.template import Template, TemplateGone
from tidegate.ir.graph import PythonTarget
from tidegate.logs import Logs, keep_log
from tidegate.ports.executor import ENVIRONMENT, MISSING, Hindered, Lost, Raised
from tidegate.sdk.failures import failure_of
from tidegate.sdk.task import Task
from tidegate.types.values import with_pickle

CHUNK = 64 * 1024
REFUSING = 0.4
"""Seconds that a worker continues in which a task cannot start. That task is retried after a second at the earliest, so never in this one."""
TOLD_TO_END = 128 + signal.SIGTERM
GONE = 128 + signal.SIGKILL
"""The exit code when a process is gone that this one cannot do without."""


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
        # A copy, because the author's code may close or replace descriptors 1 and 2.
        self._printed = os.dup(1)
        self._ending = False
        self._interruptible = False
        """SIGTERM is an exception: the author's code runs in this process."""
        self._running: Spare | None = None
        self._spare: Spare | None = None
        self._template: Template | None = None
        self._last = False
        """The worker cannot continue after this assignment."""
        self._refused: dict[tuple[PythonTarget, str], CodeError] = {}
        """Tasks that cannot start here. A repair is noticed by another worker, so this one fails those that wait with it, and ends."""
        self._refusing_until = float("inf")
        for each in (stream, permits):
            os.set_inheritable(each, False)
        trees.adopt_orphans()
        first = self._receive()
        assert first is not None
        setup = down.decode(first)
        assert isinstance(setup, Setup)
        home = Path(setup.home)
        self._output = setup.printed
        self._directories = Directories(setup.directory)
        self._files = files_of(setup)
        blobs = self._files.blobs
        self._environments = Environments(blobs, self._directories.source)
        self._means = Means(
            source=self._directories.source,
            blobs=with_pickle(PatientFiles(blobs, Path(self._directories.files))),
            logs=Logs(home),
            printed=self._printed,
            umask=taken_umask(),
            recorded=self._environments.recorded,
        )
        self._strict = setup.strict
        self._tasks: dict[PythonTarget, Task[..., Any]] = {}
        self._modules: set[str] = set()
        self._open: tuple[int, ...] | None = ()
        """What a child reopens; None if this process cannot be forked."""
        self._own_signals: dict[signal.Signals, Any] = {
            signal.SIGTERM: self._terminate,
            signal.SIGINT: _ignore,
            signal.SIGCHLD: signal.SIG_DFL,
        }
        """The worker's own signal handlers, whatever the author's code sets."""
        self._theirs: dict[signal.Signals, Any] = {}
        """The handlers that the author's code has set, for the attempts."""
        self._fault: CodeError | None = None
        """Why the source tree cannot be used. The first assignment fails with it, and then the worker ends: the next one checks again."""
        self._settle(self._files.bundles, setup.bundle)
        self._before = holdings()

    def _settle(self, bundles: Trees, bundle: str) -> None:
        """Import from the source tree of a bundle from now on."""
        try:
            self._directories.copy(bundles.tree(bundle))
        except CodeError as error:
            self._fault = CodeError(error.message, held=error.details.get("held", MISSING))
        else:
            # First, as for a script; the package itself is imported by now, and no file of the author's can hide it.
            sys.path.insert(0, self._means.source)
            os.chdir(self._means.source)

    def serve(self) -> None:
        """Carry out assignments until the supervisor closes the pipe."""
        _prepare_output()
        for heard, handler in self._own_signals.items():
            signal.signal(heard, handler)
        self._send(Ready())
        while (number := self._next_permit()) is not None:
            found = self._fetch(number)
            if found is None:
                return
            report = self._report_on(*found)
            if self._ending:
                os._exit(TOLD_TO_END)
            self._write(report)
            self._get_ready()
            if self._last or time.monotonic() > self._refusing_until:
                # What waits here is given to another worker.
                os._exit(0)

    def _report_on(self, assignment: Assignment, body: bytes) -> bytes:
        """Have an assignment carried out; return the frame of the report."""
        is_new = isinstance(assignment, Run) and assignment.target not in self._tasks
        try:
            task = self._load(assignment)
            if isinstance(assignment, Run):
                self._files.look_for(assignment)
                self._compare(assignment)
            self._directories.prepare()
        except CodeError as error:
            return self._tidied(assignment, _packed(self._refusal(assignment, error)), whole=True)
        if isinstance(assignment, Run) and (assignment.timed or is_new):
            self._send(Started(assignment.number))
        child = self._take_child()
        if child is None:
            return self._carry_out_here(assignment, task)
        self._running = child
        began = time.monotonic_ns()
        child.give(self._directories.next.encode(), body)
        assert self._template is not None
        try:
            report = child.report(self._stream, self._template.has_ended)
            goes_on = not (self._last or self._ending)
            code, whole = self._template.end(child.process, tell=not self._ending, another=goes_on)
        except (EOFError, TemplateGone):
            # Nobody is left to report to; or nobody knows what the attempt has left, and the fork server ends everything.
            self._drop_template()
            os._exit(GONE)
        self._running = None
        child.close()
        if report is None and not self._ending:
            micros = (time.monotonic_ns() - began) // 1000
            report = _packed(self._ended(assignment, code, micros))
        return self._tidied(assignment, report or b"", whole=whole)

    def _carry_out_here(self, assignment: Assignment, task: Task[..., Any] | None) -> bytes:
        """Be the child: this process cannot be forked, or the system has no room for another."""
        self._last = True
        self._drop_template()
        self._become_an_attempt()
        os.chdir(self._directories.next)
        report = carry_out(assignment, task, self._means, self._directories.next)
        flush_output()
        if self._ending and os.getpid() == self._pid:
            trees.tell(trees.programs(), self._printed)
        if self._ending or os.getpid() != self._pid:
            # Told to end; or this is a copy of us, forked by the attempt, that returned from it.
            os._exit(TOLD_TO_END)
        trees.tell(trees.programs(), self._printed)
        return self._tidied(assignment, _packed(report), whole=trees.end_children())

    def _tidied(self, assignment: Assignment, report: bytes, *, whole: bool) -> bytes:
        """Move the output to the log of an attempt, and remove its directory, before its end is reported; `whole`: its processes are gone."""
        if not whole:
            self._last = True
        if self._ending:
            return report  # the supervisor watches the output
        if isinstance(assignment, Run):
            path = self._means.logs.path(assignment.id, assignment.node, assignment.attempt)
            with suppress(
                OSError, StoreError
            ):  # a log that cannot be kept does not fail an attempt
                keep_log(self._printed, path)
                self._files.keep_log(assignment, path)
        else:
            os.ftruncate(self._printed, 0)
        try:
            self._directories.retire()
        except OSError:
            self._last = True
        return report

    def _get_ready(self) -> None:
        """Prepare for the next assignment, once the report on this one is sent."""
        try:
            if self._directories.tidy():
                self._drop_template()  # the next child has reopened files of the former copy
        except OSError:
            self._last = True  # another worker has a directory of its own
        if not self._last and self._spare is None and self._open is not None and self._tasks:
            self._spare = self._fork()

    # ---- the author's code ----

    def _load(self, assignment: Assignment) -> Task[..., Any] | None:
        """Import what an assignment needs, in this process, which every child is a copy of. Errors: `CodeError`."""
        match assignment:
            case Run(target=target, recorded=recorded):
                if (target, recorded) in self._refused:
                    raise self._refused[target, recorded]
                if target not in self._tasks:
                    with self._importing():
                        task = load_task(target.module, target.name, self._means.source)
                        warm(task)
                    self._tasks[target] = task
                return self._tasks[target]
            case Describe(module=module) | Check(target=PythonTarget(module=module)):
                if module not in self._modules:
                    with self._importing():
                        load_module(module, self._means.source)
                        self._environments.record(module)
                    self._modules.add(module)
                return None
            case _:
                assert_never(assignment)

    def _compare(self, run: Run) -> None:
        """Report if what is imported here differs from the record. Errors: `CodeError`, if something is missing, or nothing may start then."""
        if lacks := self._environments.lacks(run.recorded):
            raise CodeError(lacks, held=MISSING)
        differs = self._environments.differ(run.recorded)
        if differs and (run.strict if self._strict is None else self._strict):
            raise CodeError(another_environment(differs, run.id), held=ENVIRONMENT)
        if differs:
            self._send(Differs(run.number, differs))

    @contextmanager
    def _importing(self) -> Iterator[None]:
        """Run the block's imports. Their output belongs to no attempt, unless they fail."""
        if self._fault is not None:
            raise self._fault
        self._drop_template()
        self._interruptible = True
        faulthandler.register(signal.SIGTERM, all_threads=False, chain=True)
        try:
            yield
        finally:
            faulthandler.unregister(signal.SIGTERM)
            self._interruptible = False
            self._reclaim_signals()
            flush_output()
            os.chdir(self._means.source)
            self._directories.note()
            self._open = files_to_reopen(self._before)
        os.ftruncate(self._printed, 0)
        # Objects created so far are frozen, so that children keep sharing them.
        gc.collect()
        gc.freeze()

    def _reclaim_signals(self) -> None:
        for number, own in self._own_signals.items():
            theirs = signal.getsignal(number)
            if theirs != own and theirs is not None:
                self._theirs[number] = theirs
                signal.signal(number, own)

    def _refusal(self, assignment: Assignment, error: CodeError) -> Up:
        if error.details.get("exited"):
            words = last_words(tail(self._printed))
            if words:
                error = CodeError(f"{error.message}: {words}", **error.details)
        if not isinstance(assignment, Run):
            self._last = self._last or self._fault is not None
            return unable(assignment, error)
        if "held" not in error.details:
            return Done(assignment.number, 0, Raised(failure_of(error, self._means.source)))
        if error.details.get("passes"):
            return Done(assignment.number, 0, Hindered(error.details["held"], error.message))
        self._refused[assignment.target, assignment.recorded] = error
        self._refusing_until = min(self._refusing_until, time.monotonic() + REFUSING)
        return Done(assignment.number, 0, Hindered(error.details["held"], error.message))

    def _ended(self, assignment: Assignment, code: int, micros: int) -> Up:
        """Return the report on a child that has ended without one."""
        if not isinstance(assignment, Run):
            words = f"its process ended with {ended_by(code)}"
            return unable(assignment, CodeError(words, trace=tail(self._printed)))
        if code in TERMINATED:
            # Somebody ends the processes of this machine; the attempt has done nothing wrong.
            return Done(assignment.number, micros, Lost())
        deck = freeze_published(assignment, self._means.logs, self._means.blobs)
        return Done(assignment.number, micros, Raised(crash(code, self._printed), deck))

    # ---- children ----

    def _take_child(self) -> Spare | None:
        """Return the spare child, or another; None if this process cannot be forked, or the system has no room."""
        if self._open is None:
            return None
        spare, self._spare = self._spare, None
        return spare or self._fork()

    def _fork(self) -> Spare | None:
        with suppress(OSError):
            for _ in range(2):
                try:
                    self._template = self._template or Template(self._be_a_child, self._printed)
                    return self._template.fork()
                except TemplateGone:  # somebody has killed it
                    self._drop_template()
        return None

    def _drop_template(self) -> None:
        """End the template, and the spare child."""
        spare, self._spare = self._spare, None
        template, self._template = self._template, None
        if spare is not None:
            spare.close()
        if template is not None:
            template.drop()

    def _be_a_child(self, stream: socket.socket, parent: int) -> NoReturn:
        code = 1
        try:
            self._separate(parent)
            place, body = receive(stream), receive(stream)
            if place is None or body is None:
                os._exit(0)
            os.chdir(place)
            assignment = down.decode(body)
            assert not isinstance(assignment, Setup)
            task = self._tasks[assignment.target] if isinstance(assignment, Run) else None
            report = carry_out(assignment, task, self._means, place.decode())
            flush_output()
            if not self._ending and os.getpid() == self._pid:
                stream.sendall(_packed(report))
                code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
            traceback.print_exc()
            flush_output()
        finally:
            os._exit(TOLD_TO_END if self._ending else code)

    def _separate(self, parent: int) -> None:
        """Share nothing with the worker from now on but memory, as it is."""
        self._pid = os.getpid()
        os.setpgid(0, 0)
        trees.end_with(parent)
        for each in (self._stream, self._permits, self._printed):
            os.close(each)
        # Reopened, because flags and positions belong to what was opened, and are shared by all copies of the descriptor.
        printed = _reopened(self._output, os.O_RDWR | os.O_APPEND, 1, 2)
        _reopened(os.devnull, os.O_RDONLY, 0)
        reopen(self._open or ())
        self._means = structs.replace(self._means, printed=printed)
        self._become_an_attempt()

    def _become_an_attempt(self) -> None:
        self._interruptible = True
        for number, handler in self._theirs.items():
            signal.signal(number, handler)
        # Before the handler, and in C: the log shows where a task hung, even if it never returns to Python.
        faulthandler.register(signal.SIGTERM, all_threads=False, chain=True)
        numbers = sys.modules.get("numpy.random")
        if numbers is not None:
            # `random` reseeds itself; this one would draw the same numbers in every child.
            numbers.seed()

    def _terminate(self, _number: int, _frame: FrameType | None) -> None:
        self._ending = True
        if self._interruptible:
            raise SystemExit(TOLD_TO_END)
        if self._running is None or os.getpid() != self._pid:
            os._exit(TOLD_TO_END)
        # Before it ends, because by then some of them may have ended by this signal, and be nameless.
        besides = (each.process for each in (self._template, self._running) if each is not None)
        trees.tell(trees.programs(*besides), self._printed)
        # Its end is waited for; the fork server waits no longer than that.
        self._running.signal(signal.SIGTERM)

    # ---- the two descriptors ----

    def _next_permit(self) -> int | None:
        while True:
            try:
                permit = os.read(self._permits, LENGTH)
            except BlockingIOError:
                if not self._waiter.poll(1000 * REFUSING if self._refused else None):
                    return None
            else:
                return int.from_bytes(permit) if permit else None

    def _fetch(self, number: int) -> tuple[Assignment, bytes] | None:
        # What was taken back is still in the stream, before the one we look for.
        while (body := self._receive()) is not None:
            message = down.decode(body)
            if not isinstance(message, Setup) and message.number == number:
                return message, body
        return None

    def _receive(self) -> bytes | None:
        while not self._bodies:
            chunk = os.read(self._stream, CHUNK)
            if not chunk:
                return None
            self._bodies.extend(self._frames.feed(chunk))
        return self._bodies.popleft()

    def _send(self, message: Up) -> None:
        self._write(_packed(message))

    def _write(self, frame: bytes) -> None:
        rest = memoryview(frame)
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


def _reopened(path: str, flags: int, *standard: int) -> int:
    """Open a file for standard descriptors; return a new one."""
    try:
        opened = os.open(path, flags | os.O_CLOEXEC)
    except OSError:
        return os.dup(standard[0])  # it was removed, or there are no more descriptors
    for each in standard:
        os.dup2(opened, each)
    return opened


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Do nothing. Not SIG_IGN, which programs started by a task would inherit."""
