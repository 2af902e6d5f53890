"""Sessions over HTTP: a browser trades its token for a cookie that scripts cannot read, asks who it is, and logs out."""

import asyncio

from msgspec import Struct

from tidegate.api.auth import SESSION, cookie_for
from tidegate.api.backend import Backend
from tidegate.api.route import Call, Reply, Route
from tidegate.errors import Unauthenticated
from tidegate.service.access import Action, Principal
from tidegate.service.tokens import NOBODY
from tidegate.wire import GrantView

MAX_SIGN_IN = 1024
"""Bytes of a sign-in, which anybody may send: a token takes 86."""


class SessionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The token that is traded."""

    token: str


class SessionView(Struct, frozen=True):
    """Who asks, and what he may."""

    name: str
    grants: list[GrantView]


async def open_session(backend: Backend, call: Call) -> Reply:
    """Trade a token for a cookie, which lasts for a week at most and no longer than the token."""
    body: SessionBody = call.body
    tokens = backend.service.tokens
    principal = tokens.holder(body.token)
    if principal is None:
        raise Unauthenticated(NOBODY)
    login = await asyncio.to_thread(tokens.log_in, principal)
    cookie = cookie_for(backend.settings, login.secret, login.lasts)
    return Reply(_view(principal), headers={"set-cookie": cookie})


async def get_session(backend: Backend, call: Call) -> Reply:
    """Say who asks, and what he may."""
    del backend
    return Reply(_view(call.principal))


async def end_session(backend: Backend, call: Call) -> Reply:
    """Log out: the cookie is worth nothing from now on. A token goes on to be valid."""
    await asyncio.to_thread(backend.service.tokens.log_out, call.principal)
    return Reply(_view(call.principal), headers={"set-cookie": cookie_for(backend.settings, "", 0)})


def _view(principal: Principal) -> SessionView:
    grants = [
        GrantView(role=each.role.value, project=each.project, domain=each.domain)
        for each in principal.grants
    ]
    return SessionView(principal.name, grants)


TAG = "session"

ROUTES = (
    Route(
        method="POST",
        path=SESSION,
        action=Action.OPEN_SESSION,
        handler=open_session,
        body=SessionBody,
        limit=MAX_SIGN_IN,
        gives={200: SessionView},
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
)
