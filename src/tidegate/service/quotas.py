"""
Quotas: how much a project may store, so that one project cannot fill the disk for all.

Rule 1: usage is computed from the history, which is read forward, each line once; nothing is written for it, and no commit waits for it.
Rule 2: a launch is refused when the project has reached a quota. What exists keeps running: answers, aborts and results are always stored.
Rule 3: files belong to no project, because equal content is stored once: all uploads share one quota.
Rule 4: at `WARNING` of a quota the log reports it, once.

The counts are up to `PAUSE` seconds old (for files, `FILES_PAUSE`); launches and uploads since then are added as they are requested.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from tidegate.errors import QuotaReached
from tidegate.ir.amounts import size
from tidegate.parts import Part
from tidegate.ports.blobs import Blobs
from tidegate.ports.changes import Changes, Cursor

WARNING: Final = 0.8

LAUNCHES, HISTORY, BLOBS = "launches", "history", "blobs"
DEFAULTS: Final[Mapping[str, int]] = {
    LAUNCHES: 1_000_000,
    HISTORY: 20 * 1024**3,
    BLOBS: 100 * 1024**3,
}
"""Executions kept, and bytes of their history: 20 KiB for each, where an execution with one question has 2; bytes of all files."""

LINES: Final = 20_000
"""Lines read at once: measured, 5 ms if they are small."""

PAUSE: Final = 1.0

FILES_PAUSE: Final = 600.0
"""Seconds between two scans of all files, which may number a million."""

log = logging.getLogger(__name__)


class Used(Struct, frozen=True):
    """How much of a quota a project has used, and its limit."""

    project: str
    quota: str
    used: int
    most: int


class Quotas:
    """What projects use. `limits` gives the limit of each, by the name of the quota."""

    def __init__(
        self, changes: Changes, blobs: Blobs, limits: Mapping[str, int] = DEFAULTS
    ) -> None:
        self._changes = changes
        self._blobs = blobs
        self._files = 0
        self._files_again = 0.0
        self.limits = limits
        self._cursor = Cursor("0")
        self._used: dict[str, Counter[str]] = {LAUNCHES: Counter(), HISTORY: Counter()}
        self._asked: Counter[str] = Counter()
        self._warned: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._more = threading.Event()
        self.is_on = False
        """Whether usage is known; it is for a server, which serves others than its owner."""

    def check(self, project: str) -> None:
        """Count a launch. Errors: `QuotaReached`."""
        if not self.is_on:
            return
        for name, most in self.limits.items():
            if name == BLOBS:
                continue
            used = self._used[name][project]
            if name == LAUNCHES:
                used += self._asked[project]
            if used >= most:
                whose = f"project {project!r}" if project else "the project without a name"
                raise QuotaReached(
                    f"{whose} has reached its quota of {name} ({_told(name, most)}): launch in another project, or"
                    f" raise it with `tidegate serve --quota {name}=N`",
                    quota=name,
                    project=project,
                    most=most,
                )
        with self._lock:
            self._asked[project] += 1

    def add_file(self, count: int) -> None:
        """Count the bytes of an upload. Errors: `QuotaReached`; then the upload must be discarded."""
        most = self.limits.get(BLOBS)
        if not self.is_on or most is None:
            return
        with self._lock:
            used = self._files + count
            if used <= most:
                self._files = used
        if used > most:
            raise QuotaReached(
                f"the files of this store have reached their quota of {BLOBS} ({_told(BLOBS, most)}):"
                f" raise it with `tidegate serve --quota {BLOBS}=N`",
                quota=BLOBS,
                project="",
                most=most,
            )
        self._warn(Used("", BLOBS, used, most))

    def check_files(self, count: int) -> None:
        """Check whether this many more bytes would fit. Errors: `QuotaReached`."""
        self.add_file(count)
        self.add_file(-count)

    def follow(self, part: Part) -> None:
        """Count what is stored, in this thread, until the part is stopped."""
        while not part.is_stopped:
            self.look()
            part.works()
            self._more.wait()
            self._more.clear()
            part.pause(PAUSE)

    def stir(self) -> None:
        """Note that something was stored."""
        self._more.set()

    def look(self) -> None:
        """Count what was stored since the last call. Errors: `StoreError`."""
        if time.monotonic() >= self._files_again:
            total = self._blobs.total()
            self._files_again = time.monotonic() + FILES_PAUSE
            with self._lock:
                self._files = total
        with self._lock:
            asked = self._asked.copy()
        while True:
            found, cursor = self._changes.usage(self._cursor, LINES)
            for each in found:
                self._used[LAUNCHES][each.project] += each.launches
                self._used[HISTORY][each.project] += each.written
            if cursor == self._cursor:
                break
            self._cursor = cursor
        with self._lock:
            self._asked -= asked
        self.is_on = True
        for used in self.used():
            self._warn(used)

    def used(self) -> Iterator[Used]:
        """Yield each project's usage of each quota."""
        for name, most in self.limits.items():
            if name == BLOBS:
                yield Used("", BLOBS, self._files, most)
                continue
            for project, used in sorted(self._used[name].copy().items()):
                yield Used(project, name, used, most)

    def _warn(self, each: Used) -> None:
        what = each.project, each.quota
        if each.used < WARNING * each.most:
            self._warned.discard(what)
        elif what not in self._warned:
            self._warned.add(what)
            log.warning(
                "%s has used %s of its quota of %s (%s); at the limit, %s are refused",
                "the store" if each.quota == BLOBS else f"project {each.project!r}",
                f"{each.used / each.most:.0%}",
                each.quota,
                _told(each.quota, each.most),
                "uploads" if each.quota == BLOBS else "launches",
            )


def _told(name: str, amount: int) -> str:
    return f"{amount:,}" if name == LAUNCHES else size(amount)
