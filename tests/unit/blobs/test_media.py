"""A content is what its first bytes say, whatever it is called."""

import io

import numpy as np
import pytest

from tidegate.blobs.media import LOOKED, media_of


def saved_array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.arange(3))
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        (b"RIFF\x01\x02\x03\x04WAVEfmt ", "audio/wav"),
        (b"RIFF\x01\x02\x03\x04AVI LIST", "video/x-msvideo"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x13OpusHead", "audio/ogg"),
        (b"OggS\x00\x02" + bytes(22) + b"\x01\x2a\x80theora", "video/ogg"),
        (b"fLaC\x00", "audio/flac"),
        (b"\x00\x00\x00\x20ftypisom\x00", "video/mp4"),
        (b"\x00\x00\x00\x20ftypM4A \x00", "audio/mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00", "video/quicktime"),
        (b"\x00\x00\x00\x18ftypheic\x00", "image/heic"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm", "video/webm"),
        (b"\x1aE\xdf\xa3\xa3B\x86\x81\x01B\x82\x88matroska", "video/x-matroska"),
        (b"%PDF-1.7\n%\xe2", "application/pdf"),
        (saved_array(), "application/vnd.numpy.npy"),
        (b"PK\x03\x04\x14\x00", "application/zip"),
        (b"<!DOCTYPE html><script>", "text/html"),
        (b" \n<HTML>", "text/html"),
        (b"\xef\xbb\xbf<svg xmlns='x'>", "image/svg+xml"),
        (b"a,b\r\n1,2\r\n", "text/plain"),
        ("Zürich".encode(), "text/plain"),
        ("é".encode() * LOOKED, "text/plain"),
        (b"BMW and others", "text/plain"),
        (b"BM\x00\x01\x02", "image/bmp"),
        (b"", "text/plain"),
        (b"\x80\x05\x95", "application/octet-stream"),
        (b"abc\x00def", "application/octet-stream"),
        ("Zürich".encode("latin-1"), "application/octet-stream"),
    ],
)
def test_a_content_is_told_by_its_first_bytes(content: bytes, media: str):
    assert media_of(content[:LOOKED]) == media
