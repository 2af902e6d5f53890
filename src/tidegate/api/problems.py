"""Errors as they are sent over HTTP: `application/problem+json`, with the stable code and its details beside the standard's fields."""

from http import HTTPStatus
from typing import Any

from msgspec import Struct

from tidegate.errors import TidegateError
from tidegate.wire import FaultDocument

MEDIA = "application/problem+json"

INTERNAL = "internal"


class ProblemDocument(Struct, frozen=True, kw_only=True):
    """An error. `code` is stable; `detail` is one line for people; further members are facts, such as `faults`, `signals` or `retry_after`."""

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
    """Return the document of an internal error: it reveals nothing else."""
    return {
        "type": f"urn:tidegate:problem:{INTERNAL}",
        "title": HTTPStatus.INTERNAL_SERVER_ERROR.phrase,
        "status": 500,
        "detail": "internal error; see the server's log",
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
    if error.status == 416:
        found["content-range"] = f"bytes */{error.details['size']}"
    if error.status == 412:
        found["tus-version"] = "1.0.0"
    if error.status == 405:
        found["allow"] = ", ".join(error.details.get("allow", ()))
    return found
