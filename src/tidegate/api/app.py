"""The whole of what is served over HTTP, put together: the routes, and the door in front of them."""

from functools import cache, partial
from pathlib import Path

import msgspec

from tidegate.api.auth import Gatekeeper
from tidegate.api.desk import Desk
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
    workflows,
)
from tidegate.api.settings import Settings
from tidegate.service.service import Service

ROUTES = (
    *executions.ROUTES,
    *signals.ROUTES,
    *inbox.ROUTES,
    *workflows.ROUTES,
    *blobs.ROUTES,
    *events.ROUTES,
    *system.ROUTES,
    *sessions.ROUTES,
)
"""Every route there is."""


class App(Gatekeeper):
    """What is served: the gatekeeper, and behind it the door."""

    def __init__(self, service: Service, home: Path, version: str, settings: Settings) -> None:
        self._desk = Desk(service, home, version, settings)
        self._desk.openapi = partial(_openapi, version)
        super().__init__(
            Door(Table(ROUTES), self._desk, self._desk.replies, Pages()), service.tokens, settings
        )

    def close(self) -> None:
        """Let everybody go who waits for something, as the server stops. Called in the event loop."""
        self._desk.close()


def make_app(service: Service, home: Path, version: str, settings: Settings | None = None) -> App:
    """Return the application that serves a store."""
    return App(service, home, version, settings or Settings())


@cache
def _openapi(version: str) -> bytes:
    return msgspec.json.encode(make_document(ROUTES, version))
