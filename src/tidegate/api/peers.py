"""
Servers that share a store pass requests on to each other: over HTTP, many in one exchange, each exchange signed.

Rule 1: the signature covers the receiver, the time, and size and digest of the body, in which stand the principals and the requests. Its key was made
        with the store, and is read from the database: without it no server believes a principal. The head is checked before the body is read.
Rule 2: a body travels over TLS, unless both servers are on loopback.
Rule 3: what was passed on is not passed on again. A server that no longer owns the shard says so, and the first one looks for the owner again.
"""

import asyncio
import hmac
import logging
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

import msgspec
from msgspec import Raw, Struct

from tidegate.api.backend import Backend
from tidegate.api.problems import document, internal
from tidegate.api.replies import Out
from tidegate.api.route import Receive, Scope, Send, encode
from tidegate.errors import TidegateError
from tidegate.ir.graph import SECOND
from tidegate.ports.shares import StoreShares
from tidegate.service.access import Principal
from tidegate.service.replicas import Passable

PATH: Final = "/api/peers"
HEAD: Final = b"x-tidegate-peer"

LIFE: Final = 30 * SECOND
"""For how long an exchange is believed, by the clock of the database."""

MOST: Final = 64 * 1024 * 1024
"""Bytes of an exchange."""

log = logging.getLogger(__name__)


class Passed(Struct, frozen=True):
    """A request, and who makes it."""

    principal: Principal
    request: Passable


class Replied(Struct, frozen=True):
    """A reply: a view, or the document of an error."""

    status: int
    body: Raw


_requests = msgspec.json.Decoder(list[Passed])


def signed(secret: bytes, to: str, at: int, body: bytes) -> bytes:
    """Return the head of an exchange."""
    said = f"{to} {at} {len(body)} {sha256(body).hexdigest()}"
    return f"{said} {hmac.new(secret, said.encode(), sha256).hexdigest()}".encode()


class PeerDoor:
    """Where other servers pass requests on to this one."""

    def __init__(self, backend: Backend, shares: StoreShares) -> None:
        self._backend = backend
        self._shares = shares
        self._secret = shares.secret()

    def proven(self, headers: Sequence[tuple[bytes, bytes]]) -> tuple[int, str] | None:
        """Return size and digest of the body that a server of this store has announced; None if none has."""
        heads = [value for name, value in headers if name == HEAD]
        if len(heads) != 1 or len(heads[0]) > 1_000:
            return None
        said, _, signature = heads[0].rpartition(b" ")
        wanted = hmac.new(self._secret, said, sha256).hexdigest().encode()
        if not hmac.compare_digest(wanted, signature):
            return None
        to, at, size, digest = said.decode("ascii").split(" ")
        if to != self._shares.name or abs(self._shares.now() - int(at)) > LIFE or int(size) > MOST:
            return None
        return int(size), digest

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, announced: tuple[int, str]
    ) -> None:
        """Handle the requests of one exchange."""
        out = Out(scope, send)
        size, digest = announced
        pieces: list[bytes] = []
        got, more = 0, True
        while more and got <= size:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            pieces.append(message.get("body", b""))
            got += len(pieces[-1])
            more = message.get("more_body", False)
        body = b"".join(pieces)
        if got != size or sha256(body).hexdigest() != digest:
            await out.whole(400, b"", "application/json", {})
            return
        passed = _requests.decode(body)
        told = await asyncio.gather(*map(self._handle, passed))
        await out.whole(200, encode(told), "application/json", {})

    async def _handle(self, passed: Passed) -> Replied:
        try:
            return Replied(
                200, Raw(await self._backend.take_over(passed.request, passed.principal))
            )
        except TidegateError as error:
            return Replied(error.status, Raw(encode(document(error))))
        except Exception:
            log.exception("a request that was passed on could not be handled")
            return Replied(500, Raw(encode(internal())))
