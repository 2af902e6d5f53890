"""
Tokens and logins: who somebody is that asks over the network.

A token is `tdg_<id>_<secret>_<checksum>`: 256 random bits as its secret, of which only the SHA-256 is stored; it is shown once, when it is made.
A browser trades its token for a login: another secret, kept in a cookie.

Rule 1: a secret is looked up by its hash, so how long a look takes says nothing about a secret. A token that was good is remembered
as it is written, for its checks cost as much as the rest of a request: a dict compares only what has the same keyed hash.
Rule 2: an unknown, a misspelled, an expired and a revoked token are told alike.
Rule 3: one process owns a store, so what it knows of tokens is the truth: a look costs no read, and who is revoked is out at once.
Rule 4: when a token was used is noted in memory, and written now and then.
"""

import hmac
import logging
import re
import secrets
import threading
import zlib
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from msgspec import Struct, structs

from tidegate import disk
from tidegate.errors import (
    InvalidValue,
    NameTaken,
    Refused,
    StoreError,
    Unauthenticated,
    UnknownToken,
)
from tidegate.ir.graph import Instant
from tidegate.parts import Part
from tidegate.ports.access import Access, LoginRow, TokenRow
from tidegate.ports.clock import Clock
from tidegate.service.access import Grant, Principal, Role, check_pattern
from tidegate.service.moments import maybe, moment
from tidegate.wire import (
    GrantView,
    ListTokens,
    MakeToken,
    RevokeToken,
    TokenList,
    TokenMade,
    TokenView,
)

TOKEN_FILE: Final = "token"
"""The file in the home of a store with the token of its owner, which programs of his read by themselves."""

PREFIX: Final = "tdg"
ID: Final = 12
"""Digits of a hash by which a browser's session is named."""
SHAPE: Final = re.compile(r"(tdg_([0-9a-f]{8})_([0-9a-f]{64}))_([0-9a-f]{8})\Z")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")
ADMIN: Final = "admin"
"""The name of the token that is made for the owner of the store, and of no other."""
RESERVED: Final = frozenset({ADMIN, "local"})

MAX_TOKENS: Final = 10_000
MAX_GRANTS: Final = 20
MAX_LOGINS: Final = 100
"""Browsers of one token; when there are more, the oldest is forgotten."""
LOGIN_LASTS: Final = 7 * 24 * 3_600
"""Seconds until a browser must trade a token again."""
LONGEST: Final = 10 * 365 * 24 * 3_600.0
"""Seconds that a token which expires may last."""
SECOND: Final = 1_000_000
NOBODY: Final = "invalid or revoked token; ask an administrator for a new one"

log = logging.getLogger(__name__)


class Known(Struct, frozen=True):
    """A token in use, what it may, and its holder, who shows it himself."""

    row: TokenRow
    grants: tuple[Grant, ...]
    holder: Principal


class Book(Struct, frozen=True):
    """All tokens that were not revoked when it was written."""

    by_hash: Mapping[bytes, Known]
    by_id: Mapping[str, Known]
    by_text: dict[str, Known] = {}
    """Those that were shown since, by their text."""


class Login(Struct, frozen=True):
    """A login that was just made: what to put into the cookie, and for how many seconds it lasts."""

    secret: str
    lasts: int


class Tokens:
    """The tokens and logins of a store. May be used from any thread; whatever writes blocks for a sync of the disk."""

    def __init__(self, access: Access, clock: Clock, writing: Part | None = None) -> None:
        self._access = access
        self._clock = clock
        self._writing = writing or Part("token-uses", tidies=True)
        self._lock = threading.RLock()
        self._book: Book | None = None
        self._logins: dict[bytes, LoginRow] = {}
        self._uses: dict[str, Instant] = {}

    # -- who is it --

    def holder(self, text: str) -> Principal | None:
        """Return who holds a token, or None if nobody does (any more)."""
        book = self._tokens()
        known = book.by_text.get(text)
        if known is not None:
            return self._principal(known)
        match = SHAPE.match(text)
        if match is None or not hmac.compare_digest(_checksum(match[1]), match[4]):
            return None
        digest = _hash(match[3])
        known = book.by_hash.get(digest)
        if known is None or not hmac.compare_digest(known.row.hash, digest):
            return None
        if match[2] == known.row.id:
            # What stands there is not checked, and only one text of a token is to be remembered.
            book.by_text[text] = known
        return self._principal(known)

    def visitor(self, cookie: str) -> Principal | None:
        """Return who a browser belongs to, or None if its login has ended."""
        book = self._tokens()
        digest = _hash(cookie)
        login = self._logins.get(digest)
        if login is None or not hmac.compare_digest(login.hash, digest):
            return None
        known = book.by_id.get(login.token)
        if known is None or login.expires <= self._clock.now():
            return None
        return self._principal(known, digest)

    def is_valid(self, principal: Principal) -> bool:
        """Return whether somebody who was known when he came still is: for doors through which things flow for long."""
        if principal.local:
            return True
        known = self._tokens().by_id.get(principal.token)
        there = not principal.login or principal.login in self._logins
        return known is not None and there and self._is_live(known.row)

    def _principal(self, known: Known, login: bytes = b"") -> Principal | None:
        row = known.row
        if not self._is_live(row):
            return None
        self._uses[row.id] = self._clock.now()
        if login:
            credential = f"session:{login.hex()[:ID]}"
            return Principal(row.name, known.grants, "ui", row.id, login, credential=credential)
        return known.holder

    def _is_live(self, row: TokenRow) -> bool:
        return row.revoked is None and (row.expires is None or self._clock.now() < row.expires)

    # -- logins --

    def log_in(self, principal: Principal) -> Login:
        """Make a login for the holder of a token; it lasts no longer than the token. Errors: `Unauthenticated`."""
        with self._lock:
            known = self._tokens().by_id.get(principal.token)
            if known is None:
                raise Unauthenticated(NOBODY)
            now = self._clock.now()
            expires = Instant(now + LOGIN_LASTS * SECOND)
            if known.row.expires is not None:
                expires = min(expires, known.row.expires)
            secret = secrets.token_urlsafe(32)
            row = LoginRow(_hash(secret), principal.token, now, expires)
            self._access.put_login(row)
            self._logins = {h: r for h, r in self._logins.items() if r.expires > now}
            own = [h for h, r in self._logins.items() if r.token == principal.token]
            for digest in own[: len(own) - MAX_LOGINS + 1]:
                self._access.end_login(digest)
                del self._logins[digest]
            self._logins[row.hash] = row
        return Login(secret, max(1, (expires - now) // SECOND))

    def log_out(self, principal: Principal) -> None:
        """End a browser's login, if somebody came with one."""
        with self._lock:
            if self._logins.pop(principal.login, None) is not None:
                self._access.end_login(principal.login)

    # -- tokens --

    def make(self, request: MakeToken) -> TokenMade:
        """Make a token. Errors: `InvalidValue`, `NameTaken`."""
        if not NAME.match(request.name) or request.name in RESERVED:
            raise InvalidValue(
                f"a token cannot be named {request.name[:80]!r}; take 1 to 64 letters, digits, '.', '_', '-', '@' and '+',"
                f" and not {' or '.join(sorted(RESERVED))}"
            )
        if request.lasts is not None and not 1 <= request.lasts <= LONGEST:
            raise InvalidValue(
                f"a token lasts from one second to ten years, not {request.lasts:g} seconds"
            )
        return self._make(request.name, _grants(request.grants), request.who, request.lasts)

    def _make(
        self, name: str, grants: tuple[Grant, ...], creator: str, lasts: float | None
    ) -> TokenMade:
        with self._lock:
            tokens = self._access.tokens()
            if any(row.name == name and self._is_live(row) for row in tokens):
                raise NameTaken(
                    f"there is a token named {name!r} already; revoke it first, or choose another name"
                )
            if len(tokens) >= MAX_TOKENS:
                raise Refused(f"there are {MAX_TOKENS:,} tokens already, and no more can be made")
            now = self._clock.now()
            secret, id_ = secrets.token_hex(32), secrets.token_hex(4)
            row = TokenRow(
                id=id_,
                name=name,
                hash=_hash(secret),
                grants=tuple((g.role.value, g.project, g.domain) for g in grants),
                creator=creator,
                created=now,
                expires=None if lasts is None else Instant(now + int(lasts * SECOND)),
            )
            self._access.put_token(row)
            self._book = None
        return TokenMade(token=_view(row), secret=_written(id_, secret))

    def all_of(self, _: ListTokens) -> TokenList:
        """List every token, the oldest first, those that are of no use any more too."""
        with self._lock:
            rows = self._access.tokens()
            uses = dict(self._uses)
        shown = [structs.replace(row, used=uses.get(row.id, row.used)) for row in rows]
        return TokenList(items=[_view(row) for row in shown])

    def revoke(self, request: RevokeToken) -> TokenList:
        """End a token, by its id or its name; one that has been revoked stays so. Errors: `UnknownToken`."""
        with self._lock:
            rows = self._access.tokens()
            found = [row for row in rows if row.id == request.token]
            found = found or [r for r in rows if r.name == request.token and self._is_live(r)]
            if not found:
                raise UnknownToken(
                    f"there is no token {request.token[:80]!r} in use; tidegate token list shows those there are"
                )
            ended = [self._end(row) for row in found]
        return TokenList(items=[_view(row) for row in ended])

    def _end(self, row: TokenRow) -> TokenRow:
        if row.revoked is not None:
            return row
        ended = structs.replace(row, revoked=self._clock.now())
        self._access.put_token(ended)
        self._book = None
        return ended

    def admin_token(self, file: Path) -> str:
        """
        Return the token of the store's owner, which is in a file that only he can read; make both if they are not there.

        It does not expire: who can read the file can read the store beside it. To have another, remove the file.
        Errors: `StoreError` if the file cannot be written.
        """
        try:
            there = _read(file)
            if there is not None and (holder := self.holder(there)) and holder.name == ADMIN:
                return there
            with self._lock:
                for row in self._access.tokens():
                    if row.name == ADMIN:
                        self._end(row)
                made = self._make(ADMIN, (Grant(Role.ADMIN),), "local", None)
            disk.write(file, f"{made.secret}\n".encode())
        except OSError as error:
            raise StoreError(f"{file}: cannot be written: {error.strerror}") from None
        return made.secret

    def keep_uses(self) -> None:
        """Write when tokens were used last; what cannot be written now is written next time, and until then the part for it is down."""
        uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            # A copy, for a request that began before may still note its use.
            self._access.note_uses(dict(uses))
        except Exception as error:  # noqa: BLE001 - it is nobody's request
            self._uses = {**uses, **self._uses}
            self._writing.failed(error)
        else:
            self._writing.works()

    def _tokens(self) -> Book:
        book = self._book
        if book is None:
            with self._lock:
                rows = [row for row in self._access.tokens() if row.revoked is None]
                known = [_known(row) for row in rows]
                self._logins = {row.hash: row for row in self._access.logins()}
                self._book = book = Book(
                    {each.row.hash: each for each in known}, {each.row.id: each for each in known}
                )
        return book


def _grants(wanted: Sequence[GrantView]) -> tuple[Grant, ...]:
    if not 1 <= len(wanted) <= MAX_GRANTS:
        raise InvalidValue(f"a token needs a role: one to {MAX_GRANTS} grants, not {len(wanted)}")
    return tuple(
        Grant(
            _role(each.role),
            check_pattern("project", each.project),
            check_pattern("domain", each.domain),
        )
        for each in wanted
    )


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        there = ", ".join(role.value for role in Role)
        raise InvalidValue(f"there is no role {name[:40]!r}; there are: {there}") from None


def _known(row: TokenRow) -> Known:
    grants = tuple(Grant(Role(role), project, domain) for role, project, domain in row.grants)
    credential = f"token:{row.id}"
    return Known(row, grants, Principal(row.name, grants, "api", row.id, credential=credential))


def _view(row: TokenRow) -> TokenView:
    return TokenView(
        id=row.id,
        name=row.name,
        grants=[GrantView(role=r, project=p, domain=d) for r, p, d in row.grants],
        creator=row.creator,
        created=moment(row.created),
        expires=maybe(row.expires),
        revoked=maybe(row.revoked),
        used=maybe(row.used),
    )


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()


def _written(id_: str, secret: str) -> str:
    begin = f"{PREFIX}_{id_}_{secret}"
    return f"{begin}_{_checksum(begin)}"


def _checksum(begin: str) -> str:
    """Tell a misspelled token from a wrong one without a look, and let scanners find leaked ones."""
    return f"{zlib.crc32(begin.encode()):08x}"


def _read(file: Path) -> str | None:
    try:
        if file.stat().st_mode & 0o077:
            log.warning("%s could be read by others; it is closed to them now", file)
            file.chmod(0o600)
        return file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
