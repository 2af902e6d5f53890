"""
Where a command that follows an execution runs its attempts: in workers of this terminal, with its interpreter and environment, whichever process owns the store.

If this process owns the store, these are the store's own workers. If another process does, they serve only the execution that is followed; a server over
the network uses its own workers.
"""

from functools import partial
from signal import SIG_BLOCK, SIG_SETMASK, SIGHUP, SIGINT, SIGTERM, pthread_sigmask
from types import TracebackType
from typing import Self

from tidegate.cli.store import Staff, StoreWay, is_elsewhere
from tidegate.cli.way import ServerWay
from tidegate.core.shards import home_shard
from tidegate.home import find_store
from tidegate.remote.workers import TerminalWorkers
from tidegate.service.executions import new_id
from tidegate.wire import ListReplicas


class Here:
    """The workers of this terminal, from the first execution that needs them until the end of the block."""

    def __init__(self, way: StoreWay | ServerWay, staff: Staff) -> None:
        self._way = way
        self._staff = staff
        self._workers: TerminalWorkers | None = None

    def new_id(self) -> str:
        """Return an id for an execution, in a shard of the server at which this terminal serves it: others of the same store would run its tasks themselves."""
        ours = self._ours()
        id_ = new_id()
        while ours and home_shard(id_) not in ours:
            id_ = new_id()
        return id_

    def runs(self, execution: str) -> bool:
        """Return whether the server at which this terminal serves an execution decides about it."""
        ours = self._ours()
        return not ours or home_shard(execution) in ours

    def _ours(self) -> frozenset[int]:
        """Return the shards of that server; none if it shares the store with no other."""
        way = self._way
        if isinstance(way, ServerWay) or not find_store():
            return frozenset()
        way.open()
        found = [] if way.is_owner else way.ask(ListReplicas()).items
        return frozenset(shard for each in found if each.here for shard in each.shards)

    def serve(self, execution: str, bundle: str = "") -> str:
        """Serve an execution; with `bundle`, only attempts of that code. Return the secret of this terminal, or an empty string if the store's or a server's workers run it."""
        way = self._way
        if isinstance(way, ServerWay):
            return ""
        way.open()
        if is_elsewhere(self._staff.workers):
            return ""
        while not way.is_owner:
            if self._workers is None:
                self._workers = self._made(way)
            if secret := self._workers.serve(execution, bundle):
                return secret
            way.open()
        return ""

    def _made(self, way: StoreWay) -> TerminalWorkers:
        # Imported only when another process owns the store.
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
        """End everything that runs here."""
        del kind, error, trace
        if self._workers is not None:
            # Closing takes a moment; a second, impatient Ctrl-C must not leave it half done.
            before = pthread_sigmask(SIG_BLOCK, {SIGINT, SIGTERM, SIGHUP})
            try:
                self._workers.close()
            finally:
                pthread_sigmask(SIG_SETMASK, before)
