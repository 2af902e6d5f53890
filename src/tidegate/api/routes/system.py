"""The server about itself: its health, its metrics, its OpenAPI document."""

import asyncio

from tidegate.api import metrics
from tidegate.api.backend import Backend
from tidegate.api.route import (
    JSON,
    MAX_FILE,
    MAX_JSON,
    MAX_LOCAL,
    Call,
    Content,
    Reply,
    Route,
    asking,
)
from tidegate.api.routes.blobs import MAX_BLOB
from tidegate.api.routes.inbox import MAX_ANSWERS
from tidegate.api.routes.uploads import MAX_UPLOAD
from tidegate.api.strict import MAX_DEPTH, MAX_DIGITS
from tidegate.service.access import Action
from tidegate.service.moments import moment
from tidegate.wire import MAX_ID, Health, Key, LimitsView, Long, PartView, Short, longest

SERVING = ("ok", "degraded")


async def get_health(backend: Backend, call: Call) -> Reply:
    """Report the server's health; 503 if a part of it is down, or it is shutting down. Only authenticated callers learn which part, and why."""
    gauges = backend.service.gauges
    status = gauges.status
    code = 200 if status in SERVING else 503
    if not call.principal.name:
        return Reply(Health(status, "", []), code)
    parts = [
        PartView(each.name, each.up, each.why, moment(each.since), each.restarts, each.tidies)
        for each in gauges.parts
    ]
    return Reply(Health(status, backend.version, parts), code)


async def get_metrics(backend: Backend, call: Call) -> Reply:
    """Return the metrics of the server, in the text format of Prometheus."""
    del call
    reading = await asyncio.to_thread(backend.service.gauges.read)
    used = backend.service.quotas.used()
    shares = backend.service.gauges.shares()
    body = metrics.exposition(reading, backend.replies, backend.answers, used, shares)
    return Reply(body, media=metrics.MEDIA)


async def scrape(backend: Backend, call: Call) -> Reply:
    """Return the same metrics at Prometheus's default path."""
    return await get_metrics(backend, call)


async def get_limits(backend: Backend, call: Call) -> Reply:
    """Return the limits of this door, so that a client can say what is too large before anything is sent."""
    del backend
    local = call.principal.local
    return Reply(
        LimitsView(
            value_bytes=MAX_LOCAL if local else MAX_JSON,
            value_depth=MAX_DEPTH,
            number_digits=MAX_DIGITS,
            text_characters=longest(Short),
            comment_characters=longest(Long),
            key_characters=longest(Key),
            id_characters=MAX_ID,
            blob_bytes=MAX_FILE if local else MAX_BLOB,
            upload_bytes=MAX_UPLOAD,
            answers=MAX_ANSWERS,
        )
    )


async def get_openapi(backend: Backend, call: Call) -> Reply:
    """Return the OpenAPI document of the API."""
    del call
    return Reply(backend.openapi())


TAG = "system"

ROUTES = (
    asking("list_replicas", TAG),
    Route(
        method="GET",
        path="/api/v1/health",
        action=Action.GET_HEALTH,
        handler=get_health,
        gives={200: Health, 503: Health},
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
        path="/metrics",
        action=Action.GET_METRICS,
        handler=scrape,
        gives={200: Content(("text/plain",))},
        tag=TAG,
    ),
    Route(
        method="GET",
        path="/api/v1/limits",
        action=Action.GET_LIMITS,
        handler=get_limits,
        gives={200: LimitsView},
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
