"""
Where a command that follows an execution runs its attempts: in workers of this terminal, with its interpreter and environment, whichever process owns the store.

If this process owns it, these are the store's own workers. Beside another owner they serve the one execution that is followed; a server over the
network uses its own workers.
"""

from functools import partial
from signal import SIG_BLOCK, SIG_SETMASK, SIGHUP, SIGINT, SIGTERM, pthread_sigmask
from types import TracebackType
from typing import Self

from tidegate.cli.store import Staff, StoreWay
from tidegate.cli.way import ServerWay
from tidegate.remote.workers import TerminalWorkers


class Here:
    """The workers of this terminal, from when an execution needs them until the block ends."""

    def __init__(self, way: StoreWay | ServerWay, staff: Staff) -> None:
        self._way = way
        self._staff = staff
        self._workers: TerminalWorkers | None = None

    def serve(self, execution: str, bundle: str = "") -> str:
        """Serve an execution, with `bundle` only as far as that is its code. Return the secret of this terminal; empty if its workers are the store's, or a server's."""
        way = self._way
        if isinstance(way, ServerWay):
            return ""
        way.open()
        while not way.is_owner:
            if self._workers is None:
                self._workers = self._made(way)
            if secret := self._workers.serve(execution, bundle):
                return secret
            way.open()
        return ""

    def _made(self, way: StoreWay) -> TerminalWorkers:
        # Loaded when another process owns the store.
        from tidegate.runtime import open_workers  # noqa: PLC0415

        staff = self._staff
        make = partial(
            open_workers,
            store=way.home,
            workers=staff.workers,
            strict=staff.strict,
            anywhere=staff.anywhere,
        )
        return TerminalWorkers(way.home, make, lambda: way.is_owner)

    def __enter__(self) -> Self:
        """Enter a block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs here."""
        del kind, error, trace
        if self._workers is not None:
            # Who is impatient and presses Ctrl-C again must not leave half of it behind: this takes a moment.
            before = pthread_sigmask(SIG_BLOCK, {SIGINT, SIGTERM, SIGHUP})
            try:
                self._workers.close()
            finally:
                pthread_sigmask(SIG_SETMASK, before)
