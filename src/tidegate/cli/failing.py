"""What a terminal shows of a failed task, beside the one line: the author's traceback, and its last output."""

import re
from collections.abc import Iterator
from typing import Final

from tidegate.cli.render import line, printed
from tidegate.cli.way import Way, spelled
from tidegate.errors import TidegateError
from tidegate.wire import ExecutionView, FailureView, GetLogs

MOST_FRAMES: Final = 40
"""Lines of a traceback that are shown, the last ones: they say what happened."""

MOST_PRINTED: Final = 10
"""Lines of a task's output that are shown."""

_OURS: Final = re.compile(
    r'  File "[^"]*/tidegate/(?:executors/|sdk/|__main__\.py)|Extension modules:'
)

TRACEBACK: Final = "Traceback"
"""How a traceback starts. Any other text in its place is the output of a process before it ended."""


def explained(way: Way, view: ExecutionView) -> list[str]:
    """Return the details of the task that made an execution fail."""
    error = view.error
    if error is None or not error.node:
        return []
    # If a process ended itself, its output takes the place of the traceback.
    words = () if error.trace and not has_traceback(error) else _printed(way, view.id, error)
    return [*words, *trace(error)]


def has_traceback(error: FailureView) -> bool:
    """Whether a failure says where in the author's code it arose."""
    return error.trace.startswith(TRACEBACK)


def trace(error: FailureView) -> Iterator[str]:
    """Yield the traceback of a failure, or the last output of its process, without the failure's own message."""
    lines = printed(error.trace).rstrip().splitlines()
    if lines and has_traceback(error) and line(lines[-1]) == line(error.message):
        lines.pop()
    if not lines:
        return
    if not has_traceback(error):
        yield f"{line(error.name or error.node)} printed:"
        lines = [each for each in lines if not _is_ours(each)][-MOST_PRINTED:]
    left_out = len(lines) - MOST_FRAMES
    if left_out > 0:
        yield f"  ... {left_out} lines left out ..."
    yield from (f"  {each}" for each in lines[-MOST_FRAMES:])


def _is_ours(said: str) -> bool:
    """Whether a line that Python prints when its process crashes concerns Tidegate, and not the task."""
    return _OURS.match(said) is not None


def _printed(way: Way, id_: str, error: FailureView) -> Iterator[str]:
    try:
        found = way.ask(GetLogs(id=id_, node=error.node)).items
    except TidegateError:
        return  # a caller who may not read it, or cannot, has the traceback
    lines = printed(found[-1].text).rstrip().splitlines() if found else []
    if lines:
        yield f"{line(error.name or error.node)} printed:"
    if len(lines) > MOST_PRINTED:
        yield f"  ... {len(lines) - MOST_PRINTED} lines before; all of it: {spelled('logs', id_, error.node)} ..."
    yield from (f"  {each}" for each in lines[-MOST_PRINTED:])
