"""The media type of a content, detected from its first bytes: no claims about it count."""

import codecs
from typing import Final

LOOKED: Final = 4_096
"""Bytes that are inspected: every signature is within the first 12, and what looks like text for that long is taken for text."""

BINARY: Final = "application/octet-stream"
TEXT: Final = "text/plain"

_SIGNATURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"%PDF-", "application/pdf"),
    (b"PAR1", "application/vnd.apache.parquet"),
    (b"\x93NUMPY", "application/vnd.numpy.npy"),
    (b"PK\x03\x04", "application/zip"),
    (b"PK\x05\x06", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"ARROW1", "application/vnd.apache.arrow.file"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\x7fELF", "application/x-elf"),
)
_MARKUP: Final = (
    (b"<!doctype html", "text/html"),
    (b"<html", "text/html"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "application/xml"),
)
_NOT_IN_TEXT: Final = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b") | {127}


def media_of(beginning: bytes) -> str:
    """Return the media type of a content by its first `LOOKED` bytes; for text, only whether it is markup, because no signature distinguishes CSV from prose."""
    for signature, media in _SIGNATURES:
        if beginning.startswith(signature) and (signature != b"BM" or not _is_text(beginning)):
            return media
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "image/webp"
    if beginning[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    if not _is_text(beginning):
        return BINARY
    first = beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    return next((media for mark, media in _MARKUP if first.startswith(mark)), TEXT)


def _is_text(beginning: bytes) -> bool:
    if not _NOT_IN_TEXT.isdisjoint(beginning):
        return False
    try:
        # The last character may have been cut.
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=False)
    except UnicodeDecodeError:
        return False
    return True
