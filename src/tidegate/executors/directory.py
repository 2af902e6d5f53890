"""
The working directories of attempts: one for each, removed when it ends, with a link to every top-level entry of the bundle's source tree.

Rule 1: the links lead to a copy of the tree that belongs to one worker, so an attempt that writes there, even as root, changes nothing outside.
Rule 2: after an attempt the copy is compared with its former state, and made again if anything differs.
Rule 3: everything an attempt leaves is removed: trees deeper than a path may be long, and directories without permissions. Contents of
        mounted file systems are not touched.

The directory is prepared before it is needed, and removed before the end of the attempt is reported.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import msgspec

from tidegate import disk
from tidegate.bundles.whole import LIST
from tidegate.disk import remove_tree

Signs: TypeAlias = tuple[int, ...]
"""What shows that a file was changed."""


class Directories:
    """The copy of a source tree, and the directory of the next attempt. Errors of all methods: `OSError`."""

    def __init__(self, place: str) -> None:
        self.source = f"{place}/source"
        """The copy."""
        self.files = f"{place}/files"
        """Where the private copies of an attempt's input files are made."""
        self._place = place
        self._old = f"{place}/old"
        self._number = 0
        self._bundle = ""
        self._ready: dict[str, Signs] = {}
        """What the next directory contains, once it is made."""
        self._signs: dict[str, Signs] = {}
        self._retired = 0
        """Directories that were moved aside."""
        disk.make_directory(Path(self.files), durable=False)

    def copy(self, bundle: Path) -> None:
        """Make the copy."""
        self._bundle = str(bundle)
        listed = msgspec.json.decode((bundle / LIST).read_bytes(), type=dict[str, str])
        made = {self.source}
        Path(self.source).mkdir(mode=0o700)
        for name in listed:
            target = f"{self.source}/{name}"
            parent = os.path.dirname(target)  # noqa: PTH120 - as below: a hundred files in a few milliseconds
            if parent not in made:
                os.makedirs(parent, exist_ok=True)  # noqa: PTH103
                made.add(parent)
            # With its change time: a file that is written to gets another.
            shutil.copy2(bundle / name, target)
        self.note()

    def note(self) -> None:
        """Accept the current copy as its reference state: importing has written there."""
        # The successor of a root process that was killed must be able to remove it.
        disk.give_all(Path(self._place))
        self._signs = _found(self.source)

    @property
    def next(self) -> str:
        """The directory of the next attempt."""
        return f"{self._place}/{self._number}"

    def prepare(self) -> None:
        """Make the directory of the next attempt, with its links."""
        if self._ready or not self._bundle:
            return
        disk.make_directory(Path(self.next), durable=False)
        for name in os.listdir(self.source):  # noqa: PTH208
            if name != "__pycache__":
                os.symlink(f"{self.source}/{name}", f"{self.next}/{name}")  # noqa: PTH211
        self._ready = _found(self.next)

    def retire(self) -> None:
        """
        Move the leftovers of an ended attempt out of the way, and its directory.

        If its links are unchanged, the next directory is the same one under another name, or under this one if nothing was added.
        """
        if not self._ready:
            return
        place, found = self.next, _found(self.next)
        files = os.listdir(self.files)  # noqa: PTH208
        if found == self._ready and not files:
            return
        self._number += 1
        if found.items() >= self._ready.items():
            for name in os.listdir(place):  # noqa: PTH208
                if f"/{name}" not in self._ready:
                    self._discard(f"{place}/{name}")
            os.rename(place, self.next)  # noqa: PTH104
        else:
            self._ready = {}
            # It may have removed its own, or replaced it.
            self._discard(place)
        if files:
            self._discard(self.files)
            disk.make_directory(Path(self.files), durable=False)

    def tidy(self) -> bool:
        """Remove what was retired, make the copy again if it was changed, and prepare the next directory; return whether the copy was changed."""
        if not self._bundle:
            return False
        if self._retired:
            remove_tree(self._old)
            self._retired = 0
        is_changed = _found(self.source) != self._signs
        if is_changed:
            remove_tree(self.source)
            self.copy(Path(self._bundle))
            # Links lead to names that may not be the same ones.
            if self._ready:
                remove_tree(self.next)
                self._ready = {}
        self.prepare()
        return is_changed

    def _discard(self, path: str) -> None:
        """Remove a file; move a directory aside, to be removed later."""
        with suppress(FileNotFoundError):
            if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114
                os.unlink(path)  # noqa: PTH108
                return
            if not self._retired:
                disk.make_directory(Path(self._old), durable=False)
            self._retired += 1
            # Moving a directory requires write permission in it.
            os.chmod(path, 0o700)  # noqa: PTH101
            os.rename(path, f"{self._old}/{self._retired}")  # noqa: PTH104


def _found(top: str) -> dict[str, Signs]:
    """Return the entries of a directory, by their path in it; nothing if some of it cannot be read."""
    try:
        return dict(_signs(top))
    except OSError:
        return {}


def _signs(top: str) -> Iterator[tuple[str, Signs]]:
    pending, start = [top], len(top)
    while pending:
        here = pending.pop()
        seen = os.lstat(here)
        yield here[start:], (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_ino)
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                    continue
                seen = entry.stat(follow_symlinks=False)
                signs = seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino
                yield entry.path[start:], signs
