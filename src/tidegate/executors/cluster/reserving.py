"""What a keeper reserves on its node, as it sees it."""

import time
from typing import Protocol

from tidegate.executors.cluster.protocol import Shape


class Reservation(Protocol):
    """Something that is reserved on this node. `environment` is what an attempt needs to know of it, once it is there."""

    environment: dict[str, str]

    def wait(self, seconds: float) -> bool:
        """Wait until it is there; return whether it is. Errors: whatever prevents it for good."""
        ...

    def release(self) -> None:
        """Give it up."""
        ...


class Node(Protocol):
    """The node. `total` is what it has."""

    total: dict[str, float]

    def reserve(self, shape: Shape) -> Reservation:
        """Begin to reserve something."""
        ...


class Slot:
    """A reservation, and since when nothing uses it."""

    def __init__(self, reservation: Reservation) -> None:
        self.reservation = reservation
        self.idle_since: float | None = time.monotonic()
