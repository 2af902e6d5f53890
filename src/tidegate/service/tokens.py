"""
Tokens: who somebody is that asks over the network.

A token is `tdg_<id>_<secret>_<checksum>`: 256 random bits as its secret, of which only the SHA-256 is stored; it is shown once, when it is made.
A browser trades its token for a session (see `sessions`). The id in it is no secret: by it a server is asked for a proof before it is shown the rest.

Rule 1: a secret is looked up by its hash, so how long a look takes says nothing about a secret. A token that was good is remembered
as it is written, for its checks cost as much as the rest of a request: a dict compares only what has the same keyed hash.
Rule 2: an unknown, a misspelled, an expired and a revoked token are told alike.
Rule 3: one process owns a store, so what it knows of tokens is the truth: a look costs no read, and who is revoked is out at once.
Rule 4: when a token was used is noted in memory, and written now and then.
Rule 5: a name is a person. It differs from all others in more than capitals, is never given to somebody else, and is no user's of this machine.
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
from tidegate.service.access import Grant, Principal, Role, check_pattern
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


class _Wish(Struct, frozen=True):
    """What a token is to be: for whom, for what, and for how many seconds."""

    name: str
    grants: tuple[Grant, ...]
    lasts: float | None


class Tokens:
    """The tokens of a store. May be used from any thread; whatever writes blocks for a sync of the disk."""

    def __init__(self, access: Access, clock: Clock, writing: Part | None = None) -> None:
        self._access = access
        self._clock = clock
        self._writing = writing or Part("token-uses", tidies=True)
        self._lock = threading.RLock()
        self._book: Book | None = None
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
        if match[2] != known.row.id:
            return None
        book.by_text[text] = known
        return self._principal(known)

    def is_live(self, id_: str) -> bool:
        """Return whether a token, by its id, is in use."""
        known = self._tokens().by_id.get(id_)
        return known is not None and self._is_live(known.row)

    def grants_of(self, id_: str) -> tuple[Grant, ...] | None:
        """Return what the holder of a token may, and note that it was used; None if it is not in use."""
        known = self._tokens().by_id.get(id_)
        found = None if known is None else self._principal(known)
        return None if found is None else found.grants

    def end_of(self, id_: str) -> Instant | None:
        """Return when a token ends; None if it does not, or is not in use."""
        known = self._tokens().by_id.get(id_)
        return None if known is None else known.row.expires

    def proof(self, id_: str, nonce: bytes) -> bytes:
        """
        Return what shows that this store knows the token with this id, to who has the token: an HMAC of the nonce under the hash of the secret.

        Errors: `Unauthenticated` if there is no such token in use.
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
        """Make a token for somebody who has never had one. Errors: `InvalidValue`, `NameTaken`."""
        name = request.name
        if not NAME.match(name) or name.lower() in RESERVED:
            raise InvalidValue(
                f"a token cannot be named {name[:80]!r}; take 1 to 64 letters, digits, '.', '_', '-', '@' and '+',"
                f" and not {' or '.join(sorted(RESERVED))}"
            )
        if _is_a_user(name):
            raise InvalidValue(
                f"a token cannot be named {name!r}: that is a user of this machine, whose decisions are recorded under the name; take another, such as {name}@web"
            )
        if request.lasts is not None and not 1 <= request.lasts <= LONGEST:
            raise InvalidValue(
                f"a token lasts from one second to ten years, not {request.lasts:g} seconds"
            )
        grants = _grants(request.grants)
        with self._lock:
            if self._named(name):
                raise NameTaken(
                    f"the name {name!r} is taken, and stays so: `tidegate token rotate {name}` makes another token for the same person; choose another name for anybody else"
                )
            return self._make(_Wish(name, grants, request.lasts), _note(TOKEN_MADE, request))

    def rotate(self, request: RotateToken) -> TokenMade:
        """Make another token of the same name; those that there are end after the overlap. Errors: `UnknownToken`, `Refused`."""
        with self._lock:
            rows = self._named(request.name)
            if not rows:
                raise UnknownToken(
                    f"nobody is named {request.name[:80]!r}; tidegate token list shows the names there are"
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
        """Return all tokens of a person, also those that have ended: capitals make no other person."""
        return [row for row in self._access.tokens() if row.name.lower() == name.lower()]

    def _make(self, wish: "_Wish", note: AuditRow, ended: Sequence[TokenRow] = ()) -> TokenMade:
        if len(self._access.tokens()) >= MAX_TOKENS:
            raise Refused(f"there are {MAX_TOKENS:,} tokens already, and no more can be made")
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
            found = found or [r for r in self._named(request.token) if self._is_live(r)]
            if not found:
                raise UnknownToken(
                    f"there is no token {request.token[:80]!r} in use; tidegate token list shows those there are"
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
                there_are = [row for row in self._access.tokens() if row.name == ADMIN]
                if live := [row for row in there_are if self._is_live(row)]:
                    self._end(live, AuditRow(Instant(0), TOKEN_REVOKED, "local"))
                wish = _Wish(ADMIN, (Grant(Role.ADMIN),), None)
                made = self._make(wish, AuditRow(Instant(0), TOKEN_MADE, "local"))
        except OSError as error:
            raise StoreError(f"{file}: cannot be read: {error.strerror}") from None
        keep_token(file.parent, made.secret)
        return made.secret

    def keep_uses(self, sessions: Mapping[bytes, Instant]) -> None:
        """Write when tokens, and these sessions, were used last. While that fails the part for it is down, and what tokens were used is kept."""
        uses, self._uses = self._uses, {}
        if not uses and not sessions:
            return
        try:
            # A copy, for a request that began before may still note its use.
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


def _note(kind: str, request: Ask[Any]) -> AuditRow:
    """Return the line of the audit log for what was asked; what it is about and when is known when it is done."""
    return AuditRow(Instant(0), kind, request.who, request.credential, request.via)


def _is_a_user(name: str) -> bool:
    """Return whether the system has a user of this name, in any capitals."""
    with suppress(KeyError):
        return bool(getpwnam(name.lower()))
    return any(each.pw_name.lower() == name.lower() for each in getpwall())


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
