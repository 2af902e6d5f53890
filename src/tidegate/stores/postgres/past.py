"""
How far this server has seen the history of each shard. A database that has less is an older one: restored, or a standby that took over too early.

On such a database nothing may be built: an answer that was acknowledged is missing there, and its execution would go on as if it had never been given.
"""

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from tidegate import disk
from tidegate.errors import StoreError

Ends: TypeAlias = Mapping[int, int]
"""The last position of each shard."""


class Past:
    """
    What was seen of one database. `note` is the file in which its server remembers that; None if it does not.

    The caller of `compare` takes `mark` first and asks the database then, so what is stored in between raises no alarm.
    """

    def __init__(self, name: str, note: Path | None = None) -> None:
        self._name = name
        self._note = note
        self._number = ""
        self._ends: dict[int, int] = {}
        self._lock = threading.Lock()
        self._noted: dict[int, int] = {}
        self._why = ""

    def remember(self, number: str) -> None:
        """Read the note, if it is about the database with this number."""
        self._number = number
        if self._note is None:
            return
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            found = json.loads(self._note.read_text())
            if found["store"] == number:
                self._ends = {int(shard): int(end) for shard, end in found["ends"].items()}
                self._noted = self._ends.copy()

    def mark(self) -> Ends:
        """Return what has been seen by now."""
        with self._lock:
            return self._ends.copy()

    def grown(self, ends: Ends) -> None:
        """Note what was stored."""
        with self._lock:
            for shard, end in ends.items():
                if end > self._ends.get(shard, 0):
                    self._ends[shard] = end

    def compare(self, mark: Ends, ends: Ends) -> None:
        """Note what the database has, asked after `mark`. Errors: `StoreError` if that is less; from then on `check` raises it, too."""
        for shard, end in mark.items():
            if ends.get(shard, 0) < end:
                self._why = (
                    f"{self._name} is older than what this server has seen there (shard {shard} ends at line {ends.get(shard, 0)} instead of {end}):"
                    " it was restored from a backup, or a standby took over that had not received everything. Nothing is decided on it."
                    f" If it is to go on without what is missing, end all its servers, remove {self._note} and that file of the others, and start them again"
                )
                self.keep()
                break
        self.check()
        self.grown(ends)

    @property
    def is_broken(self) -> bool:
        """Whether the database is older than what was seen."""
        return bool(self._why)

    def check(self) -> None:
        """Raise `StoreError` if the database is older than what was seen."""
        if self._why:
            raise StoreError(self._why)

    def keep(self) -> None:
        """Write the note, if it has changed."""
        ends = dict(self.mark())
        if self._note is None or ends == self._noted:
            return
        said = {"store": self._number, "ends": ends}
        with suppress(OSError):  # the next one may be written
            disk.write(self._note, json.dumps(said).encode())
            self._noted = ends
