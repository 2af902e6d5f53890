"""
Commands that have the address of the store's database and nothing else: what they ask is signed (`wire.owning`), and handled as at the local door.

Rule 1: the signature is checked before anything is read, and size and digest of the body while it is read: what does not match is never complete.
Rule 2: what was signed for another server, or too long ago, is refused, and the command looks for the servers again.
"""

from hashlib import sha256
from typing import Final

from msgspec import structs

from tidegate.api.callers import CALLER
from tidegate.api.replies import Out
from tidegate.api.route import AsgiApp, Message, Receive, Scope, Send
from tidegate.errors import BadRequest, TidegateError, Unauthenticated
from tidegate.ports.shares import StoreShares
from tidegate.service.access import LOCAL
from tidegate.wire.owning import HEAD, LIFE, Owning, believed

NAME: Final = HEAD.encode()


class OwnersDoor:
    """Where the store's owner asks over the network."""

    def __init__(self, shares: StoreShares, local: AsgiApp) -> None:
        self._shares = shares
        self._secret = shares.secret()
        self._local = local

    def announced(self, scope: Scope) -> Owning | None:
        """Return what was signed with the key of the store; None if nothing was."""
        heads = [value for name, value in scope.get("headers", ()) if name == NAME]
        return believed(heads[0], self._secret) if len(heads) == 1 else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send, asked: Owning) -> None:
        """Handle a request of the owner, or refuse one that is not for this server."""
        query = scope["query_string"]
        target = scope["raw_path"].partition(b"?")[0] + (b"?" + query if query else b"")
        is_this = (asked.method, asked.target.encode()) == (scope["method"], target)
        is_fresh = abs(self._shares.now() - asked.at) <= LIFE
        if not (is_this and is_fresh and asked.to == self._shares.name):
            why = "this was signed for another server of the store, for another request, or too long ago"
            await Out(scope, send).error(Unauthenticated(why))
            return
        principal = structs.replace(LOCAL, name=asked.user, credential=f"user:{asked.uid}")
        scope.setdefault("state", {})["principal"] = principal
        caller = scope.get("extensions", {}).get(CALLER)
        try:
            if caller is not None:
                caller.belongs_to(principal.name)
        except TidegateError as error:
            await Out(scope, send).error(error)
            return
        await self._local(scope, _checked(receive, asked), send)


def _checked(receive: Receive, asked: Owning) -> Receive:
    """Return what receives the body. Errors: `BadRequest` before it is complete, if it is not the one that was signed."""
    seen, got, is_over = sha256(), 0, False

    async def checked() -> Message:
        nonlocal got, is_over
        message = await receive()
        if message["type"] != "http.request" or is_over:
            return message
        piece = message.get("body", b"")
        seen.update(piece)
        got += len(piece)
        is_over = not message.get("more_body", False)
        if got > asked.size or (is_over and seen.hexdigest() != asked.digest):
            raise BadRequest("the body is not the one that was signed")
        return message

    return checked
