"""
One worker process, as its supervisor sees it: started, fed, listened to, ended, buried.

All methods are called by the supervisor's one thread, and none of them blocks but `bury`, which waits for a process that has ended.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tidegate.executors import sentinel
from tidegate.executors.frames import LENGTH, Assignment, Frames, Setup, Up, pack, up
from tidegate.ports import Job

CHUNK = 1024 * 1024
FOREVER = float("inf")


class Query(Struct, frozen=True, eq=False):
    """A question about code, for a worker to answer: `ask` makes the assignment of a number."""

    bundle: str
    about: str
    ask: Callable[[int], Assignment]
    answer: Future[Up]
    timeout: float


class Ticket(Struct, eq=False):
    """An assignment that was sent. `since` is when it can have begun at the earliest, by the monotonic clock, in seconds."""

    number: int
    work: Job | Query
    expected: float
    since: float = FOREVER
    deadline: float = FOREVER
    announced: bool = False
    live: Path | None = None


class Child:
    """A worker of one bundle. `tickets` are those that it has not reported on, in the order in which it takes them."""

    def __init__(self, bundle: str, setup: Setup, scratch: Path, now: float) -> None:
        self.bundle = bundle
        self.tickets: deque[Ticket] = deque()
        self.ready = False
        self.idle_since = now
        self.kill_at = FOREVER
        """When it is killed, for it was told to end; it gets nothing to do any more."""
        self.events = 0
        """What the selector looks for in its stream; 0 if it is not listened to."""
        self.hired = now
        """When it was started."""
        self.exit: int | None = None
        """A descriptor that is readable once the process has ended, where the system has such a thing."""
        self.scratch = scratch
        self._number = 0
        self._unsent = bytearray()
        self._permitted = bytearray()
        self._frames = Frames()
        self.printed = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC, 0o600)
        self.stream, theirs = socket.socketpair()
        self._permits, self._giving = os.pipe()
        os.set_blocking(self._permits, False)
        os.set_blocking(self._giving, False)
        self.stream.setblocking(False)
        given = (theirs.fileno(), self._permits)
        # -P: the directory we were started in is not the user's source tree; the bundle is.
        command = [sys.executable, "-P", "-m", "tidegate.executors.worker", *map(str, given)]
        try:
            # A session of its own: the terminal's interrupt does not reach it, and one signal reaches all that it starts.
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=self.printed,
                stderr=self.printed,
                pass_fds=given,
                start_new_session=True,
            )
        except OSError:
            self.close()
            raise
        finally:
            theirs.close()
        self.pid = self._process.pid
        self.exit = _exit_descriptor(self.pid)
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

    def assign(self, work: Job | Query, expected: float, frame: Callable[[int], bytes]) -> Ticket:
        """Add an assignment; it goes out with `flush`."""
        self._number += 1
        self._unsent += frame(self._number)
        self._permitted += self._number.to_bytes(LENGTH)
        ticket = Ticket(self._number, work, expected)
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
        if self._permitted:
            os.write(self._giving, self._permitted)
            self._permitted.clear()
        try:
            while self._unsent:
                del self._unsent[: self.stream.send(self._unsent)]
        except BlockingIOError:
            return
        except OSError:
            # It has ended, and will be buried.
            self._unsent.clear()

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
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it, and all that it has started."""
        self._signal(signal.SIGKILL)

    def has_ended(self) -> bool:
        """Whether the process has ended. It stays a zombie, and its number its own, until it is buried."""
        seen = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return seen is not None

    def bury(self) -> int:
        """Return the exit code of a process that has ended, negative for a signal."""
        return self._process.wait()

    def close(self) -> None:
        """Let go of everything, once it is buried."""
        self.stream.close()
        for descriptor in (self._permits, self._giving, self.printed):
            os.close(descriptor)
        if self.exit is not None:
            os.close(self.exit)
        remove_scratch(self.scratch)
        remove_scratch(desk_of(self.scratch))

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # it has ended; some systems refuse to signal a zombie


def desk_of(scratch: Path) -> Path:
    """Return the directory in which the attempts work whose worker prints into this file."""
    return scratch.with_suffix(".d")


def remove_scratch(path: Path) -> None:
    """Remove a file, or a directory with all in it, as far as that can be done."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _exit_descriptor(pid: int) -> int | None:
    # The end of the stream would not do: a process that the task has forked may hold it open.
    return os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None


class Sentinel:
    """The process that kills what is left when this one is gone (see `sentinel`). Started with the first worker."""

    def __init__(self) -> None:
        ours, theirs = os.pipe()[::-1]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own file
                [sys.executable, "-I", "-S", sentinel.__file__, str(theirs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._ours = ours

    def began(self, group: int) -> None:
        """Have a process group killed when this process ends."""
        self._say(f"+{group}\n")

    def ended(self, group: int) -> None:
        """Leave a group alone, whose number may be another's soon."""
        self._say(f"-{group}\n")

    def close(self) -> None:
        """End it."""
        os.close(self._ours)
        self._process.wait()

    def _say(self, line: str) -> None:
        # Without it we go on: a worker that is idle sees the end of its stream itself.
        with suppress(BrokenPipeError):
            os.write(self._ours, line.encode())
