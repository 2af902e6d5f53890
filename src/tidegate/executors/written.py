"""
How much an attempt has written while it runs: its output, and the contents of its directory.

Rule 1: the middle of its output is cut as soon as it is too long: at 64 MiB, or at 2 MiB while the disk is almost full. It is checked
        each second, and sooner the faster it grows.
Rule 2: its directory may grow as long as the disk has room. An attempt that keeps writing when there is little left, and has more there than
        must stay free, is the one that fills the disk, and is ended for it. One that does not write, because it waits for room itself, is left alone.
"""

import os
import time
from contextlib import suppress
from pathlib import Path

from tidegate import disk
from tidegate.executors.child import Child, Ticket, working_directory
from tidegate.logs import MAX_LIVE, MAX_LOG, shorten_log

LOOK_EVERY = 1.0
"""Seconds between two checks."""

SOONEST = 0.05
"""Seconds between two checks of what grows fast: at 2 GB a second, what a page cache takes, it is 100 MB too long then."""

HURRY = 0.1
"""Seconds between two checks while the disk is almost full."""

LITTLE = 2 * MAX_LOG
"""Bytes that an attempt may have printed then, until it is cut to half of that."""

MOST = 10_000
"""Files that are counted in a directory: some 30 ms, in the thread that hands out attempts."""


def look(child: Child, ticket: Ticket, home: Path) -> str:
    """Check what an attempt has written, and note when to check next; return why it is to be ended, empty if it is not."""
    room = disk.room(home)
    lacks = room is not None and room.free < room.reserve
    now = time.monotonic()
    ticket.look = now + (HURRY if lacks else _pause(child, ticket, now))
    with suppress(OSError):
        ticket.printed = shorten_log(child.printed, LITTLE if lacks else MAX_LIVE)
    ticket.looked = now
    if room is None or not lacks:
        ticket.kept = None
        return ""
    before, ticket.kept = ticket.kept, size_of(working_directory(child.scratch))
    if before is None or not ticket.kept > max(before, room.reserve):
        return ""
    return (
        f"the task has {ticket.kept:,} bytes in its directory and keeps writing, while {room.free:,} bytes are free on the disk of {home}"
        f" and {room.reserve:,} must stay free"
    )


def size_of(directory: Path) -> int:
    """Return how much room the directories of attempts take below that of their worker, without its copy of the source; at least this, if there are many files."""
    total, seen = 0, 0
    pending = [str(directory)]
    while pending and seen < MOST:
        here = pending.pop()
        with suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != "source" or here != str(directory):
                        pending.append(entry.path)
                elif not entry.is_symlink():
                    with suppress(OSError):
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def _pause(child: Child, ticket: Ticket, now: float) -> float:
    """Return when the output would be too long, at its current rate of growth."""
    try:
        size = os.fstat(child.printed).st_size
    except OSError:
        return LOOK_EVERY
    grown = (size - ticket.printed) / max(now - ticket.looked, 1e-3)
    until = max(MAX_LIVE - size, 0) if size <= MAX_LIVE else MAX_LIVE
    return LOOK_EVERY if grown <= 0 else min(LOOK_EVERY, max(SOONEST, until / grown))
