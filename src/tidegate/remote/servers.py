"""
The way to one of the servers that share a store, for a command that has the address of its database and nothing else.

The database says which servers there are. Requests are signed with the key that was made with the store (`wire.owning`), so no token is needed. A server
that cannot be reached is passed over. If none can, but they go on renewing their leases, that is said at once; else the next owner is waited for.
"""

import os
import secrets
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache, partial
from pwd import getpwuid
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Final, Protocol
from urllib.parse import urlsplit

from tidegate.errors import StoreError
from tidegate.ir.graph import Instant
from tidegate.ports.shares import Replica
from tidegate.remote.local import CONNECT, REPLY, Connection, OwnerGone, Signing
from tidegate.wire.owning import HEAD, Owning, unsafe

PAUSE: Final = 0.25
"""Seconds between two attempts to reach a server."""

FRESH: Final = 5.0
"""Seconds since the renewal of its lease after which a server may stand still: they are renewed every three."""

SOON: Final = 2.0
"""Seconds in which the database must say whether a lease is fresh."""

LOOK: Final = 3.0
"""Seconds for which it is remembered who decides about an execution."""


class OutOfReach(StoreError):
    """Servers share the store, but none can be reached from this machine."""

    code = "servers_out_of_reach"


class Servers(Protocol):
    """What the database says of the servers that share a store."""

    @property
    def name(self) -> str:
        """The address of the database, without a password."""
        ...

    def now(self) -> Instant:
        """Return the present instant of the database."""
        ...

    def secret(self) -> bytes:
        """Return the key that was made with the store."""
        ...

    def replicas(self) -> list[Replica]:
        """Return the servers that are alive. Errors: `StoreError`."""
        ...

    def shard_of(self, execution: str) -> int:
        """Return the shard in which an execution is, or would be launched. Errors: `StoreError`."""
        ...

    def close(self) -> None:
        """Ask the database nothing more."""
        ...


class ServerDoor:
    """An `AnyDoor`. Must be closed."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._secret = servers.secret()
        self._lock = Lock()
        self._at: Replica | None = None
        self._wanted: int | None = None
        self._looked = 0.0

    def close(self) -> None:
        """Release the database."""
        self._servers.close()

    def seek(self, execution: str) -> None:
        """Prefer the server that decides about an execution, from now on."""
        with self._lock:
            self._wanted = self._servers.shard_of(execution)
            self._at = None

    def is_wrong(self) -> bool:
        """Return whether another server than the one that was reached decides about it by now; the database is asked once in a while."""
        with self._lock:
            at, wanted, now = self._at, self._wanted, monotonic()
            if at is None or wanted is None or now < self._looked + LOOK:
                return False
            self._looked = now
        owner = next((each for each in self._servers.replicas() if wanted in each.shards), at)
        return owner.name != at.name and owner.lease_age < FRESH and not self._hindrance(owner)

    def refuse_others(self, version: str) -> None:
        """Refuse to run tasks for a server of another version. Errors: `StoreError`; `OutOfReach`."""
        if (connection := self.connect()) is not None:
            with connection, self._lock:
                at = self._at
            if at is not None and at.version != version:
                raise StoreError(
                    f"the server at {at.address} is Tidegate {at.version}, and this is {version}, which cannot run its tasks:"
                    " install that version here, or let the server run them (--detach)"
                )

    def is_kept(self) -> bool:
        """Return whether the lease of the server that was reached is fresh, and it decides about the execution; no, if the database does not say so soon."""
        with self._lock:
            at, wanted = self._at, self._wanted
        said: SimpleQueue[bool] = SimpleQueue()

        def look() -> None:
            with suppress(StoreError):
                said.put(
                    any(
                        at is not None
                        and each.name == at.name
                        and wanted in each.shards
                        and each.lease_age < FRESH
                        for each in self._servers.replicas()
                    )
                )

        Thread(target=look, name="tidegate-lease", daemon=True).start()
        try:
            return said.get(timeout=SOON)
        except Empty:
            return False

    def connect(self, patience: float | None = None, *, stay: bool = False) -> Connection | None:
        """Return a connection to a server; None if none is alive. With `stay`, only to the one that was reached before. Errors: `OutOfReach`, `OwnerGone`."""
        with self._lock:
            at = self._at
        patience = REPLY if patience is None else patience
        why = "no server was reached"
        if at is not None:
            found = self._reach(at, patience)
            if not isinstance(found, str):
                return found
            why = f"the server at {at.address} is gone: {found}"
        if stay:
            raise OwnerGone(why)
        return self._next(patience)

    def _next(self, patience: float) -> Connection | None:
        """Connect to the best server that can be reached."""
        began = monotonic()
        while alive := self._in_order():
            why = ""
            for each in alive:
                found = self._hindrance(each) or self._reach(each, patience)
                if not isinstance(found, str):
                    with self._lock:
                        self._at, self._looked = each, monotonic()
                    return found
                why = why or f"{each.address}: {found}"
            # Renewed since the first attempt, all of them live, and stay out of reach.
            if all(self._hindrance(it) or monotonic() - began > it.lease_age for it in alive):
                raise OutOfReach(
                    f"no server of {self._servers.name} can be reached from here ({why}):"
                    " a server for other machines needs --host, --tls-cert, and --advertise if it is behind a proxy"
                )
            sleep(PAUSE)
        return None

    def _in_order(self) -> list[Replica]:
        """Return the servers that are alive, in the order in which they are tried."""
        with self._lock:
            wanted = self._wanted
        found = self._servers.replicas()
        secrets.SystemRandom().shuffle(found)
        return sorted(
            found, key=lambda it: (it.leaving, it.lease_age > FRESH, wanted not in it.shards)
        )

    def _hindrance(self, server: Replica) -> str:
        """Return why a server is not even tried; empty if it may be."""
        host = server.name.rsplit(":", 2)[0]
        is_here = host == socket.gethostname()
        if why := unsafe(server.address):
            return why
        name = urlsplit(server.address).hostname or ""
        if not is_here and (name == "localhost" or name.startswith("127.") or name == "::1"):
            return f"it listens on {host} only"
        return ""

    def _reach(self, server: Replica, patience: float) -> Connection | str:
        """Return a connection to a server, or why there is none."""
        url = urlsplit(server.address)
        port = url.port or (443 if url.scheme == "https" else 80)
        line: socket.socket | None = None
        try:
            line = socket.create_connection((url.hostname, port), CONNECT)
            if url.scheme == "https":
                line = _trust().wrap_socket(line, server_hostname=url.hostname)
        except (OSError, ValueError) as error:
            if line is not None:
                line.close()
            return _why(error)
        signing = Signing(url.netloc, partial(self._signed, server.name))
        return Connection(f"the server at {server.address}", line, patience, signing)

    def _signed(
        self, to: str, method: str, target: str, size: int, digest: str
    ) -> Mapping[str, str]:
        uid, now = os.getuid(), self._servers.now()
        said = Owning(to, now, uid, _user(uid), method, target, size, digest)
        return {HEAD: said.signed(self._secret)}


@cache
def _user(uid: int) -> str:
    """Return the name of a user, as a server on this machine would record it."""
    try:
        return getpwuid(uid).pw_name.encode(errors="replace").decode()
    except KeyError:
        return "local"


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _why(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted here: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return f"it does not reply for {CONNECT:.0f} s"
    return str(getattr(error, "strerror", None) or error).lower()
