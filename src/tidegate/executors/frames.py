"""
The protocol between a supervisor and its worker: frames of MessagePack, each after its length in four bytes.

The supervisor sends `Setup` once and then assignments; the worker sends reports on them.
An assignment is numbered, and the numbers only grow. It may start once its permit was taken: the same number, four bytes, in a pipe that the
supervisor can read too. So the first to take a permit has it, and an assignment that waits behind a long one can be taken back without asking.
"""

from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from tidegate.core.messages import Failure
from tidegate.errors import Fault
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import PythonTarget, Target
from tidegate.ports.executor import Hindered, Lost, Raised, Returned, Unfolded

LENGTH = 4
"""Bytes of a frame's length, and of a permit; both big-endian."""

MAX_FRAME = 256 * 1024 * 1024
"""Longest frame that is accepted. Values are limited far below that elsewhere."""


class Setup(Struct, frozen=True, array_like=True, tag="setup"):
    """The home of the store and the bundle of a worker. `directory` is one that it makes for its attempts, `printed` the file for their output."""

    home: str
    bundle: str
    directory: str
    printed: str
    strict: bool | None = None
    """Whether an attempt is held where its code imports other packages than at launch; None: as its execution says."""
    store: str = ""
    """Where bundles are, and blobs that are not in `home`."""
    asks: str = ""
    """The home of the process that has both, if they are in an object store."""


class Run(Struct, frozen=True, array_like=True, tag="run"):
    """Run an attempt. `timed`: report when it starts, because it has a timeout."""

    number: int
    id: str
    node: NodeId
    attempt: int
    target: Target
    inputs: dict[str, Value]
    idempotency_key: str
    dynamic: bool = False
    timed: bool = False
    environment: dict[str, str] = {}
    recorded: str = ""
    launched_from: str = ""
    strict: bool = False


class Describe(Struct, frozen=True, array_like=True, tag="describe"):
    """Import a module and compile every workflow in it."""

    number: int
    module: str


class Check(Struct, frozen=True, array_like=True, tag="check"):
    """Check whether a value matches a Python type, which a module defines under a name."""

    number: int
    target: PythonTarget
    value: Value


Assignment: TypeAlias = Run | Describe | Check
Down: TypeAlias = Setup | Assignment


class Ready(Struct, frozen=True, array_like=True, tag="ready"):
    """The worker is up."""


class Started(Struct, frozen=True, array_like=True, tag="started"):
    """The code of an attempt is imported, and it starts now. Sent for the first attempt of a task in a worker, and for those with a timeout."""

    number: int


class Differs(Struct, frozen=True, array_like=True, tag="differs"):
    """The attempt is about to start where its code imports other packages than when its execution was launched."""

    number: int
    differs: str


class Done(Struct, frozen=True, array_like=True, tag="done"):
    """An attempt has ended, after this many microseconds."""

    number: int
    micros: int
    outcome: Returned | Unfolded | Raised | Lost | Hindered


class DescribedWorkflow(Struct, frozen=True, array_like=True):
    """One workflow of a module: the variable that holds it there, and its encoded graph, or why it cannot be compiled."""

    name: str
    variable: str
    graph: bytes = b""
    error: str = ""
    recorded: str = ""


class Described(Struct, frozen=True, array_like=True, tag="described"):
    """The workflows of a module, in source order."""

    number: int
    workflows: tuple[DescribedWorkflow, ...]


class Checked(Struct, frozen=True, array_like=True, tag="checked"):
    """What is wrong with a value; nothing if it matches."""

    number: int
    faults: tuple[Fault, ...]


class Unable(Struct, frozen=True, array_like=True, tag="unable"):
    """A question could not be answered, because the code cannot be imported or does not define what was asked for."""

    number: int
    failure: Failure


Up: TypeAlias = Ready | Started | Differs | Done | Described | Checked | Unable

_encoder = Encoder()


def pack(message: Down | Up) -> bytes:
    """Encode a message as a frame."""
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH) + body


class Frames:
    """Cuts a stream of bytes into the bodies of frames."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """
        Yield each frame's body that is complete with this chunk.

        Errors: `ValueError` if the stream does not consist of frames.
        """
        rest = self._rest
        rest += chunk
        at = 0
        try:
            while len(rest) - at >= LENGTH:
                size = int.from_bytes(rest[at : at + LENGTH])
                if size > MAX_FRAME:
                    raise ValueError(f"a frame of {size} bytes")
                if len(rest) - at - LENGTH < size:
                    break
                yield bytes(rest[at + LENGTH : at + LENGTH + size])
                at += LENGTH + size
        finally:
            del rest[:at]


down: Decoder[Down] = Decoder(Down)
"""Reads what a supervisor says."""

up: Decoder[Up] = Decoder(Up)
"""Reads what a worker says."""
