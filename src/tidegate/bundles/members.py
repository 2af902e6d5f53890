"""
The members of an archive of a source tree, read block by block: regular files, each with as many bytes as are there.

A tar file states sizes and names in more ways than one, and readers disagree about them. Here only the size in the header of a file
counts, as digits, and only if that many bytes follow; anything that could state another one (a size in an extended header, a sparse file, a number in
base 256) is refused. So is every member that is not a regular file, and data after the end.
"""

import tarfile
from collections.abc import Iterator
from typing import Final, NamedTuple

from tidegate.errors import CodeError

BLOCK: Final = 512
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
_EXTENDED: Final = (tarfile.XHDTYPE, tarfile.XGLTYPE)
_LONG_NAME: Final = tarfile.GNUTYPE_LONGNAME
_SIZES: Final = slice(124, 136)


class Member(NamedTuple):
    """A file of an archive. `mode` is its permissions."""

    name: str
    content: bytes
    mode: int


def members(body: bytes) -> Iterator[Member]:
    """Yield the files of an archive, in order. Errors: `CodeError` if it contains anything else, or is damaged."""
    if not body:
        raise CodeError("the bundle is damaged: it is empty")
    at, name = 0, ""
    while at < len(body):
        head = body[at : at + BLOCK]
        if not head.strip(b"\0"):
            if body[at:].strip(b"\0"):
                raise CodeError("the bundle is damaged: there is data after its end")
            break
        found = _header(head)
        content = body[at + BLOCK : at + BLOCK + found.size]
        if len(content) < found.size:
            raise CodeError(
                f"the bundle is damaged: {found.name[:80]!r} ends before its {found.size} bytes"
            )
        at += BLOCK * (1 + -(-found.size // BLOCK))
        if found.type in _EXTENDED:
            name = _extended(content, is_global=found.type == tarfile.XGLTYPE) or name
        elif found.type == _LONG_NAME:
            name = _decoded(content.rstrip(b"\0"))
        elif found.type in _PLAIN:
            yield Member(name or found.name, content, found.mode)
            name = ""
        else:
            raise CodeError(f"the bundle contains {found.name[:80]!r}, which is not a regular file")
    if name:
        raise CodeError("the bundle is damaged: it ends with a name")


def _header(head: bytes) -> tarfile.TarInfo:
    if len(head) < BLOCK:
        raise CodeError("the bundle is damaged: it ends within a header")
    if head[_SIZES][0] & 0x80:
        raise CodeError("the bundle contains a size that is not written in digits")
    try:
        found = tarfile.TarInfo.frombuf(head, "utf-8", "strict")
    except (tarfile.TarError, ValueError) as error:
        raise CodeError(f"the bundle is damaged: {error}") from None
    if found.size < 0 or b"-" in head[_SIZES]:
        raise CodeError(f"the bundle contains {found.name[:80]!r} with a negative size")
    return found


def _extended(content: bytes, *, is_global: bool) -> str:
    """Return the name that an extended header gives the next file; empty if it gives none."""
    name, at = "", 0
    while at < len(content):
        digits, space, _ = content[at : at + 12].partition(b" ")
        if not space or not digits.isdigit() or not len(digits) < int(digits) <= len(content) - at:
            raise CodeError("the bundle is damaged: an extended header is invalid")
        record = content[at + len(digits) + 1 : at + int(digits) - 1]
        at += int(digits)
        key, _, value = record.partition(b"=")
        if key == b"size" or key.startswith((b"GNU.sparse", b"SCHILY.realsize")):
            raise CodeError(
                f"the bundle states a size in an extended header ({_decoded(key)[:40]}), which is not accepted"
            )
        if key == b"path":
            if is_global:
                raise CodeError("the bundle gives all its files one name")
            name = _decoded(value)
    return name


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise CodeError("the bundle contains a name that is not UTF-8") from None
