"""Blobs over HTTP: files by the digest of their content."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from tidegate.api.backend import Backend
from tidegate.api.ranges import span_of
from tidegate.api.route import BYTES, Call, Content, Header, Reply, Route, Stream, asking
from tidegate.blobs.media import LOOKED, media_of
from tidegate.errors import QuotaReached, RangeMissed, UnknownBlob
from tidegate.service.access import Action
from tidegate.wire import Stored

MAX_BLOB = 1024 * 1024 * 1024
"""Bytes of one piece of a sent file."""

IN_MEMORY = 1024 * 1024
"""Bytes from which an upload is written to disk while it arrives."""

CHUNK = 256 * 1024

PLAYED = (
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
)
"""What a file may be sent as: browsers play these and never run them. All else is bytes; a claim of the file's author counts for nothing."""

RANGE = Header(
    "Range",
    "Which bytes to return, as in bytes=0-1023. One range; of several, the whole is returned.",
)
IF_RANGE = Header(
    "If-Range", "The `ETag` that the range belongs to; of another content, the whole is returned."
)


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
    """
    Return a file by its digest, or the bytes of it that `Range` asks for.

    It is sent as a download, whatever it is; recordings have their own media type, so that browsers play them and seek in them.
    """
    digest, blobs = call.path["digest"], backend.service.blobs
    size = await asyncio.to_thread(blobs.size, digest)
    tag = f'"{digest}"'
    headers = {
        # Without a name: a page names what it offers, and all others take the last part of the path, which is the digest.
        "content-disposition": "attachment",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "accept-ranges": "bytes",
        "etag": tag,
    }
    span = span_of(call.headers[RANGE.name], call.headers[IF_RANGE.name], size, tag)
    if span is None:
        status, pieces = 200, blobs.read(digest)
        beginning = first = await asyncio.to_thread(next, pieces, b"")
    else:
        status, pieces = 206, blobs.part(digest, span.start, span.stop)
        headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{size}"
        first = await asyncio.to_thread(next, pieces, b"")
        beginning = (
            first if span.start == 0 else await asyncio.to_thread(blobs.beginning, digest, LOOKED)
        )
    length = size if span is None else len(span)
    found = media_of(beginning[:LOOKED])
    media = found if found in PLAYED else BYTES
    if length <= CHUNK:
        content = first + await asyncio.to_thread(b"".join, pieces)
        return Reply(content, status, headers, media)
    return Stream(_pieces(first, pieces), media, {**headers, "content-length": str(length)}, status)


async def _pieces(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    piece = first
    while piece:
        # In small pieces, because a slow client has limited time for each.
        for at in range(0, len(piece), CHUNK):
            yield piece[at : at + CHUNK]
        piece = await asyncio.to_thread(next, pieces, b"")


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
        headers=(RANGE, IF_RANGE),
        gives={200: Content((BYTES, *PLAYED)), 206: Content((BYTES, *PLAYED))},
        refuses=(UnknownBlob, RangeMissed),
        tag=TAG,
    ),
    asking("describe_blob", TAG, UnknownBlob),
)
