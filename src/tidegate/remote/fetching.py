"""
Files for workers of a terminal that is not on the machine of the store: copied from a server when they are first needed, and checked.

What the workers make is not sent here: the terminal sends it with its reports (see `workers`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tidegate.blobs.directory import BlobDirectory, check_digest
from tidegate.bundles.archive import Archive, archive_of
from tidegate.bundles.directory import BundleDirectory
from tidegate.errors import (
    CodeError,
    ObjectsAway,
    RangeMissed,
    StoreDamaged,
    StoreLocked,
    UnknownBlob,
    UnknownBundle,
)
from tidegate.home import BLOBS, BUNDLES
from tidegate.remote.local import OwnerGone, OwnerSilent
from tidegate.remote.requests import HttpCall, HttpReply, Transport
from tidegate.remote.servers import OutOfReach
from tidegate.wire.bindings import API

PIECE: Final = 8 * 1024 * 1024
"""Bytes that are asked for at once: they are held in memory."""


class FetchedFiles:
    """The files of a store that workers ask for (see `ports.objects`), with copies below `root`."""

    def __init__(self, transport: Transport, root: Path) -> None:
        self._transport = transport
        self._blobs = BlobDirectory(root / BLOBS, sync=False)
        self._bundles = BundleDirectory(root / BUNDLES)

    def size(self, digest: str) -> int:
        """Return how many bytes a blob has, fetching it if needed. Errors: as of `fetch`."""
        self.fetch(digest)
        return self._blobs.size(digest)

    def fetch(self, digest: str, *, however_large: bool = True) -> bool:
        """Make a copy of a blob. Errors: `UnknownBlob`, `StoreDamaged`, `ObjectsAway` if no server replies."""
        del however_large
        check_digest(digest)
        try:
            self._blobs.size(digest)
        except UnknownBlob:
            if self._blobs.put(self._pieces(digest)) != digest:
                raise StoreDamaged(
                    f"the blob {digest} was received with different content"
                ) from None
        return True

    def send(self, digest: str) -> None:
        """Store a blob: what workers of a terminal make is sent with their reports. Errors: `UnknownBlob`."""
        raise UnknownBlob(f"no blob with the digest {digest} was made here")

    def tree(self, digest: str) -> Path:
        """Return a directory with a source tree, fetching it if needed. Errors: `CodeError`, `ObjectsAway`."""
        try:
            return self._bundles.tree(digest)
        except CodeError:
            self.keep(self._archive(digest))
        return self._bundles.tree(digest)

    def keep(self, archive: Archive) -> None:
        """Keep a source tree that was packed here."""
        self._bundles.put(archive)

    def _archive(self, digest: str) -> Archive:
        call = HttpCall(method="GET", path=f"{API}/terminals/code/{digest}")
        try:
            return archive_of(self._asked(call).content)
        except UnknownBundle as error:
            raise CodeError(error.message) from None

    def _pieces(self, digest: str) -> Iterator[bytes]:
        at, size = 0, 1
        while at < size:
            wanted = {"range": f"bytes={at}-{at + PIECE - 1}"}
            call = HttpCall(method="GET", path=f"{API}/blobs/{digest}", headers=wanted)
            try:
                reply = self._asked(call)
            except RangeMissed:
                return  # it is empty
            at += len(reply.content)
            size = int(reply.headers.get("content-range", f"/{at}").rpartition("/")[2])
            yield reply.content

    def _asked(self, call: HttpCall) -> HttpReply:
        try:
            return self._transport.reply(call)
        except (OwnerGone, OwnerSilent, OutOfReach, StoreLocked) as error:
            raise ObjectsAway(error.message) from None
