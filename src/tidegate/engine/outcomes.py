"""What the executor reports of attempts, as events for the machine; and how a failed engine is reported."""

from msgspec.structs import replace

from tidegate.core.messages import (
    EnvironmentDiffers,
    Event,
    TaskFailed,
    TaskLost,
    TaskStarted,
    TaskSucceeded,
    TaskUnfolded,
    final,
)
from tidegate.errors import EngineFailed, StoreDamaged, StoreError
from tidegate.ir.graph import Instant
from tidegate.parts import reason
from tidegate.ports.executor import (
    Began,
    Elsewhere,
    Hindered,
    Lost,
    Raised,
    Report,
    Returned,
    Unfolded,
)

ENGINE_FAULT = "EngineFault"
"""Code of the failure of a task whose report broke the engine: for instance outputs that cannot be encoded."""


def event_of(report: Report, at: Instant) -> Event:
    """Return the event for a report."""
    node, attempt, took = report.node, report.attempt, report.took
    match report.outcome:
        case Began():
            return TaskStarted(at, node, attempt)
        case Elsewhere(differs):
            return EnvironmentDiffers(at, node, differs)
        case Returned(outputs, deck):
            return TaskSucceeded(at, node, attempt, outputs, took, deck)
        case Unfolded(graph, deck):
            return TaskUnfolded(at, node, attempt, graph, deck)
        case Raised(failure, deck):
            return TaskFailed(at, node, attempt, failure, took, deck)
        case Lost(given_back):
            return TaskLost(at, node, attempt, given_back)
        case Hindered():  # it is held, and never comes here
            return TaskLost(at, node, attempt)


def spoiled(report: Report, error: Exception) -> Report | None:
    """Return what replaces a report that cannot be taken up: that the task has failed. None if that is what cannot be taken up."""
    match report.outcome:
        case Began() | Elsewhere():
            return None
        case Raised(failure) if failure.code == ENGINE_FAULT:
            return None
        case _:
            why = f"the result of the task could not be stored: {brief(error)}"
            return replace(report, outcome=Raised(final(ENGINE_FAULT, why)))


def brief(error: Exception) -> str:
    """Return an exception on one line."""
    return f"{type(error).__name__}: {error}"


def is_of_the_store(error: Exception) -> bool:
    """Whether the store itself fails now, and not something in it that cannot be read back."""
    return isinstance(error, StoreError) and not isinstance(error, StoreDamaged)


def failed_by(bug: BaseException) -> EngineFailed:
    """Return the error for everybody who needs an engine that has failed."""
    error = EngineFailed(
        f"the engine stopped on an internal error: {reason(bug)};"
        " start Tidegate again: everything acknowledged is stored"
    )
    error.__cause__ = bug
    return error
