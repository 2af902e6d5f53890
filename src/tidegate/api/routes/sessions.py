"""
Sessions over HTTP: a browser trades a token or a one-time code for a cookie that scripts cannot read, asks who it is, and signs out.

A client also checks here whether a server knows its token, before it sends the token.
"""

import asyncio
from datetime import datetime
from time import monotonic
from typing import Annotated

from msgspec import Meta, Struct, structs

from tidegate.api.auth import CODE, SESSION, cookie_for
from tidegate.api.backend import Backend
from tidegate.api.route import Call, Header, Reply, Route, asking
from tidegate.errors import InvalidValue, RateLimited, Unauthenticated, UnknownSession
from tidegate.service.access import Action, Principal
from tidegate.service.moments import maybe, moment
from tidegate.service.tokens import NOBODY
from tidegate.wire import GrantView
from tidegate.wire.proof import NONCE, PATH

CLEARED = '"cache", "storage"'
"""What a browser deletes of this server at sign-out: `Clear-Site-Data`. Not all cookies: those of other ports of the host would be deleted, too."""

Secret = Annotated[str, Meta(max_length=200)]
AGENT = Header("User-Agent", "The browser's User-Agent, for the list of sessions.", 8192)

MAX_SIGN_IN = 1024
"""Bytes of a sign-in, which anybody may send: a token takes 86."""


class SessionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The credential to trade: a token, or the one-time code of a link."""

    token: Secret = ""
    code: Secret = ""


class CodeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The one-time code of a link."""

    code: Secret


class CodeView(Struct, frozen=True):
    """Who would be signed in by a code."""

    name: str


class ProofBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The id of a token, and 32 random bytes in hexadecimal."""

    token: Annotated[str, Meta(pattern=r"^[0-9a-f]{8}\Z")]
    nonce: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class ProofView(Struct, frozen=True):
    """An HMAC-SHA-256 in hexadecimal: of `tidegate-proof-1`, a zero byte and the nonce, under the SHA-256 of the token's secret."""

    proof: str


class SessionView(Struct, frozen=True):
    """The caller, their rights, and when they must sign in again at the latest; null if that is never."""

    name: str
    grants: list[GrantView]
    expires: datetime | None = None


async def open_session(backend: Backend, call: Call) -> Reply:
    """Trade a token or a one-time code for a session cookie. It lasts a week at most, no longer than the token, and ends after 12 hours without a request."""
    service = backend.service
    if bool(call.body.token) is bool(call.body.code):
        raise InvalidValue("a session needs either a token or a code: give exactly one of them")
    holder = (
        service.tokens.holder(call.body.token)
        if call.body.token
        else service.codes.take(call.body.code)
    )
    if holder is None:
        raise Unauthenticated(NOBODY)
    if wait := backend.sign_ins.take(holder.name, monotonic()):
        why = f"{holder.name!r} has signed in too often; try again in {wait:.0f} seconds"
        raise RateLimited(why, retry_after=wait)
    agent, replaced = call.headers[AGENT.name], call.principal.session
    cookie = await asyncio.to_thread(
        service.sessions.sign_in, holder, agent, call.address, replaced
    )
    set_cookie = cookie_for(backend.settings, cookie.secret, cookie.lasts)
    view = structs.replace(_view(backend, holder), expires=moment(cookie.ends))
    return Reply(view, headers={"set-cookie": set_cookie})


async def look_at_code(backend: Backend, call: Call) -> Reply:
    """Say who would be signed in by a one-time code, without using it up: a page asks before it changes who is signed in."""
    return Reply(CodeView(backend.service.codes.whose(call.body.code).name))


async def get_session(backend: Backend, call: Call) -> Reply:
    """Say who is asking, and what they may do."""
    return Reply(_view(backend, call.principal))


async def end_session(backend: Backend, call: Call) -> Reply:
    """Sign out: the cookie becomes invalid, and the browser deletes what it has stored. The token remains valid."""
    view = _view(backend, call.principal)
    await asyncio.to_thread(backend.service.sessions.sign_out, call.principal)
    headers = {
        "set-cookie": cookie_for(backend.settings, "", 0),
        "clear-site-data": CLEARED,
    }
    return Reply(structs.replace(view, expires=None), headers=headers)


async def get_proof(backend: Backend, call: Call) -> Reply:
    """Prove that this server knows a token, with an HMAC of a nonce under its stored hash. Clients send a token only to a server that does."""
    body: ProofBody = call.body
    assert len(body.nonce) == 2 * NONCE, "as declared"
    proof = backend.service.tokens.proof(body.token, bytes.fromhex(body.nonce))
    return Reply(ProofView(proof.hex()))


def _view(backend: Backend, principal: Principal) -> SessionView:
    grants = [
        GrantView(role=each.role.value, project=each.project, domain=each.domain)
        for each in principal.grants
    ]
    return SessionView(principal.name, grants, maybe(backend.service.sessions.end_of(principal)))


TAG = "session"
TRIED = (Unauthenticated, RateLimited)
"""How an invalid secret is refused."""

ROUTES = (
    Route(
        method="POST",
        path=SESSION,
        action=Action.OPEN_SESSION,
        handler=open_session,
        body=SessionBody,
        limit=MAX_SIGN_IN,
        headers=(AGENT,),
        gives={200: SessionView},
        refuses=TRIED,
        tag=TAG,
    ),
    Route(
        method="POST",
        path=CODE,
        action=Action.LOOK_AT_CODE,
        handler=look_at_code,
        body=CodeBody,
        limit=MAX_SIGN_IN,
        gives={200: CodeView},
        refuses=TRIED,
        tag=TAG,
    ),
    Route(
        method="GET",
        path=SESSION,
        action=Action.GET_SESSION,
        handler=get_session,
        gives={200: SessionView},
        tag=TAG,
    ),
    Route(
        method="DELETE",
        path=SESSION,
        action=Action.END_SESSION,
        handler=end_session,
        gives={200: SessionView},
        tag=TAG,
    ),
    asking("list_sessions", TAG),
    asking("end_sessions", TAG, UnknownSession),
    Route(
        method="POST",
        path=PATH,
        action=Action.GET_PROOF,
        handler=get_proof,
        body=ProofBody,
        limit=MAX_SIGN_IN,
        gives={200: ProofView},
        refuses=TRIED,
        tag=TAG,
    ),
)
