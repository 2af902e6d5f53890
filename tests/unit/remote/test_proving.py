"""A token goes only to who has shown, on the same connection, that it knows the token."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.unit.remote.test_transport import HASH, OK, ONCE, READ, TOKEN, Script, problem

from tidegate.errors import InvalidValue, Overloaded, TidegateError, Unauthenticated
from tidegate.remote import Config, Unreachable, transport
from tidegate.remote.transport import HttpTransport


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    monkeypatch.setattr(transport, "PAUSE", 0.001)
    monkeypatch.setattr(transport, "FIRST_PATIENCE", 0.01)
    made = Script()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def line(script: Script) -> Iterator[HttpTransport]:
    made = HttpTransport(Config(script.url, TOKEN))
    yield made
    made.close()


def test_each_connection_is_asked_once_and_hears_no_secret_before(
    script: Script, line: HttpTransport
):
    script.replies = [OK, OK, None, OK]
    for _ in range(3):
        line.reply(READ)

    assert [auth for *_, auth in script.seen] == [f"Bearer {TOKEN}"] * 4
    assert len(script.proofs) == 2, "the third call was repeated on a connection of its own"
    assert all(auth == "" and b"5e5e" not in body for auth, body in script.proofs)
    assert len({body for _, body in script.proofs}) == 2, "each nonce is new"


@pytest.mark.parametrize(
    "reply",
    [
        (200, {"proof": "00" * 32}, {}),
        (200, {"proof": "x"}, {}),
        (200, {"proof": 1}, {}),
        (200, [], {}),
        (200, {}, {}),
        (404, {"error": "not here"}, {}),
        (302, {}, {"location": "http://127.0.0.1:1/"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("call", [READ, ONCE])
def test_what_does_not_prove_it_gets_no_token(
    script: Script, line: HttpTransport, reply: Any, call: Any
):
    script.proof, script.replies = reply, [OK]
    with pytest.raises(Unreachable, match="was not sent"):
        line.reply(call)
    assert script.seen == []


def test_a_server_that_knows_another_token_gets_none(script: Script, line: HttpTransport):
    script.hash = b"another"
    with pytest.raises(Unreachable, match="0a1b2c3d"):
        line.reply(READ)
    with pytest.raises(Unreachable), line.lines(READ, silence=1.0):
        pass
    assert script.seen == []


def test_a_refusal_is_told_as_the_server_says_it_and_sends_no_token(
    script: Script, line: HttpTransport
):
    script.proof = problem("unauthenticated", 401)
    with pytest.raises(Unauthenticated, match="TIDEGATE_TOKEN"):
        line.reply(READ)
    with pytest.raises(Unauthenticated), line.lines(READ, silence=1.0):
        pass
    script.proof = problem("overloaded", 503)
    with pytest.raises(Overloaded):
        line.reply(ONCE)
    assert len(script.proofs) > 3, "it was asked again, for nothing had been sent"
    assert script.seen == []


@pytest.mark.parametrize("size", ["-1", "x", "9999999999"])
def test_what_replies_nonsense_is_given_up(script: Script, line: HttpTransport, size: str):
    script.proof = (200, {"proof": "00"}, {"content-length": size})
    with pytest.raises(TidegateError):
        line.reply(READ)
    assert script.seen == []


@pytest.mark.parametrize("text", ["secret", "tdg_secret", "Bearer x"])
def test_what_is_not_a_token_is_never_sent(script: Script, text: str):
    with pytest.raises(InvalidValue, match="TIDEGATE_TOKEN") as caught:
        HttpTransport(Config(script.url, text))
    assert text not in caught.value.message.replace("tdg_", "", 1) or text == "tdg_secret"


def test_without_a_token_nothing_is_asked(script: Script):
    script.replies = [OK]
    line = HttpTransport(Config(script.url))
    assert json.loads(line.reply(READ).content) == {"fine": True}
    line.close()
    assert (script.proofs, HASH != b"") == ([], True)
