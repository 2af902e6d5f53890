"""Blobs over HTTP: files by the digest of their content."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from tidegate.api.backend import Backend
from tidegate.api.route import BYTES, Call, Content, Reply, Route, Stream, asking
from tidegate.errors import QuotaReached, UnknownBlob
from tidegate.service.access import Action
from tidegate.wire import Stored

MAX_BLOB = 1024 * 1024 * 1024
"""Bytes of one piece of a sent file."""

IN_MEMORY = 1024 * 1024
"""Bytes from which an upload is written to disk while it arrives."""

CHUNK = 256 * 1024


async def put_blob(backend: Backend, call: Call) -> Reply:
    """Store a file, and return its digest."""
    # Checked before reading, too: a file that cannot fit is not awaited.
    backend.service.quotas.add_file(0)

    def put(pieces: Iterable[bytes], size: int) -> str:
        backend.service.quotas.add_file(size)
        return backend.service.blobs.put(pieces)

    return Reply(Stored(await kept(call, put)), 201)


async def kept(call: Call, put: Callable[[Iterable[bytes], int], str]) -> str:
    """Return what `put` returns of a body that comes in pieces; it is called once all of it has come, with its size in bytes."""
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
        return await asyncio.to_thread(put, pieces, size)


async def get_blob(backend: Backend, call: Call) -> Reply | Stream:
    """Return a file by its digest."""
    digest = call.path["digest"]
    size = await asyncio.to_thread(backend.service.blobs.size, digest)
    headers = {
        "content-disposition": f'attachment; filename="{digest}"',
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
    }
    if size <= CHUNK:
        content = await asyncio.to_thread(lambda: b"".join(backend.service.blobs.read(digest)))
        return Reply(content, 200, headers, BYTES)
    pieces = _pieces(backend.service.blobs.read(digest))
    return Stream(pieces, BYTES, {**headers, "content-length": str(size)})


async def _pieces(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(next, pieces, b""):
        # In small pieces, because a slow client has limited time for each.
        for at in range(0, len(piece), CHUNK):
            yield piece[at : at + CHUNK]


TAG = "blobs"

ROUTES = (
    Route(
        method="POST",
        path="/api/v1/blobs",
        action=Action.PUT_BLOB,
        handler=put_blob,
        body=Content((BYTES,), MAX_BLOB, streamed=True),
        gives={201: Stored},
        refuses=(QuotaReached,),
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
    asking("describe_blob", TAG, UnknownBlob),
)
