"""
An executor whose tasks run in warm child processes of this machine: a bundle's code is imported there and never here.

Not for Windows, which has neither process groups nor descriptors that a child inherits in the way this needs.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from threading import Thread

from tidegate.errors import CodeError, Fault
from tidegate.executors.child import Query
from tidegate.executors.frames import (
    Assignment,
    Check,
    Checked,
    Describe,
    Described,
    DescribedWorkflow,
    Unable,
    Up,
)
from tidegate.executors.pool import Pool
from tidegate.executors.roster import Limits
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.ports.executor import Attempt, Job, Report
from tidegate.ports.journal import Key

IDLE = 300.0
"""Seconds after which a worker that has nothing to do ends."""

SLACK = 30.0
"""Seconds that a question may wait for a worker, beyond its own timeout."""


class ProcessExecutor:
    """
    An `Executor` over at most `workers` processes, one a processor if None.

    Below `home` it expects unpacked sources in `bundles/<digest>/` and blobs in `blobs/`, and keeps what tasks print in `logs/`.
    `idle` is the seconds after which a worker that has nothing to do ends.
    """

    def __init__(self, home: Path, workers: int | None = None, *, idle: float = IDLE) -> None:
        self._home = home.absolute()
        self._limits = Limits(workers or os.cpu_count() or 1, idle)
        self._pool: Pool | None = None
        self._thread: Thread | None = None

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Begin; no process is started before there is something for it to do."""
        assert self._pool is None
        self._pool = Pool(self._home, self._limits, deliver)
        # A daemon: a program that ends without closing us must not hang; the sentinel ends the workers then.
        self._thread = Thread(target=self._pool.run, name="tidegate-workers", daemon=True)
        self._thread.start()

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts, the earlier first, when there is room."""
        pool = self._running()
        pool.call(partial(pool.submit, jobs))

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt if it still runs; it is not reported on any more, unless it ends at this moment."""
        pool = self._running()
        pool.call(partial(pool.cancel, (key, node, attempt)))

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return none: the workers of an earlier owner end with it."""
        del attempts
        return frozenset()

    def describe(
        self, bundle: str, module: str, timeout: float = 60.0
    ) -> tuple[DescribedWorkflow, ...]:
        """
        Import a module of a bundle in a worker, compile every workflow in it, and return them in the order in which they stand there.

        Errors: `CodeError`, with file and line in the message and the traceback in `details["trace"]`, if the module cannot be imported,
        takes longer than `timeout` seconds, or ends its process.
        """
        reply = self._ask(bundle, module, partial(Describe, module=module), timeout)
        assert isinstance(reply, Described)
        return reply.workflows

    def check(
        self, bundle: str, target: PythonTarget, value: Value, timeout: float = 60.0
    ) -> tuple[Fault, ...]:
        """
        Look, in a worker, whether a stored value fits a Python type of a bundle, which stands in its module under a name; return what is wrong.

        For answers whose type says more than its schema: a validator, say. Errors: `CodeError`, as `describe`.
        """
        reply = self._ask(
            bundle, target.module, partial(Check, target=target, value=value), timeout
        )
        assert isinstance(reply, Checked)
        return reply.faults

    def close(self) -> None:
        """End every worker, and return when all are gone. What ran is not reported on."""
        if self._pool is not None and self._thread is not None:
            self._pool.call(self._pool.close)
            self._thread.join()

    def _ask(self, bundle: str, about: str, ask: Callable[[int], Assignment], timeout: float) -> Up:
        answer: Future[Up] = Future()
        query = Query(bundle, about, ask, answer, timeout)
        pool = self._running()
        if not pool.call(partial(pool.ask, query)):
            raise CodeError(f"{about}: the workers were closed")
        try:
            reply = answer.result(timeout + SLACK)
        except TimeoutError:
            raise CodeError(f"{about}: no worker was free to import it; try again") from None
        if isinstance(reply, Unable):
            failure = reply.failure
            raise CodeError(failure.message, trace=failure.trace)
        return reply

    def _running(self) -> Pool:
        assert self._pool is not None, "start() comes first"
        return self._pool
