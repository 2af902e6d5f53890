"""
How a command that can read the database of a store asks one of its servers in the name of the store's owner, without a token.

Anyone who has the address of the database is the owner of the store. The key was made with the store, and is read from the database. The signature covers
the server, the instant, the user, and the whole request, so it is worth nothing at another server, later, or for another request.
"""

import hmac
from contextlib import suppress
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from msgspec import Struct

HEAD: Final = "x-tidegate-owner"
"""The header with what was signed, and the signature."""

LIFE: Final = 30_000_000
"""Microseconds for which a request is believed, by the clock of the database."""

_WHAT: Final = b"tidegate-owner-1\0"
"""No other HMAC under this key starts with this."""


class Owning(Struct, frozen=True):
    """A request in the name of the owner: `to` is the server, `at` an instant of the database, `uid` and `user` who asks; `digest` is the SHA-256 of the body, in hex."""

    to: str
    at: int
    uid: int
    user: str
    method: str
    target: str
    size: int
    digest: str

    def signed(self, secret: bytes) -> str:
        """Return the value of the header."""
        said = " ".join(
            (
                self.to,
                f"{self.at} {self.uid} {quote(self.user, safe='')}",
                f"{self.method} {self.size} {self.digest} {self.target}",
            )
        )
        return f"{said} {hmac.new(secret, _WHAT + said.encode(), 'sha256').hexdigest()}"


def believed(head: bytes, secret: bytes) -> Owning | None:
    """Return what a header says, if it was signed with the key of the store; None if not."""
    said, _, signature = head.rpartition(b" ")
    wanted = hmac.new(secret, _WHAT + said, "sha256").hexdigest().encode()
    if not hmac.compare_digest(wanted, signature):
        return None
    to, at, uid, user, method, size, digest, target = said.decode().split(" ")
    return Owning(to, int(at), int(uid), unquote(user), method, target, int(size), digest)


def unsafe(address: str) -> str:
    """Return why nothing may be sent to the address of a server without a token of its own; empty if it may."""
    parts = urlsplit(address)
    if parts.scheme == "https":
        return ""
    with suppress(ValueError):
        if ip_address(parts.hostname or "").is_loopback:
            return ""
    return "it has no TLS and is not on this machine"
