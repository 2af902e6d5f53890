"""The one clock of a host."""

from typing import Protocol

from tidegate.ir.graph import Instant


class Clock(Protocol):
    """The one clock of a host."""

    def now(self) -> Instant:
        """Return the wall-clock instant in microseconds since 1970, UTC."""
        ...
