"""What the door refuses, and how: raw bytes in, one problem document out, and the server goes on as if nothing had happened."""

import json
import socket

import pytest
from tests.e2e.http_world import at_work
from tests.serving import LONGEST

DEEP = b'{"value": ' + b"[" * 70 + b"]" * 70 + b"}"
BODIES = {
    "a key twice": (b'{"value": 1, "value": 2}', 400, "unreadable"),
    "a key twice, spelled in two ways": (b'{"value": 1, "v\\u0061lue": 2}', 400, "unreadable"),
    "a key twice, deep inside": (b'{"value": [{"a": {"b": 1, "b": 1}}]}', 400, "unreadable"),
    "not a number": (b'{"value": NaN}', 400, "unreadable"),
    "infinity": (b'{"value": -Infinity}', 400, "unreadable"),
    "a number that overflows": (b'{"value": 1e999}', 400, "unreadable"),
    "an integer beyond 64 bits": (b'{"value": 18446744073709551616}', 400, "unreadable"),
    "a hundred thousand digits": (b'{"value": ' + b"9" * 100_000 + b"}", 400, "unreadable"),
    "seventy lists in each other": (DEEP, 400, "unreadable"),
    "half a million lists in each other": (
        b'{"value": ' + b"[" * 500_000,
        400,
        "unreadable",
    ),
    "quotes without end": (b'"' + b'\\"' * 400_000, 400, "unreadable"),
    "bytes that are not UTF-8": (b'{"value": "\xff"}', 400, "unreadable"),
    "UTF-16": ('{"value": 1}'.encode("utf-16"), 400, "unreadable"),
    "half of a surrogate pair": (b'{"value": "\\ud800"}', 400, "unreadable"),
    "two values": (b'{"value": 1} {"value": 2}', 400, "unreadable"),
    "half a value": (b'{"value": ', 400, "unreadable"),
    "single quotes": (b"{'value': 1}", 400, "unreadable"),
    "an unknown field": (b'{"value": 1, "force": true}', 422, "invalid_value"),
    "no value": (b"{}", 422, "invalid_value"),
    "a list": (b"[1]", 422, "invalid_value"),
    "null": (b"null", 422, "invalid_value"),
    "a comment that is a number": (b'{"value": 1, "comment": 1}', 422, "invalid_value"),
    "a comment without end": (
        b'{"value": 1, "comment": "' + b"x" * 20_000 + b'"}',
        422,
        "invalid_value",
    ),
    "more than a megabyte": (b'{"value": "' + b"x" * 1_100_000 + b'"}', 413, "too_large"),
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("strict")) as world:
        yield world


@pytest.fixture(scope="module")
def waiting(world):
    """An execution that none of these requests may change."""
    id_ = world.launch("ask_twice")
    before = world.see(id_)
    yield id_
    assert world.see(id_) == before


def problem(reply, status, code):
    assert (reply.status, reply.body["code"]) == (status, code), reply
    assert reply.headers["content-type"] == "application/problem+json"
    assert set(reply.body) >= {"type", "title", "status", "detail", "code"}
    return reply.body


@pytest.mark.parametrize(("body", "status", "code"), BODIES.values(), ids=BODIES.keys())
def test_a_body_that_two_readers_could_read_differently_is_refused(
    world, waiting, body, status, code
):
    ask = world.server.connect()

    problem(ask("PUT", f"executions/{waiting}/signals/n", body), status, code)

    assert world.ask("GET", "health").status == 200


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Content_Type": "text/plain"}, 415, "wrong_media_type"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415, "wrong_media_type"),
        ({"Content_Encoding": "gzip"}, 415, "wrong_media_type"),
        ({"Idempotency_Key": "k" * 300}, 400, "bad_request"),
    ],
)
def test_what_the_headers_say_is_looked_at_first(world, waiting, headers, status, code):
    problem(
        world.ask("PUT", f"executions/{waiting}/signals/n", {"value": 1}, **headers), status, code
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing", 404, "unknown_route"),
        ("executions/", 404, "unknown_route"),
        ("executions/nobody", 404, "unknown_execution"),
        ("executions/%ff", 404, "unknown_route"),
        ("executions/" + "x" * 5_000, 404, "unknown_execution"),
        ("executions/%00", 404, "unknown_execution"),
        ("workflows/none.such", 404, "unknown_workflow"),
        ("workflows/flows.ask?version=none", 404, "unknown_workflow"),
        ("blobs/" + "0" * 64, 404, "unknown_blob"),
        ("blobs/..%2f..%2ftoken", 404, "unknown_blob"),
        ("bundles/" + "0" * 64, 404, "unknown_bundle"),
        ("executions?limit=0", 422, "invalid_value"),
        ("executions?limit=1001", 422, "invalid_value"),
        ("executions?limit=x", 422, "invalid_value"),
        ("executions?limit=1&limit=2", 422, "invalid_value"),
        ("executions?order=id", 422, "invalid_value"),
        ("executions?phase=DONE", 422, "invalid_value"),
        ("executions?cursor=x", 422, "invalid_value"),
        ("executions?since=yesterday", 422, "invalid_value"),
        ("executions?since=0.5", 422, "invalid_value"),
        ("executions?until=null", 422, "invalid_value"),
        ("executions?until=2026-13-99T00:00:00Z", 422, "invalid_value"),
        ("executions?text=%ff", 400, "bad_request"),
        ("executions?text=" + "x" * 9_000, 400, "bad_request"),
        ("inbox?cursor=AAAA", 422, "invalid_value"),
        ("inbox?kind=sleep", 422, "invalid_value"),
        ("inbox?execution=nobody", 404, "unknown_execution"),
        ("events?after=-1", 422, "invalid_value"),
        ("events?execution=nobody", 404, "unknown_execution"),
    ],
)
def test_what_is_not_there_or_cannot_be_asked_is_a_problem_of_its_own(world, path, status, code):
    problem(world.ask("GET", path), status, code)


@pytest.mark.parametrize(
    "body",
    [
        {"workflow": "flows.ask", "id": "-x"},
        {"workflow": "flows.ask", "id": "a" * 65},
        {"workflow": "flows.ask", "id": "a/b"},
        {"workflow": "flows.ask", "project": "x" * 300},
        {"workflow": ""},
        {"workflow": "flows.ask", "inputs": {"y": 1}},
        {"workflow": "flows.ask", "inputs": {"x": "1"}},
        {"workflow": "flows.ask", "inputs": [1]},
    ],
)
def test_a_launch_with_a_bad_name_or_input_is_refused_and_launches_nothing(world, body):
    before = world.ask("GET", "executions?limit=1").body

    problem(world.ask("POST", "executions", body), 422, "invalid_value")

    assert world.ask("GET", "executions?limit=1").body == before


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "PUT", "TRACE"])
def test_a_method_that_is_not_there_is_told_those_that_are(world, method):
    reply = world.ask(method, "executions")

    problem(reply, 405, "wrong_method")
    assert reply.headers["allow"] == "POST, GET, HEAD"


@pytest.mark.parametrize(
    "archive", [b"", b"not a tar file", b"\0" * 10_240], ids=["empty", "text", "zeros"]
)
def test_a_bundle_that_is_none_is_refused_or_empty_and_nothing_is_unpacked(world, archive):
    reply = world.ask("POST", "bundles", archive, Content_Type="application/x-tar")

    # Zeros are how an archive without files looks.
    assert reply.status in (201, 422)


def test_every_reply_keeps_browsers_from_reading_it_as_something_else(world):
    for path in ("health", "nothing", "executions", "metrics"):
        headers = raw(world, b"GET /api/v1/%b HTTP/1.1" % path.encode())[1]
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "server" not in headers


@pytest.mark.parametrize(
    "line",
    [
        b"GET /api/v1/health\r\n\r\n",
        b"GET /api/v1/health HTTP/9.9",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET http://[ HTTP/1.1",
        b"GET /api/v1/../../etc/passwd HTTP/1.1",
        b"GET //evil.test/ HTTP/1.1",
        b"GET /%2e%2e/%2e%2e/token HTTP/1.1",
    ],
)
def test_lines_that_are_not_a_good_request_leave_the_server_as_it_was(world, line):
    status, _, body = raw(world, line)

    assert status in (0, 200, 400, 404, 421), body
    assert world.server.token.encode() not in body
    assert world.ask("GET", "health").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        b"Transfer-Encoding: chunked\r\nContent-Length: 3",
        b"Content-Length: 3\r\nContent-Length: 4",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"X: " + b"x" * 100_000,
    ],
    ids=["chunked and counted", "counted twice", "negative", "huge", "a long header"],
)
def test_a_request_of_doubtful_length_is_refused(world, waiting, headers):
    line = f"PUT /api/v1/executions/{waiting}/signals/n HTTP/1.1".encode()

    status, _, _ = raw(world, line, b"Content-Type: application/json\r\n" + headers, b'{"value":1}')

    assert status in (0, 400, 413, 422, 431), status


def test_headers_without_end_are_cut_off(world):
    status, _, body = raw(world, b"GET /api/v1/health HTTP/1.1", b"X: " + b"x" * 70_000)
    assert (status, json.loads(body)["code"]) == (431, "head_too_large")

    with socket.create_connection(("127.0.0.1", world.server.port), timeout=LONGEST) as wire:
        wire.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\nX-Long: ")
        sent = 0
        with pytest.raises(ConnectionError):
            while sent < 100_000_000:
                sent += wire.send(b"x" * 10_000)
    assert sent < 50_000_000
    assert world.ask("GET", "health").status == 200


def test_a_body_in_chunks_is_read_as_one(world):
    id_ = world.launch("ask")
    body = b'8\r\n{"value"\r\n4\r\n: 4}\r\n0\r\n\r\n'
    head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked"

    status, _, _ = raw(
        world, f"PUT /api/v1/executions/{id_}/signals/n HTTP/1.1".encode(), head, body
    )

    assert status == 200


def test_a_body_that_is_packed_on_its_way_is_refused(world, waiting):
    line = f"PUT /api/v1/executions/{waiting}/signals/n HTTP/1.1".encode()
    head = b"Content-Type: application/json\r\nTransfer-Encoding: gzip, chunked"

    status, _, body = raw(world, line, head, b"0\r\n\r\n")

    assert (status, json.loads(body)["code"]) == (415, "wrong_media_type")


def test_a_body_without_end_in_chunks_is_cut_off(world, waiting):
    line = f"PUT /api/v1/executions/{waiting}/signals/n HTTP/1.1".encode()
    head = b"Content-Type: application/json\r\nTransfer-Encoding: chunked"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"

    status, _, _ = raw(world, line, head, chunk * 20)

    assert status == 413


def raw(world, line, headers=b"", body=b""):
    """Send these bytes, and return status, headers and body; status 0 if the server hung up without a word."""
    host = b"Host: localhost\r\nAuthorization: Bearer " + world.server.token.encode()
    extra = b"\r\n" + headers if headers else b""
    sent = line + b"\r\n" + host + extra + b"\r\nConnection: close\r\n\r\n" + body
    found = b""
    with socket.create_connection(("127.0.0.1", world.server.port), timeout=LONGEST) as wire:
        try:
            wire.sendall(sent)
            while piece := wire.recv(65_536):
                found += piece
        except ConnectionError:
            pass  # it hung up before all was sent; what it said is read as far as it came
    head, _, rest = found.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/"):
        return 0, {}, found
    named = (each.partition(": ") for each in lines[1:])
    return int(lines[0].split()[1]), {k.lower(): v for k, _, v in named}, rest


def test_a_problem_never_tells_what_the_server_is_made_of(world):
    reply = world.ask("PUT", "executions/x/signals/y", b"{")

    assert "Traceback" not in json.dumps(reply.body)
    assert str(world.place) not in json.dumps(reply.body)


@pytest.mark.parametrize("name", ["\x1b[31m", "a b", "a*", "\u202e", "a/b", "p" * 65])
@pytest.mark.parametrize("field", ["project", "domain"])
def test_a_project_and_a_domain_are_names_that_a_grant_can_tell(world, field, name):
    body = {"workflow": "flows.ask", "id": "named", field: name}
    refused = world.ask("POST", "executions", body)
    assert (refused.status, refused.body["code"]) == (422, "invalid_value")
    assert refused.body["faults"][0]["path"] == [field]
    assert world.ask("GET", "executions/named").status == 404


def test_a_key_of_other_letters_is_shown_as_it_was_sent(world, waiting):
    sent = {"Idempotency_Key": "\u00e9".encode().decode("latin-1")}
    found = problem(
        world.ask("PUT", f"executions/{waiting}/signals/n", {"value": 1}, **sent),
        422,
        "invalid_value",
    )

    assert "the key '\u00e9' must have" in found["detail"]
