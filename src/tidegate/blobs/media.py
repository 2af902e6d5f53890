"""The media type of a content, detected from its first bytes: no claims about it count."""

import codecs
from typing import Final

LOOKED: Final = 4_096
"""Bytes that are inspected: every signature is within the first 12, the kind of a Matroska file soon after, and what looks like text for that long is taken for text."""

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
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-asf"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    # Frames without a tag: MPEG 1 and 2, layer 3, and AAC.
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xfa", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xf1", "audio/aac"),
    (b"\xff\xf9", "audio/aac"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heif",
    b"M4A ": "audio/mp4",
    b"M4B ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
"""What files of the ISO format are by their first brand; those of all others are MP4."""
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
    if (container := _container(beginning)) is not None:
        return container
    if not _is_text(beginning):
        return BINARY
    first = beginning.removeprefix(codecs.BOM_UTF8).lstrip()[:64].lower()
    return next((media for mark, media in _MARKUP if first.startswith(mark)), TEXT)


def _container(beginning: bytes) -> str | None:
    """Return what a file is whose format holds several kinds of content; None for other files."""
    if beginning[:4] == b"RIFF":
        return _RIFF.get(beginning[8:12])
    if beginning[:4] == b"FORM" and beginning[8:12] in (b"AIFF", b"AIFC"):
        return "audio/aiff"
    if beginning[4:8] == b"ftyp":
        return _BRANDS.get(beginning[8:12], "video/mp4")
    if beginning.startswith(b"OggS"):
        # The first page begins the video, where there is one.
        return "video/ogg" if b"theora" in beginning[:64] else "audio/ogg"
    if beginning.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in beginning[:64] else "video/x-matroska"
    return None


def _is_text(beginning: bytes) -> bool:
    if not _NOT_IN_TEXT.isdisjoint(beginning):
        return False
    try:
        # The last character may have been cut.
        codecs.getincrementaldecoder("utf-8")().decode(beginning, final=False)
    except UnicodeDecodeError:
        return False
    return True
