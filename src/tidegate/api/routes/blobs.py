"""Blobs over HTTP: files by the digest of their content."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from tidegate.api.bodies import Stored
from tidegate.api.desk import Desk
from tidegate.api.route import BYTES, Call, Content, Reply, Route, Stream
from tidegate.blobs import BlobDirectory
from tidegate.errors import UnknownBlob
from tidegate.service.access import Action

MAX_BLOB = 1024 * 1024 * 1024
"""Bytes of a file that is sent."""

IN_MEMORY = 1024 * 1024
"""From so many bytes on, a file that comes in is written down while it comes."""

CHUNK = 256 * 1024


async def put_blob(desk: Desk, call: Call) -> Reply:
    """Store a file, and return its digest."""
    assert call.chunks is not None, "the route takes its body as it comes"
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        size = 0
        async for chunk in call.chunks:
            size += len(chunk)
            if size > IN_MEMORY:
                await asyncio.to_thread(file.write, chunk)
            else:
                file.write(chunk)
        file.seek(0)
        pieces = iter(lambda: file.read(CHUNK), b"")
        digest = await asyncio.to_thread(_blobs(desk).put_chunks, pieces)
    return Reply(Stored(digest), 201)


async def get_blob(desk: Desk, call: Call) -> Reply | Stream:
    """Return a file by its digest."""
    path = await asyncio.to_thread(_blobs(desk).path, call.path["digest"])
    size = path.stat().st_size
    headers = {
        "content-disposition": f'attachment; filename="{call.path["digest"]}"',
        # What it is called by is what it is, for ever.
        "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    }
    if size <= CHUNK:
        return Reply(await asyncio.to_thread(path.read_bytes), 200, headers, BYTES)
    return Stream(_pieces(path), BYTES, {**headers, "content-length": str(size)})


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    file: BinaryIO = await asyncio.to_thread(path.open, "rb")
    with file:
        while piece := await asyncio.to_thread(file.read, CHUNK):
            yield piece


def _blobs(desk: Desk) -> BlobDirectory:
    return BlobDirectory(desk.home / "blobs")


TAG = "blobs"

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/blobs",
        action=Action.PUT_BLOB,
        handler=put_blob,
        body=Content((BYTES,), MAX_BLOB, streamed=True),
        gives={201: Stored},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/blobs/{digest}",
        action=Action.GET_BLOB,
        handler=get_blob,
        gives={200: Content()},
        refuses=(UnknownBlob,),
        tag=TAG,
    ),
)
