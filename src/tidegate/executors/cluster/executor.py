"""
An executor whose attempts run on the nodes of a Ray cluster. Modules are described, and answers checked, by workers of this machine.

Rule 1: an attempt that was handed out outlives this process. The next owner of the store claims it (`attach`).
Rule 2: while the cluster is away, nothing is handed out: the engine holds what should start. What was handed out is given `PATIENCE` to be found again.
Rule 3: whenever the cluster is back, what was handed out is claimed first, and everything else that this owner has there is ended. So an attempt that
        counts as lost has ended before it is repeated.
Rule 4: the keeper of an attempt keeps its report until it is stored.
"""

import logging
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Protocol

import msgspec

from tidegate.errors import Fault
from tidegate.executors.cluster.protocol import (
    Cancel,
    Claim,
    Claimed,
    Connected,
    Drain,
    Forget,
    Give,
    Gone,
    Handing,
    Leave,
    News,
    Recall,
    Recalled,
    Release,
    Unable,
    Unconnected,
    Wish,
    Word,
    pack,
    words,
)
from tidegate.executors.cluster.settings import Linked, surroundings
from tidegate.executors.frames import LENGTH, Frames
from tidegate.executors.process import ProcessExecutor
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.parts import Part
from tidegate.ports.executor import (
    NO_CLUSTER,
    Attempt,
    Began,
    Capacity,
    Described,
    Elsewhere,
    Hindered,
    Job,
    Lost,
    Queue,
    Report,
    left,
)
from tidegate.ports.journal import Key
from tidegate.ports.logs import AttemptLogs

PATIENCE = 30.0
"""Seconds without the cluster after which what was handed out counts as lost. A link that is started again is there after two."""
LONGEST_PAUSE = 5.0
"""Seconds between two attempts to reach the cluster."""
CONNECT = 40.0
"""Seconds in which a link must have reached the cluster, or said why not."""
CHUNK = 64 * 1024
"""Bytes that are read at once: Python allocates that much for each read."""
LEAVES = 10.0
"""Seconds in which a link must have ended; it has nothing to lose."""

log = logging.getLogger(__name__)


class Clusters(Protocol):
    """Where the cluster is. `is_local`: it is started for this store. `environment`: variables with which a program of Ray connects to it."""

    is_local: bool
    environment: dict[str, str]

    def address(self) -> str:
        """Return its address; it is started if it is ours. Errors: `OSError`."""
        ...

    def close(self, *, unused: bool) -> None:
        """Release it; `unused`: nothing of this store is left there."""
        ...


class Noted(Protocol):
    """The note that attempts may be on the cluster."""

    def put(self) -> None:
        """Make it, if it is not there. Errors: `OSError`."""
        ...

    def remove(self) -> None:
        """Remove it."""
        ...


class RayExecutor:
    """
    An `Executor` over a Ray cluster.

    `local` are workers of this machine, for what is not an attempt; `logs` are the store's; `link` is what a link is started with, but for
    the address, which is that of `cluster`. `part` reports whether the cluster is there.
    """

    def __init__(
        self,
        local: ProcessExecutor,
        logs: AttemptLogs,
        cluster: Clusters,
        link: Linked,
        part: Part,
        note: Noted,
    ) -> None:
        self.local = local
        self._logs = logs
        self._cluster = cluster
        self._linked = link
        self._part = part
        self._note = note
        self._lock = threading.RLock()
        self._waiting: dict[Attempt, Job] = {}
        self._handed: dict[Attempt, Job | None] = {}
        """A claimed one is not known until its keeper has said what it is."""
        self._reported: set[Attempt] = set()
        """Their reports are delivered, and not known to be stored."""
        self._deliver: Callable[[Sequence[Report]], None] = lambda _: None
        self._sending: queue.SimpleQueue[Wish | None] | None = None
        self._attached = False
        self._connected = False
        self._why = ""
        self._away_since = time.monotonic()
        self._verdict = threading.Event()
        self._refused = False
        self._opens = not cluster.is_local
        """Whether somebody waits for a verdict, who says what it is."""
        self._nodes: list[dict[str, float]] = []
        self._draining = self._closed = False

    # ---- the port ----

    def start(self, deliver: Callable[[Sequence[Report]], None]) -> None:
        """Start, and begin to connect."""
        self._deliver = deliver
        self.local.start(deliver)
        self._part.run(self._stay_linked)

    def submit(self, jobs: Sequence[Job]) -> None:
        """Run these attempts on the cluster."""
        with self._lock:
            if not self._closed:
                # Before anything is handed out. If it cannot be, the engine holds all of them.
                self._note.put()
                self._waiting.update((_attempt(job), job) for job in jobs)
                self._send(Give(list(jobs)))
                return
        self._deliver([left(job) for job in jobs])

    def cancel(self, key: Key, node: NodeId, attempt: int) -> None:
        """End this attempt. If the cluster is away, it is ended when it is back."""
        which = Attempt(key, node, attempt)
        with self._lock:
            self._waiting.pop(which, None)
            self._handed.pop(which, None)
            self._reported.discard(which)
            self._send(Cancel([which]))

    def recall(self, attempts: Sequence[Attempt]) -> None:
        """Leave those of these attempts that were not handed out."""
        with self._lock:
            self._send(Recall(list(attempts)))

    def release(self, attempts: Sequence[Attempt]) -> None:
        """Let these attempts go on without this owner."""
        with self._lock:
            for each in attempts:
                self._waiting.pop(each, None)
                self._handed.pop(each, None)
                self._reported.discard(each)
            self._send(Release(list(attempts)))

    def stored(self, reports: Sequence[Report]) -> None:
        """Let keepers forget what is stored."""
        with self._lock:
            done = [
                attempt
                for report in reports
                if (attempt := Attempt(report.key, report.node, report.attempt)) in self._reported
            ]
            if done:
                self._reported.difference_update(done)
                self._send(Forget(done))

    def attach(self, attempts: Sequence[Attempt]) -> frozenset[Attempt]:
        """Return all of them: those that the cluster does not have are reported as lost as soon as that is known."""
        if not self._attached:
            self.local.attach(())
        with self._lock:
            self._handed.update((attempt, None) for attempt in attempts)
            first, self._attached = not self._attached, True
            if self._connected:
                self._send(Claim(list(attempts), only=first))
        return frozenset(attempts)

    def drain(self) -> "Future[None]":
        """Hand out nothing more. What runs outlives this process, so nobody waits for it."""
        with self._lock:
            self._draining = True
            self._send(Drain())
        drained: Future[None] = Future()
        drained.set_result(None)
        return drained

    def close(self) -> None:
        """Leave the cluster: what was handed out goes on there."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._part.stop()
            rest, self._waiting = list(self._waiting.values()), {}
            self._send(Leave())
        self._part.join()
        unused = not (self._handed or self._reported)
        self._cluster.close(unused=unused)
        if unused:
            self._note.remove()
        self._deliver([left(job) for job in rest])
        self.local.close()

    @property
    def is_local(self) -> bool:
        """Whether the cluster is started for this store."""
        return self._cluster.is_local

    @property
    def capacity(self) -> Capacity:
        """Return no limit: what no node has is held by what the cluster says (see `Unable`)."""
        return Capacity(2**62, 2**62, self.local.capacity.limits_memory, everything=True)

    def queue(self) -> Queue:
        """Return what is on the cluster, and what is to go there."""
        with self._lock:
            running = [job for job in self._handed.values() if job is not None]
            return Queue(running, list(self._waiting.values()), self._why)

    def describe(self, bundle: str, module: str) -> Sequence[Described]:
        """Import a module in a worker of this machine."""
        return self.local.describe(bundle, module)

    def check(self, bundle: str, target: PythonTarget, value: Value) -> Sequence[Fault]:
        """Check a value in a worker of this machine."""
        return self.local.check(bundle, target, value)

    def hinders(self) -> str:
        """Return why nothing can be handed out now; empty if it can, or if that is not known yet."""
        return self._why

    def verdict(self, seconds: float) -> tuple[str, bool]:
        """Wait until it is known whether the cluster can be used; return why it cannot, and whether it refuses or is refused."""
        self._verdict.wait(seconds)
        with self._lock:
            self._opens = False
            return self._why, self._refused

    # ---- what a store's own workers are asked ----

    @property
    def life(self) -> str:
        """Return the mark of this machine's workers."""
        return self.local.life

    def has_started(self, process: int) -> bool:
        """Return whether a process belongs to a worker of this machine."""
        return self.local.has_started(process)

    def end_life(self, life: str) -> None:
        """End what another life has started on this machine."""
        self.local.end_life(life)

    # ---- the link ----

    def _stay_linked(self) -> None:
        """Have a link as long as this is open."""
        while not self._part.is_stopped:
            try:
                self._follow(self._cluster.address())
            except OSError as error:
                self._found_away(error.strerror or str(error), refused=False)
            with self._lock:
                self._connected, self._sending = False, None
            if self._part.is_stopped:
                return
            why = self._why or "the link to the Ray cluster ended"
            self._found_away(why, refused=self._refused)
            with self._lock:
                is_said = self._opens and self._refused
            self._part.pause(min(self._part.failed(why, quietly=is_said), LONGEST_PAUSE))

    def _follow(self, address: str) -> None:
        """Start a link, and do what it says until it ends."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            settings = msgspec.structs.replace(
                self._linked, address=address, session=os.urandom(8).hex()
            )
            process = _start(
                theirs, msgspec.json.encode(settings).decode(), self._cluster.environment
            )
            theirs.close()
            sending: queue.SimpleQueue[Wish | None] = queue.SimpleQueue()
            with self._lock:
                self._sending = sending
                if self._closed:
                    sending.put(Leave())
            threading.Thread(target=_write, args=(ours, sending), daemon=True).start()
            try:
                self._listen(ours)
            finally:
                sending.put(None)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LEAVES if self._closed else 1.0)
                process.kill()
                process.wait()

    def _listen(self, stream: socket.socket) -> None:
        frames = Frames()
        stream.settimeout(1.0)
        give_up = time.monotonic() + CONNECT
        while True:
            try:
                chunk = stream.recv(CHUNK)
            except TimeoutError:
                if self._closed and time.monotonic() > give_up:
                    return
                if self._closed:
                    give_up = min(give_up, time.monotonic() + LEAVES)
                elif not self._connected and time.monotonic() > give_up:
                    self._why = "the Ray cluster does not answer"
                    return
                self._lose_if_away()
                continue
            except OSError:
                return
            if not chunk:
                return
            for body in frames.feed(chunk):
                self._heed(words.decode(body))

    def _heed(self, word: Word) -> None:
        match word:
            case Connected(nodes):
                self._found_there(nodes)
            case Unconnected(why, refused):
                self._found_away(why, refused=refused)
            case Handing(attempts):
                with self._lock:
                    for attempt in attempts:
                        job = self._waiting.pop(attempt, None)
                        if job is not None:
                            self._handed[attempt] = job
            case Claimed(jobs):
                with self._lock:
                    for job in jobs:
                        if _attempt(job) in self._handed:
                            self._handed[_attempt(job)] = job
            case Recalled(attempts):
                with self._lock:
                    found = [self._waiting.pop(each, None) for each in attempts]
                self._deliver([left(job) for job in found if job is not None])
            case Unable(attempt, code, why):
                with self._lock:
                    job = self._waiting.pop(attempt, None)
                if job is not None:
                    self._deliver([_hindered(job, code, why)])
            case Gone(attempts):
                self._lose(attempts)
            case News():
                self._take_in(word)

    def _found_there(self, nodes: list[dict[str, float]]) -> None:
        with self._lock:
            first, self._connected = not self._connected, True
            self._nodes, self._why, self._refused = nodes, "", False
            if first:
                # Not earlier: a link that has tried for half a minute proves nothing.
                self._part.begins()
            self._part.works()
            if first:
                claimed = [*self._handed, *self._reported]
                self._send(Claim(claimed, only=self._attached))
                self._send(Give(list(self._waiting.values())))
                if self._draining:
                    self._send(Drain())
        self._verdict.set()
        # What is held may start now: the engine looks again.
        self._deliver(())

    def _found_away(self, why: str, *, refused: bool) -> None:
        with self._lock:
            if self._connected:
                self._away_since = time.monotonic()
            self._connected = False
            self._why, self._refused = why, refused
            held, self._waiting = list(self._waiting.values()), {}
        self._verdict.set()
        if held and not self._closed:
            self._deliver([_hindered(job, NO_CLUSTER, why) for job in held])
        elif held:
            self._deliver([left(job) for job in held])
        self._lose_if_away()

    def _lose_if_away(self) -> None:
        with self._lock:
            away = not self._connected and time.monotonic() > self._away_since + PATIENCE
            gone = list(self._handed) if away else []
        self._lose(gone)

    def _lose(self, attempts: Sequence[Attempt]) -> None:
        with self._lock:
            lost = [each for each in attempts if each in self._handed]
            for each in lost:
                del self._handed[each]
        if lost:
            self._deliver([Report(*each, Lost()) for each in lost])

    def _take_in(self, news: News) -> None:
        for text in news.printed:
            whose = text.execution, text.node, text.attempt
            self._logs.take_in(*whose, text.body, text.start, whole=text.whole)
        for deck in news.published:
            # As in a worker: a deck that cannot be stored does not fail the attempt.
            with suppress(OSError):
                self._logs.publish_deck(deck.execution, deck.node, deck.attempt, deck.page)
        with self._lock:
            known = self._handed.keys() | self._reported if news.unclaimed else set()
            wanted = [Report(*each, Began()) for each in news.unclaimed if each not in known]
            for report in news.reports:
                attempt = Attempt(report.key, report.node, report.attempt)
                if attempt not in self._handed:
                    continue
                wanted.append(report)
                if isinstance(report.outcome, Began | Elsewhere):
                    continue
                del self._handed[attempt]
                if not isinstance(report.outcome, Hindered):
                    self._reported.add(attempt)
        if wanted:
            self._deliver(wanted)

    def _send(self, wish: Wish) -> None:
        """Tell the link something, if there is one; with the lock. What a link has not heard is told to the next."""
        if self._sending is not None and (self._connected or isinstance(wish, Leave)):
            self._sending.put(wish)


def _start(
    theirs: socket.socket, settings: str, given: dict[str, str]
) -> "subprocess.Popen[bytes]":
    module = "tidegate.executors.cluster.link"
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-P", "-m", module, str(theirs.fileno()), settings],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=None if log.isEnabledFor(logging.DEBUG) else subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        env=surroundings(given),
        start_new_session=True,
    )


def _write(stream: socket.socket, sending: "queue.SimpleQueue[Wish | None]") -> None:
    """Send what there is to say, in a thread of its own: a link that is busy must not delay the engine."""
    with suppress(OSError):
        while (wish := sending.get()) is not None:
            body = pack(wish)
            stream.sendall(len(body).to_bytes(LENGTH) + body)


def _hindered(job: Job, code: str, why: str) -> Report:
    return Report(job.key, job.node, job.attempt, Hindered(code, why), job=job)


def _attempt(job: Job) -> Attempt:
    return Attempt(job.key, job.node, job.attempt)
