"""
Where a command that follows an execution runs its attempts: in workers of this terminal, with its interpreter and environment, whichever process owns the store.

If this process owns the store, these are the store's own workers. If another process does, they serve only the execution that is followed; a server over
the network uses its own workers.
"""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from signal import SIG_BLOCK, SIG_SETMASK, SIGHUP, SIGINT, SIGTERM, pthread_sigmask
from types import TracebackType
from typing import Any, Self

from tidegate.bundles.archive import Archive
from tidegate.cli.store import Staff, StoreWay, is_elsewhere
from tidegate.cli.way import ServerWay
from tidegate.core.shards import home_shard
from tidegate.home import find_store
from tidegate.remote.workers import OwnWorkers, TerminalWorkers
from tidegate.service.executions import new_id
from tidegate.wire import ListReplicas


class Here:
    """The workers of this terminal, from the first execution that needs them until the end of the block."""

    def __init__(self, way: StoreWay | ServerWay, staff: Staff) -> None:
        self._way = way
        self._staff = staff
        self._workers: TerminalWorkers | None = None
        self._afar: Any = None
        self._packed: list[Archive] = []

    def new_id(self) -> str:
        """Return an id for an execution, in a shard of the server at which this terminal serves it: others of the same store would run its tasks themselves."""
        ours = self._ours()
        id_ = new_id()
        while ours and home_shard(id_) not in ours:
            id_ = new_id()
        return id_

    def runs(self, execution: str) -> bool:
        """Return whether the server at which this terminal serves an execution decides about it."""
        if isinstance(self._way, StoreWay) and self._way.door.is_afar:
            return True  # it serves at the one that does
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
            if way.door.servers is not None:
                way.door.servers.refuse_others(version("tidegate"))
            if self._workers is None:
                self._workers = self._made(way)
            if secret := self._workers.serve(execution, bundle):
                return secret
            way.open()
        return ""

    def keep(self, archive: Archive) -> None:
        """Have code at hand that was packed here, for workers that are not on the machine of the store."""
        self._packed.append(archive)

    def _made(self, way: StoreWay) -> TerminalWorkers:
        return TerminalWorkers(way.door, self._workers_in, lambda: way.is_owner)

    def _workers_in(self, home: Path) -> OwnWorkers:
        """Return workers of this terminal in a home of their own."""
        # Imported only when another process owns the store.
        from tidegate.joining import AfarWorkers  # noqa: PLC0415
        from tidegate.runtime import open_workers  # noqa: PLC0415

        staff, way = self._staff, self._way
        assert isinstance(way, StoreWay)
        make = partial(
            open_workers, workers=staff.workers, strict=staff.strict, anywhere=staff.anywhere
        )
        if not way.door.is_afar:
            return make(home, store=way.home, is_afar=False)
        if self._afar is None:
            self._afar = AfarWorkers(
                way.door, lambda own, store: make(own, store=store, is_afar=True)
            )
        for archive in self._packed:
            self._afar.keep(archive)
        made: OwnWorkers = self._afar(home)
        return made

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
