"""Everything served over HTTP, put together: the routes, and the door in front of them."""

from collections import Counter
from functools import cache, partial

import msgspec

from tidegate.api.auth import Gatekeeper, Keepers
from tidegate.api.backend import Backend
from tidegate.api.door import Door
from tidegate.api.openapi import make_document
from tidegate.api.pages import Pages
from tidegate.api.route import Table
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

    def __init__(self, service: Service, version: str, settings: Settings) -> None:
        self._backend = Backend(service, version, settings)
        self._backend.openapi = partial(_openapi, version)
        table, pages = Table(ROUTES), Pages()
        self.local = Door(table, self._backend, Counter(), pages, self.note_refusal)
        super().__init__(
            Door(table, self._backend, self._backend.replies, pages, self.note_refusal),
            Keepers(service.tokens, service.sessions, service.audit),
            settings,
        )

    def close(self) -> None:
        """Release everybody who waits for something, because the server is stopping. Called in the event loop."""
        self._backend.close()


def make_app(service: Service, version: str, settings: Settings | None = None) -> App:
    """Return the application that serves a store."""
    return App(service, version, settings or Settings())


@cache
def _openapi(version: str) -> bytes:
    return msgspec.json.encode(make_document(ROUTES, version))
