"""Errors as they travel: told by one process, raised again by another."""

from typing import Any

import msgspec

from tidegate.errors import Fault, InvalidValue, TidegateError
from tidegate.wire import Problem


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


def _classes(kind: type[TidegateError]) -> dict[str, type[TidegateError]]:
    found = {kind.code: kind}
    for below in kind.__subclasses__():
        found |= {code: each for code, each in _classes(below).items() if code not in found}
    return found
