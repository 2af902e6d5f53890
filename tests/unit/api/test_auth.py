"""The gatekeeper: what passes it to the application behind, as whom, and what is refused, header by header."""

import asyncio
import logging

import msgspec
import pytest

from tidegate.api.auth import Gatekeeper, Keepers, cookie_for
from tidegate.api.settings import Settings
from tidegate.service.access import ANONYMOUS
from tidegate.service.audit import AuditLog
from tidegate.service.sessions import Sessions
from tidegate.service.tokens import Tokens
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import GrantView, MakeToken, RevokeToken

NOON = 1_800_000_000_000_000
EXECUTIONS = "/api/v1/executions"
SESSION = "/api/v1/session"
SAFE, UNSAFE = ["GET", "HEAD", "OPTIONS"], ["POST", "PUT", "DELETE", "PATCH", "TRACE", "get"]


class Hands:
    """Both clocks, moved by hand."""

    instant = NOON
    seconds = 0.0

    def now(self):
        return self.instant

    def __call__(self):
        return self.seconds


class Gate:
    """A gatekeeper, and an application behind it that tells who has come, and has nothing for nobody in particular."""

    def __init__(self, settings=Settings(), status=200):
        self.clock = Hands()
        self.store = SqliteStore.memory()
        self.tokens = Tokens(self.store.access, self.clock)
        self.status = status
        self.came = []
        self.sessions = Sessions(self.store.access, self.clock, self.tokens)
        self.audit = AuditLog(self.store.audit, self.clock)
        keepers = Keepers(self.tokens, self.sessions, self.audit)
        self.keeper = Gatekeeper(self.behind, keepers, settings, self.clock)

    async def behind(self, scope, receive, send):
        principal = scope["state"]["principal"]
        self.came.append(principal)
        nobody = principal is ANONYMOUS and scope["path"] == EXECUTIONS
        status = 401 if nobody else self.status
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"behind"})

    def token(self, name="ada", role="viewer"):
        return self.tokens.make(MakeToken(name=name, grants=[GrantView(role=role)])).secret

    def login(self, secret):
        return self.sessions.sign_in(self.tokens.holder(secret)).secret

    def __call__(self, method, path, address="192.0.2.1", **headers):
        """Ask, and return (status, problem code or "", headers)."""
        return asyncio.run(self.ask(method, path, address, **headers))

    async def ask(self, method, path, address="192.0.2.1", **headers):
        given = {"host": "localhost:8433", **headers}
        listed = [
            (name.replace("_", "-").encode(), value.encode("latin-1"))
            for name, values in given.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        sent = []

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": listed,
            "client": (address, 50_000),
        }
        await self.keeper(scope, None, send)
        start, body = sent
        own = body["body"] == b"behind" or not body["body"]
        code = "" if own else msgspec.json.decode(body["body"])["code"]
        return start["status"], code, dict(start["headers"])


@pytest.fixture
def gate():
    return Gate()


def bearer(secret):
    return {"authorization": f"Bearer {secret}"}


# -- the name of the server --


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8433", "127.0.0.1:80", "[::1]", "[::1]:8433", "LocalHost:1"]
)
@pytest.mark.parametrize("path", ["/", EXECUTIONS, "/api/v1/health"])
def test_the_server_answers_to_its_own_names(gate, host, path):
    assert gate("GET", path, host=host, **bearer(gate.token()))[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:8433",
        "localhost.evil.test",
        "localhost.",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "0.0.0.0:8433",
        "::1",
        "[::1",
        "[::2]:8433",
        "localhost:80:80",
        "localhost:abc",
        "localhost@evil.test",
        "evil.test@localhost",
        " localhost",
        "",
        ["localhost", "localhost"],
        ["localhost", "evil.test"],
        [],
    ],
    ids=repr,
)
def test_to_no_other_name_whatever_is_asked_and_by_whom(gate, host):
    asked = bearer(gate.token())
    for method in ("GET", "POST"):
        for path in ("/", "/assets/x.js", EXECUTIONS, "/api/v1/health", SESSION):
            status, code, _ = gate(method, path, host=host, **asked)
            assert (status, code) == (421, "wrong_host"), (method, path)
    assert gate.came == []


def test_a_name_that_was_allowed_is_its_own():
    gate = Gate(Settings(host="192.168.1.7", allow_hosts=("Flows.Example.org",)))
    for host in ("flows.example.org", "FLOWS.example.org:443", "192.168.1.7:8433", "localhost"):
        assert gate("GET", "/", host=host)[0] == 200
    assert gate("GET", "/", host="example.org")[0] == 421


# -- from which page --

ORIGINS = {
    None: True,
    "http://localhost:8433": True,
    "https://localhost:8433": True,
    # Browsers write it in lower case.
    "HTTP://LOCALHOST:8433": False,
    "http://localhost": False,
    "http://localhost:3000": False,
    "http://127.0.0.1:8433": False,
    "http://evil.test": False,
    "http://localhost:8433.evil.test": False,
    "http://localhost:8433@evil.test": False,
    "http://localhost:8433/": False,
    "ftp://localhost:8433": False,
    "null": False,
    "": False,
}
SITES = {
    None: True,
    "same-origin": True,
    "none": True,
    "same-site": False,
    "cross-site": False,
    "": False,
    "Same-Origin": False,
}


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_what_may_change_something_comes_from_the_servers_own_pages_or_from_none(
    gate, origin, site
):
    headers = {"origin": origin, "sec-fetch-site": site}
    given = {name: value for name, value in headers.items() if value is not None}
    expected = 200 if ORIGINS[origin] and SITES[site] else 403

    secret = gate.token()
    for method in UNSAFE:
        assert gate(method, EXECUTIONS, **bearer(secret), **given)[0] == expected, method
    assert len(gate.came) == (len(UNSAFE) if expected == 200 else 0)


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("origin", ORIGINS)
def test_a_cookie_decides_only_with_a_page_that_says_where_it_is(gate, origin, site):
    headers = {"origin": origin, "sec-fetch-site": site}
    given = {name: value for name, value in headers.items() if value is not None}
    expected = 200 if given and ORIGINS[origin] and SITES[site] else 403

    cookie = f"tidegate-session={gate.login(gate.token())}"
    for method in UNSAFE:
        assert gate(method, EXECUTIONS, cookie=cookie, **given)[0] == expected, method


@pytest.mark.parametrize("method", SAFE)
@pytest.mark.parametrize("origin", ["http://evil.test", "null"])
def test_a_page_of_another_site_may_look_as_it_can_read_nothing_of_it(gate, method, origin):
    status, _, headers = gate(method, EXECUTIONS, origin=origin, **bearer(gate.token()))
    assert status == 200
    assert b"access-control-allow-origin" not in headers


def test_over_tls_a_page_that_is_not_is_another_site():
    gate = Gate(Settings(allow_hosts=("a.test",), behind_proxy=True))
    asked = {"host": "a.test", **bearer(gate.token())}
    assert gate("POST", EXECUTIONS, origin="https://a.test", **asked)[0] == 200
    assert gate("POST", EXECUTIONS, origin="https://a.test:443", **asked)[0] == 200
    assert gate("POST", EXECUTIONS, origin="http://a.test", **asked)[0] == 403


# -- who --


def test_a_credential_says_who_asks_and_through_what_and_a_claim_says_nothing(gate):
    secret = gate.token("ada", "approver")
    gate("GET", EXECUTIONS, **bearer(secret))
    gate("GET", EXECUTIONS, authorization=f"bearer  {secret} ", **{"x-tidegate-via": "cli"})
    gate("GET", EXECUTIONS, **bearer(secret), **{"x-tidegate-via": "ui"})
    gate("GET", EXECUTIONS, cookie=f"tidegate-session={gate.login(secret)}")

    assert [each.name for each in gate.came] == ["ada"] * 4
    assert [each.via for each in gate.came] == ["api", "api", "api", "ui"]
    kinds = [each.credential.partition(":")[0] for each in gate.came]
    assert kinds == ["token", "token", "token", "session"]
    assert len({each.credential for each in gate.came}) == 2


def test_who_shows_nothing_is_nobody_in_particular(gate):
    asked = [("GET", "/api/v1/health"), ("GET", EXECUTIONS), ("POST", SESSION), ("GET", "/")]
    for each in asked:
        gate(*each)
    assert gate.came == [ANONYMOUS] * 4


def test_every_wrong_token_gets_the_same_reply(gate):
    right = gate.token()
    expired = gate.tokens.make(
        MakeToken(name="old", grants=[GrantView(role="viewer")], lasts=1.0)
    ).secret
    revoked = gate.token("eve")
    gate.tokens.revoke(RevokeToken(token="eve"))
    gate.clock.instant += 2_000_000

    wrong = [
        bearer(expired),
        bearer(revoked),
        bearer(right[:-1] + ("0" if right[-1] != "0" else "1")),
        bearer(right.upper()),
        bearer(""),
        {"authorization": right},
        {"authorization": f"Basic {right}"},
        {"authorization": [f"Bearer {right}", f"Bearer {right}"]},
    ]
    replies = [gate("GET", EXECUTIONS, f"192.0.2.{n}", **each) for n, each in enumerate(wrong)]

    assert replies == [replies[0]] * len(wrong)
    assert replies[0][:2] == (401, "unauthenticated")
    assert gate("GET", EXECUTIONS, **bearer(right))[0] == 200


def test_a_wrong_token_is_not_made_good_by_a_cookie_nor_by_what_is_public(gate):
    cookie = f"tidegate-session={gate.login(gate.token())}"
    assert gate("GET", EXECUTIONS, cookie=cookie, **bearer("x"))[0] == 401
    assert gate("GET", "/api/v1/health", **bearer("x"))[0] == 401


def test_a_revoked_token_and_its_cookies_are_out_with_the_next_request(gate):
    secret = gate.token()
    cookie = f"tidegate-session={gate.login(secret)}"
    assert gate("GET", EXECUTIONS, **bearer(secret))[0] == 200
    assert gate("GET", EXECUTIONS, cookie=cookie)[0] == 200

    gate.tokens.revoke(RevokeToken(token="ada"))

    assert gate("GET", EXECUTIONS, **bearer(secret))[0] == 401
    assert gate("GET", EXECUTIONS, cookie=cookie)[0] == 401


def test_a_cookie_is_found_among_others_and_beside_one_that_is_wrong(gate):
    login = gate.login(gate.token())
    for cookie in (
        f"a=b; tidegate-session={login}; c",
        f"tidegate-session=wrong; tidegate-session={login}",
        ["x=y", f"tidegate-session={login}"],
        f";;=;\u00ff; tidegate-session={login}",
    ):
        assert gate("GET", EXECUTIONS, cookie=cookie)[0] == 200, cookie
    for cookie in (f"tidegate={login}", f"tidegate-session={login}x", "tidegate-session", ""):
        assert gate("GET", EXECUTIONS, cookie=cookie)[0] == 401, cookie


def test_over_tls_the_cookie_is_one_that_browsers_keep_from_other_hosts():
    plain, secure = Settings(), Settings(allow_hosts=("a.test",), behind_proxy=True)
    assert cookie_for(plain, "s", 5) == (
        "tidegate-session=s; Path=/; Max-Age=5; HttpOnly; SameSite=Strict"
    )
    assert cookie_for(secure, "s", 5) == (
        "__Host-tidegate=s; Path=/; Max-Age=5; HttpOnly; SameSite=Strict; Secure"
    )
    gate = Gate(secure)
    login = gate.login(gate.token())
    assert gate("GET", EXECUTIONS, host="a.test", cookie=f"__Host-tidegate={login}")[0] == 200
    assert gate("GET", EXECUTIONS, host="a.test", cookie=f"tidegate-session={login}")[0] == 401


def test_no_token_gets_into_the_log(gate, caplog):
    caplog.set_level(logging.DEBUG)
    secret = gate.token()
    gate("GET", EXECUTIONS, **bearer(secret))
    gate("GET", EXECUTIONS, **bearer(secret + "x"))
    gate("POST", EXECUTIONS, origin="http://evil.test", **bearer(secret))

    assert secret not in caplog.text
    assert secret.split("_")[2] not in caplog.text


def test_a_websocket_is_closed(gate):
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(gate.keeper({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert [each["type"] for each in sent] == ["websocket.close"]
    assert gate.came == []


# -- rates --


def test_one_token_may_ask_as_often_as_the_server_can_answer(gate):
    asked = bearer(gate.token())
    assert {gate("GET", EXECUTIONS, **asked)[0] for _ in range(500)} == {200}


def test_wrong_tokens_are_counted_by_address_and_never_hold_up_right_ones(gate):
    right = bearer(gate.token())
    replies = [gate("GET", EXECUTIONS, **bearer("x")) for _ in range(12)]
    assert [status for status, _, _ in replies] == [401] * 10 + [429] * 2
    assert int(replies[-1][2][b"retry-after"]) == 6

    assert gate("GET", EXECUTIONS, **right)[0] == 200
    assert gate("GET", EXECUTIONS, "192.0.2.2", **bearer("x"))[0] == 401
    gate.clock.seconds += 6
    assert [gate("GET", EXECUTIONS, **bearer("x"))[0] for _ in range(2)] == [401, 429]


@pytest.mark.parametrize("status", [200, 401])
def test_behind_a_proxy_wrong_tokens_are_counted_by_the_address_that_it_added(status):
    gate = Gate(Settings(allow_hosts=("a.test",), behind_proxy=True), status=status)
    asked = bearer("x") if status == 200 else {}

    def guess(forwarded):
        return gate("POST", SESSION, **{"x-forwarded-for": forwarded}, **asked)[0]

    spoofed = [
        *[f"198.51.100.{number}, 192.0.2.7" for number in range(5)],
        *[f"198.51.100.{number},192.0.2.7:{number + 50_000}" for number in range(5)],
        ["198.51.100.1", "192.0.2.7"],
    ]
    assert [guess(each) for each in spoofed] == [401] * 10 + [429]
    assert guess("192.0.2.8") == 401
    six = [f"192.0.2.7, [2001:db8::1]:{number}" for number in range(10)]
    assert [guess(each) for each in [*six, "2001:db8::1"]] == [401] * 10 + [429]
    assert guess(["192.0.2.7", " "]) == 401, "who adds nothing is counted by their own address"


def test_what_a_client_says_of_its_address_counts_for_nothing_without_a_proxy(gate):
    spoofed = [{"x-forwarded-for": f"198.51.100.{number}"} for number in range(11)]
    replies = [gate("GET", EXECUTIONS, **bearer("x"), **each)[0] for each in spoofed]
    assert replies == [401] * 10 + [429]


def test_trades_of_wrong_tokens_are_counted_too_and_never_hold_up_right_ones():
    gate = Gate(status=401)
    assert [gate("POST", SESSION)[0] for _ in range(12)] == [401] * 10 + [429] * 2
    assert gate("GET", EXECUTIONS, **bearer("x"))[0] == 429
    gate.status = 200
    assert gate("POST", SESSION)[0] == 200


# -- when it was used --


def test_when_a_token_was_used_is_written_later_and_not_with_each_request(gate):
    asked = bearer(gate.token())

    def used():
        return gate.store.access.tokens()[0].used

    gate("GET", EXECUTIONS, **asked)
    assert used() is None
    gate.clock.seconds += 61
    # The loop waits at its end for what it has handed to a thread.
    gate("GET", EXECUTIONS, **asked)
    assert used() == NOON
