"""The real server and the real command: tokens on the disk, over the wire, and what does not start."""

import http.client
import json
import re
import ssl
import stat
from typing import Any, NamedTuple

import pytest
from tests.serving import certificate

EXECUTIONS = "/api/v1/executions"


class Told(NamedTuple):
    status: int
    json: Any


class Server:
    """A running `tidegate serve`."""

    def __init__(self, tidegate, *words):
        self.started = tidegate.start("serve", "--port", "0", "--workers", "1", *words)
        self.started.says(" at http")
        self.port = int(re.search(r" at https?://\S+:(\d+)", self.started.err)[1])

    def __call__(self, path=EXECUTIONS, token="", method="GET", trust=None, **headers):
        if trust is None:
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        else:
            line = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=trust)
        given = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            line.request(method, path, headers={**given, **headers})
            reply = line.getresponse()
            return Told(reply.status, json.loads(reply.read()))
        finally:
            line.close()

    def headers(self, path, trust):
        line = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=trust)
        try:
            line.request("GET", path)
            return line.getresponse().headers
        finally:
            line.close()

    def stop(self):
        self.started.process.terminate()
        assert self.started.ends().code == 0


def test_the_first_start_makes_a_token_that_only_the_owner_can_read(tidegate):
    server = Server(tidegate)
    file = tidegate.home / "token"
    token = file.read_text().strip()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(tidegate.home.stat().st_mode) == 0o700
    assert server(token=token).status == 200
    assert server().status == 401
    assert server(token=token, Host="evil.test").status == 421
    server.stop()

    after = Server(tidegate)
    assert file.read_text().strip() == token
    assert after(token=token).status == 200
    after.stop()
    assert token not in server.started.err + after.started.err


def test_tokens_are_made_listed_and_revoked_while_the_server_runs_and_while_none_does(tidegate):
    before = tidegate("token", "create", "early", "--role", "viewer").out.strip()
    server = Server(tidegate)
    assert server(token=before).status == 200

    made = tidegate(
        "token", "create", "ada", "--role", "approver", "--project", "p*", "--json"
    ).json
    assert server("/api/v1/session", made["secret"]).json == {
        "name": "ada",
        "grants": [{"role": "approver", "project": "p*", "domain": "*"}],
        "expires": tidegate("token", "list", "--json").json[-1]["expires"],
    }
    listed = tidegate("token", "list", "--json").json
    assert [each["name"] for each in listed] == ["early", "admin", "ada"]
    assert listed[2]["used"] is not None
    assert made["secret"].split("_")[2] not in json.dumps(listed)
    shown = tidegate("token", "list").out
    assert "approver in p*/*" in shown

    assert tidegate("token", "revoke", "ada").code == 0
    assert server(token=made["secret"]).status == 401
    assert server(token=before).status == 200
    server.stop()

    assert tidegate("token", "revoke", "early", "--json").json[0]["revoked"] is not None
    again = Server(tidegate)
    assert again(token=before).status == 401
    again.stop()


def test_a_wrong_wish_is_one_line_and_an_exit_code(tidegate):
    tidegate("token", "create", "there", "--role", "viewer")
    for words, code, said in [
        (["create", "ada"], 2, "--role"),
        (["create", "ada", "--role", "king"], 2, "king"),
        (["create", "a b", "--role", "viewer"], 2, "'a b'"),
        (["create", "ada", "--role", "viewer", "--expires", "soon"], 2, "30d"),
        (["create", "ada", "--role", "viewer", "--project", "a?"], 2, "project"),
        (["create", "THERE", "--role", "viewer"], 3, "tidegate token rotate"),
        (["create", "root", "--role", "viewer"], 2, "a user of this machine"),
        (["rotate", "nobody"], 4, "tidegate token list"),
        (["revoke", "nobody"], 4, "tidegate token list"),
    ]:
        done = tidegate("token", *words)

        assert (done.code, done.out) == (code, ""), words
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1


def test_where_others_could_listen_in_the_server_does_not_start(tidegate):
    for words, said in [
        (["--host", "0.0.0.0"], "--tls-cert"),
        (["--host", "0.0.0.0", "--behind-proxy"], "--allow-host"),
        (["--tls-cert", "missing.pem"], "belong together"),
        (["--allow-host", "http://x"], "bare name"),
        (["--host", "no-such.invalid"], "unknown host name"),
        (["--host", "[::1"], "unknown host name"),
    ]:
        done = tidegate("serve", "--port", "0", *words)
        assert done.code == 2, words
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1
    assert not tidegate.home.exists()


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_may_have_the_brackets_that_it_has_in_a_url(tidegate, host):
    serving = tidegate.start("serve", "--port", "0", "--host", host)
    serving.says("at http://[::1]:")
    port = int(re.findall(r"at http://\[::1\]:(\d+)", serving.err)[0])
    line = http.client.HTTPConnection("::1", port, timeout=30)
    line.request("GET", "/api/v1/health")
    assert line.getresponse().status == 200
    line.close()
    serving.process.terminate()
    assert serving.ends().code == 0


def test_over_tls_the_cookie_is_for_this_host_alone(tidegate):
    made = certificate(tidegate.place, "DNS:localhost")
    if made is None:
        pytest.skip("openssl is not installed, so there is no certificate to test with")
    cert, key = made
    server = Server(tidegate, "--tls-cert", str(cert), "--tls-key", str(key))
    token = (tidegate.home / "token").read_text().strip()
    trust = ssl.create_default_context(cafile=str(cert))

    assert server(token=token, trust=trust).status == 200
    for path in ("/api/v1/health", "/", "/nowhere"):
        assert server.headers(path, trust)["Strict-Transport-Security"] == "max-age=31536000"
    line = http.client.HTTPSConnection("localhost", server.port, timeout=20, context=trust)
    body = json.dumps({"token": token})
    line.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    cookie = line.getresponse().headers["Set-Cookie"]
    line.close()
    assert cookie.startswith("__Host-tidegate=")
    assert cookie.endswith("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure")
    server.stop()
