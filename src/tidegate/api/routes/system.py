"""What the server says of itself: its health, its metrics, its OpenAPI document."""

import asyncio

from tidegate.api import metrics
from tidegate.api.bodies import Health
from tidegate.api.desk import Desk
from tidegate.api.route import JSON, Call, Content, Reply, Route
from tidegate.errors import StoreError
from tidegate.service.access import Action


async def get_health(desk: Desk, call: Call) -> Reply:
    """Say whether the engine works; 503 if it does not. More than that is told only to who has a token."""
    known = bool(call.principal.name)
    failure = desk.service.gauges.failure
    if failure is not None:
        raise failure if known else StoreError("the engine does not work; its log has more")
    return Reply(Health("ok", desk.version if known else ""))


async def get_metrics(desk: Desk, call: Call) -> Reply:
    """Return the metrics of the server, in the text format of Prometheus."""
    del call
    reading = await asyncio.to_thread(desk.service.gauges.read)
    return Reply(metrics.exposition(reading, desk.replies, desk.answers), media=metrics.MEDIA)


async def get_openapi(desk: Desk, call: Call) -> Reply:
    """Return the OpenAPI document of the API."""
    del call
    return Reply(desk.openapi())


TAG = "system"

ROUTES = (
    Route(
        method="GET",
        path="/api/v1/health",
        action=Action.GET_HEALTH,
        handler=get_health,
        gives={200: Health},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/metrics",
        action=Action.GET_METRICS,
        handler=get_metrics,
        gives={200: Content(("text/plain",))},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/openapi.json",
        action=Action.GET_OPENAPI,
        handler=get_openapi,
        gives={200: Content((JSON,))},
        tag=TAG,
    ),
)
