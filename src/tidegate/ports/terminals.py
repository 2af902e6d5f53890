"""
Terminals that serve an execution: while `tidegate run` follows it in a terminal, its attempts run in that terminal's workers, whichever process owns the store.

A terminal joins, and gets a secret that is valid for as long as it stays. With the secret, it takes work and reports on it; the files, logs and decks of its
attempts travel with the reports, because it writes nothing into the store's directory itself. All this goes through the local socket, as MessagePack; or
over the network, if the terminal is on another machine than the servers of a store on Postgres. There, only silence shows that one is gone: so it ends
its attempts after `QUIET` seconds without a reply, by its own clock, before the server repeats them after `SILENCE` seconds without a request.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from tidegate.errors import Fault
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget
from tidegate.ports.executor import Attempt, Described, Job, Report

QUIET: Final = 12.0
SILENCE: Final = 30.0
"""Seconds, as above. What is between them is time for ending processes, and for a request that is on its way."""


class Join(Struct, frozen=True):
    """Serve an execution, which need not be launched yet. With `bundle`, only attempts of this code are sent; `life` identifies the terminal's workers in their process marker, `room` is how many attempts it takes at once; `is_afar` says that it may be on another machine."""

    execution: str
    life: str
    bundle: str = ""
    room: int = 1
    is_afar: bool = False


class Joined(Struct, frozen=True):
    """The secret of a terminal."""

    secret: str


class Asked(Struct, frozen=True):
    """A question about code: which workflows a module has or, with a target, whether a value matches a type."""

    number: int
    bundle: str
    module: str
    target: PythonTarget | None = None
    value: Value = None


class Handed(Struct, frozen=True):
    """A terminal's work: attempts to run, attempts to end, questions to answer. Empty if there is nothing new."""

    jobs: list[Job] = []
    unwanted: list[Attempt] = []
    asked: list[Asked] = []


class DescribedThere(Struct, frozen=True):
    """A workflow described by a terminal: the same as `Described`."""

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
    """The output of an attempt from a byte offset on; with `whole`, this is its complete log, and nothing follows."""

    execution: str
    node: NodeId
    attempt: int
    body: bytes
    start: int = 0
    whole: bool = False


class Published(Struct, frozen=True):
    """The decks that a running attempt has published."""

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
        """Return an identifier of where the attempts of an execution run: empty for the store's own workers."""
        ...

    def join(self, wanted: Join, process: int) -> Joined:
        """Let a terminal, given by its process id on this machine, serve an execution."""
        ...

    def take(self, secret: str, wake: Callable[[], None]) -> Handed:
        """
        Return a terminal's current work; `wake` is called once, from any thread, when there is more.

        Errors: `UnknownTerminal`, here and below.
        """
        ...

    def say(self, secret: str, said: Said) -> None:
        """Accept a terminal's reports."""
        ...

    def store(self, secret: str, chunks: Iterable[bytes]) -> str:
        """Store a file of an attempt; return its digest."""
        ...

    def leave(self, secret: str) -> None:
        """Release a terminal: attempts that it has not started go elsewhere, those that it has started are lost."""
        ...

    def describe_there(self, secret: str, bundle: str, module: str) -> Sequence[Described]:
        """Like `Executor.describe`, but done by a terminal."""
        ...
