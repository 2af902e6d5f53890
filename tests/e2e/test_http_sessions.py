"""Who it was, over HTTP: sessions by token and by one-time code, and the audit log. Asked as `test_http_access` does."""

import asyncio

import msgspec
import pytest
from tests.e2e.test_http_access import OWN, SIGNAL, World, ask

from tidegate.service.access import owner
from tidegate.testing import Sandbox
from tidegate.wire import Launch, ListAudit, MakeCode, RevokeToken
from tidegate.wire.proof import id_and_hash, prove

PAGE = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}


@pytest.fixture
def world(tmp_path):
    with Sandbox() as sandbox:
        world = World(sandbox, tmp_path)
        world.service.codes.page = "http://localhost"
        yield world
        world.asking.close(world.app.close)


def code(world):
    link = world.service.handle(MakeCode(), owner(0)).link
    return link.removeprefix("http://localhost/#code=")


def signed_in(world, cookie="", **body):
    given = {"cookie": cookie} if cookie else {}
    reply = world.asking(
        "POST", "/api/v1/session", json=body, user_agent="Firefox", **PAGE, **given
    )
    assert reply.status == 200, reply.body
    return reply.headers["set-cookie"].partition(";")[0]


def name(world, cookie):
    reply = world.asking("GET", "/api/v1/session", cookie=cookie)
    return reply.json["name"] if reply.status == 200 else reply.status


def audit(world, **wanted):
    items = world.service.handle(ListAudit(**wanted)).items
    return [(each.kind, each.who, each.credential, each.about) for each in items]


def test_a_one_time_code_signs_in_the_user_of_the_machine_and_decisions_say_so(world):
    made = code(world)
    looked = world.asking("POST", "/api/v1/session/code", json={"code": made}, **PAGE)
    assert looked.json == {"name": "root"}
    cookie = signed_in(world, code=made)
    again = world.asking("POST", "/api/v1/session", json={"code": made}, **PAGE)
    assert (again.status, again.json["code"]) == (401, "unauthenticated")
    assert "tidegate open" in again.json["detail"]

    path = SIGNAL.format(id=world.launch(OWN))
    assert world.asking("PUT", path, json={"value": 1}, cookie=cookie, **PAGE).status == 200
    (session,) = world.asking("GET", "/api/v1/sessions", cookie=cookie).json["items"]
    assert (session["name"], session["agent"], session["current"]) == ("root", "Firefox", True)
    ((kind, who, credential, about),) = audit(world, kind="decision")
    assert (kind, who, credential, about) == (
        "decision",
        "root",
        f"session:{session['id']}",
        "number",
    )
    ((kind, who, credential, about),) = audit(world, kind="sign_in")
    assert (who, credential, about) == ("root", "user:0", session["id"])


@pytest.mark.parametrize("body", [{}, {"token": "x", "code": "y"}])
def test_a_session_is_opened_by_one_of_two_things(world, body):
    reply = world.asking("POST", "/api/v1/session", json=body, **PAGE)
    assert (reply.status, reply.json["code"]) == (422, "invalid_value")


def test_to_sign_in_ends_the_session_whose_cookie_comes_along(world):
    ann = signed_in(world, token=world.token("ann", [("viewer", *OWN)]))
    bob = signed_in(world, cookie=ann, token=world.token("bob", [("viewer", *OWN)]))

    assert (name(world, ann), name(world, bob)) == (401, "bob")


def test_a_failed_sign_in_ends_no_session(world):
    ann = signed_in(world, token=world.token("ann", [("viewer", *OWN)]))
    world.asking("POST", "/api/v1/session", json={"token": "wrong"}, cookie=ann, **PAGE)
    assert name(world, ann) == "ann"


def test_an_owner_ends_a_session_elsewhere_and_nobody_elses(world):
    token = world.token("ann", [("viewer", *OWN)])
    here, there = signed_in(world, token=token), signed_in(world, token=token)
    bob = signed_in(world, token=world.token("bob", [("admin", "*", "*")]))
    items = world.asking("GET", "/api/v1/sessions", cookie=here).json["items"]
    (other,) = [each["id"] for each in items if not each["current"]]

    path = f"/api/v1/sessions/{other}"
    assert world.asking("DELETE", path, cookie=bob, **PAGE).status == 404
    assert world.asking("DELETE", path, cookie=here).status == 403, "not from a page of ours"
    assert world.asking("DELETE", path, cookie=here, **PAGE).status == 200
    assert [name(world, each) for each in (here, there, bob)] == ["ann", 401, "bob"]


def test_to_sign_out_has_the_browser_forget_what_it_stored(world):
    cookie = signed_in(world, token=world.token("ann", [("viewer", *OWN)]))
    left = world.asking("DELETE", "/api/v1/session", cookie=cookie, **PAGE)
    assert left.headers["clear-site-data"] == '"cache", "storage"'
    assert name(world, cookie) == 401


def test_nothing_of_a_session_may_be_kept_by_a_cache(world):
    token = world.token("ann", [("operator", *OWN)])
    digest = world.asking("POST", "/api/v1/blobs", token=token, body=b"secret").json["digest"]
    execution = world.launch(OWN)
    for path in (f"blobs/{digest}", f"executions/{execution}", "inbox", "session"):
        reply = world.asking("GET", f"/api/v1/{path}", token=token)
        assert reply.headers["cache-control"] == "no-store", path


def test_a_server_shows_that_it_knows_a_token_before_it_is_shown_it(world):
    token = world.token("ann", [("viewer", *OWN)])
    id_, hash_ = id_and_hash(token)
    nonce = "ab" * 32
    reply = world.asking("POST", "/api/v1/proof", json={"token": id_, "nonce": nonce})

    assert reply.json == {"proof": prove(hash_, bytes.fromhex(nonce)).hex()}
    for wrong in ({"token": "x" * 8, "nonce": nonce}, {"token": id_, "nonce": "ab"}):
        assert world.asking("POST", "/api/v1/proof", json=wrong).status == 422


def test_refusals_are_in_the_audit_log_and_wrong_answers_are_not(world):
    viewer = world.tokens["viewer"]
    path = SIGNAL.format(id=world.launch(OWN))
    for _ in range(3):
        assert world.asking("PUT", path, token=viewer, json={"value": 1}).status == 403
    one = {"execution": path.split("/")[4], "signal": "number", "value": 1}
    bulk = {"answers": [one]}
    approver = world.token("far", [("approver", "elsewhere", "*"), ("viewer", *OWN)])
    world.asking("POST", "/api/v1/inbox/answers", token=approver, json=bulk)
    assert world.asking("GET", "/api/v1/inbox").status == 401
    assert world.asking("GET", "/api/v1/inbox", token="wrong").status == 401
    assert (
        world.asking("PUT", path, token=world.tokens["approver"], json={"value": "x"}).status == 422
    )
    assert world.asking("GET", "/api/v1/executions/none", token=viewer).status == 404

    token = world.wide["admin"]
    items = world.asking("GET", "/api/v1/audit?kind=refused", token=token).json["items"]
    assert sorted((each["who"], each["about"], each["count"]) for each in items) == [
        ("", "unauthenticated", 2),
        ("an-viewer", "forbidden", 3),
        ("far", "forbidden", 1),
    ]
    narrowed = world.asking("GET", "/api/v1/audit?who=far", token=token).json["items"]
    assert [each["about"] for each in narrowed] == ["forbidden"]
    assert viewer not in msgspec.json.encode(items).decode()


def test_a_revoked_token_is_out_at_once_and_so_is_the_stream_it_has_opened(world):
    token = world.token("joe", [("viewer", "*", "*")])
    world.launch(OWN)

    async def story():
        stream = world.asking.stream("GET", "/api/v1/events?after=0", token=token)
        await anext(stream)
        assert b"data: " in await anext(stream)
        world.service.handle(RevokeToken(token="joe"))
        request = Launch(workflow=ask.name)
        await asyncio.to_thread(world.service.handle, request)
        async with asyncio.timeout(10):
            return [piece async for piece in stream]

    rest = world.asking.run(story())
    assert b"data: " not in b"".join(rest)
    assert world.asking("GET", "/api/v1/executions", token=token).status == 401
