"""
Which shards this process owns: taken for a new epoch, kept by a lease, proved in every commit.

A shard is taken once its lease has expired by the clock of the database. Its epoch grows with that, and is part of a key: so taking waits for
commits that have proved the old epoch, and no later one can. The lease only says who is alive; no clock can make two write at once.
"""

import hashlib
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterable

from tidegate.errors import StoreError, StoreLocked
from tidegate.stores.postgres.connections import PostgresConnections, Session

SHARDS = 64
"""Parts of a store, each with one owner at a time. Their number is fixed when a store is made."""

LEASE_SECONDS = 10
RENEW_SECONDS = 3.0
"""How long a lease lasts, and the pause between renewals."""

log = logging.getLogger(__name__)


def shard_of(key: int) -> int:
    """Return the shard of an execution."""
    return key % SHARDS


def home_shard(execution_id: str) -> int:
    """Return the shard in which an execution with this public id is launched: every server knows it, so the same id always reaches the same owner."""
    return hashlib.sha256(execution_id.encode()).digest()[0] % SHARDS


class Ownership:
    """The shards of one process."""

    def __init__(self, connections: PostgresConnections, address: str = "") -> None:
        """`address` is where others reach this process."""
        self._connections = connections
        self._address = address
        self._epochs: dict[int, int] = {}
        self._ended = threading.Event()
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        """The owner in the database: unique, also if a process with the same number comes after this one."""

    @property
    def shards(self) -> list[int]:
        """The shards that are owned."""
        return sorted(self._epochs)

    def take(self) -> None:
        """Take all shards. Errors: `StoreLocked` if somebody owns any of them."""
        with self._connections.transaction() as session:
            wanted = {"owner": self.name, "address": self._address, "seconds": LEASE_SECONDS}
            rows = session.execute(self._connections.sql["take"], wanted).fetchall()
            if len(rows) < SHARDS:
                raise self._locked(session)
        self._epochs = dict(rows)

    def _locked(self, session: Session) -> StoreLocked:
        found = session.execute(self._connections.sql["holders"]).fetchall()
        others = [row for row in found if row[0] != self.name]
        if not others:
            return StoreLocked(
                f"{self._connections.name} was taken by another server a moment ago: try again"
            )
        owner, address, shards, _, left = others[0]
        host, pid, _ = owner.rsplit(":", 2)
        where = f" ({address})" if address else ""
        return StoreLocked(
            f"process {pid} on {host}{where} runs {self._connections.name}: stop it first, or wait {max(1, round(left))} s if it has died",
            pid=int(pid) if host == socket.gethostname() and shards else None,
        )

    def prove(self, session: Session, shards: Iterable[int]) -> int:
        """
        Prove in this transaction that these shards are still owned; return the instant of the database at which it began.

        Errors: `StoreError` if somebody else has taken one; then nothing of the transaction may be kept.
        """
        wanted = sorted(set(shards))
        bindings = {"shards": wanted, "epochs": [self._epochs.get(each, -1) for each in wanted]}
        rows = session.execute(self._connections.sql["fence"], bindings).fetchall()
        if len(rows) < len(wanted):
            lost = sorted(set(wanted) - {shard for shard, _ in rows})
            for each in lost:
                self._epochs.pop(each, None)
            raise StoreError(
                f"another server has taken over {self._connections.name} (shards {', '.join(map(str, lost[:8]))}): nothing was stored"
            )
        return int(rows[0][1]) if rows else 0

    def renew(self) -> None:
        """Renew the lease once. It has no say in what may be written: that is proved in each commit."""
        wanted = {"owner": self.name, "seconds": LEASE_SECONDS}
        rows = self._connections.rows(self._connections.sql["renew"], wanted)
        if len(rows) < len(self._epochs):
            log.error(
                "the lease of %s ran out: if another server has taken over, nothing more is stored here",
                self._connections.name,
            )

    def keep(self) -> None:
        """Renew the lease until it is let go."""
        while not self._ended.wait(RENEW_SECONDS):
            try:
                self.renew()
            except StoreError as error:
                log.warning(
                    "the lease of %s could not be renewed: %s",
                    self._connections.name,
                    error.message,
                )

    def let_go(self) -> None:
        """Let others take the shards at once."""
        self._ended.set()
        if not self._epochs:
            return
        self._epochs = {}
        with self._connections.transaction() as session:
            session.execute(self._connections.sql["let_go"], {"owner": self.name})
