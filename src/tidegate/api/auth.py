"""
The gatekeeper in front of the HTTP door: it checks who asks, under which name the server was called, and from which page.

Rule 1: a Host that is not the server's is refused (421), so DNS rebinding (a foreign name that points here) does not work, on loopback either.
Rule 2: a request that may change something must come from the server's own pages, or from no page at all.
Rule 3: without a token or session the principal is `ANONYMOUS`, whom admission allows only public actions. A wrong token is refused.
Rule 4: tokens are read from the Authorization header only, never from a URL, and appear in no log.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from msgspec import structs

from tidegate.api.budgets import Buckets, WaitingLine
from tidegate.api.callers import CALLER, Caller
from tidegate.api.replies import WHOLE, Out
from tidegate.api.route import AsgiApp, Message, Receive, Scope, Send
from tidegate.api.settings import Settings
from tidegate.errors import (
    Forbidden,
    RateLimited,
    StoreError,
    TidegateError,
    Unauthenticated,
    WrongHost,
)
from tidegate.service.access import ANONYMOUS, Principal
from tidegate.service.audit import RECORDED, AuditLog
from tidegate.service.sessions import Sessions
from tidegate.service.tokens import NOBODY, Tokens
from tidegate.wire import proof

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION: Final = "/api/v1/session"
CODE: Final = "/api/v1/session/code"
TRIED: Final = frozenset({SESSION, CODE, proof.PATH})
"""Routes where an anonymous caller may try a secret: a failure counts like a wrong token."""

SECURE_COOKIE: Final = "__Host-tidegate"
PLAIN_COOKIE: Final = "tidegate-session"

PORT: Final = re.compile(r"^(?:\[([^]]*)\].*|([^:]*):\d+)$")
"""An address with the port that some proxies append; the port differs with each connection."""

OWN_PAGE: Final = frozenset({b"same-origin", b"none"})
MAX_COOKIES: Final = 100
MAX_NAMES: Final = 100
"""Remembered Host values: a few names, each with any port."""
STRANGERS_RATE: Final = 500
"""Replies per second to all anonymous callers together: some 5 % of a processor, at 0.1 ms each. A sign-in needs one, and the page before it ten."""
STRANGERS_BURST: Final = 200
KEEP_USES: Final = 60.0
"""Seconds between two writes of when tokens were last used."""

WANTED: Final = frozenset({b"host", b"origin", b"sec-fetch-site", b"authorization", b"cookie"})

NOTHING: Final[Mapping[str, Any]] = {}

log = logging.getLogger(__name__)


class Keepers(NamedTuple):
    """Who may come in, and where refusals are recorded."""

    tokens: Tokens
    sessions: Sessions
    audit: AuditLog


class Gatekeeper:
    """An ASGI application in front of another one. It puts the `Principal` into `scope["state"]["principal"]`, or refuses."""

    def __init__(
        self,
        app: AsgiApp,
        keepers: Keepers,
        settings: Settings,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._tokens, self._sessions, self._audit = keepers
        self._hosts = settings.hosts
        self._secure = settings.is_secure
        self._behind_proxy = settings.behind_proxy
        self._cookie = cookie_name(settings).encode()
        self._clock = clock
        self._failures = Buckets(settings.failures / 60, settings.failures)
        self._strangers = WaitingLine(STRANGERS_RATE, STRANGERS_BURST)
        self._names: dict[bytes, str] = {}
        """The valid Host values seen so far."""
        self._kept = clock()
        self._keeping: asyncio.Future[None] | None = None

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on to the application, or refuse it."""
        if scope["type"] == "lifespan":
            return self._app(scope, receive, send)
        if scope["type"] != "http":
            return send({"type": "websocket.close", "code": 1008})
        state = scope.setdefault("state", {})
        caller: Caller | None = scope.get("extensions", NOTHING).get(CALLER)
        try:
            state["headers"] = headers = _headers(scope)
            state["principal"] = principal = self._admitted(scope, headers)
            if caller is not None and principal.name and caller.holder != principal.name:
                caller.belongs_to(principal.name)
        except TidegateError as error:
            self.note_refusal(scope, error)
            if caller is not None and error.status == 401:
                caller.is_strange()
            return self._in_turn(caller, partial(Out(scope, send).error, error))
        if scope["method"] == "POST" and scope["path"] in TRIED:
            state["address"] = self._address(scope)
            # Its reply is inspected, so it comes in messages.
            scope.get("extensions", {}).pop(WHOLE, None)
            return self._app(scope, receive, self._noting_failure(scope, send, caller))
        if not principal.name:
            return self._in_turn(caller, partial(self._app, scope, receive, send))
        return self._app(scope, receive, send)

    async def _in_turn(self, caller: Caller | None, reply: Callable[[], Awaitable[None]]) -> None:
        """Reply to an anonymous caller, when it is their turn: all of them together get a small part of the processor, and wait for it in a queue."""
        if await self._strangers.turn(caller):
            await reply()

    def _admitted(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Principal:
        host = self._own_name(headers.get(b"host", b""))
        safe = scope["method"] in SAFE
        origin, site = headers.get(b"origin"), headers.get(b"sec-fetch-site")
        if not safe and (origin is not None or site is not None):
            self._from_own_page(origin, site, host)
        principal = self._principal(scope, headers, safe=safe)
        if principal.name:
            self._keep_uses(self._clock())
        return principal

    def note_refusal(self, scope: Scope, error: TidegateError) -> None:
        """Record in the audit log that a principal lacked a right."""
        if error.status in RECORDED:
            principal = scope["state"].get("principal", ANONYMOUS)
            self._audit.refused(error.code, principal, self._address(scope))

    def _own_name(self, host: bytes) -> str:
        known = self._names.get(host)
        if known is not None:
            return known
        text = host.decode("latin-1").lower()
        name, _, port = text.rpartition(":") if _has_port(text) else (text, "", "")
        if name not in self._hosts or (port and not port.isdecimal()):
            raise WrongHost(
                f"unknown host {text[:80]!r}; start the server with --allow-host NAME to add a name"
            )
        if len(self._names) < MAX_NAMES:
            self._names[host] = text
        return text

    def _from_own_page(self, origin: bytes | None, site: bytes | None, host: str) -> None:
        if site is not None and site not in OWN_PAGE:
            raise Forbidden("this request was sent by a page of another site")
        if origin is not None and not _is_same(origin.decode("latin-1"), host, self._secure):
            raise Forbidden("this request was sent by a page of another origin")

    def _principal(self, scope: Scope, headers: Mapping[bytes, bytes], *, safe: bool) -> Principal:
        given = headers.get(b"authorization")
        if given is not None:
            kind, _, text = given.decode("latin-1").partition(" ")
            found = self._tokens.holder(text.strip()) if kind.lower() == "bearer" else None
            if found is None:
                raise self._failed(self._address(scope))
            return found
        visitor = self._visitor(headers.get(b"cookie", b""))
        if visitor is None:
            return ANONYMOUS
        if scope["method"] == "POST" and scope["path"] in TRIED:
            # A sign-in starts anonymously; the session that comes with it ends then.
            return structs.replace(ANONYMOUS, session=visitor.session)
        if not safe and b"origin" not in headers and b"sec-fetch-site" not in headers:
            raise Forbidden(
                "a session cookie is only accepted from a browser, which sends Sec-Fetch-Site or Origin"
            )
        return visitor

    def _visitor(self, cookies: bytes) -> Principal | None:
        # Another program on this host may have set a cookie with the same name as ours.
        for cookie in cookies.split(b";")[:MAX_COOKIES]:
            name, _, value = cookie.strip().partition(b"=")
            if name == self._cookie and (found := self._sessions.visitor(value.decode("latin-1"))):
                return found
        return None

    def _address(self, scope: Scope) -> str:
        """Return the client's address: behind a proxy, the last entry of `X-Forwarded-For`, because the entries before it are the client's own claims."""
        if self._behind_proxy:
            found = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            if found and (last := found[-1].decode("latin-1").rpartition(",")[2].strip()):
                return PORT.sub(r"\1\2", last)
        return str((scope.get("client") or [""])[0])

    def _failed(self, address: str) -> TidegateError:
        if wait := self._failures.take(address, self._clock()):
            return RateLimited(
                f"too many wrong tokens; try again in {wait:.0f} seconds", retry_after=wait
            )
        return Unauthenticated(NOBODY)

    def _noting_failure(self, scope: Scope, send: Send, caller: Caller | None) -> Send:
        """Count a failed sign-in like a request with a wrong token. A caller with a valid secret does not queue behind those who guess."""
        address, refused = self._address(scope), False

        async def noting(message: Message) -> None:
            nonlocal refused
            if refused:
                return
            if message["type"] == "http.response.start" and message["status"] != 200:
                refused = not await self._strangers.turn(caller)
                if refused:
                    return
            if message["type"] == "http.response.start" and message["status"] == 401:
                error = self._failed(address)
                if isinstance(error, RateLimited):
                    refused = True
                    await Out(scope, send).error(error)
                    return
            await send(message)

        return noting

    def _keep_uses(self, now: float) -> None:
        if now - self._kept < KEEP_USES:
            return
        self._kept = now
        self._keeping = asyncio.get_running_loop().run_in_executor(None, self._write_uses)

    def _write_uses(self) -> None:
        try:
            self._tokens.keep_uses(self._sessions.take_uses())
        except StoreError as error:
            log.warning("the times of last use of tokens could not be stored: %s", error.message)


def cookie_name(settings: Settings) -> str:
    """Return the name of the session cookie. Browsers keep `__Host-` cookies from other hosts, and require https for them."""
    return SECURE_COOKIE if settings.is_secure else PLAIN_COOKIE


def cookie_for(settings: Settings, secret: str, lasts: int) -> str:
    """Return the `Set-Cookie` header that stores a session; with 0 seconds, it deletes it."""
    secure = "; Secure" if settings.is_secure else ""
    return f"{cookie_name(settings)}={secret}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Strict{secure}"


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Return the headers by name. A security-relevant header that appears twice is marked as wrong."""
    found = dict(scope["headers"])
    if len(found) == len(scope["headers"]):
        return found
    seen = set()
    for name, value in scope["headers"]:
        if name in WANTED and name in seen:
            # Two cookie headers form one list; of any other header, two would mean that two readers may disagree.
            found[name] = found[name] + b"; " + value if name == b"cookie" else b"(twice)"
        else:
            seen.add(name)
            found[name] = value
    return found


def _has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]


def _is_same(origin: str, host: str, secure: bool) -> bool:  # noqa: FBT001
    try:
        page, own = urlsplit(origin), urlsplit(f"//{host}")
        usual = {"http": 80, "https": 443}.get(page.scheme)
        same = (page.hostname, page.port or usual) == (own.hostname, own.port or usual)
    except ValueError:
        return False
    schemes = ("https",) if secure else ("http", "https")
    return same and page.scheme in schemes and origin == f"{page.scheme}://{page.netloc}"
