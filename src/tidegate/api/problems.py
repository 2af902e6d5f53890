"""Errors as they go out over HTTP: `application/problem+json`, with the stable code and the facts beside what the standard asks for."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from tidegate.api.route import Send
from tidegate.errors import TidegateError

MEDIA = "application/problem+json"

INTERNAL = "internal"

EVERY_REPLY: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
"""What stands in every reply, unless a route says otherwise."""


class FaultDocument(Struct, frozen=True):
    """One thing that is wrong with a value: where, as a path of keys and positions, and why."""

    path: list[str | int]
    reason: str


class ProblemDocument(Struct, frozen=True, kw_only=True):
    """An error. `code` is stable; `detail` is one line for people; what else is there are facts, such as `faults`, `signals` or `retry_after`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    faults: list[FaultDocument] = []


def document(error: TidegateError) -> dict[str, Any]:
    """Return an error as its document."""
    status = HTTPStatus(error.status)
    return {
        **error.details,
        "type": f"urn:tidegate:problem:{error.code}",
        "title": status.phrase,
        "status": int(status),
        "detail": error.message,
        "code": error.code,
    }


def internal() -> dict[str, Any]:
    """Return the document of a bug of ours: it says nothing but that."""
    return {
        "type": f"urn:tidegate:problem:{INTERNAL}",
        "title": HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
        "status": 500,
        "detail": "internal error; the log of the server has more",
        "code": INTERNAL,
    }


def headers_of(error: TidegateError) -> dict[str, str]:
    """Return the headers that go with an error."""
    found: dict[str, str] = {}
    after = error.details.get("retry_after")
    if after is None and error.status in (429, 503):
        after = 1
    if after is not None:
        found["retry-after"] = str(max(1, round(after)))
    if error.status == 401:
        found["www-authenticate"] = "Bearer"
    if error.status == 405:
        found["allow"] = ", ".join(error.details.get("allow", ()))
    return found


async def send_problem(
    send: Send, problem: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> None:
    """Send an error as the whole reply."""
    await send_whole(
        send, problem["status"], msgspec.json.encode(problem), media=MEDIA, headers=headers
    )


async def send_error(send: Send, error: TidegateError) -> None:
    """Send an error of ours as the whole reply."""
    await send_problem(send, document(error), headers_of(error))


async def send_whole(
    send: Send,
    status: int,
    body: bytes,
    *,
    media: str,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Send a reply whose body is there."""
    listed = head(media, headers)
    listed.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})


def head(media: str, headers: Mapping[str, str] | None = None) -> list[tuple[bytes, bytes]]:
    """Return the headers of a reply: those of every reply, unless these say otherwise, and these."""
    if not headers:
        return [*EVERY_REPLY, (b"content-type", media.encode())]
    own = {name.lower().encode(): value.encode("latin-1") for name, value in headers.items()}
    own.setdefault(b"content-type", media.encode())
    return [each for each in EVERY_REPLY if each[0] not in own] + list(own.items())
