"""Errors over the wire: sent by a server, raised again by its client. And those that only a client can meet."""

from typing import Any, ClassVar

import msgspec

from tidegate.errors import Fault, InvalidValue, TidegateError


class Unreachable(TidegateError):
    """No server replies, or the reply does not come from one."""

    code: ClassVar[str] = "unreachable"
    status: ClassVar[int] = 503


class StillRunning(TidegateError, TimeoutError):
    """The execution has not ended within the time allowed; it continues."""

    code: ClassVar[str] = "still_running"
    status: ClassVar[int] = 409


def error_in(body: bytes) -> TidegateError | None:
    """Return the error in the body of a reply (RFC 9457), as its original class; None if the body is of another kind."""
    try:
        facts = msgspec.json.decode(body, type=dict[str, Any])
        code, status, message = facts.pop("code"), facts.pop("status"), facts.pop("detail")
    except (msgspec.MsgspecError, KeyError):
        return None
    if not (isinstance(code, str) and isinstance(status, int) and isinstance(message, str)):
        return None
    # A detail called `message` would be taken for the message itself.
    for name in ("type", "title", "message"):
        facts.pop(name, None)
    kind = _classes(TidegateError).get(code, TidegateError)
    if not issubclass(kind, InvalidValue):
        return kind(message, **facts)
    faults = msgspec.convert(facts.pop("faults", ()), tuple[Fault, ...])
    return kind(message, faults, **facts)


def _classes(kind: type[TidegateError]) -> dict[str, type[TidegateError]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= {code: each for code, each in _classes(below).items() if code not in found}
    return found
