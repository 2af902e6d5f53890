"""
The keeper of a node: it holds the attempts that were handed to this node, runs them in workers as on a machine of its own, and keeps their reports.

It lives in a detached actor, so it outlives the one that has handed it the attempts; it knows nothing of Ray itself.

Rule 1: an attempt is here from the moment it was handed over until it is forgotten. A link that claims it then is told what became of it.
Rule 2: an attempt starts when something is reserved for it, and the reservation is kept until it has ended; then the next one of its shape gets it.
Rule 3: what an attempt has printed is told before its report, and told again with it to a link that claims it later.
Rule 4: an attempt whose link no longer asks goes on. The other links are told of it until one claims it, or its owner has it ended: a server may have
        died between storing that it is not wanted, and saying so.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import structs

from tidegate.executors.cluster.boxes import Box
from tidegate.executors.cluster.protocol import (
    Duty,
    End,
    Following,
    Order,
    Run,
    Shape,
    Stored,
    Told,
    Want,
    shape_of,
)
from tidegate.executors.cluster.reserving import Node, Reservation, Slot
from tidegate.executors.process import ProcessExecutor
from tidegate.executors.surroundings import Surroundings
from tidegate.home import BLOBS
from tidegate.logs import Logs
from tidegate.ports.executor import Attempt, Began, Elsewhere, Hindered, Job, Report
from tidegate.ports.objects import Objects
from tidegate.ports.terminals import Printed, Published

LINGER = 2.0
"""Seconds that a reservation is kept for the next attempt of its shape. Ray needs up to 0.7 s for a new one after one was given up (measured)."""
TICK = 0.2
"""Seconds between two looks at what running attempts have printed and published: the same as for terminals."""
PIECE = 1024 * 1024
"""Bytes of one attempt's output that are sent at once."""
IDLE = 10.0
"""Seconds between two looks of a keeper that has nothing at whether anybody asks."""
ASKS = 45.0
"""Seconds for which the wish of a link that no longer asks counts; it asks every 5."""
CALLS = 5.0
"""Seconds after which links are told once more of attempts whose own link no longer asks: the server that takes over their executions may not have done so yet."""
FORSAKEN = 600.0
"""Seconds without anybody asking after which a keeper that has nothing ends."""
MANY = 8
"""Attempts that wait here for their turn, from which on reports are gathered: then nobody waits for a single one. A quarter as many reports is enough."""
GATHER = 0.2
"""Seconds for which they are at most: less than what waits here takes, so that no worker waits for it. On a busy machine, where attempts take longer, messages stay as large."""
PENDING = 16
"""Most reservations that are waited for at once; each costs a thread."""


class _Held:
    """An attempt that is here."""

    def __init__(self, job: Job, session: str, owner: str) -> None:
        self.job = job
        self.session = session
        self.owner = owner
        self.slot: Slot | None = None
        self.began: Report | None = None
        self.ended: Report | None = None
        self.printed = 0
        self.published = 0
        self.has_log = True
        """There may be a log of it here."""


class Keeper:
    """
    The keeper. `home` is a directory of its own; `forsaken` is called once it has nothing, and nobody has asked for long.

    With `objects` values and output go there from this node; otherwise values to the store's directory, and output to the owner.
    """

    def __init__(
        self,
        duty: Duty,
        home: Path,
        node: Node,
        forsaken: Callable[[], None],
        objects: Objects | None = None,
    ) -> None:
        self._home = home
        self._objects = objects
        self._node = node
        self._forsaken = forsaken
        self._logs = Logs(home)
        self._lock = threading.RLock()
        self._busy = threading.Event()
        """Something is here, or reserved."""
        self._held: dict[Attempt, _Held] = {}
        self._queues: dict[Shape, deque[Attempt]] = {}
        self._slots: dict[Shape, list[Slot]] = {}
        self._pending: dict[Shape, int] = {}
        self._wants: dict[tuple[str, Shape], int] = {}
        self._boxes: dict[str, Box] = {}
        self._refused: deque[Attempt] = deque(maxlen=100_000)
        """Claimed attempts that were not here: the claimant repeats them, so they must not come later."""
        store = Path(duty.store) if objects is None else None
        make_home(home, store)
        slots = max(1, int(node.total.get("CPU", 1)))
        surroundings = Surroundings(
            store=store, kind=home.name, objects=objects, asks=home if objects else None
        )
        self._pool = ProcessExecutor(home, slots, idle=60.0, surroundings=surroundings)
        # What an earlier keeper of this node has left is ended first.
        self._pool.attach(())
        self._pool.start(self._hear)
        threading.Thread(target=self._tend, name="tidegate-tend", daemon=True).start()

    # ---- what links ask ----

    def order(self, session: str, owner: str, given: Sequence[Order]) -> None:
        """Carry out what a link orders."""
        with self._lock:
            for each in given:
                match each:
                    case Run(jobs):
                        self._take_in(session, owner, jobs)
                    case End(attempts):
                        # Also if another owner has claimed it meanwhile: that it is to end is stored.
                        self._end(attempts)
                    case Stored(attempts):
                        for attempt in self._of(owner, attempts):
                            self._forget(attempt)
                    case Want(shape, count):
                        self._want(session, shape, count)

    def claim(self, claim: Following) -> list[Job]:
        """Let a link follow attempts; return those that are here. Those that are not, will not come later."""
        with self._lock:
            wanted = set(claim.attempts)
            found = []
            for attempt in wanted:
                held = self._held.get(attempt)
                if held is None:
                    self._refused.append(attempt)
                    continue
                held.session, held.owner = claim.session, claim.owner
                found.append(held.job)
                self._tell_again(attempt, held)
            if claim.only:
                # Not what this very link has handed over: its orders may be here before its claim.
                self._end(
                    [
                        each
                        for each, held in self._held.items()
                        if claim.owner in {"", held.owner}
                        and held.session != claim.session
                        and each not in wanted
                    ]
                )
            self._stir()
            return found

    def tell(self, session: str, heard: int, wait: float) -> Told:
        """Return what a link has not been told yet, as soon as there is something. What it has not heard is told once more."""
        with self._lock:
            box = self._box(session)
            box.heard(heard, wait)
            box.stirred.wait_for(lambda: box.is_full, wait)
            queued = sum(map(len, self._queues.values()))
            if queued > MANY:
                # One message for many of them: each costs every process on the way as much as an attempt.
                box.gather(max(MANY, queued // 4), GATHER)
            return box.next(self._slots)

    def leave(self, session: str) -> bool:
        """Let a link leave. If nothing is here, and nobody else has asked lately, end everything, and return True."""
        with self._lock:
            if session in self._boxes:
                self._drop_session(session)
            lately = time.monotonic() - ASKS
            if self._held or any(box.asked > lately for box in self._boxes.values()):
                return False
        self.close()
        return True

    def close(self) -> None:
        """End everything."""
        self._pool.close()
        if self._objects is not None:
            self._objects.close()
        with self._lock:
            for slots in self._slots.values():
                for slot in slots:
                    slot.reservation.release()
            self._slots.clear()

    # ---- attempts; all with the lock ----

    def _take_in(self, session: str, owner: str, jobs: Sequence[Job]) -> None:
        shapes = set()
        for job in jobs:
            attempt = Attempt(job.key, job.node, job.attempt)
            if attempt in self._held or attempt in self._refused:
                continue
            held = self._held[attempt] = _Held(job, session, owner)
            # In an object store it is put by this node, and not told.
            held.has_log = self._objects is None
            self._busy.set()
            shape = shape_of(job.requires)
            self._queues.setdefault(shape, deque()).append(attempt)
            shapes.add(shape)
        for shape in shapes:
            self._start_next(shape)
            self._reserve_more(shape)

    def _start_next(self, shape: Shape) -> None:
        """Start attempts for which something is reserved."""
        queue, starting = self._queues.get(shape), []
        for slot in self._slots.get(shape, ()) if queue else ():
            if slot.idle_since is None:
                continue
            while queue and (held := self._held.get(queue[0])) is None:
                queue.popleft()
            if not queue:
                break
            held = self._held[queue.popleft()]
            held.slot, slot.idle_since = slot, None
            starting.append(_placed(held.job, slot.reservation.environment))
        if starting:
            self._pool.submit(starting)

    def _of(self, owner: str, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Return those that another owner has not claimed meanwhile."""
        held = ((each, self._held.get(each)) for each in attempts)
        return [each for each, found in held if found is None or found.owner == owner]

    def _end(self, attempts: Sequence[Attempt]) -> None:
        for attempt in attempts:
            held = self._held.get(attempt)
            if held is None:
                self._refused.append(attempt)
                continue
            if held.slot is not None and held.ended is None:
                self._pool.cancel(*attempt)
            self._forget(attempt)

    def _forget(self, attempt: Attempt) -> None:
        held = self._held.pop(attempt, None)
        if held is None:
            return
        job = held.job
        if held.has_log:
            with suppress(OSError):
                self._logs.path(job.id, job.node, job.attempt).unlink(missing_ok=True)
        self._free(held)

    def _free(self, held: _Held) -> None:
        """Give the reservation of an attempt to the next one."""
        slot, held.slot = held.slot, None
        if slot is not None:
            slot.idle_since = time.monotonic()
            self._start_next(shape_of(held.job.requires))

    def _tell_again(self, attempt: Attempt, held: _Held) -> None:
        """Tell a new link what an earlier one may have been told."""
        box = self._box(held.session)
        held.printed = held.published = 0
        if held.began is not None:
            box.reports.append(held.began)
        if held.ended is not None:
            self._tell_end(attempt, held, held.ended)

    def _tell_end(self, attempt: Attempt, held: _Held, report: Report) -> None:
        box, job = self._box(held.session), held.job
        if held.has_log:
            try:
                body = self._logs.path(job.id, job.node, job.attempt).read_bytes()
                box.printed.append(Printed(job.id, job.node, attempt.number, body, whole=True))
            except (
                OSError
            ):  # it has printed nothing; or that cannot be read, which does not stop it
                held.has_log = False
        box.reports.append(report)

    # ---- reports of the workers, on their thread ----

    def _hear(self, reports: Sequence[Report]) -> None:
        with self._lock:
            for report in reports:
                attempt = Attempt(report.key, report.node, report.attempt)
                held = self._held.get(attempt)
                if held is None:
                    continue
                match report.outcome:
                    case Began():
                        held.began = report
                        self._box(held.session).reports.append(report)
                    case Elsewhere():
                        named = structs.replace(report, job=held.job)
                        self._box(held.session).reports.append(named)
                    case Hindered():
                        # It comes again, under the same number.
                        named = structs.replace(report, job=held.job)
                        self._box(held.session).reports.append(named)
                        self._forget(attempt)
                    case _:
                        held.ended = report
                        self._tell_end(attempt, held, report)
                        self._free(held)
            self._stir()

    # ---- reservations ----

    def _want(self, session: str, shape: Shape, count: int) -> None:
        if count:
            self._wants[session, shape] = count
        else:
            self._wants.pop((session, shape), None)
        self._reserve_more(shape)

    def _wanted(self, shape: Shape) -> int:
        """Return how many reservations of a shape have a use."""
        here = sum(1 for s in self._slots.get(shape, ()) if s.idle_since is None)
        here += len(self._queues.get(shape, ()))
        lately = time.monotonic() - ASKS
        there = sum(
            count
            for (session, which), count in self._wants.items()
            if which == shape and self._box(session).asked > lately
        )
        return min(here + there, shape.count_in(self._node.total))

    def _reserve_more(self, shape: Shape) -> None:
        there = len(self._slots.get(shape, ())) + self._pending.get(shape, 0)
        for _ in range(min(self._wanted(shape), PENDING) - there):
            self._pending[shape] = self._pending.get(shape, 0) + 1
            threading.Thread(target=self._reserve, args=(shape,), daemon=True).start()

    def _reserve(self, shape: Shape) -> None:
        """Wait for one reservation, as long as it has a use. In a thread of its own, because Ray blocks."""
        reservation = None
        try:
            reservation = self._node.reserve(shape)
            while not reservation.wait(1.0):
                with self._lock:
                    if self._wanted(shape) <= len(self._slots.get(shape, ())):
                        break
            else:
                with self._lock:
                    self._slots.setdefault(shape, []).append(Slot(reservation))
                    self._busy.set()
                    reservation = None
                    self._start_next(shape)
        except Exception as error:  # noqa: BLE001 - whatever Ray raises: the link is told, and holds what wants it
            with self._lock:
                for box in self._boxes.values():
                    box.failed[shape] = f"{type(error).__name__}: {error}"
        finally:
            with self._lock:
                self._pending[shape] -= 1
                for box in self._boxes.values():
                    box.is_news = True
                self._stir()
            if reservation is not None:
                reservation.release()

    # ---- what goes on beside ----

    def _tend(self) -> None:
        """Tell what running attempts print; give up reservations without a use."""
        while True:
            if self._busy.wait(IDLE):
                time.sleep(TICK)
            with self._lock:
                self._follow()
                given_up = self._give_up()
                now = time.monotonic()
                if now > self._called + CALLS:
                    self._called = now
                    self._call_for_owners()
                for session, box in list(self._boxes.items()):
                    if now > box.asked + FORSAKEN:
                        self._drop_session(session)
                if not (self._held or self._slots):
                    self._busy.clear()
                idle = not (self._boxes or self._busy.is_set())
            for each in given_up:
                each.release()
            if idle and now > self._last_asked + FORSAKEN:
                self._forsaken()
                return

    _last_asked = _called = time.monotonic()

    def _call_for_owners(self) -> None:
        asking = {session for session, box in self._boxes.items() if box.is_asked}
        unclaimed = [each for each, held in self._held.items() if held.session not in asking]
        for session in asking if unclaimed else ():
            self._boxes[session].unclaimed = unclaimed
        self._stir()

    def _drop_session(self, session: str) -> None:
        del self._boxes[session]
        for key in [key for key in self._wants if key[0] == session]:
            del self._wants[key]

    def _give_up(self) -> list[Reservation]:
        found, now = [], time.monotonic()
        for shape, slots in list(self._slots.items()):
            keep = self._wanted(shape)
            for slot in slots.copy():
                idle = slot.idle_since is not None and now > slot.idle_since + LINGER
                if idle and len(slots) > keep:
                    slots.remove(slot)
                    found.append(slot.reservation)
            if not slots:
                del self._slots[shape]
        if found:
            for box in self._boxes.values():
                box.is_news = True
            self._stir()
        return found

    def _follow(self) -> None:
        told = False
        for attempt, held in self._held.items() if self._objects is None else ():
            if held.slot is None or held.ended is not None:
                continue
            box = self._box(held.session)
            for found in self._shown(attempt, held):
                told = True
                if isinstance(found, Printed):
                    box.printed.append(found)
                else:
                    box.published.append(found)
        if told:
            self._stir()

    def _shown(self, attempt: Attempt, held: _Held) -> Iterator[Printed | Published]:
        """Yield what a running attempt has printed and published since the last time."""
        job = held.job
        whose = job.id, job.node, job.attempt
        with suppress(OSError):
            start, body = _piece(self._logs.live_path(*whose), held.printed)
            held.printed = start + len(body)
            if body:
                yield Printed(job.id, job.node, attempt.number, body, start)
        at = self._logs.published_at(*whose)
        if at != held.published and (page := self._logs.read_published(*whose)) is not None:
            held.published = at
            yield Published(job.id, job.node, attempt.number, page)

    def _box(self, session: str) -> Box:
        self._last_asked = time.monotonic()
        found = self._boxes.get(session)
        if found is None:
            found = self._boxes[session] = Box(self._lock)
        return found

    def _stir(self) -> None:
        for box in self._boxes.values():
            box.stir()


def make_home(home: Path, store: Path | None = None) -> None:
    """Make the directory of a keeper. New blobs go straight to the store's directory, if there is one, by which the owner reads them."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = home.stat(follow_symlinks=False)
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{home} belongs to somebody else, or is open to others: remove it")
    if store is not None:
        with suppress(FileExistsError):
            (home / BLOBS).symlink_to(store / BLOBS)


def _placed(job: Job, environment: dict[str, str]) -> Job:
    """Return an attempt with the variables of its reservation."""
    if not environment:
        return job
    requires = structs.replace(
        job.requires, environment={**environment, **job.requires.environment}
    )
    return structs.replace(job, requires=requires)


def _piece(path: Path, begin: int) -> tuple[int, bytes]:
    """Return where to read on in a file, and what is there; the file may have been shortened."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = begin if begin <= size else 0
        file.seek(begin)
        return begin, file.read(PIECE)
