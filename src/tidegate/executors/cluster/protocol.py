"""
What an owner, its link to the cluster, and the keepers of its nodes say to each other: MessagePack, between keepers and link inside Ray's calls.

An attempt is handed to one keeper. It stays there until it is forgotten: while it waits for its turn, while it runs, and after its end, with its report.
"""

from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from tidegate.ir.graph import Requirements
from tidegate.ports.executor import NO_WORKER, Attempt, Job, Report
from tidegate.ports.objects import ObjectsKey
from tidegate.ports.terminals import Printed, Published

PROTOCOL = 3
"""A keeper with another number is left alone: it is from a version that cannot be understood."""


class Shape(Struct, frozen=True, array_like=True):
    """What is reserved for an attempt: processors and GPUs in thousandths, memory in bytes, other resources in thousandths, by name."""

    cpu: int = 1000
    mem: int = 0
    gpu: int = 0
    custom: tuple[tuple[str, int], ...] = ()

    def resources(self) -> dict[str, float]:
        """Return it as Ray spells it."""
        found = {
            "CPU": self.cpu / 1000,
            "memory": float(self.mem),
            "GPU": self.gpu / 1000,
            **{name: count / 1000 for name, count in self.custom},
        }
        return {name: count for name, count in found.items() if count}

    def count_in(self, total: dict[str, float]) -> int:
        """Return how many of these fit into a node that has nothing else to do."""
        return min(
            int((total.get(name, 0.0) + 1e-9) / each) for name, each in self.resources().items()
        )


def shape_of(requires: Requirements) -> Shape:
    """Return what is reserved for an attempt."""
    custom = tuple(sorted(requires.custom.items()))
    return Shape(requires.cpu, requires.mem, requires.gpu, custom)


# ---- from the owner to its link ----


class Give(Struct, frozen=True, tag="give"):
    """Run these attempts, earlier ones first."""

    jobs: list[Job]


class Cancel(Struct, frozen=True, tag="cancel"):
    """End these attempts, wherever they are, and forget them."""

    attempts: list[Attempt]


class Forget(Struct, frozen=True, tag="forget"):
    """The reports on these attempts are stored."""

    attempts: list[Attempt]


class Claim(Struct, frozen=True, tag="claim"):
    """Follow these attempts, which were handed out earlier; with `only`, end all others of this owner."""

    attempts: list[Attempt]
    only: bool = False


class Recall(Struct, frozen=True, tag="recall"):
    """Give back those of these attempts that were not handed out."""

    attempts: list[Attempt]


class Release(Struct, frozen=True, tag="release"):
    """Follow these attempts no longer; they go on."""

    attempts: list[Attempt]


class Drain(Struct, frozen=True, tag="drain"):
    """Hand out no more attempts."""


class Leave(Struct, frozen=True, tag="leave"):
    """End keepers that have nothing, and then yourself. All others go on."""


Wish: TypeAlias = Give | Cancel | Forget | Claim | Recall | Release | Drain | Leave


# ---- from the link to its owner ----


class Connected(Struct, frozen=True, tag="connected"):
    """The cluster is there, with nodes that have this much."""

    nodes: list[dict[str, float]]


class Unconnected(Struct, frozen=True, tag="unconnected"):
    """The cluster cannot be used; `refused`: it is there, and must not or cannot be used as it is."""

    why: str
    refused: bool = False


class Handing(Struct, frozen=True, tag="handing"):
    """These attempts are about to be handed to a keeper. Said before that happens."""

    attempts: list[Attempt]


class Claimed(Struct, frozen=True, tag="claimed"):
    """Of the claimed attempts, keepers have these."""

    jobs: list[Job]


class Unable(Struct, frozen=True, tag="unable"):
    """This attempt cannot start on any node."""

    attempt: Attempt
    code: str
    why: str


class Recalled(Struct, frozen=True, tag="recalled"):
    """These attempts will not be handed out."""

    attempts: list[Attempt]


class News(Struct, frozen=True, tag="news"):
    """Reports, with what attempts have printed and published; that is to be stored first. The link of the `unclaimed` ones is silent: who decides about one, and does not know it, ends it."""

    reports: list[Report] = []
    printed: list[Printed] = []
    published: list[Published] = []
    unclaimed: list[Attempt] = []


class Gone(Struct, frozen=True, tag="gone"):
    """These attempts were handed out, and no keeper has them."""

    attempts: list[Attempt]


Word: TypeAlias = Connected | Unconnected | Handing | Claimed | Recalled | Unable | News | Gone


# ---- from the link to a keeper, and back ----


class Want(Struct, frozen=True, tag="want"):
    """Reserve up to so much of this shape: that many attempts wait for it."""

    shape: Shape
    count: int


class Run(Struct, frozen=True, tag="run"):
    """Run these attempts."""

    jobs: list[Job]


class End(Struct, frozen=True, tag="end"):
    """End these attempts, and forget them."""

    attempts: list[Attempt]


class Stored(Struct, frozen=True, tag="stored"):
    """Forget these attempts: their reports are stored."""

    attempts: list[Attempt]


Order: TypeAlias = Want | Run | End | Stored


class Greeting(Struct, frozen=True):
    """Who a keeper is; `trouble`: why it cannot run anything, and as which `code` that is told."""

    protocol: int
    version: str
    trouble: str = ""
    code: str = NO_WORKER


class Following(Struct, frozen=True):
    """A claim: which attempts a link wants to follow from now on. `owner`: with `only`, what else this owner has there is ended; all else, if it is the only one."""

    session: str
    owner: str
    attempts: list[Attempt]
    only: bool = False


class Told(Struct, frozen=True):
    """
    What a keeper has to tell a link. `slots` are the reservations it has for this shape, and `failed` why one cannot be made.

    The number is that of the message: who asks for the next one says that this one has arrived.
    """

    number: int
    news: News
    slots: list[tuple[Shape, int]] = []
    failed: list[tuple[Shape, str]] = []


class Duty(Struct, frozen=True):
    """What a keeper is made for: a store and its directory, the environment of its attempts, the object store with the files, if they are in one."""

    identity: str
    store: str
    environment: str = ""
    objects: ObjectsKey | None = None


_encoder = Encoder()


def pack(message: Any) -> bytes:
    """Encode a message."""
    return _encoder.encode(message)


wishes: Decoder[Wish] = Decoder(Wish)
words: Decoder[Word] = Decoder(Word)
orders: Decoder[list[Order]] = Decoder(list[Order])
greetings: Decoder[Greeting] = Decoder(Greeting)
followings: Decoder[Following] = Decoder(Following)
tellings: Decoder[Told] = Decoder(Told)
duties: Decoder[Duty] = Decoder(Duty)
jobs: Decoder[list[Job]] = Decoder(list[Job])
