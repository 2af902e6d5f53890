"""Resumable uploads: a file arrives in pieces, over breaks of the line and of the server, and is a blob at its end."""

import hashlib
import http.client
import os
import socket
import time

import pytest
from tests.serving import LONGEST, Reply, Server

VERSION = {"Tus_Resumable": "1.0.0"}
OFFSETS = {**VERSION, "Content_Type": "application/offset+octet-stream"}
CONTENT = os.urandom(300_000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("world") / "home"


@pytest.fixture(scope="module")
def server(home):
    server = Server(home).ready()
    yield server
    server.close()


@pytest.fixture
def ask(server):
    return server.connect()


def begin(ask, size: int) -> str:
    reply = ask("POST", "uploads", None, Upload_Length=str(size), **VERSION)
    assert (reply.status, reply.headers["upload-offset"]) == (201, "0")
    return reply.headers["location"].removeprefix("/api/v1/")


def add(ask, path: str, offset: int, piece: bytes) -> Reply:
    return ask("PATCH", path, piece, Upload_Offset=str(offset), **OFFSETS)


def test_a_file_that_arrives_in_pieces_is_a_blob_with_its_digest(ask):
    path = begin(ask, len(CONTENT))

    replies = [
        add(ask, path, at, CONTENT[at : at + 100_000]) for at in range(0, len(CONTENT), 100_000)
    ]

    assert [each.status for each in replies] == [204] * 3
    assert [each.headers["upload-offset"] for each in replies] == ["100000", "200000", "300000"]
    assert {each.headers["tus-resumable"] for each in replies} == {"1.0.0"}
    assert replies[-1].headers["upload-digest"] == DIGEST
    found = ask("GET", path)
    assert found.body == {
        "id": path.removeprefix("uploads/"),
        "size": len(CONTENT),
        "offset": len(CONTENT),
        "digest": DIGEST,
        "media": "application/octet-stream",
    }
    assert ask("GET", f"blobs/{DIGEST}/facts").body["size"] == len(CONTENT)


def test_a_line_that_breaks_loses_only_what_has_not_arrived(server, ask):
    path = begin(ask, len(CONTENT))
    head = (
        f"PATCH /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAuthorization: Bearer {server.token}\r\n"
        f"Tus-Resumable: 1.0.0\r\nUpload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
        f"Content-Length: {len(CONTENT)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head.encode() + CONTENT[:123_456])
        line.shutdown(socket.SHUT_WR)

    offset = arrived(ask, path, 123_456)
    reply = add(ask, path, offset, CONTENT[offset:])

    assert offset == 123_456
    assert (reply.status, reply.headers["upload-digest"]) == (204, DIGEST)


def arrived(ask, path: str, wanted: int) -> int:
    give_up = time.monotonic() + LONGEST
    while (offset := int(ask("HEAD", path).headers["upload-offset"])) < wanted:
        assert time.monotonic() < give_up, f"{offset} bytes have arrived"
    return offset


def test_a_killed_server_goes_on_where_it_was(tmp_path):
    server = Server(tmp_path / "home").ready()
    try:
        ask = server.connect()
        path = begin(ask, len(CONTENT))
        add(ask, path, 0, CONTENT[:100_000])
        server.kill()
    finally:
        server.close()
    again = Server(tmp_path / "home").ready()
    try:
        ask = again.connect()
        head = ask("HEAD", path)
        last = add(ask, path, 100_000, CONTENT[100_000:])
        after = ask("GET", path)
    finally:
        again.close()

    assert (head.status, head.headers["upload-offset"]) == (200, "100000")
    assert head.headers["cache-control"] == "no-store"
    assert (last.status, last.headers["upload-digest"], after.body["digest"]) == (
        204,
        DIGEST,
        DIGEST,
    )


def test_a_lost_last_reply_can_be_asked_for_again(ask):
    path = begin(ask, 3)
    add(ask, path, 0, b"abc")

    again = ask("HEAD", path)
    repeated = add(ask, path, 3, b"")

    assert again.headers["upload-offset"] == "3"
    assert again.headers["upload-digest"] == hashlib.sha256(b"abc").hexdigest()
    assert (repeated.status, repeated.headers["upload-offset"]) == (204, "3")


def test_a_wrong_offset_is_told_the_right_one(ask):
    path = begin(ask, 10)
    add(ask, path, 0, b"abc")

    for offset in (0, 2, 4, 10):
        refused = add(ask, path, offset, b"x")
        assert (refused.status, refused.body["code"], refused.body["offset"]) == (
            409,
            "wrong_offset",
            3,
        )


def test_a_cancelled_upload_is_gone(ask):
    path = begin(ask, 10)

    assert ask("DELETE", path, **VERSION).status == 204
    for reply in (ask("GET", path), add(ask, path, 0, b"x"), ask("DELETE", path, **VERSION)):
        assert (reply.status, reply.body["code"]) == (404, "unknown_upload")


def test_an_empty_file_is_complete_at_once(ask):
    path = begin(ask, 0)

    assert ask("GET", path).body["digest"] == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 412, "wrong_version"),
        ({"Tus_Resumable": "0.2.2", "Upload_Length": "3"}, 412, "wrong_version"),
        (VERSION, 400, "bad_request"),
        ({**VERSION, "Upload_Length": "-3"}, 400, "bad_request"),
        ({**VERSION, "Upload_Length": "٣"}, 400, "bad_request"),
        ({**VERSION, "Upload_Length": "1e3"}, 400, "bad_request"),
        ({**VERSION, "Upload_Length": str(6 * 1024**3)}, 413, "too_large"),
        ({**VERSION, "Upload_Length": "9" * 18}, 413, "too_large"),
    ],
)
def test_an_upload_that_cannot_be_begins_not(ask, headers, status, code):
    sent = {name: value.encode() for name, value in headers.items()}

    reply = ask("POST", "uploads", None, **sent)

    assert (reply.status, reply.body["code"]) == (status, code)


def test_the_server_says_what_it_offers(server):
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    try:
        line.request(
            "OPTIONS", "/api/v1/uploads", headers={"Authorization": f"Bearer {server.token}"}
        )
        reply = line.getresponse()
        offered = dict(reply.headers)
        reply.read()
    finally:
        line.close()

    assert reply.status == 204
    assert offered["tus-version"] == "1.0.0"
    assert offered["tus-extension"] == "creation,termination"
    assert int(offered["tus-max-size"]) == 5 * 1024**3


def test_what_would_exceed_the_quota_is_refused_before_it_is_sent(tmp_path):
    server = Server(tmp_path / "home", "--quota", "blobs=10k").ready()
    try:
        ask = server.connect()
        give_up = time.monotonic() + LONGEST
        sent = {"Upload_Length": "20000", **VERSION}
        while (reply := ask("POST", "uploads", None, **sent)).status == 201:
            assert time.monotonic() < give_up, "it does not count"
            ask("DELETE", reply.headers["location"].removeprefix("/api/v1/"), **VERSION)
        small = ask("POST", "uploads", None, Upload_Length="2000", **VERSION)
    finally:
        server.close()

    assert (reply.status, reply.body["code"], reply.body["quota"]) == (
        507,
        "quota_reached",
        "blobs",
    )
    assert small.status == 201
