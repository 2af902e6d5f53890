"""
Whether a process can be copied once it has imported the author's code, and what a copy must open for itself so as to share nothing.

A fork copies memory and the thread that calls it, no other; sockets, pipes and memory that is mapped as shared stay one thing in all copies.
Native pools of threads that have fork handlers (OpenBLAS, Arrow) are no threads of Python's, and may be there.
"""

import fcntl
import os
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

DESCRIPTORS = "/dev/fd"
MAPS = Path("/proc/self/maps")


class Holdings(Struct, frozen=True):
    """What a process has open, and how many mappings it shares."""

    descriptors: frozenset[int]
    shared: int


def holdings() -> Holdings:
    """Return what this process holds now."""
    try:
        shared = sum(b" rw-s " in line for line in MAPS.read_bytes().splitlines())
    except OSError:
        shared = 0
    return Holdings(frozenset(_descriptors()), shared)


def files_to_reopen(before: Holdings) -> tuple[int, ...] | None:
    """
    Return the files that a copy must open for itself, for each has a position; None if this process cannot be copied.

    `before` is what it held before the author's code was imported.
    """
    # Threads that were started without `threading` count too.
    if len(sys._current_frames()) > 1:  # noqa: SLF001 - documented, for debuggers
        return None
    now = holdings()
    if now.shared > before.shared:
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
