"""
What all attempts in one process share: where it stands, its environment, its signals, its limits, its output.

An attempt may change any of it, and the next must not notice. What can be put back is put back; where something is left that cannot be
(a lowered limit, a thread that the process would wait for, a program), the process has to end.
What importing the author's modules changes is theirs, and stays: it is `note`d.
"""

import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from typing import TextIO

WATCHED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGALRM,
    signal.SIGCHLD,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)


class Premises:
    """How a process was before an attempt. `printed` is the file into which its output goes."""

    def __init__(self, printed: int) -> None:
        self._printed = printed
        self._streams: tuple[TextIO, TextIO] = (sys.stdout, sys.stderr)
        self.note()

    def note(self) -> None:
        """Take everything, as it is now, for what it should be."""
        self._place = os.getcwd()  # noqa: PTH109 - as are the others: a name, and looked at after every attempt
        self._environment = _raw_environment().copy()
        self._path = sys.path.copy()
        self._signals = [signal.getsignal(number) for number in WATCHED]
        self._blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._limits = [resource.getrlimit(which) for which in LIMITS]
        self._recursion = sys.getrecursionlimit()
        self._mask = os.umask(0o077)
        os.umask(self._mask)
        self._threads = set(threading.enumerate())

    def restore(self) -> bool:
        """Put everything back; return whether the process can go on."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip(WATCHED, self._signals, strict=True):
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self._blocked)
        os.umask(self._mask)
        sys.setrecursionlimit(self._recursion)
        if sys.path != self._path:
            sys.path[:] = self._path
        if _raw_environment() != self._environment:
            os.environb.clear()
            os.environb.update(self._environment)
        self._restore_output()
        return self._restore_place() and self._restore_limits() and not self._is_left_behind()

    def _restore_output(self) -> None:
        for descriptor in (1, 2):
            if not _same_file(descriptor, self._printed):
                os.dup2(self._printed, descriptor)
        out, error = self._streams
        if out.closed or error.closed:
            out, error = self._streams = (_text(1), _text(2))
        sys.stdout, sys.stderr = out, error

    def _restore_place(self) -> bool:
        with suppress(OSError):
            if os.getcwd() == self._place:  # noqa: PTH109
                return True
        try:
            os.chdir(self._place)
        except OSError:
            return False
        return True

    def _restore_limits(self) -> bool:
        for which, limit in zip(LIMITS, self._limits, strict=True):
            if resource.getrlimit(which) != limit:
                try:
                    resource.setrlimit(which, limit)
                except (OSError, ValueError):
                    return False
        return True

    def _is_left_behind(self) -> bool:
        """Whether there is a thread or a program of the attempt that would go on beside the next."""
        if threading.active_count() > len(self._threads):
            left = set(threading.enumerate()) - self._threads
            if any(not thread.daemon for thread in left):
                return True
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True


def _raw_environment() -> dict[bytes, bytes]:
    # What stands behind `os.environb`, which takes 20 times as long to compare.
    raw: dict[bytes, bytes] = vars(os.environ)["_data"]
    return raw


def _same_file(one: int, other: int) -> bool:
    try:
        return os.path.sameopenfile(one, other)
    except OSError:
        return False


def _text(descriptor: int) -> TextIO:
    return open(
        descriptor, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False
    )
