"""
Strangers: anyone who has shown no token shuts nobody out who has one, and costs little.

Method: the real server, and crowds of strangers from the same address as the holder of the token.
"""

import http.client
import json
import resource
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from statistics import median

import pytest
from tests.serving import LONGEST, Connection, Server

from tidegate.api.auth import STRANGERS_RATE
from tidegate.api.callers import STRANGERS

CROWD = 2_000
SIGN_IN = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)
SOON = 10.0
"""Seconds: for one request while a crowd is there, on a machine where other tests run."""


@contextmanager
def serving(tmp_path, *words):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3 * CROWD:
        pytest.skip(f"a process may open only {hard:,} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (3 * CROWD, hard))
    server = Server(tmp_path / "home", *words)
    try:
        yield server.ready()
    finally:
        server.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def crowd(stack, port, said):
    """Have a crowd connect, from this very address, and say something."""
    for _ in range(CROWD):
        line = stack.enter_context(socket.create_connection(("127.0.0.1", port), SOON))
        with suppress(OSError):  # dropped already, for one that came later
            line.sendall(said)


def ask_as_a_stranger(port, method, path, body=None):
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    content = None if body is None else json.dumps(body)
    line.request(method, f"/api/v1/{path}", content, {"Content-Type": "application/json"})
    assert line.getresponse().status == 200
    line.close()


def seconds_of(act):
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


@pytest.mark.parametrize("said", [SIGN_IN, b"GET /api", b""], ids=["a body", "a head", "nothing"])
def test_a_crowd_with_unfinished_requests_shuts_no_holder_of_a_token_out(tmp_path, said):
    def asks():
        line = Connection(server.port, server.token)
        assert line("GET", "executions").status == 200
        line.close()

    with serving(tmp_path) as server, ExitStack() as stack:
        before = server.connect()
        assert before("GET", "executions").status == 200
        crowd(stack, server.port, said)

        assert max(seconds_of(asks) for _ in range(10)) < SOON
        assert before("GET", "executions").status == 200, "and who was there before is still"


def test_strangers_who_ask_and_hang_up_leave_no_line_behind(tmp_path):
    asked = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with serving(tmp_path) as server:
        for _ in range(5 * CROWD):
            with socket.create_connection(("127.0.0.1", server.port), SOON) as line:
                line.sendall(asked)

        took = seconds_of(lambda: ask_as_a_stranger(server.port, "GET", "health"))
        assert took < 5 * CROWD / STRANGERS_RATE / 4, "they stand in line, gone"


def test_who_shows_a_right_secret_does_not_stand_in_line_with_those_who_try(tmp_path):
    asked = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"

    with serving(tmp_path) as server, ExitStack() as stack:
        known = {"token": server.token.split("_")[1], "nonce": "00" * 32}
        for _ in range(STRANGERS - 10):
            line = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), SOON))
            line.sendall(asked * 40)  # one after the other: a line of 20 seconds

        # Many, as the line is not there yet for the first, and the machine does other things too.
        took = [
            seconds_of(lambda: ask_as_a_stranger(server.port, "POST", "proof", known))
            for _ in range(10)
        ]
        assert median(took) < (STRANGERS - 10) / STRANGERS_RATE / 2, "nobody stands before it"


def test_strangers_behind_tls_are_counted_before_the_handshake(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    asked = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-days", "2", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(["openssl", "req", *asked, *named], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed, so there is no certificate to test with")
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with (
        serving(tmp_path, "--tls-cert", str(cert), "--tls-key", str(key)) as server,
        ExitStack() as stack,
    ):
        files = len(open_files(server))
        crowd(stack, server.port, b"")

        # Those that are dropped are closed within a few turns of the loop.
        give_up = time.monotonic() + LONGEST
        while len(open_files(server)) > files + STRANGERS + 100:
            assert time.monotonic() < give_up, "more are open than there may be"
        line = socket.create_connection(("127.0.0.1", server.port), SOON)
        with trust.wrap_socket(line, server_hostname="localhost") as shaken:
            shaken.sendall(
                b"GET /api/v1/executions HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Bearer %b\r\n\r\n" % server.token.encode()
            )
            assert shaken.recv(100).startswith(b"HTTP/1.1 200 ")


def open_files(server):
    listed = subprocess.run(
        ["ls", f"/proc/{server.process.pid}/fd"], check=True, capture_output=True
    )
    return listed.stdout.split()


@pytest.mark.parametrize("above", [0, 1, 2, 3])
def test_a_token_can_be_revoked_while_the_server_has_no_descriptor_left(tidegate, above):
    server = Server(tidegate.home).ready()
    try:
        assert tidegate("token", "create", "eve", "--role", "viewer").code == 0
        highest = max(int(each) for each in open_files(server))
        limit = highest + above
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))

        revoked = tidegate("token", "revoke", "eve")
    finally:
        server.close()

    assert (revoked.code, revoked.err.startswith("revoked eve")) == (0, True), revoked
