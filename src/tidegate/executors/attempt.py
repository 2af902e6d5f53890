"""
The child's part of a worker: one attempt, or one question about code, from its frame to its report.

The modules that it needs are already imported.
"""

import ctypes
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec import Struct, structs

from tidegate.core.messages import Failure
from tidegate.errors import CodeError
from tidegate.executors.code import check, describe
from tidegate.executors.endings import with_last_words
from tidegate.executors.frames import (
    Assignment,
    Check,
    Checked,
    Describe,
    Described,
    Done,
    Run,
    Unable,
    Up,
)
from tidegate.executors.frozen import freeze
from tidegate.ir.graph import Graph
from tidegate.logs import Logs
from tidegate.ports.executor import Raised, Returned, Unfolded
from tidegate.sdk.failures import failure_of
from tidegate.sdk.invoke import invoke
from tidegate.sdk.report import DeckReport
from tidegate.sdk.task import Task
from tidegate.sdk.trace import TaskRun
from tidegate.types.values import FileStore

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_stdout = ctypes.c_void_p.in_dll(_libc, "stdout") if _libc is not None else None


class Means(Struct, frozen=True, eq=False):
    """What the attempts of a worker share: the source tree, where files and logs are kept, the file that their output goes to."""

    source: str
    blobs: FileStore
    logs: Logs
    printed: int
    umask: int | None = None
    """The umask for tasks; None to leave it unchanged."""
    recorded: Mapping[str, str] = {}
    """The blobs that record what modules import, by module."""


def carry_out(assignment: Assignment, code: Task[..., Any] | None, means: Means, place: str) -> Up:
    """Carry out an assignment in this process; `code` is the task of an attempt, `place` its directory."""
    if not isinstance(assignment, Run):
        return _answer(assignment, means)
    assert code is not None
    return _run(assignment, code, means, place)


def unable(question: Describe | Check, error: CodeError) -> Unable:
    """Return why a question has no answer."""
    trace = error.details.get("trace", "")
    return Unable(question.number, Failure(error.code, error.message, trace))


def flush_output() -> None:
    """Flush all output into its file. The author's code may have closed a stream, or replaced it."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        with suppress(AttributeError, ValueError, OSError):
            stream.flush()  # type: ignore[union-attr]
    if _libc is not None:
        # Output of C code has a separate buffer, which is lost with the process.
        _libc.fflush(_stdout)


def _answer(question: Describe | Check, means: Means) -> Up:
    try:
        match question:
            case Describe(number, module):
                recorded = means.recorded.get(module, "")
                found = describe(module, means.source)
                return Described(
                    number, tuple(structs.replace(each, recorded=recorded) for each in found)
                )
            case Check(number, target, value):
                return Checked(number, check(target, value, means.blobs, means.source))
    except CodeError as error:
        return unable(question, error)


def _run(run: Run, code: Task[..., Any], means: Means, place: str) -> Done:
    outcome: Returned | Unfolded | Raised
    report = DeckReport(partial(means.logs.publish_deck, run.id, run.node, run.attempt))
    if means.umask is not None:
        os.umask(means.umask)
    began = time.perf_counter_ns()
    try:
        result = invoke(
            code,
            run.inputs,
            dynamic=run.dynamic,
            blobs=means.blobs,
            run=TaskRun(
                execution=run.id,
                node=run.node,
                attempt=run.attempt,
                idempotency_key=run.idempotency_key,
                working_directory=place,
                launched_from=run.launched_from,
                report=report,
            ),
            environment=run.environment,
        )
        outcome = Unfolded(result) if isinstance(result, Graph) else Returned(result)
    except BaseException as error:  # noqa: BLE001 - the edge to the author's code: sys.exit() too fails the attempt alone
        failure = failure_of(error, means.source, run.launched_from)
        if isinstance(error, SystemExit):
            flush_output()
            failure = with_last_words(failure, means.printed)
        outcome = Raised(failure)
    took = (time.perf_counter_ns() - began) // 1000
    deck = freeze(report, means.blobs)
    return Done(run.number, took, structs.replace(outcome, deck=deck))
