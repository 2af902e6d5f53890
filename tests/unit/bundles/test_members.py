"""An archive holds plain files with the bytes that are there; what says otherwise is refused."""

import io
import struct
import tarfile
import time

import pytest

from tidegate.bundles.members import Member, members
from tidegate.errors import CodeError


def packed(
    *names: str, form: int = tarfile.PAX_FORMAT, body: bytes = b"x", **extended: str
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name in names:
            made = tarfile.TarInfo(name)
            made.size, made.pax_headers = len(body), dict(extended)
            tar.addfile(made, io.BytesIO(body))
    return buffer.getvalue()


def altered(body: bytes, at: int, field: slice, value: bytes) -> bytes:
    """Return an archive with another value in the header at a place, and the sum that goes with it."""
    head = bytearray(body[at : at + 512])
    head[field] = value
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return body[:at] + bytes(head) + body[at + 512 :]


SIZE, TYPE = slice(124, 136), slice(156, 157)
NEGATIVE = b"\xff" * 8 + struct.pack(">i", -1024)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_files_are_read_with_their_names_however_long(form: int):
    names = ["a.py", "long/" * 15 + "b.py", *(["z" * 120] if form != tarfile.USTAR_FORMAT else [])]

    assert list(members(packed(*names, form=form))) == [Member(name, b"x", 0o644) for name in names]


def test_what_an_extended_header_says_besides_is_ignored():
    assert [each.name for each in members(packed("é.py", mtime="1.5", comment="c"))] == ["é.py"]


@pytest.mark.parametrize(
    "extended",
    [
        {"size": "99999999999"},
        {"size": "-1024"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "../x", "GNU.sparse.realsize": "9"},
        {"GNU.sparse.size": "99999999", "GNU.sparse.map": "0,1"},
        {"SCHILY.realsize": "99999999"},
    ],
)  # fmt: skip
def test_a_size_in_an_extended_header_is_refused(extended: dict[str, str]):
    with pytest.raises(CodeError, match="extended header"):
        list(members(packed("ok", **extended)))


@pytest.mark.parametrize(
    "kind", [b"0", b"\0", b"K", b"L", b"S", b"x", b"g", b"X", b"1", b"5", b"V"]
)
def test_a_size_that_is_negative_or_not_in_digits_is_refused_whatever_has_it(kind: bytes):
    body = packed("a", "b", form=tarfile.GNU_FORMAT, body=b"z" * 600)

    for size in (NEGATIVE, b"\x80" + b"\0" * 10 + b"\x02", b"-0000000777\0"):
        with pytest.raises(CodeError):
            list(members(altered(altered(body, 0, TYPE, kind), 0, SIZE, size)))


@pytest.mark.parametrize("kind", [b"1", b"2", b"3", b"4", b"5", b"6", b"S", b"V", b"M", b"D", b"Z"])
def test_what_is_not_a_plain_file_is_refused(kind: bytes):
    with pytest.raises(CodeError, match="not a regular file"):
        list(members(altered(packed("a"), 0, TYPE, kind)))


def test_what_stands_behind_the_end_or_is_cut_is_damage():
    body = packed("a", "b", body=b"z" * 600)

    for damaged in (
        body + b"x",
        body[:700],
        body[:300],
        body.rstrip(b"\0")[:-1],
        b"",
        b"\x1f\x8b" * 300,
    ):
        with pytest.raises(CodeError):
            list(members(damaged))


def test_the_time_grows_with_the_length():
    def cost(count: int) -> float:
        body, best = packed(*(f"f{n}" for n in range(count)), body=b""), float("inf")
        for _ in range(3):
            began = time.process_time()
            list(members(body))
            best = min(best, time.process_time() - began)
        return best

    assert cost(4_000) < 20 * cost(400) + 0.02
