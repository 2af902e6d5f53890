"""
Sessions: a signed-in browser keeps a separate secret, in a cookie, for as long as it is used.

Rule 1: a session is known by the hash of its secret, and belongs to a token or, by a one-time code, to a user of the operating system.
Rule 2: it ends with its token; after `IDLE` seconds without a request; after `LASTS` seconds; when its owner ends it; and when its browser signs in again.
Rule 3: a sign-in never silently changes who somebody is: a browser asks before it trades a code while somebody else is signed in (see the page).
"""

import hmac
import secrets
import threading
from collections.abc import Sequence
from hashlib import sha256
from math import inf
from typing import Final

from msgspec import Struct, structs

from tidegate.errors import Unauthenticated, UnknownSession
from tidegate.ir.graph import Instant
from tidegate.ports.access import Access, SessionRow
from tidegate.ports.audit import SESSION_ENDED, SIGN_IN, SIGN_OUT, AuditRow
from tidegate.ports.clock import Clock
from tidegate.service.access import LOCAL, Principal
from tidegate.service.moments import moment
from tidegate.service.tokens import NOBODY, Tokens
from tidegate.wire import EndSession, ListSessions, SessionLine, SessionList

SECOND: Final = 1_000_000
LASTS: Final = 7 * 24 * 3_600
"""Seconds after which a browser must sign in again, however much it is used."""
IDLE: Final = 12 * 3_600
"""Seconds without a request after which it must, too: a night. OWASP ASVS 5.0, 7.3.1 asks for such a limit and leaves the figure open."""
MAX_SESSIONS: Final = 100
"""Browsers per person; beyond that, the oldest is forgotten."""
AGENT: Final = 200
"""Characters kept of a browser's User-Agent."""


class Cookie(Struct, frozen=True):
    """A new session: the cookie's value, its lifetime in seconds, and when it ends."""

    secret: str
    lasts: int
    ends: Instant


class Sessions:
    """The sessions of a store. May be used from any thread; writes block until the disk has synced."""

    def __init__(self, access: Access, clock: Clock, tokens: Tokens) -> None:
        self._access = access
        self._clock = clock
        self._tokens = tokens
        self._lock = threading.RLock()
        self._rows: dict[bytes, SessionRow] | None = None
        self._uses: dict[bytes, Instant] = {}

    # -- authentication --

    def visitor(self, cookie: str) -> Principal | None:
        """Return the principal of a browser, or None if its session has ended."""
        digest = _hash(cookie)
        row = self._known().get(digest)
        if row is None or not hmac.compare_digest(row.hash, digest) or not self._is_live(row):
            return None
        self._uses[digest] = self._clock.now()
        return self._principal(row)

    def forget(self) -> None:
        """Read the sessions again: another server of this store may have changed them."""
        with self._lock:
            self._rows = None

    def is_valid(self, principal: Principal) -> bool:
        """Return whether a principal authenticated at the start of a request is still valid: for long-lived streams."""
        if principal.local:
            return True
        if principal.session:
            row = self._known().get(principal.session)
            return row is not None and self._is_live(row)
        return self._tokens.is_live(principal.token)

    def end_of(self, principal: Principal) -> Instant | None:
        """Return when a token or session expires, unless it is ended earlier; None if it does not."""
        ends = self._tokens.end_of(principal.token) if principal.token else None
        row = self._known().get(principal.session) if principal.session else None
        if row is not None:
            ends = row.expires if ends is None else min(ends, row.expires)
        return ends

    def seconds_left(self, principal: Principal) -> float:
        """Return the remaining seconds until `end_of`; infinity if there is no end."""
        ends = self.end_of(principal)
        return inf if ends is None else max(0.0, (ends - self._clock.now()) / SECOND)

    def _principal(self, row: SessionRow) -> Principal | None:
        grants = self._tokens.grants_of(row.token) if row.token else LOCAL.grants
        if grants is None:
            return None
        credential = f"session:{row.id}"
        return Principal(row.name, grants, "ui", row.token, row.hash, credential=credential)

    def _is_live(self, row: SessionRow) -> bool:
        now = self._clock.now()
        used = max(row.used, self._uses.get(row.hash, row.used))
        idle = now - used >= IDLE * SECOND
        return now < row.expires and not idle and (not row.token or self._tokens.is_live(row.token))

    # -- start and end --

    def sign_in(
        self, holder: Principal, agent: str = "", address: str = "", replaced: bytes = b""
    ) -> Cookie:
        """
        Make a session for the holder of a token, or for a user of the operating system; it does not outlive the token.

        `replaced` is the session whose cookie came with the request: it ends. Errors: `Unauthenticated`.
        """
        with self._lock:
            now = self._clock.now()
            expires = Instant(now + LASTS * SECOND)
            if holder.token:
                if not self._tokens.is_live(holder.token):
                    raise Unauthenticated(NOBODY)
                expires = min(expires, self._tokens.end_of(holder.token) or expires)
            secret, id_ = secrets.token_urlsafe(32), secrets.token_hex(6)
            row = SessionRow(
                hash=_hash(secret),
                id=id_,
                name=holder.name,
                token=holder.token,
                agent=agent[:AGENT],
                created=now,
                used=now,
                expires=expires,
            )
            rows = {h: each for h, each in self._known().items() if each.expires > now}
            own = [h for h, each in rows.items() if each.name == holder.name and h != replaced]
            ended = own[: len(own) - MAX_SESSIONS + 1]
            if replaced in rows:
                ended.append(replaced)
            by = holder.credential
            note = AuditRow(now, SIGN_IN, holder.name, by, "ui", address, about=id_)
            self._access.put_session(row, ended, note)
            for each in ended:
                del rows[each]
            rows[row.hash] = row
            self._rows = rows
        return Cookie(secret, max(1, (expires - now) // SECOND), expires)

    def sign_out(self, principal: Principal) -> None:
        """End a browser's session, if the request has one."""
        with self._lock:
            row = self._known().get(principal.session)
            if row is not None:
                self._end([row], principal, SIGN_OUT, row.id)

    def all_of(self, request: ListSessions, principal: Principal) -> SessionList:
        """List the caller's sessions, oldest first."""
        del request
        rows = [row for row in self._own(principal) if self._is_live(row)]
        return SessionList(items=[self._line(row, principal) for row in rows])

    def end(self, request: EndSession, principal: Principal) -> SessionList:
        """End one of the caller's sessions, by its id; `all` ends all of them except the one that makes the request. Errors: `UnknownSession`."""
        with self._lock:
            own = self._own(principal)
            if request.id == "all":
                found = [row for row in own if row.hash != principal.session]
            else:
                found = [row for row in own if row.id == request.id]
                if not found:
                    raise UnknownSession(f"you have no session {request.id[:80]!r}")
            if found:
                self._end(found, principal, SESSION_ENDED, request.id)
        return SessionList(items=[self._line(row, principal) for row in found])

    def take_uses(self) -> dict[bytes, Instant]:
        """Return when sessions were used since the last call, so that it can be stored."""
        uses, self._uses = self._uses, {}
        with self._lock:
            rows = self._known()
            for hash_, used in uses.items():
                if hash_ in rows:
                    rows[hash_] = structs.replace(rows[hash_], used=used)
        return dict(uses)

    def _own(self, principal: Principal) -> list[SessionRow]:
        return [row for row in self._known().values() if row.name == principal.name]

    def _end(self, rows: Sequence[SessionRow], by: Principal, kind: str, about: str) -> None:
        now = self._clock.now()
        note = AuditRow(now, kind, by.name, by.credential, by.via, about=about, count=len(rows))
        self._access.end_sessions([row.hash for row in rows], note)
        known = self._known()
        for row in rows:
            known.pop(row.hash, None)

    def _line(self, row: SessionRow, principal: Principal) -> SessionLine:
        used = max(row.used, self._uses.get(row.hash, row.used))
        return SessionLine(
            id=row.id,
            name=row.name,
            token=row.token,
            agent=row.agent,
            created=moment(row.created),
            used=moment(used),
            expires=moment(row.expires),
            current=row.hash == principal.session,
        )

    def _known(self) -> dict[bytes, SessionRow]:
        rows = self._rows
        if rows is None:
            with self._lock:
                self._rows = rows = {row.hash: row for row in self._access.sessions()}
        return rows


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()
