"""
Tokens: who a caller over the network is.

A token is `tdg_<id>_<secret>_<checksum>`: its secret is 256 random bits, of which only the SHA-256 is stored; it is shown once, when it is made.
A browser trades its token for a session (see `sessions`). The id is not a secret: a client uses it to ask the server for a proof before it sends the rest.

Rule 1: a secret is looked up by its hash, so the time of a lookup says nothing about a secret. A valid token is cached by its text,
because checking it costs as much as the rest of a request: a dict compares only entries with the same keyed hash.
Rule 2: unknown, misspelled, expired and revoked tokens get the same reply.
Rule 3: what this process changes takes effect at once, and a lookup reads nothing. Where servers share a store, each looks twice a second whether
        another has changed anything, and forgets its cache.
Rule 4: the time of a token's last use is kept in memory, and stored now and then.
Rule 5: a name is a person. It differs from all others in more than case, is never given to somebody else, and is not a user of this machine.
"""

import hmac
import logging
import re
import secrets
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from pwd import getpwall, getpwnam
from typing import Any, Final

from msgspec import Struct, structs

from tidegate.errors import (
    InvalidValue,
    NameTaken,
    Refused,
    StoreError,
    Unauthenticated,
    UnknownToken,
)
from tidegate.home import ADMIN, keep_token
from tidegate.ir.graph import Instant
from tidegate.parts import Part
from tidegate.ports.access import Access, TokenRow
from tidegate.ports.audit import TOKEN_MADE, TOKEN_REVOKED, TOKEN_ROTATED, AuditRow
from tidegate.ports.clock import Clock
from tidegate.service.access import Action, Grant, Namespace, Principal, Role, allows, check_pattern
from tidegate.service.moments import maybe, moment
from tidegate.wire import (
    Ask,
    GrantView,
    ListTokens,
    MakeToken,
    RevokeToken,
    RotateToken,
    TokenList,
    TokenMade,
    TokenView,
)
from tidegate.wire.proof import prove

PREFIX: Final = "tdg"
SHAPE: Final = re.compile(r"(tdg_([0-9a-f]{8})_([0-9a-f]{64}))_([0-9a-f]{8})\Z")
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}\Z")
RESERVED: Final = frozenset({ADMIN, "local"})

MAX_TOKENS: Final = 10_000
MAX_GRANTS: Final = 20
LONGEST: Final = 10 * 365 * 24 * 3_600.0
"""Longest lifetime in seconds of a token that expires."""
SECOND: Final = 1_000_000
NOBODY: Final = "invalid or revoked token; ask an administrator for a new one"

log = logging.getLogger(__name__)


class Known(Struct, frozen=True):
    """A token in use, its rights, and its holder as a principal."""

    row: TokenRow
    grants: tuple[Grant, ...]
    holder: Principal


class Book(Struct, frozen=True):
    """All tokens that were not revoked when this was built."""

    by_hash: Mapping[bytes, Known]
    by_id: Mapping[str, Known]
    by_text: dict[str, Known] = {}
    """Those presented since, by their text."""


class _Wish(Struct, frozen=True):
    """What a new token should be: for whom, with which grants, and for how many seconds."""

    name: str
    grants: tuple[Grant, ...]
    lasts: float | None


class Tokens:
    """The tokens of a store. May be used from any thread; writes block until the disk has synced."""

    def __init__(self, access: Access, clock: Clock, writing: Part | None = None) -> None:
        self._access = access
        self._clock = clock
        self._writing = writing or Part("token-uses", tidies=True)
        self._lock = threading.RLock()
        self._book: Book | None = None
        self._uses: dict[str, Instant] = {}

    # -- authentication --

    def holder(self, text: str) -> Principal | None:
        """Return who holds a token, or None if it is not in use."""
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
        if match[2] != known.row.id:
            return None
        book.by_text[text] = known
        return self._principal(known)

    def forget(self) -> None:
        """Read the tokens again: another server of this store may have changed them."""
        with self._lock:
            self._book = None

    def is_live(self, id_: str) -> bool:
        """Return whether a token, by its id, is in use."""
        known = self._tokens().by_id.get(id_)
        return known is not None and self._is_live(known.row)

    def grants_of(self, id_: str) -> tuple[Grant, ...] | None:
        """Return the principal of a token, and note that it was used; None if it is not in use."""
        known = self._tokens().by_id.get(id_)
        found = None if known is None else self._principal(known)
        return None if found is None else found.grants

    def end_of(self, id_: str) -> Instant | None:
        """Return when a token expires; None if it does not, or is not in use."""
        known = self._tokens().by_id.get(id_)
        return None if known is None else known.row.expires

    def who(self, action: Action, where: Namespace) -> list[str]:
        """Return who holds a token with which they may perform an action there, by name."""
        live = (each for each in self._tokens().by_id.values() if self._is_live(each.row))
        return sorted({each.row.name for each in live if allows(each.holder, action, where)})

    def proof(self, id_: str, nonce: bytes) -> bytes:
        """
        Return the proof that this store knows the token with this id: an HMAC of the nonce under the hash of the secret.

        Errors: `Unauthenticated` if no such token is in use.
        """
        known = self._tokens().by_id.get(id_)
        if known is None or not self._is_live(known.row):
            raise Unauthenticated(NOBODY)
        return prove(known.row.hash, nonce)

    def _principal(self, known: Known) -> Principal | None:
        row = known.row
        if not self._is_live(row):
            return None
        self._uses[row.id] = self._clock.now()
        return known.holder

    def _is_live(self, row: TokenRow) -> bool:
        return row.revoked is None and (row.expires is None or self._clock.now() < row.expires)

    # -- tokens --

    def make(self, request: MakeToken) -> TokenMade:
        """Make a token for a new person. Errors: `InvalidValue`, `NameTaken`."""
        name = request.name
        if not NAME.match(name) or name.lower() in RESERVED:
            raise InvalidValue(
                f"invalid token name {name[:80]!r}; use 1 to 64 letters, digits, '.', '_', '-', '@' and '+',"
                f" and not {' or '.join(sorted(RESERVED))}"
            )
        if _is_a_user(name):
            raise InvalidValue(
                f"invalid token name {name!r}: a user of this machine has that name, and decisions are recorded under it; choose another, such as {name}@web"
            )
        if request.lasts is not None and not 1 <= request.lasts <= LONGEST:
            raise InvalidValue(
                f"a token lasts from one second to ten years, not {request.lasts:g} seconds"
            )
        grants = _grants(request.grants)
        with self._lock:
            if self._named(name):
                raise NameTaken(
                    f"the name {name!r} is taken for good: `tidegate token rotate {name}` makes a new token for the same person; choose another name for anybody else"
                )
            return self._make(_Wish(name, grants, request.lasts), _note(TOKEN_MADE, request))

    def rotate(self, request: RotateToken) -> TokenMade:
        """Make another token with the same name; the existing ones end after the overlap. Errors: `UnknownToken`, `Refused`."""
        with self._lock:
            rows = self._named(request.name)
            if not rows:
                raise UnknownToken(
                    f"no token is named {request.name[:80]!r}; run `tidegate token list` to see the names"
                )
            last = max(rows, key=lambda row: row.created)
            lasts = None if last.expires is None else (last.expires - last.created) / SECOND
            end = Instant(self._clock.now() + int(request.overlap * SECOND))
            ended = [
                structs.replace(row, expires=end if row.expires is None else min(end, row.expires))
                for row in rows
                if self._is_live(row)
            ]
            wish = _Wish(last.name, _known(last).grants, lasts)
            return self._make(wish, _note(TOKEN_ROTATED, request), ended)

    def _named(self, name: str) -> list[TokenRow]:
        """Return all tokens of a person, ended ones included; case does not distinguish people."""
        return [row for row in self._access.tokens() if row.name.lower() == name.lower()]

    def _make(self, wish: "_Wish", note: AuditRow, ended: Sequence[TokenRow] = ()) -> TokenMade:
        if len(self._access.tokens()) >= MAX_TOKENS:
            raise Refused(f"the limit of {MAX_TOKENS:,} tokens is reached")
        now = self._clock.now()
        secret, id_ = secrets.token_hex(32), secrets.token_hex(4)
        row = TokenRow(
            id=id_,
            name=wish.name,
            hash=_hash(secret),
            grants=tuple((g.role.value, g.project, g.domain) for g in wish.grants),
            creator=note.who,
            created=now,
            expires=None if wish.lasts is None else Instant(now + int(wish.lasts * SECOND)),
        )
        note = structs.replace(note, at=now, about=f"{row.name} ({row.id})")
        self._access.put_tokens([row, *ended], note)
        self._book = None
        return TokenMade(token=_view(row), secret=_written(id_, secret))

    def all_of(self, _: ListTokens) -> TokenList:
        """List every token, oldest first, ended ones included."""
        with self._lock:
            rows = self._access.tokens()
            uses = dict(self._uses)
        shown = [structs.replace(row, used=uses.get(row.id, row.used)) for row in rows]
        return TokenList(items=[_view(row) for row in shown])

    def revoke(self, request: RevokeToken) -> TokenList:
        """End a token, by its id or its name; revoking it again is a no-op. Errors: `UnknownToken`."""
        with self._lock:
            rows = self._access.tokens()
            found = [row for row in rows if row.id == request.token]
            found = found or [r for r in self._named(request.token) if self._is_live(r)]
            if not found:
                raise UnknownToken(
                    f"no token {request.token[:80]!r} is in use; run `tidegate token list` to see them"
                )
            return TokenList(items=self._end(found, _note(TOKEN_REVOKED, request)))

    def _end(self, rows: Sequence[TokenRow], note: AuditRow) -> list[TokenView]:
        now = self._clock.now()
        ended = [row if row.revoked else structs.replace(row, revoked=now) for row in rows]
        if changed := [row for row in ended if row not in rows]:
            about = ", ".join(f"{row.name} ({row.id})" for row in changed)
            self._access.put_tokens(changed, structs.replace(note, at=now, about=about))
            self._book = None
        return [_view(row) for row in ended]

    def admin_token(self, file: Path, *, is_shared: bool = False) -> str:
        """
        Return the token of the store's owner, kept in a file that only the owner can read; make both if they are missing.

        In a store that servers share each has one, in its own file; else a new one ends the one before. It does not expire: anyone who can read the file can read the store beside it. To replace it, remove the file.
        Errors: `StoreError` if the file cannot be written.
        """
        try:
            there = _read(file)
            if there is not None and (holder := self.holder(there)) and holder.name == ADMIN:
                return there
            with self._lock:
                there_are = [row for row in self._access.tokens() if row.name == ADMIN]
                live = [row for row in there_are if self._is_live(row)]
                if live and not is_shared:
                    self._end(live, AuditRow(Instant(0), TOKEN_REVOKED, "local"))
                wish = _Wish(ADMIN, (Grant(Role.ADMIN),), None)
                made = self._make(wish, AuditRow(Instant(0), TOKEN_MADE, "local"))
        except OSError as error:
            raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
        keep_token(file.parent, made.secret)
        return made.secret

    def keep_uses(self, sessions: Mapping[bytes, Instant]) -> None:
        """Store when tokens, and these sessions, were last used. While that fails its part is down, and the times are kept."""
        uses, self._uses = self._uses, {}
        if not uses and not sessions:
            return
        try:
            # A copy, because a request that began earlier may still note its use.
            self._access.note_uses(dict(uses), sessions)
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
                self._book = book = Book(
                    {each.row.hash: each for each in known}, {each.row.id: each for each in known}
                )
        return book


def _grants(wanted: Sequence[GrantView]) -> tuple[Grant, ...]:
    if not 1 <= len(wanted) <= MAX_GRANTS:
        raise InvalidValue(f"a token needs a role: 1 to {MAX_GRANTS} grants, not {len(wanted)}")
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
        raise InvalidValue(f"unknown role {name[:40]!r}; the roles are: {there}") from None


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


def _note(kind: str, request: Ask[Any]) -> AuditRow:
    """Return the audit line for a request; its target and time are filled in once it is done."""
    return AuditRow(Instant(0), kind, request.who, request.credential, request.via)


def _is_a_user(name: str) -> bool:
    """Return whether the system has a user with this name, ignoring case."""
    with suppress(KeyError):
        return bool(getpwnam(name.lower()))
    return any(each.pw_name.lower() == name.lower() for each in getpwall())


def _hash(secret: str) -> bytes:
    return sha256(secret.encode(errors="replace")).digest()


def _written(id_: str, secret: str) -> str:
    begin = f"{PREFIX}_{id_}_{secret}"
    return f"{begin}_{_checksum(begin)}"


def _checksum(begin: str) -> str:
    """The checksum reveals a misspelled token without a lookup, and lets scanners find leaked ones."""
    return f"{zlib.crc32(begin.encode()):08x}"


def _read(file: Path) -> str | None:
    try:
        if file.stat().st_mode & 0o077:
            log.warning("%s was readable by others; its permissions have been restricted", file)
            file.chmod(0o600)
        return file.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
