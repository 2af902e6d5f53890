"""The whole of what is served over HTTP, put together: the routes, and the door in front of them."""

from pathlib import Path

from tidegate.api.desk import Desk
from tidegate.api.door import Door
from tidegate.api.route import Table
from tidegate.api.routes import executions, signals
from tidegate.service.service import Service

ROUTES = (
    *executions.ROUTES,
    *signals.ROUTES,
)
"""Every route there is."""


def make_app(service: Service, home: Path, version: str) -> Door:
    """Return the application that serves a store."""
    desk = Desk(service, home, version)
    return Door(Table(ROUTES), desk, desk.replies)
