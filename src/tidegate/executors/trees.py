"""
Process trees: the descendants of an attempt are found and ended, also those with a session or a process group of their own.

On Linux a process can be the subreaper of its descendants: orphans become its children, so ending one's children until
there are none ends the whole tree. Elsewhere there are only process groups, and a program that leaves its group is out of reach.
"""

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress

SET_PDEATHSIG, SET_CHILD_SUBREAPER = 1, 36
"""Options of prctl(2)."""

PATIENCE = 5.0
"""Seconds: killed processes are gone in milliseconds, unless they hang in the kernel (a dead network disk), where nothing can end them."""

SELF = "self"
"""The name in /proc of the process that looks there."""

NAMED, LONGEST = 10, 200
"""How many programs are named that end with an attempt, and how much of their command."""

AIDES = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")
"""What Python starts for itself, and leaves to end a moment after it: nobody meant it to stay."""

# Loaded where the fork server starts, so that no child pays for it.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def adopt_orphans() -> None:
    """Become the parent of all orphans below this process, if the system supports it."""
    if _libc is not None:
        _libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with(parent: int) -> None:
    """Have this process killed when its parent ends, if the system supports it; at once if it has ended already."""
    if _libc is not None:
        _libc.prctl(SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def children(process: int | str = SELF) -> set[int]:
    """Return the children of a process, zombies included; none if the system has no list of them."""
    found: set[int] = set()
    # Of every thread: an orphan becomes the child of any live one.
    for thread in threads(process):
        with suppress(OSError):
            found.update(map(int, _read(f"/proc/{process}/task/{thread}/children").split()))
    return found


def programs(*besides: int) -> dict[int, str]:
    """Return the command of each descendant of this process, by its id; some are left out, but their descendants are not."""
    if not _has_children():
        return {}
    found: dict[int, str] = {}
    own, pending = _command(SELF), sorted(children())
    while pending:
        process = pending.pop(0)
        command = _command(process)
        # Ended processes that are not reaped yet have none.
        if command and process not in besides and not any(each in command for each in AIDES):
            found[process] = "a copy of the task's own process" if command == own else command
        pending += sorted(children(process))
    return found


def tell(ended: dict[int, str], printed: int) -> None:
    """Say in an attempt's output which programs end with it."""
    if not ended:
        return
    names = [f"{each[:LONGEST]} (process {number})" for number, each in ended.items()]
    more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    line = (
        f"tidegate: ended with this attempt, which had started it: {', '.join(names[:NAMED])}{more};"
        " use a service manager for programs that are to stay\n"
    )
    with suppress(OSError):  # like a log
        size = os.fstat(printed).st_size
        begun = "\n" if size and os.pread(printed, 1, size - 1) != b"\n" else ""
        os.write(printed, f"{begun}{line}".encode())


def end_children() -> bool:
    """
    End every child and their descendants, and wait for it; return whether that is done.

    Processes of another user (a program with the set-user-ID bit) cannot be ended, and are not waited for.
    """
    if not _has_children():
        return True
    give_up = time.monotonic() + PATIENCE
    beyond: set[int] = set()
    while left := children().difference(beyond):
        for process in left:
            if not kill(process):
                beyond.add(process)
        if not sum(reap(process) for process in left):
            if time.monotonic() > give_up:
                return False
            time.sleep(0.0005)
    return not beyond


def kill(process: int) -> bool:
    """Kill a process; return whether that is permitted."""
    try:
        os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True


def reap(process: int) -> bool:
    """Reap an ended child; return whether it is gone."""
    try:
        return os.waitpid(process, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _command(process: int | str) -> str:
    try:
        words = _read(f"/proc/{process}/cmdline")
    except OSError:
        return ""
    return " ".join(words.decode(errors="replace").replace("\0", " ").split())


def _read(path: str) -> bytes:
    # Half the price of a file object, and every attempt pays it.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        text = b""
        while chunk := os.read(descriptor, 64 * 1024):
            text += chunk
        return text
    finally:
        os.close(descriptor)


def threads(process: int | str = SELF) -> list[str]:
    """Return the ids of the threads of a process; none if the system has no list of them."""
    try:
        return os.listdir(f"/proc/{process}/task")  # noqa: PTH208 - only the names
    except OSError:
        return []
