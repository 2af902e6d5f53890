"""
A disk that can lose power, fill up and fail, as a VFS of SQLite, in memory.

What is written is seen at once and is safe after the next sync of its file. When the power goes, each write since then
is kept, lost, or torn at a sector, as a seed decides; the whole cache may also go, or stay.
The VFS has no shared memory, so a connection needs `PRAGMA locking_mode = EXCLUSIVE`.
"""

import itertools
import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

import apsw

SECTOR = 512

_names = itertools.count(1)


class Fault(Enum):
    """What goes wrong from an operation on. The values are SQLite's."""

    POWER = apsw.SQLITE_IOERR
    FULL = apsw.SQLITE_FULL
    WRITE = apsw.SQLITE_IOERR_WRITE
    SYNC = apsw.SQLITE_IOERR_FSYNC


class _File:
    """What is seen, what is safe, and the writes between the two."""

    def __init__(self) -> None:
        self.seen = bytearray()
        self.safe = bytearray()
        self.since: list[tuple[int, bytes | None]] = []

    def change(self, offset: int, content: bytes | None) -> None:
        self.since.append((offset, content))
        _apply(self.seen, offset, content)

    def sync(self) -> None:
        self.safe = bytearray(self.seen)
        self.since.clear()

    def lose_power(self, chance: random.Random) -> None:
        keep = chance.choice((0.0, 0.5, 1.0))
        for offset, content in self.since:
            if chance.random() < keep:
                torn = chance.random() < 0.1
                _apply(self.safe, offset, _torn(content, chance) if torn else content)
        self.seen = bytearray(self.safe)
        self.since.clear()


def _torn(content: bytes | None, chance: random.Random) -> bytes | None:
    if content is None:
        return None
    return content[: chance.randrange(len(content) + 1) // SECTOR * SECTOR]


def _apply(buffer: bytearray, offset: int, content: bytes | None) -> None:
    """Write at an offset, or cut there if there is no content."""
    if content is None:
        del buffer[offset:]
        return
    buffer.extend(bytes(max(0, offset - len(buffer))))
    buffer[offset : offset + len(content)] = content


class Disk:
    """Files by name, a count of operations that change something, and a fault that may come."""

    def __init__(self) -> None:
        self.files: dict[str, _File] = {}
        self.operations = 0
        self._fault: Fault | None = None
        self._at = 0

    def fail(self, fault: Fault, operations: int) -> None:
        """Let a fault begin at the n-th operation from now, and last."""
        self._fault, self._at = fault, self.operations + operations

    def repair(self) -> None:
        """End the fault."""
        self._fault = None

    @property
    def failing(self) -> bool:
        """Whether the fault has begun."""
        return self._fault is not None and self.operations >= self._at

    def lose_power(self, chance: random.Random) -> None:
        """Forget what was not safe."""
        for file in self.files.values():
            file.lose_power(chance)

    def operate(self, *, syncs: bool) -> None:
        """Count an operation; raise if it fails."""
        self.operations += 1
        if not self.failing:
            return
        match self._fault:
            case Fault.SYNC if not syncs:
                return
            case Fault.FULL | Fault.WRITE if syncs:
                return
            case fault:
                assert fault is not None
                error = apsw.FullError() if fault is Fault.FULL else apsw.IOError(fault.name)
                error.extendedresult = fault.value
                raise error

    @contextmanager
    def connection(self) -> Iterator[apsw.Connection]:
        """Connect to the one database of this disk; at the end it is dropped as by a crash, whatever state it is in."""
        vfs = _Vfs(f"disk-{next(_names)}", self)
        connection = apsw.Connection("tidegate.db", vfs=vfs.name)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
            yield connection
        finally:
            # What closing would tidy up is what a crash leaves.
            vfs.unplugged = True
            with suppress(apsw.Error):
                connection.close(True)
            vfs.unregister()


class _Vfs(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self.disk = disk
        self.unplugged = False
        super().__init__(name, "")

    def xOpen(self, name, flags):
        return _Handle(self, str(name.filename() if isinstance(name, apsw.URIFilename) else name))

    def xAccess(self, pathname, flags):
        return bool(self.disk.files[pathname].seen) if pathname in self.disk.files else False

    def xDelete(self, filename, syncdir):
        self.change()
        self.disk.files.pop(filename, None)

    def xFullPathname(self, name):
        return name

    def change(self, *, syncs: bool = False) -> None:
        if self.unplugged:
            raise apsw.IOError("unplugged")
        self.disk.operate(syncs=syncs)


class _Handle:
    def __init__(self, vfs: _Vfs, name: str) -> None:
        self.vfs = vfs
        self.file = vfs.disk.files.setdefault(name, _File())
        self.level = 0

    def xRead(self, amount, offset):
        return bytes(self.file.seen[offset : offset + amount])

    def xWrite(self, content, offset):
        self.vfs.change()
        self.file.change(offset, bytes(content))

    def xTruncate(self, size):
        self.vfs.change()
        self.file.change(size, None)

    def xSync(self, flags):
        self.vfs.change(syncs=True)
        self.file.sync()

    def xFileSize(self):
        return len(self.file.seen)

    def xLock(self, level):
        self.level = level

    def xUnlock(self, level):
        self.level = level

    def xCheckReservedLock(self):
        return self.level >= apsw.SQLITE_LOCK_RESERVED

    def xFileControl(self, op, pointer):
        return False

    def xSectorSize(self):
        return 4096

    def xDeviceCharacteristics(self):
        return 0

    def xClose(self):
        pass
