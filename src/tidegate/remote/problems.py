"""Errors as they travel: told by one process, raised again by another. And those that only whoever asks can meet."""

from typing import Any, ClassVar

import msgspec

from tidegate.errors import Fault, InvalidValue, TidegateError
from tidegate.wire import Problem


class Unreachable(TidegateError):
    """No server replies, or what replies is none."""

    code: ClassVar[str] = "unreachable"
    status: ClassVar[int] = 503


class StillRunning(TidegateError, TimeoutError):
    """The execution has not ended within the time that one was ready to wait; it goes on."""

    code: ClassVar[str] = "still_running"
    status: ClassVar[int] = 409


def problem_of(error: TidegateError) -> Problem:
    """Return an error as it travels."""
    return Problem(
        code=error.code, status=error.status, message=error.message, details=dict(error.details)
    )


def error_of(problem: Problem) -> TidegateError:
    """Return a problem that has travelled as the error that it was."""
    kind = _classes(TidegateError).get(problem.code, TidegateError)
    details: dict[str, Any] = dict(problem.details)
    if issubclass(kind, InvalidValue):
        faults = msgspec.convert(details.pop("faults", ()), tuple[Fault, ...])
        return kind(problem.message, faults, **details)
    return kind(problem.message, **details)


def problem_in(body: bytes) -> Problem | None:
    """Read the body of an HTTP reply that says what is wrong (RFC 9457); None if it is of another kind."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
        code, status, message = found.pop("code"), found.pop("status"), found.pop("detail")
    except (msgspec.MsgspecError, KeyError):
        return None
    if not (isinstance(code, str) and isinstance(status, int) and isinstance(message, str)):
        return None
    facts = {name: value for name, value in found.items() if name not in {"type", "title"}}
    # A fact of that name would be taken for the message itself.
    facts.pop("message", None)
    return Problem(code=code, status=status, message=message, details=facts)


def _classes(kind: type[TidegateError]) -> dict[str, type[TidegateError]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= {code: each for code, each in _classes(below).items() if code not in found}
    return found
