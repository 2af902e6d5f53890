"""
The files of a store on Postgres, for a command that has the address of its database and nothing else, while no server runs that could be asked for them.

They are taken to be there, because whether they are is not known; what would read them says where they are.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tidegate.blobs.uploads import UploadDirectory
from tidegate.bundles.archive import Archive
from tidegate.errors import ObjectsAway
from tidegate.home import BUNDLES, UPLOADS
from tidegate.logs import AttemptText, Logs, Seen
from tidegate.ports.artifacts import Artifacts


class _Absent:
    def __init__(self, home: Path, name: str) -> None:
        self._home = home
        self._why = f"the files of {name} are not in {home}: start `tidegate serve` where they are, or give their directory with --home"

    def _away(self) -> ObjectsAway:
        return ObjectsAway(self._why)


class _AbsentBlobs(_Absent):
    """An adapter of the port `Blobs`."""

    def put(self, chunks: Iterable[bytes], /) -> str:
        del chunks
        raise self._away()

    def size(self, digest: str, /) -> int:
        del digest
        raise self._away()

    def total(self) -> int:
        raise self._away()

    def beginning(self, digest: str, most: int, /) -> bytes:
        del digest, most
        raise self._away()

    def read(self, digest: str, /) -> Iterator[bytes]:
        del digest
        raise self._away()

    def part(self, digest: str, start: int, stop: int, /) -> Iterator[bytes]:
        del digest, start, stop
        raise self._away()


class _AbsentBundles(_Absent):
    """An adapter of the port `Bundles`."""

    def put(self, archive: Archive, /) -> bool:
        del archive
        raise self._away()

    def has(self, digest: str, /) -> bool:
        del digest
        return True

    is_there = has

    def tree(self, digest: str, /) -> Path:
        return self._home / BUNDLES / digest

    def damaged(self) -> list[str]:
        return []


class _AbsentLogs(_Absent, Logs):
    """What tasks have printed."""

    def __init__(self, home: Path, name: str) -> None:
        _Absent.__init__(self, home, name)
        Logs.__init__(self, home)

    def read(self, execution: str, node: str | None = None) -> list[AttemptText]:
        del execution, node
        raise self._away()

    def news(self, execution: str, node: str | None, seen: Seen) -> tuple[list[AttemptText], Seen]:
        del execution, node, seen
        raise self._away()

    def end(self, execution: str, node: str | None) -> Seen:
        del execution, node
        raise self._away()


def absent(home: Path, name: str) -> Artifacts:
    """Return the artifacts of a store that are not in this home; `name` is the address of its database."""
    return Artifacts(
        blobs=_AbsentBlobs(home, name),
        bundles=_AbsentBundles(home, name),
        logs=_AbsentLogs(home, name),
        uploads=UploadDirectory(home / UPLOADS),
    )
