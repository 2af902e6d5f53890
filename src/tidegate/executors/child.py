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
from tidegate.executors.fork_server import ForkServer
from tidegate.executors.frames import LENGTH, Assignment, Frames, Setup, Up, pack, up
from tidegate.ir.graph import Target
from tidegate.ports.executor import Job

CHUNK = 64 * 1024
FOREVER = float("inf")


class Query(Struct, frozen=True, eq=False):
    """A question about code, for a worker to answer: `ask` makes the assignment with a number."""

    bundle: str
    about: str
    ask: Callable[[int], Assignment]
    answer: Future[Up]
    timeout: float


def refuse(query: Query, why: str, trace: str = "") -> None:
    """Fail a question, saying why; `trace` is its output."""
    with suppress(InvalidStateError):  # they were told already
        query.answer.set_exception(
            CodeError(f"{query.about}: {why}", **({"trace": trace} if trace else {}))
        )


class Ticket(Struct, eq=False):
    """An assignment that was sent. `since` is when it can have started at the earliest, by the monotonic clock, in seconds."""

    number: int
    work: Job | Query
    since: float = FOREVER
    deadline: float = FOREVER
    announced: bool = False
    """It was time to report that it has started."""
    began: bool = False
    looked: float = FOREVER
    """When it was last checked how much it has written."""
    look: float = FOREVER
    """When that is checked next."""
    printed: int = 0
    """How much it had printed then."""
    kept: int | None = None
    """How much was in its directory then, if that counted."""
    weigh: float = FOREVER
    """When its memory is checked next."""
    live: Path | None = None

    def unlink_live(self) -> None:
        """Hide the output of the running attempt."""
        if self.live is not None:
            with suppress(OSError):
                self.live.unlink()
            self.live = None


class Child:
    """A worker of one bundle. `tickets` are the assignments it has not reported on, in order."""

    def __init__(
        self, number: int, bundle: str, setup: Setup, scratch: Path, fork_server: ForkServer
    ) -> None:
        self.number = number
        self.bundle = bundle
        self.process: int | None = None
        """Its process id, once it has started."""
        self.code: int | None = None
        """Its exit code, negative for a signal, once it has ended."""
        self.tickets: deque[Ticket] = deque()
        self.ready = False
        self.quick = False
        """Its last attempt took only a moment."""
        self.loaded: set[Target] = set()
        """Tasks whose code is imported there."""
        self.idle_since = FOREVER
        self.kill_at = FOREVER
        """When it is killed after having been told to end; it gets no further assignments."""
        self.kills = 0
        """How many times that was tried."""
        self.asked = FOREVER
        """When the fork server was asked for it."""
        self.events = 0
        """What the selector watches on its stream; 0 if it does not."""
        self.hired = FOREVER
        """When it was up."""
        self.scratch = scratch
        self._fork_server = fork_server
        self._assigned = 0
        self._unsent = bytearray()
        self._permitted = bytearray()
        self._frames = Frames()
        # As in the fork server's client: nothing is kept of what could not be started.
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
            fork_server.fork(number, (theirs.fileno(), self._permits, self.printed))
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
        """Frames are waiting for room in the stream."""
        return bool(self._unsent)

    def assign(self, work: Job | Query, frame: Callable[[int], bytes]) -> Ticket:
        """Add an assignment; it is sent by `flush`."""
        self._assigned += 1
        self._unsent += frame(self._assigned)
        self._permitted += self._assigned.to_bytes(LENGTH)
        ticket = Ticket(self._assigned, work)
        self.tickets.append(ticket)
        return ticket

    def take_back(self) -> list[Ticket]:
        """
        Take back every assignment that the worker has not started, and return them.

        If one of the rest was started after another, the report on that other is already available.
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
            # It has ended, which the selector will notice.
            self._unsent.clear()
        # Last, because permits wake the worker.
        if self._permitted:
            os.write(self._giving, self._permitted)
            self._permitted.clear()

    def hear(self) -> list[Up]:
        """
        Return everything that the worker has reported since.

        Errors: `ValueError`, `msgspec.DecodeError` for invalid data; `EOFError` if nothing more will come.
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
        """Ask it, and everything it has started, to end; it has time until `kill_at`."""
        self.kill_at = min(self.kill_at, kill_at)
        self._fork_server.signal(self.number, signal.SIGTERM)

    def kill(self) -> None:
        """Kill it, and everything it has started."""
        self._fork_server.signal(self.number, signal.SIGKILL)

    def close(self) -> None:
        """Release its resources, once it has ended."""
        self.stream.close()
        for descriptor in (self._permits, self._giving, self.printed):
            os.close(descriptor)
        remove_scratch(self.scratch)
        remove_scratch(working_directory(self.scratch))


def working_directory(scratch: Path) -> Path:
    """Return the working directories of the attempts whose worker prints into this file."""
    return scratch.with_suffix(".d")


def remove_scratch(path: Path) -> None:
    """Remove a file, or a directory with its contents, as far as possible."""
    if path.is_dir() and not path.is_symlink():
        with suppress(OSError):
            remove_tree(str(path))
    else:
        with suppress(OSError):
            path.unlink()
