"""
Resumable uploads over HTTP: the protocol tus 1.0, with its extensions for creation and termination.

A file arrives in as many requests as the line needs. After a break the client asks how much has arrived and continues there, also after a restart of the
server. When all of it has arrived it is a blob, and the reply names its digest.
"""

import asyncio
from contextlib import ExitStack

from tidegate.api.backend import Backend
from tidegate.api.route import Call, Content, Header, Reply, Route
from tidegate.blobs.media import LOOKED, media_of
from tidegate.blobs.uploads import Incoming, Upload
from tidegate.errors import (
    BadRequest,
    Overloaded,
    QuotaReached,
    TooLarge,
    UnknownUpload,
    UploadBusy,
    WrongOffset,
    WrongVersion,
)
from tidegate.service.access import Action
from tidegate.wire import UploadView

VERSION = "1.0.0"
EXTENSIONS = "creation,termination"
OFFSETS = "application/offset+octet-stream"

MAX_UPLOAD = 5 * 1024**3
"""Bytes of one file: the limit of S3 for an object sent in one piece."""

AT_ONCE = 1024 * 1024
"""Bytes that are collected before they are written in a thread."""

WHOLE_NUMBER = {"pattern": r"^[0-9]{0,18}\Z"}
RESUMABLE = Header("Tus-Resumable", "The version of the protocol: 1.0.0.", 20)
LENGTH = Header("Upload-Length", "Bytes of the file.", 18, WHOLE_NUMBER)
OFFSET = Header("Upload-Offset", "Bytes that have arrived.", 18, WHOLE_NUMBER)

PATH = "/api/v1/uploads"
ONE = f"{PATH}/{{id}}"


def _check_version(call: Call) -> None:
    if call.headers[RESUMABLE.name] != VERSION:
        raise WrongVersion(f"send `Tus-Resumable: {VERSION}`; no other version is spoken here")


def _number(call: Call, header: Header) -> int:
    text = call.headers[header.name]
    if not (text.isascii() and text.isdigit()):
        raise BadRequest(f"the header {header.name} must be a whole number")
    return int(text)


def _headers(upload: Upload | None = None) -> dict[str, str]:
    found = {"tus-resumable": VERSION}
    if upload is not None:
        found |= {"upload-offset": str(upload.offset), "upload-length": str(upload.size)}
        if upload.digest:
            found["upload-digest"] = upload.digest
    return found


async def describe_uploads(backend: Backend, call: Call) -> Reply:
    """Return what this server offers of the protocol."""
    del backend, call
    offers = {"tus-version": VERSION, "tus-extension": EXTENSIONS, "tus-max-size": str(MAX_UPLOAD)}
    return Reply(b"", 204, {**_headers(), **offers})


async def begin_upload(backend: Backend, call: Call) -> Reply:
    """Begin an upload; `Location` is where its bytes go."""
    _check_version(call)
    size = _number(call, LENGTH)
    if size > MAX_UPLOAD:
        raise TooLarge(f"the file is larger than {MAX_UPLOAD:,} bytes", limit=MAX_UPLOAD)
    who = call.principal.name

    def begin() -> Upload:
        service = backend.service
        # Counted when it is complete; what will not fit is refused before it is sent.
        service.quotas.check_files(service.uploads.unfinished(who) + size)
        upload = service.uploads.begin(who, size)
        if size:
            return upload
        with service.uploads.adding(who, upload.id, 0) as incoming:
            return _complete(backend, incoming)

    upload = await asyncio.to_thread(begin)
    return Reply(b"", 201, {**_headers(upload), "location": f"{PATH}/{upload.id}"})


async def get_upload(backend: Backend, call: Call) -> Reply:
    """Return how much of an upload has arrived, in headers too; and, once it is complete, its digest and media type."""

    def find() -> tuple[Upload, str]:
        found = backend.service.uploads.find(call.principal.name, call.path["id"])
        if not found.digest:
            return found, ""
        return found, media_of(backend.service.blobs.beginning(found.digest, LOOKED))

    upload, media = await asyncio.to_thread(find)
    view = UploadView(
        id=upload.id, size=upload.size, offset=upload.offset, digest=upload.digest, media=media
    )
    return Reply(view, 200, _headers(upload))


async def add_to_upload(backend: Backend, call: Call) -> Reply:
    """Add bytes to an upload, from `Upload-Offset` on. With the last of them it becomes a blob, whose digest is in `Upload-Digest`."""
    _check_version(call)
    assert call.chunks is not None, "the route takes its body as it comes"
    who, id_, offset = call.principal.name, call.path["id"], _number(call, OFFSET)
    turn = ExitStack()
    adding = backend.service.uploads.adding(who, id_, offset)
    incoming = await asyncio.to_thread(turn.enter_context, adding)
    held = bytearray()
    try:
        async for chunk in call.chunks:
            held += chunk
            if len(held) >= AT_ONCE:
                piece = bytes(held)
                held.clear()
                await asyncio.to_thread(incoming.add, piece)
    finally:
        # Also of a line that broke: what has arrived need not be sent again.
        await asyncio.to_thread(_end, backend, turn, incoming, bytes(held))
    return Reply(b"", 204, _headers(incoming.upload))


def _end(backend: Backend, turn: ExitStack, incoming: Incoming, rest: bytes) -> None:
    with turn:
        if rest:
            incoming.add(rest)
        if incoming.upload.offset == incoming.upload.size and not incoming.upload.digest:
            _complete(backend, incoming)


def _complete(backend: Backend, incoming: Incoming) -> Upload:
    backend.service.quotas.add_file(incoming.upload.size)
    return incoming.becomes(backend.service.blobs.put(incoming.pieces()))


async def end_upload(backend: Backend, call: Call) -> Reply:
    """Cancel an upload, and drop what has arrived. A blob that it has become stays."""
    _check_version(call)
    await asyncio.to_thread(backend.service.uploads.drop, call.principal.name, call.path["id"])
    return Reply(b"", 204, _headers())


TAG = "uploads"

ROUTES = (
    Route(
        method="OPTIONS",
        path=PATH,
        action=Action.PUT_BLOB,
        handler=describe_uploads,
        gives={204: Content(())},
        tag=TAG,
    ),
    Route(
        method="POST",
        path=PATH,
        action=Action.PUT_BLOB,
        handler=begin_upload,
        headers=(RESUMABLE, LENGTH),
        gives={201: Content(())},
        refuses=(WrongVersion, BadRequest, TooLarge, QuotaReached, Overloaded),
        tag=TAG,
    ),
    Route(
        method="GET",
        path=ONE,
        action=Action.PUT_BLOB,
        handler=get_upload,
        gives={200: UploadView},
        refuses=(UnknownUpload,),
        tag=TAG,
    ),
    Route(
        method="PATCH",
        path=ONE,
        action=Action.PUT_BLOB,
        handler=add_to_upload,
        body=Content((OFFSETS,), MAX_UPLOAD, streamed=True),
        headers=(RESUMABLE, OFFSET),
        gives={204: Content(())},
        refuses=(WrongVersion, BadRequest, UnknownUpload, WrongOffset, UploadBusy, QuotaReached),
        tag=TAG,
    ),
    Route(
        method="DELETE",
        path=ONE,
        action=Action.PUT_BLOB,
        handler=end_upload,
        headers=(RESUMABLE,),
        gives={204: Content(())},
        refuses=(WrongVersion, UnknownUpload, UploadBusy),
        tag=TAG,
    ),
)
