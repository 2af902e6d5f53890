"""Everything served over HTTP, put together: the routes, and the door in front of them."""

from collections import Counter
from collections.abc import Awaitable
from functools import cache, partial

import msgspec

from tidegate.api.auth import Gatekeeper, Keepers
from tidegate.api.backend import Backend
from tidegate.api.door import Door
from tidegate.api.openapi import make_document
from tidegate.api.owners import OwnersDoor
from tidegate.api.pages import Pages
from tidegate.api.peers import PATH, PeerDoor
from tidegate.api.route import Receive, Scope, Send, Table
from tidegate.api.routes import (
    blobs,
    events,
    executions,
    inbox,
    sessions,
    signals,
    system,
    tables,
    terminals,
    tokens,
    uploads,
    workflows,
)
from tidegate.api.settings import Settings
from tidegate.ports.shares import StoreShares
from tidegate.service.service import Service

ROUTES = (
    *executions.ROUTES,
    *signals.ROUTES,
    *inbox.ROUTES,
    *workflows.ROUTES,
    *tables.ROUTES,
    *blobs.ROUTES,
    *uploads.ROUTES,
    *events.ROUTES,
    *system.ROUTES,
    *sessions.ROUTES,
    *tokens.ROUTES,
    *terminals.ROUTES,
)
"""Every route."""


class App(Gatekeeper):
    """
    The network application: the gatekeeper, and behind it the door.

    `local` is the application for the local socket, where the operating system identifies callers: the same door without a gatekeeper, and with its own limits, so that
    load on the network door does not keep the owner out.
    """

    def __init__(
        self, service: Service, version: str, settings: Settings, shares: StoreShares | None
    ) -> None:
        self._backend = Backend(service, version, settings)
        self._backend.openapi = partial(_openapi, version)
        self._peers = None if shares is None else PeerDoor(self._backend, shares)
        table, pages = Table(ROUTES), Pages()
        self.local = Door(table, self._backend, Counter(), pages, self.note_refusal)
        self._owners = None if shares is None else OwnersDoor(shares, self.local)
        super().__init__(
            Door(table, self._backend, self._backend.replies, pages, self.note_refusal),
            Keepers(service.tokens, service.sessions, service.audit),
            settings,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Take what another server of this store passes on, and what its owner asks; of everybody else, what the gatekeeper lets in."""
        if self._peers is not None and scope.get("path") == PATH:
            announced = self._peers.proven(scope["headers"])
            if announced is not None:
                return self._peers(scope, receive, send, announced)
        if self._owners is not None and scope["type"] == "http":
            asked = self._owners.announced(scope)
            if asked is not None:
                return self._owners(scope, receive, send, asked)
        return super().__call__(scope, receive, send)

    def close(self) -> None:
        """Release everybody who waits for something, because the server is stopping. Called in the event loop."""
        self._backend.close()


def make_app(
    service: Service,
    version: str,
    settings: Settings | None = None,
    shares: StoreShares | None = None,
) -> App:
    """Return the application that serves a store, or its `shares` of one."""
    return App(service, version, settings or Settings(), shares)


@cache
def _openapi(version: str) -> bytes:
    return msgspec.json.encode(make_document(ROUTES, version))
