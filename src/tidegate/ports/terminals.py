"""
Terminals that serve an execution: while `tidegate run` follows it there, its attempts run in workers of that terminal, whichever process owns the store.

A terminal joins, and gets a secret that is valid for as long as it stays. With it, it takes work and reports on it; the
files, logs and decks of its attempts travel with the reports, because it writes nothing in the home itself. All this goes through the local door, as MessagePack.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from tidegate.errors import Fault
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.ports.executor import Attempt, Described, Job, Report


class Join(Struct, frozen=True):
    """Serve an execution, which need not be launched yet. With `bundle`, only attempts of this code are sent; `life` is the one in the mark of its workers, `room` how many attempts it takes at once."""

    execution: str
    life: str
    bundle: str = ""
    room: int = 1


class Joined(Struct, frozen=True):
    """The secret of a terminal."""

    secret: str


class Asked(Struct, frozen=True):
    """A question about code: the workflows of a module or, with a target, whether a value matches a type."""

    number: int
    bundle: str
    module: str
    target: PythonTarget | None = None
    value: Value = None


class Handed(Struct, frozen=True):
    """A terminal's work: run these, end those, answer these. An empty one says that there is nothing new."""

    jobs: list[Job] = []
    unwanted: list[Attempt] = []
    asked: list[Asked] = []


class DescribedThere(Struct, frozen=True):
    """A workflow that was described by a terminal: `Described`."""

    name: str
    variable: str
    graph: bytes = b""
    error: str = ""
    recorded: str = ""


class Answered(Struct, frozen=True):
    """The answer to a question: workflows, or faults; `error` if it cannot be answered, with the traceback."""

    number: int
    workflows: list[DescribedThere] = []
    faults: list[Fault] = []
    error: str = ""
    trace: str = ""


class Printed(Struct, frozen=True):
    """What an attempt has printed from an offset on, in bytes; `whole`: this is its log, and nothing follows."""

    execution: str
    node: NodeId
    attempt: int
    body: bytes
    start: int = 0
    whole: bool = False


class Published(Struct, frozen=True):
    """The decks that an attempt shows while it runs."""

    execution: str
    node: NodeId
    attempt: int
    page: bytes


class Said(Struct, frozen=True):
    """A terminal's reports. Output and decks are stored before the reports are passed on."""

    reports: list[Report] = []
    answers: list[Answered] = []
    printed: list[Printed] = []
    published: list[Published] = []


class Terminals(Protocol):
    """The terminals that serve executions of one store. Used from any thread."""

    def where(self, execution: str) -> str:
        """Return what distinguishes where the attempts of an execution run: empty for the store's workers."""
        ...

    def join(self, wanted: Join, process: int) -> Joined:
        """Let a terminal, which is a process of this machine, serve an execution."""
        ...

    def take(self, secret: str, wake: Callable[[], None]) -> Handed:
        """
        Return a terminal's current work; `wake` is called once when there is more, from any thread.

        Errors: `UnknownTerminal`, here and below.
        """
        ...

    def say(self, secret: str, said: Said) -> None:
        """Take a terminal's reports."""
        ...

    def store(self, secret: str, chunks: Iterable[bytes]) -> str:
        """Store a file of an attempt; return its digest."""
        ...

    def leave(self, secret: str) -> None:
        """Release a terminal: what it has not started goes elsewhere, what it has started is lost."""
        ...

    def describe_there(self, secret: str, bundle: str, module: str) -> Sequence[Described]:
        """Like `Executor.describe`, by a terminal."""
        ...
