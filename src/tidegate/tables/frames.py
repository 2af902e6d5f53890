"""How a reader and its parent talk: messages of JSON, each behind its length; a reply is a result, or the code and the message of a refusal."""

import os
import select
import struct
import time
from collections.abc import Callable, Mapping
from typing import IO, Final

import msgspec
from msgspec import Struct

from tidegate.errors import Fault, InvalidValue, NotATable, TableTooLarge, TidegateError

_LENGTH: Final = struct.Struct(">I")
_CHUNK: Final = 64 * 1024

WATCHED: Final = 0.1
"""Seconds between two looks at a process that works on a reply: in one, it fills some hundred megabytes."""

_ERRORS: Final[Mapping[str, type[TidegateError]]] = {
    each.code: each for each in (NotATable, TableTooLarge)
}


class ReaderReply(Struct, frozen=True):
    """A reply. `part` is the part of the query that a refusal is about."""

    result: msgspec.Raw = msgspec.Raw(b"null")
    code: str = ""
    message: str = ""
    part: str = ""


def read(pipe: IO[bytes]) -> bytes | None:
    """Read one message; None at the end of the input."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    return body if len(body) == length else None


def write(pipe: IO[bytes], body: bytes) -> None:
    """Write one message. Errors: `OSError`."""
    pipe.write(_LENGTH.pack(len(body)) + body)
    pipe.flush()


def receive(handle: int, seconds: float, watch: Callable[[], None]) -> bytes:
    """
    Read one message that must have come in this time; `watch` is called now and then while it is awaited.

    Errors: `TimeoutError`; `EOFError` if the other end is gone; `OSError`; those of `watch`.
    """
    until = time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_exactly(handle, _LENGTH.size, until, watch))
    return _exactly(handle, length, until, watch)


def _exactly(handle: int, size: int, until: float, watch: Callable[[], None]) -> bytes:
    found = bytearray()
    while len(found) < size:
        left = max(0.0, until - time.monotonic())
        if not select.select([handle], [], [], min(left, WATCHED))[0]:
            if left == 0:
                raise TimeoutError
            watch()
            continue
        piece = os.read(handle, min(_CHUNK, size - len(found)))
        if not piece:
            raise EOFError
        found += piece
    return bytes(found)


def refused(error: TidegateError) -> ReaderReply:
    """Return an error as a reply."""
    faults = error.faults if isinstance(error, InvalidValue) else ()
    part = str(faults[0].path[0]) if faults else ""
    return ReaderReply(code=error.code, message=error.message, part=part)


def result_of(body: bytes) -> bytes:
    """Return the result of a reply. Errors: what the reader refused."""
    told = msgspec.json.decode(body, type=ReaderReply)
    if not told.code:
        return bytes(told.result)
    if told.part:
        why = told.message.removeprefix(f"{told.part}: ")
        raise InvalidValue(told.message, [Fault((told.part,), why)])
    raise _ERRORS.get(told.code, NotATable)(told.message)
