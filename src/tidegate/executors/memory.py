"""
How much memory a process and its descendants use.

Memory is counted proportionally (PSS): a page that three processes share counts for a third in each, so an attempt whose processes share what
was loaded before they were forked does not pay for it three times. That figure walks the page tables, and is read only if the sum of the resident
sizes, which the kernel has readily available and which is never less, exceeds the limit.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress

from tidegate.executors.child import Ticket
from tidegate.ports.executor import Job

PROC = "/proc"
PAGE = os.sysconf("SC_PAGE_SIZE")

WEIGH_EVERY = 0.25
"""Seconds between two checks of an attempt's memory against its limit. One costs 20 us (measured), so all of them 0.01 % of a processor."""


def weigh(ticket: Ticket, process: int | None) -> int:
    """Return how much memory an attempt uses, with its worker and all descendants, if that is more than its limit; note when to check next."""
    limit = ticket.work.requires.mem_limit if isinstance(ticket.work, Job) else None
    began = time.monotonic()
    used = 0 if process is None or limit is None else excess(process, limit)
    # A check takes 12 ms per gigabyte if processes share more than the limit; it may take up to a twentieth of the time.
    ended = time.monotonic()
    ticket.weigh = ended + max(WEIGH_EVERY, 20 * (ended - began))
    return used


def excess(top: int, limit: int) -> int:
    """Return the bytes used by a process and its descendants, if that is more than the limit; else 0, also if the system does not report it."""
    processes = list(_tree(top))
    if sum(map(_resident, processes)) <= limit:
        return 0
    used = sum(map(_proportional, processes))
    return used if used > limit else 0


def _tree(top: int) -> Iterator[int]:
    todo = [top]
    while todo:
        process = todo.pop()
        yield process
        with suppress(OSError):
            for thread in os.listdir(f"{PROC}/{process}/task"):  # noqa: PTH208 - only the names
                todo.extend(map(int, _read(f"{process}/task/{thread}/children").split()))


def _resident(process: int) -> int:
    try:
        return int(_read(f"{process}/statm").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0  # it has ended


def _proportional(process: int) -> int:
    try:
        for line in _read(f"{process}/smaps_rollup").splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    except PermissionError:
        return _resident(process)  # another user's, by a set-user-ID bit
    except OSError:
        pass  # it has ended
    return 0


def _read(path: str) -> bytes:
    # Without a file object, because the pool's thread does nothing else meanwhile.
    descriptor = os.open(f"{PROC}/{path}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 64 * 1024)
    finally:
        os.close(descriptor)
