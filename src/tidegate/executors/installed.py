"""
Installed distributions, by the files that installers keep of them: read on demand, which takes milliseconds where
`importlib.metadata.packages_distributions` takes 100.

The digest of a distribution is that of its `RECORD`, without what differs between installations of the same wheel.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

KEPT: Final = (".dist-info", ".egg-info")
"""The suffixes of installers' metadata directories."""

_NAME: Final = re.compile(rb"[A-Za-z0-9._-]+")


class Installed:
    """The distributions in some directories; of two with the same name, the first counts, as for Python."""

    def __init__(self, places: Sequence[str]) -> None:
        self._infos: dict[str, Path] = {}
        """By normalized name."""
        self._in: dict[str, list[str]] = {}
        """The names of those in each directory."""
        self._records: dict[str, bytes] = {}
        for place in dict.fromkeys(os.path.realpath(each) for each in places if each):
            self._in[place] = names = []
            with suppress(OSError):
                for entry in os.listdir(place):  # noqa: PTH208 - as in `directory`: hundreds of names
                    if entry.endswith(KEPT):
                        name = normalized(entry.rpartition(".")[0].partition("-")[0])
                        names.append(name)
                        self._infos.setdefault(name, Path(place, entry))

    def has(self, name: str) -> bool:
        """Whether a distribution is installed."""
        return name in self._infos

    def owner(self, file: str) -> str | None:
        """Return the name of the distribution that a file belongs to; None if it belongs to none."""
        real = os.path.realpath(file)
        place = max((p for p in self._in if real.startswith(f"{p}/")), key=len, default=None)
        if place is None:
            return None
        within = real[len(place) + 1 :]
        top = within.partition("/")[0].partition(".")[0]
        # Most are called after what they contain.
        likely = normalized(top)
        if likely in self._in[place] and self._holds(likely, within, top):
            return likely
        # The small ones first: large ones have lists of megabytes.
        names = sorted(self._in[place], key=self._size)
        return next((name for name in names if self._holds(name, within, top)), None)

    def version(self, name: str) -> tuple[str, str]:
        """Return the version of a distribution, and its digest."""
        head = self._head(name)
        found = next((each[8:].strip() for each in head if each.startswith(b"Version:")), b"")
        record = self._record(name)
        own = self._infos[name].name.encode() + b"/"
        lines = [line for line in record.splitlines() if _counts(line, own)] if record else head
        digest = hashlib.sha256(b"\n".join(sorted(lines))).hexdigest()[:32]
        return found.decode(errors="replace"), digest

    def required(self, name: str) -> set[str]:
        """Return the installed distributions that one requires, directly or not, without extras."""
        todo, found = [name], set[str]()
        while todo:
            for each in self._requires(todo.pop()):
                if each not in found and each in self._infos:
                    found.add(each)
                    todo.append(each)
        return found

    def _requires(self, name: str) -> Iterator[str]:
        for line in self._head(name):
            if line.startswith(b"Requires-Dist:") and b"extra ==" not in line:
                required = _NAME.match(line[14:].strip())
                if required:
                    yield normalized(required[0].decode())

    def _holds(self, name: str, within: str, top: str) -> bool:
        record = self._record(name)
        if record:
            return f"\n{within},".encode() in record
        # If the system has installed it, there may be no list of files.
        return name == normalized(top) or top.encode() in self._read(name, "top_level.txt").split()

    def _size(self, name: str) -> int:
        try:
            return os.stat(self._infos[name] / "RECORD").st_size  # noqa: PTH116
        except OSError:
            return 0

    def _record(self, name: str) -> bytes:
        if name not in self._records:
            record = self._read(name, "RECORD").replace(b"\r\n", b"\n")
            self._records[name] = b"\n" + record if record else b""
        return self._records[name]

    def _head(self, name: str) -> list[bytes]:
        text = self._read(name, "METADATA") or self._read(name, "PKG-INFO") or self._read(name, "")
        return text.replace(b"\r\n", b"\n").partition(b"\n\n")[0].split(b"\n")

    def _read(self, name: str, file: str) -> bytes:
        try:
            return (self._infos[name] / file).read_bytes()
        except OSError:
            return b""


def normalized(name: str) -> str:
    """Return the normalized name of a distribution."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _counts(line: bytes, own: bytes) -> bool:
    """Whether a line of a record is the same wherever the wheel is installed; `own` is the directory with the record."""
    if line.startswith(own):
        return line.startswith(own + b"METADATA,")
    return not (not line or line.startswith((b"..", b"/")) or b".pyc," in line)
