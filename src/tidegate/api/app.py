"""The whole of what is served over HTTP, put together: the routes, and the door in front of them."""

from pathlib import Path

from tidegate.api.auth import Gatekeeper
from tidegate.api.desk import Desk
from tidegate.api.door import Door
from tidegate.api.route import Table
from tidegate.api.routes import executions, sessions, signals
from tidegate.api.settings import Settings
from tidegate.service.service import Service

ROUTES = (
    *executions.ROUTES,
    *signals.ROUTES,
    *sessions.ROUTES,
)
"""Every route there is."""


def make_app(
    service: Service, home: Path, version: str, settings: Settings | None = None
) -> Gatekeeper:
    """Return the application that serves a store: the gatekeeper, and behind it the door."""
    desk = Desk(service, home, version, settings)
    return Gatekeeper(Door(Table(ROUTES), desk, desk.replies), service.tokens, desk.settings)
