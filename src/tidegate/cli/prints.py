"""
What the tasks of an execution print, as it happens: each line prefixed with its task.

Lines are complete as long as the task is running; those of several tasks come in the order in which they are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import click

from tidegate.cli.render import line, printed, tell
from tidegate.cli.way import Way
from tidegate.errors import TidegateError
from tidegate.wire import ENDED, AttemptLog, GetExecution, GetLogs, merged

BEGINNING, END = "0", "end"
EVERY, IDLY = 0.5, 2.0
"""Seconds between two reads while something runs, and while nothing does."""


class Prints:
    """Reads what one execution, or one node of it, prints, from the beginning or from now on."""

    def __init__(self, way: Way, execution: str, node: str = "") -> None:
        self._way = way
        self._id = execution
        self._node = node
        self._next = BEGINNING
        self._names: dict[str, set[str]] = {}
        self._told = self._missing = ""
        self.trouble: TidegateError | None = None
        """Why the output could not be read the last time."""

    def skip(self, until: datetime) -> None:
        """Leave out what was printed before an instant; of another process's execution, everything until now, because clocks may differ."""
        self._next = f"@{int(until.timestamp() * 1e6)}" if self._way.is_owner else END

    def lines(self) -> list[str]:
        """Return what was printed since the last call."""
        said: list[str] = []
        for page in self._pages():
            for each in page:
                self._names.setdefault(each.name, set()).add(each.node)
            said += [one for each in page for one in _prefixed(each, self._names)]
        return said

    def complaint(self) -> str:
        """Say that the output cannot be read now, and why; once, until it can be. Empty if there is nothing to say."""
        told, self._told = self._told, self._missing
        if self.trouble is not None:
            self._told = f"the output cannot be read now: {self.trouble.message}"
        return line(self._told) if self._told != told else ""

    def _pages(self) -> Iterator[Sequence[AttemptLog]]:
        while True:
            request = GetLogs(id=self._id, node=self._node, after=self._next)
            try:
                found = self._way.ask(request)
            except TidegateError as error:
                self.trouble = error
                return  # output is never worth ending for
            self.trouble, self._missing = None, found.missing
            # An older server does not support this, and sends all of it each time.
            if not found.next:
                return
            self._next = found.next
            if not found.items:
                return
            yield found.items


def _prefixed(log: AttemptLog, names: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the lines of a log; if several tasks share a name, their nodes are distinguished."""
    who = line(log.name, 40)
    if len(names[log.name]) > 1:
        who = f"{who} ({line(log.node, 40)})"
    if log.attempt > 1:
        who = f"{who}, attempt {log.attempt}"
    for each in printed(log.text).rstrip("\n").split("\n"):
        yield f"{who} | {each}"


def follow_prints(way: Way, execution: str, node: str = "") -> None:
    """Write what the tasks of an execution, or of a node, have printed and print, until the execution has ended."""
    # Reading the output does not reveal whether the node exists.
    way.ask(GetLogs(id=execution, node=node, after=END))
    prints = Prints(way, execution, node)
    view = way.ask(GetExecution(id=execution))
    while True:
        for each in prints.lines():
            click.echo(each)
        if view.phase in ENDED:
            if prints.trouble is not None:
                raise prints.trouble
            return
        if complaint := prints.complaint():
            tell(complaint)
        runs = any(each.phase == "RUNNING" for each in view.nodes)
        # Of thousands of nodes only the changed ones; the end is reported at once.
        pause = EVERY if runs else IDLY
        view = merged(view, way.ask(GetExecution(id=execution, after=view.seq, wait=pause)))
