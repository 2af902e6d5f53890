"""
The link: the process in which an owner of a store is a driver of a Ray cluster.

It is a process of its own because Ray ends a driver whose cluster goes away, and because what a cluster sends may be a pickle. It holds nothing that its
end would lose: what waits is the owner's, what was handed out is its keeper's.

Rule 1: an attempt is handed to a keeper that has a reservation of its shape, with a few behind it if such attempts take only a moment.
Rule 2: the owner is told before an attempt is handed out. So it knows which ones a link that has ended may have handed out.
Rule 3: an attempt is gone when its keeper is, or when a keeper that may have it says that it has not.
"""

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import Any, NoReturn, assert_never

import ray
from msgspec import Struct

from tidegate.executors.cluster.connecting import Unusable, connect, reach
from tidegate.executors.cluster.members import Member, Members
from tidegate.executors.cluster.protocol import (
    Cancel,
    Claim,
    Claimed,
    Connected,
    Drain,
    End,
    Forget,
    Give,
    Gone,
    Handing,
    Leave,
    Recall,
    Recalled,
    Release,
    Run,
    Shape,
    Stored,
    Told,
    Unable,
    Unconnected,
    Want,
    Wish,
    Word,
    pack,
    shape_of,
    wishes,
)
from tidegate.executors.cluster.settings import Linked, environment_key, linked
from tidegate.executors.frames import LENGTH, Frames
from tidegate.ports.executor import (
    ENVIRONMENT,
    NO_WORKER,
    TOO_LARGE,
    Attempt,
    Began,
    Elsewhere,
    Hindered,
    Job,
)

AHEAD = 0.05
"""Seconds of work that may wait behind each reservation, going by how long the last attempts took."""
MOST_AHEAD = 64
"""Most attempts that wait behind one reservation: with what forking each takes, some 0.2 s of work. Fewer make messages small, and a message costs as much as an attempt."""
CHUNK = 64 * 1024
LOOK = 2.0
"""Seconds between two looks at which nodes there are."""
MISSES = 2
"""How many looks in a row may find nobody; a cluster that restarts its head is back after some."""
ANSWERS = 30.0
"""Seconds in which the cluster must say which nodes there are; else it is gone."""
SPREAD = 1.0
"""Seconds after which nodes without a reservation are asked for what still waits."""


class _Line(Struct):
    """What waits for reservations of one shape, in one environment. `took` is about how many seconds the last attempts took."""

    waiting: deque[Job]
    took: float = 1.0


Kind = tuple[str, Shape]


class Link:
    """The link, on the one thread of its event loop."""

    def __init__(self, given: Linked, stream: socket.socket) -> None:
        self._given = given
        self._stream = stream
        self._stirred = asyncio.Event()
        self._members = Members(given, self._stirred.set)
        self._nodes: dict[str, dict[str, float]] = {}
        self._lines: dict[Kind, _Line] = {}
        self._environments: dict[str, dict[str, Any]] = {}
        self._where: dict[Attempt, tuple[Member, Job]] = {}
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve the owner until it is gone, or the cluster."""
        await self._look_at_nodes()
        self._say(Connected(list(self._nodes.values())))
        for work in (self._watch_nodes(), self._place()):
            self._begin(work)
        await self._listen()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(f"{type(error).__name__}: {error}")

    def _fail(self, why: str) -> NoReturn:
        with suppress(OSError):
            self._say(Unconnected(why))
        os._exit(1)

    def _say(self, word: Word) -> None:
        body = pack(word)
        # It blocks if the owner does not read: then nothing else has to be done either.
        self._stream.sendall(len(body).to_bytes(LENGTH) + body)

    # ---- the owner ----

    async def _listen(self) -> None:
        frames, readable = Frames(), asyncio.Event()
        asyncio.get_running_loop().add_reader(self._stream, readable.set)
        while await readable.wait():
            readable.clear()
            try:
                # What is written blocks, so the descriptor does.
                chunk = self._stream.recv(CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                continue
            if not chunk:
                return
            for body in frames.feed(chunk):
                if await self._heed(wishes.decode(body)):
                    return

    async def _heed(self, wish: Wish) -> bool:
        """Carry out a wish; return whether it was the last."""
        match wish:
            case Give(jobs):
                self._queue(jobs)
            case Cancel(attempts):
                self._cancel(attempts)
            case Forget(attempts):
                self._forget(attempts)
            case Claim(attempts, only):
                self._begin(self._claim(attempts, only=only))
            case Recall(attempts):
                self._say(Recalled(self._take_back(attempts)))
            case Release(attempts):
                self._take_back(attempts)
                for attempt in attempts:
                    if (found := self._where.pop(attempt, None)) is not None:
                        self._left(*found)
            case Drain():
                self._draining = True
            case Leave():
                await self._members.leave()
                return True
            case _:
                assert_never(wish)
        self._stirred.set()
        return False

    def _queue(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            key = environment_key(job.requires.runtime_env)
            self._environments.setdefault(key, job.requires.runtime_env)
            kind = key, shape_of(job.requires)
            self._lines.setdefault(kind, _Line(deque())).waiting.append(job)

    def _take_back(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Take attempts out of what waits; return those that were there."""
        unwanted, found = set(attempts), []
        for line in self._lines.values():
            found += [each for job in line.waiting if (each := _attempt(job)) in unwanted]
            kept = [job for job in line.waiting if _attempt(job) not in unwanted]
            if len(kept) < len(line.waiting):
                line.waiting = deque(kept)
        return found

    def _cancel(self, attempts: Sequence[Attempt]) -> None:
        self._take_back(attempts)
        anywhere = [each for each in attempts if each not in self._where]
        for attempt in attempts:
            found = self._where.pop(attempt, None)
            if found is not None:
                self._left(*found)
                found[0].order(End([attempt]))
        if anywhere:
            for member in self._members.living():
                member.order(End(anywhere))

    def _forget(self, attempts: Sequence[Attempt]) -> None:
        by_member: dict[Member, list[Attempt]] = {}
        for attempt in attempts:
            found = self._where.pop(attempt, None)
            if found is not None:
                by_member.setdefault(found[0], []).append(attempt)
        for member, theirs in by_member.items():
            member.order(Stored(theirs))

    async def _claim(self, attempts: list[Attempt], *, only: bool) -> None:
        """Find out which keepers have these attempts, and follow them."""
        members = await self._members.find()
        found = await asyncio.gather(*(self._claim_from(m, attempts, only=only) for m in members))
        there = set().union(*found)
        if gone := [each for each in attempts if each not in there]:
            self._say(Gone(gone))

    async def _claim_from(
        self, member: Member, attempts: list[Attempt], *, only: bool
    ) -> list[Attempt]:
        if member.rises is not None:
            await member.rises
        if member.trouble:
            return []
        self._follow(member)
        theirs = await member.claim(attempts, only=only) or []
        for job in theirs:
            attempt = _attempt(job)
            self._where[attempt] = member, job
            # Its end may have been told by now.
            member.out[shape_of(job.requires)] += attempt not in member.ended
        self._say(Claimed(theirs))
        self._stirred.set()
        return [_attempt(job) for job in theirs]

    # ---- keepers ----

    def _follow(self, member: Member) -> None:
        if not member.followed:
            member.followed = True
            self._begin(self._hear(member))
            self._begin(member.send())

    async def _hear(self, member: Member) -> None:
        """Pass on what a keeper tells, until it is gone."""
        while (told := await member.tell()) is not None:
            self._take_in(member, told)
            self._stirred.set()
        self._members.drop(member)
        gone = [attempt for attempt, (whose, _) in self._where.items() if whose is member]
        for attempt in gone:
            del self._where[attempt]
        if gone:
            # Its workers have noticed by now that it is gone, and have ended what ran.
            await asyncio.sleep(1.0)
            self._say(Gone(gone))
        self._stirred.set()

    def _take_in(self, member: Member, told: Told) -> None:
        for shape, count in told.slots:
            member.slots[shape] = count
        for shape in [each for each in member.slots if each not in dict(told.slots)]:
            del member.slots[shape]
        news = told.news
        for report in news.reports:
            attempt = Attempt(report.key, report.node, report.attempt)
            if isinstance(report.outcome, Began | Elsewhere):
                continue
            found = self._where.get(attempt)
            if found is None:
                member.ended.add(attempt)
                continue
            self._left(*found)
            self._where[attempt] = member, found[1]
            shape = shape_of(found[1].requires)
            line = self._lines.get((member.environment, shape))
            if line is not None:
                line.took += (report.took / 1e6 - line.took) / 4
            if isinstance(report.outcome, Hindered):
                del self._where[attempt]
        if news.reports or news.printed or news.published or news.unclaimed:
            self._say(news)
        for shape, why in told.failed:
            self._refuse((member.environment, shape), NO_WORKER, f"nothing can be reserved: {why}")

    def _left(self, member: Member, job: Job) -> None:
        """Count an attempt as ended; once."""
        attempt = _attempt(job)
        if attempt not in member.ended:
            member.ended.add(attempt)
            member.out[shape_of(job.requires)] -= 1
        if len(member.ended) > 50_000:
            member.ended.intersection_update(self._where)

    # ---- nodes ----

    async def _look_at_nodes(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            found = await asyncio.wait_for(loop.run_in_executor(None, ray.nodes), ANSWERS)
        except TimeoutError:
            self._fail("the Ray cluster no longer answers")
        alive = {each["NodeID"]: each["Resources"] for each in found if each["Alive"]}
        if alive.keys() != self._nodes.keys():
            changed, self._nodes = bool(self._nodes), alive
            if changed:
                self._say(Connected(list(alive.values())))
            self._stirred.set()

    async def _watch_nodes(self) -> None:
        loop, missed = asyncio.get_running_loop(), 0
        while True:
            await asyncio.sleep(LOOK)
            try:
                # Ray itself needs a minute to notice.
                await loop.run_in_executor(None, reach, self._given.address)
            except Unusable as error:
                missed += 1
                if missed == MISSES:
                    self._fail(error.why)
                continue
            missed = 0
            await self._look_at_nodes()

    # ---- handing out ----

    async def _place(self) -> None:
        while True:
            # Again after a while, because nodes that were not asked at first may be by then.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stirred.wait(), SPREAD if self._waits() else None)
            self._stirred.clear()
            for kind, line in list(self._lines.items()):
                if line.waiting and not self._draining:
                    self._place_line(kind, line)
                self._want(kind, line)
                if not line.waiting:
                    self._tidy(kind)

    def _waits(self) -> bool:
        return any(line.waiting for line in self._lines.values())

    def _tidy(self, kind: Kind) -> None:
        if len(self._lines) > 1000:
            del self._lines[kind]

    def _place_line(self, kind: Kind, line: _Line) -> None:
        environment, shape = kind
        fitting = [n for n, total in self._nodes.items() if shape.count_in(total)]
        if not fitting:
            self._refuse(kind, TOO_LARGE, self._too_large(shape))
            return
        troubled = []
        for node in fitting:
            member = self._members.get(node, environment, self._environments[environment])
            if member.trouble:
                troubled.append(member)
            if member.trouble or not member.is_up:
                continue
            self._follow(member)
            self._hand_out(member, shape, line)
            if not line.waiting:
                return
        if len(troubled) == len(fitting):
            first = troubled[0]
            is_made = environment and first.code == NO_WORKER
            self._refuse(kind, ENVIRONMENT if is_made else first.code, first.trouble)

    def _hand_out(self, member: Member, shape: Shape, line: _Line) -> None:
        ahead = min(MOST_AHEAD, int(AHEAD / max(line.took, 1e-4)))
        room = member.slots.get(shape, 0) * (1 + ahead) - member.out[shape]
        jobs = [line.waiting.popleft() for _ in range(min(room, len(line.waiting)))]
        if not jobs:
            return
        self._say(Handing([_attempt(job) for job in jobs]))
        for job in jobs:
            self._where[_attempt(job)] = member, job
            member.ended.discard(_attempt(job))
        member.out[shape] += len(jobs)
        member.order(Run(jobs))

    def _want(self, kind: Kind, line: _Line) -> None:
        environment, shape = kind
        count = 0 if self._draining else len(line.waiting)
        for member in self._members.living():
            if member.environment == environment and member.followed:
                wanted = min(count, shape.count_in(self._nodes.get(member.node, {})))
                if member.wanted.get(shape, 0) != wanted:
                    member.wanted[shape] = wanted
                    member.order(Want(shape, wanted))

    def _too_large(self, shape: Shape) -> str:
        wanted = ", ".join(f"{_amount(n, v)}" for n, v in shape.resources().items())
        return (
            f"no node of the Ray cluster has {wanted} together: it starts once one joins that has"
        )

    def _refuse(self, kind: Kind, code: str, why: str) -> None:
        line = self._lines.get(kind)
        while line is not None and line.waiting:
            self._say(Unable(_attempt(line.waiting.popleft()), code, why))


def _amount(name: str, value: float) -> str:
    return f"{value / 2**30:.3g} GiB of memory" if name == "memory" else f"{value:g} {name}"


def _attempt(job: Job) -> Attempt:
    return Attempt(job.key, job.node, job.attempt)


async def _serve(given: Linked, stream: socket.socket) -> None:
    link = Link(given, stream)
    await link.run()


def main() -> None:
    """Be the link of the owner at the other end of a socket."""
    stream = socket.socket(fileno=int(sys.argv[1]))
    given = linked.decode(sys.argv[2])
    try:
        connect(given)
    except Unusable as error:
        body = pack(Unconnected(error.why, error.refused))
        with suppress(OSError):
            stream.sendall(len(body).to_bytes(LENGTH) + body)
        os._exit(0)
    with suppress(KeyboardInterrupt, OSError):
        asyncio.run(_serve(given, stream))
    # Ray's own shutdown waits for what no longer matters.
    os._exit(0)


if __name__ == "__main__":
    main()
