"""
One worker process, as its supervisor sees it: started, fed, listened to, ended.

All methods are called by the supervisor's one thread, and none of them blocks.
"""

import os
import signal
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, suppress
from pathlib import Path

from msgspec import Struct

from tidegate.disk import remove_tree
from tidegate.errors import CodeError
from tidegate.executors.frames import LENGTH, Assignment, Frames, Setup, Up, pack, up
from tidegate.executors.nursery import Nursery
from tidegate.ir.graph import Target
from tidegate.ports.executor import Job

CHUNK = 64 * 1024
FOREVER = float("inf")


class Query(Struct, frozen=True, eq=False):
    """A question about code, for a worker to answer: `ask` makes the assignment of a number."""

    bundle: str
    about: str
    ask: Callable[[int], Assignment]
    answer: Future[Up]
    timeout: float


def refuse(query: Query, why: str, trace: str = "") -> None:
    """Tell whoever asks a question that it is not answered, and why; `trace` is what was printed."""
    with suppress(InvalidStateError):  # they were told already
        query.answer.set_exception(
            CodeError(f"{query.about}: {why}", **({"trace": trace} if trace else {}))
        )


class Ticket(Struct, eq=False):
    """An assignment that was sent. `since` is when it can have begun at the earliest, by the monotonic clock, in seconds."""

    number: int
    work: Job | Query
    since: float = FOREVER
    deadline: float = FOREVER
    announced: bool = False
    """It was time to say that it has begun."""
    began: bool = False
    looked: float = FOREVER
    """When it was looked at how much it has written."""
    look: float = FOREVER
    """When it is looked at next how much that is."""
    printed: int = 0
    """How much it had printed then."""
    kept: int | None = None
    """How much was in its directory then, if that counted."""
    weigh: float = FOREVER
    """When it is looked at next how much memory it uses."""
    live: Path | None = None

    def unlink_live(self) -> None:
        """Let nobody find what the attempt prints while it runs."""
        if self.live is not None:
            with suppress(OSError):
                self.live.unlink()
            self.live = None


class Child:
    """A worker of one bundle. `tickets` are those that it has not reported on, in the order in which it takes them."""

    def __init__(
        self, number: int, bundle: str, setup: Setup, scratch: Path, nursery: Nursery
    ) -> None:
        self.number = number
        self.bundle = bundle
        self.process: int | None = None
        """The number that the system has given it, once it is born."""
        self.code: int | None = None
        """Its exit code, negative for a signal, once it has ended."""
        self.tickets: deque[Ticket] = deque()
        self.ready = False
        self.quick = False
        """Its last attempt was over in a moment."""
        self.loaded: set[Target] = set()
        """Tasks whose code is imported there."""
        self.idle_since = FOREVER
        self.kill_at = FOREVER
        """When it is killed, for it was told to end; it gets nothing to do any more."""
        self.kills = 0
        """How often that was tried."""
        self.asked = FOREVER
        """When the forker was asked for it."""
        self.events = 0
        """What the selector looks for in its stream; 0 if it is not listened to."""
        self.hired = FOREVER
        """When it was up."""
        self.scratch = scratch
        self._nursery = nursery
        self._assigned = 0
        self._unsent = bytearray()
        self._permitted = bytearray()
        self._frames = Frames()
        # As of the nursery: nothing is kept of what could not be started.
        with ExitStack() as undo:
            self.printed = os.open(
                scratch, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600
            )
            undo.callback(remove_scratch, scratch)
            undo.callback(os.close, self.printed)
            self.stream, theirs = socket.socketpair()
            undo.callback(self.stream.close)
            undo.callback(theirs.close)
            self._permits, self._giving = os.pipe()
            undo.callback(os.close, self._permits)
            undo.callback(os.close, self._giving)
            os.set_blocking(self._permits, False)
            os.set_blocking(self._giving, False)
            self.stream.setblocking(False)
            nursery.bear(number, (theirs.fileno(), self._permits, self.printed))
            undo.pop_all()
        theirs.close()
        self._unsent += pack(setup)
        self.flush()

    @property
    def ending(self) -> bool:
        """It was told to end."""
        return self.kill_at < FOREVER

    @property
    def unsent(self) -> bool:
        """Frames wait for room in the stream."""
        return bool(self._unsent)

    def assign(self, work: Job | Query, frame: Callable[[int], bytes]) -> Ticket:
        """Add an assignment; it goes out with `flush`."""
        self._assigned += 1
        self._unsent += frame(self._assigned)
        self._permitted += self._assigned.to_bytes(LENGTH)
        ticket = Ticket(self._assigned, work)
        self.tickets.append(ticket)
        return ticket

    def take_back(self) -> list[Ticket]:
        """
        Take back every assignment that the worker has not begun, and return them.

        If one of the rest was begun after another, the report on that other can be heard by now.
        """
        try:
            taken = os.read(self._permits, CHUNK)
        except BlockingIOError:
            return []
        first = int.from_bytes(taken[:LENGTH])
        back = [ticket for ticket in self.tickets if ticket.number >= first]
        for _ in back:
            self.tickets.pop()
        return back

    def flush(self) -> None:
        """Send what the stream has room for, and the permits."""
        try:
            while self._unsent:
                del self._unsent[: self.stream.send(self._unsent)]
        except BlockingIOError:
            pass  # the rest goes when there is room
        except OSError:
            # It has ended, and that will be heard.
            self._unsent.clear()
        # Last, for it is they that wake the worker.
        if self._permitted:
            os.write(self._giving, self._permitted)
            self._permitted.clear()

    def hear(self) -> list[Up]:
        """
        Return all that the worker has said since.

        Errors: `ValueError`, `msgspec.DecodeError` if that makes no sense; `EOFError` if it will never say more.
        """
        said: list[Up] = []
        while True:
            try:
                chunk = self.stream.recv(CHUNK)
            except BlockingIOError:
                return said
            except OSError:
                chunk = b""
            if not chunk:
                if said:
                    return said
                raise EOFError
            said.extend(up.decode(body) for body in self._frames.feed(chunk))

    def end(self, kill_at: float) -> None:
        """Ask it, and all that it has started, to end; it has time until `kill_at`."""
        self.kill_at = min(self.kill_at, kill_at)
        self._nursery.signal(self.number, signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all that it has started."""
        self._nursery.signal(self.number, signal.SIGKILL)

    def close(self) -> None:
        """Let go of everything, once it has ended."""
        self.stream.close()
        for descriptor in (self._permits, self._giving, self.printed):
            os.close(descriptor)
        remove_scratch(self.scratch)
        remove_scratch(working_directory(self.scratch))


def working_directory(scratch: Path) -> Path:
    """Return the directory in which the attempts work whose worker prints into this file."""
    return scratch.with_suffix(".d")


def remove_scratch(path: Path) -> None:
    """Remove a file, or a directory with all in it, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        with suppress(OSError):
            remove_tree(str(path))
    else:
        with suppress(OSError):
            path.unlink()
