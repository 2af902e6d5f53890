"""
Whether a process can be copied once it has imported the author's code, and what a copy must open for itself so as to share nothing.

A fork copies memory and the thread that calls it, no other; sockets, pipes and memory that is mapped as shared stay one thing in all copies.
Native pools of threads that have fork handlers (OpenBLAS, Arrow) are no threads of Python's, and may be there.
"""

import fcntl
import os
import stat
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from tidegate.executors import trees

DESCRIPTORS = "/dev/fd"
MAPS = Path("/proc/self/maps")


SETTLED = 0.02
"""Seconds after which a thread that was started has begun: four times as long as Python lets another one wait."""


class Holdings(Struct, frozen=True):
    """What a process has open, how many mappings it shares, and how many threads the system knows."""

    descriptors: frozenset[int]
    shared: int
    threads: int


def holdings() -> Holdings:
    """Return what this process holds now."""
    try:
        shared = sum(b" rw-s " in line for line in MAPS.read_bytes().splitlines())
    except OSError:
        shared = 0
    return Holdings(frozenset(_descriptors()), shared, len(trees.threads()))


def has_threads() -> bool:
    """Whether there is another thread of Python's; those that were started without `threading` count too."""
    return len(sys._current_frames()) > 1  # noqa: SLF001 - documented, for debuggers


def files_to_reopen(before: Holdings) -> tuple[int, ...] | None:
    """
    Return the files that a copy must open for itself, for each has a position; None if this process cannot be copied.

    `before` is what it held before the author's code was imported.
    """
    now = holdings()
    if now.threads > before.threads:
        # Native, or one of Python's that has not come to its first line yet.
        time.sleep(SETTLED)
    if has_threads() or now.shared > before.shared:
        return None
    files = []
    for descriptor in now.descriptors - before.descriptors:
        with suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISREG(mode):
                files.append(descriptor)
            elif not (stat.S_ISDIR(mode) or stat.S_ISCHR(mode)):
                return None
    return tuple(files)


def reopen(descriptors: Iterable[int]) -> None:
    """Open files anew under the same numbers, where they stand: no position is shared any more with whom they come from."""
    for descriptor in descriptors:
        with suppress(OSError):
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            at = os.lseek(descriptor, 0, os.SEEK_CUR)
            own = os.open(f"{DESCRIPTORS}/{descriptor}", flags | os.O_CLOEXEC)
            os.lseek(own, at, os.SEEK_SET)
            os.dup2(own, descriptor, inheritable=os.get_inheritable(descriptor))
            os.close(own)


def _descriptors() -> list[int]:
    listed = [int(name) for name in os.listdir(DESCRIPTORS)]  # noqa: PTH208 - only the names
    # The one by which they were listed is closed by now.
    return [each for each in listed if _is_open(each)]


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
