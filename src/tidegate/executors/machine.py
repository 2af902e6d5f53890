"""The machine that attempts run on: how much memory it has, also if a container has less than its host."""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
ROLLUP = Path("/proc/self/smaps_rollup")
CHILDREN = Path("/proc/self/task")

UNKNOWN: Final = 2**62
"""Bytes of memory if the system does not report it."""


def memory() -> int:
    """Return the bytes of memory that processes of this machine, or of this container, may use together."""
    try:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        there = UNKNOWN
    return min([there if there > 0 else UNKNOWN, *_limits()])


def tells_memory() -> bool:
    """Return whether the system reports the memory of a process tree: Linux from 4.14 on does."""
    children = CHILDREN / str(os.getpid()) / "children"
    return sys.platform == "linux" and ROLLUP.exists() and children.exists()


def _limits() -> Iterator[int]:
    """Yield the limits of this process's control groups and their ancestors."""
    with suppress(OSError):
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                top, name = GROUPS, "memory.max"
            elif "memory" in controllers.split(","):
                top, name = GROUPS / "memory", "memory.limit_in_bytes"
            else:
                continue
            own = Path(path.lstrip("/"))
            # In a container the path may be the host's, and does not exist; then the top is the container's.
            for group in (own, *own.parents):
                with suppress(OSError, ValueError):  # "max" is not a number
                    yield int((top / group / name).read_text())
