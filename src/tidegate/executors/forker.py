"""
The fork server: a process that has imported everything a worker needs, and forks one on request of its engine.

So a worker starts in milliseconds, and shares most of its memory with the others. The fork server has no thread, and imports none of an author's code.

It also ends workers and their descendants: when told to, when they have ended themselves, and all of them when its
engine is gone, for whatever reason. A worker cannot do that itself: it may be busy in C code, or have started other programs.
"""

import gc
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from types import FrameType

from tidegate.executors import trees
from tidegate.executors.fork_server import BORN, ENDED, FORK, NOTICE, SIGNAL, UP
from tidegate.executors.worker import Worker

LOOK_AGAIN = 100
"""Milliseconds after which the fork server checks again what is left of a worker, if no process ends."""


class Forker:
    """The live workers, by the numbers that the engine has given them."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._alive: dict[int, int] = {}
        self._ended: dict[int, int] = {}
        """Exit codes of workers not yet reported to the engine, because descendants may be left."""
        self._patience = 0.0
        """Until when that is waited for."""
        self._rouse, self._roused = os.pipe()
        for descriptor in (self._rouse, self._roused):
            os.set_blocking(descriptor, False)

    def tend(self) -> tuple[int, int] | None:
        """Serve the engine until it is gone: None. In a worker, return its stream and its permits, immediately."""
        signal.set_wakeup_fd(self._roused, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # The engine decides; when it ends, so do we.
            signal.signal(number, signal.SIG_IGN)
        waiter = select.poll()
        waiter.register(self._control, select.POLLIN)
        waiter.register(self._rouse, select.POLLIN)
        trees.adopt_orphans()
        self._say(UP, 0, os.getpid())
        while True:
            # An orphan that hangs in the kernel delays nobody indefinitely.
            ready = dict(waiter.poll(LOOK_AGAIN if self._ended else None))
            with suppress(BlockingIOError):
                os.read(self._rouse, 4096)
            self._reap()
            if self._control.fileno() not in ready:
                continue
            order, given, _, _ = socket.recv_fds(self._control, NOTICE.size, 3)
            if not order:
                self._end_all()
                return None
            what, number, argument = NOTICE.unpack(order)
            if what == SIGNAL:
                self._signal(number, argument)
            elif what == FORK and self._fork_worker(number, given):
                return given[0], given[1]

    def _fork_worker(self, number: int, given: list[int]) -> bool:
        """Fork a worker. True in the worker."""
        try:
            pid = os.fork()
        except OSError as error:
            # As if it had ended at once: the engine tries again later. The other workers must not be affected.
            os.write(given[2], f"cannot fork: {error.strerror}\n".encode())
            self._say(ENDED, number, os.EX_OSERR)
            _close(given)
            return False
        if pid == 0:
            self._become_a_worker(given[2])
            return True
        with suppress(OSError):  # whichever of the two comes first; the other may be too late
            os.setpgid(pid, pid)
        self._alive[number] = pid
        _close(given)
        self._say(BORN, number, pid)
        return False

    def _become_a_worker(self, printed: int) -> None:
        with suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        self._control.close()
        for descriptor in (self._rouse, self._roused):
            os.close(descriptor)
        for standard in (1, 2):
            os.dup2(printed, standard)
        os.close(printed)

    def _reap(self) -> None:
        """Notice which workers have ended, end their descendants, and tell the engine when nothing is left."""
        reaped = False
        while (pid := _next_ended()) is not None:
            number = self._number_of(pid)
            if number is not None:
                # Until it is reaped, its process id cannot be reused.
                self._signal(number, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            reaped = True
            if number is not None:
                del self._alive[number]
                self._ended[number] = os.waitstatus_to_exitcode(status)
                self._patience = time.monotonic() + trees.PATIENCE
        if reaped or self._ended:
            orphans = trees.children().difference(self._alive.values())
            ended = [trees.kill(orphan) for orphan in orphans]
            if not any(ended) or time.monotonic() > self._patience:
                for number, code in self._ended.items():
                    self._say(ENDED, number, code)
                self._ended.clear()

    def _number_of(self, pid: int) -> int | None:
        """Return the number of a worker; None for an adopted process."""
        return next((number for number, alive in self._alive.items() if alive == pid), None)

    def _signal(self, number: int, which: int) -> None:
        pid = self._alive.get(number)
        if pid is None:
            return
        try:
            os.killpg(pid, which)
        except (ProcessLookupError, PermissionError):
            return  # only a zombie is left of it

    def _end_all(self) -> None:
        for number in self._alive:
            self._signal(number, signal.SIGKILL)
        trees.end_children()

    def _say(self, what: int, number: int, argument: int) -> None:
        with suppress(OSError):  # the engine is gone; the next read reports that
            self._control.sendall(NOTICE.pack(what, number, argument))


def _next_ended() -> int | None:
    try:
        seen = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if seen is None else seen.si_pid


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    # Python's own part of a signal; its arrival is read from the descriptor.
    return


def main() -> None:
    """Be the fork server, and a worker of it."""
    # Objects created so far are frozen, so that workers keep sharing them.
    gc.freeze()
    born = Forker(socket.socket(fileno=int(sys.argv[1]))).tend()
    if born is not None:
        Worker(*born).serve()


if __name__ == "__main__":
    main()
