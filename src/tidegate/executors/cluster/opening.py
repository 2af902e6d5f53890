"""
What an owner of a store begins with that runs its attempts on a Ray cluster; and whether another one may begin without.

The home has two files: `cluster`, by which nodes recognize the store, and `cluster.used`, with the address of the cluster, from the first attempt that
is handed out until a close after which none is left. While it is there, an owner that does not look at that cluster would repeat what still runs there.
"""

import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct

from tidegate import disk
from tidegate.errors import ClusterRefused
from tidegate.executors.cluster.executor import RayExecutor
from tidegate.executors.cluster.local import LocalCluster
from tidegate.executors.cluster.settings import Linked, OnRay
from tidegate.executors.process import ProcessExecutor
from tidegate.executors.surroundings import Surroundings
from tidegate.home import CLUSTER, CLUSTER_USED
from tidegate.parts import Parts
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.logs import AttemptLogs
from tidegate.ports.objects import ObjectsKey

NUMBER: Final = "store"
"""The file with the number of a store on Postgres."""
OLDEST: Final = (2, 60)
"""The first version of Ray that this was tried with."""
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/\[\]]+):(\d{1,5})")
FIRST_WORD: Final = 10.0
"""Seconds that a store waits when it is opened, so that a cluster that must not be used is refused at once; one that answers does so within three."""


Employ: TypeAlias = Callable[[Parts, Surroundings, Artifacts, str], ProcessExecutor | RayExecutor]
"""Makes the workers of a store. The last argument is the address of this server among those that share the store; empty if it is the only one."""


class Known(Struct, frozen=True):
    """What nodes are told of an owner: the name that tells it from others of the same store, if there are several; the object store with its files, if they are in one."""

    owner: str = ""
    objects: ObjectsKey | None = None


ALONE: Final = Known()


def employing(home: Path, workers: int | OnRay | None, *, strict: bool | None) -> Employ:
    """
    Return what makes the workers of a store: processes of this machine, or a cluster.

    Each life of a server among several has a name of its own there: what an earlier one has handed out belongs to those who have its shards by now, and
    a claim of the next life must not end it. A single owner claims all that there is.

    Errors of what is returned: `ClusterRefused` for a cluster of one server's machine if several share the store: the others could not see what runs there.
    """

    def employ(
        parts: Parts, around: Surroundings, artifacts: Artifacts, address: str
    ) -> ProcessExecutor | RayExecutor:
        if address and isinstance(workers, OnRay) and not workers.address:
            raise ClusterRefused(
                "servers that share a store need one Ray cluster for all of them: start it, and give its --ray-address"
            )
        local = workers.local if isinstance(workers, OnRay) else workers
        own = ProcessExecutor(home, local, parts=parts, strict=strict, surroundings=around)
        owner = f"{address} {secrets.token_hex(8)}" if address else ""
        key = None if artifacts.objects is None else artifacts.objects.key
        return on_ray(home, workers, own, artifacts.logs, parts, Known(owner, key))

    return employ


class At:
    """A cluster that others have started."""

    is_local = False

    def __init__(self, address: str, *, open_: bool) -> None:
        self._address = address
        self.environment = {} if open_ else {"RAY_AUTH_MODE": "token"}

    def address(self) -> str:
        """Return its address."""
        return self._address

    def close(self, *, unused: bool) -> None:
        """Leave it as it is."""


def on_ray(
    home: Path,
    ray: OnRay | int | None,
    own: ProcessExecutor,
    logs: AttemptLogs,
    parts: Parts,
    known: Known = ALONE,
) -> ProcessExecutor | RayExecutor:
    """
    Return an executor for the owner of a store: `own`, or one that runs attempts on a cluster, and everything else in `own`.

    `known` is what nodes are told of it.

    Errors: `ClusterRefused`, also if attempts of this store may still run on a cluster, and this is not it.
    """
    used = home / CLUSTER_USED
    there = used.read_text().strip() if used.exists() else ""
    if not isinstance(ray, OnRay):
        if there:
            raise ClusterRefused(
                f"tasks of this store may still run on the Ray cluster {there}: start with --executor ray, or,"
                f" if that cluster is gone for good, remove {used}"
            )
        return own
    _check(ray)
    if there and there != _named(ray):
        raise ClusterRefused(
            f"tasks of this store may still run on the Ray cluster {there}, and this is {_named(ray)}: start with that one"
            f" until they have ended, or, if it is gone for good, remove {used}"
        )
    # Nobody has to ask whether one that is started here demands a token.
    open_, where = ray.open_ or not ray.address, str(home.absolute())
    linked = Linked("", identity_of(home), where, known.owner, "", open_, known.objects)
    cluster = At(ray.address, open_=ray.open_) if ray.address else LocalCluster(home)
    note = Note(used, _named(ray))
    return RayExecutor(own, logs, cluster, linked, parts.part("ray", tidies=True), note)


class Note:
    """The file that says that attempts may be on a cluster."""

    def __init__(self, path: Path, address: str) -> None:
        self._path = path
        self._address = address
        self._is_there = path.exists()

    def put(self) -> None:
        """Write it, if it is not there. Errors: `OSError`."""
        if not self._is_there:
            disk.write(self._path, self._address.encode())
            self._is_there = True

    def remove(self) -> None:
        """Remove it."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._is_there = False


def refuse_unusable(executor: ProcessExecutor | RayExecutor) -> None:
    """Wait a while for what the cluster says. Errors: `ClusterRefused` if it must not or cannot be used; if it is away, tasks are held until it is back."""
    if isinstance(executor, RayExecutor) and not executor.is_local:
        why, refused = executor.verdict(FIRST_WORD)
        if refused:
            raise ClusterRefused(why)


def identity_of(home: Path) -> str:
    """Return by what nodes recognize the store in this home, and its keepers: the number that it has on Postgres, or one that is kept here."""
    path, number = home / CLUSTER, home / NUMBER
    if number.exists():
        given = number.read_text().strip()
    elif path.exists():
        return path.read_text().strip()
    else:
        given = secrets.token_hex(8)
    disk.write(path, given.encode())
    return given


def _named(ray: OnRay) -> str:
    return ray.address or "of this machine"


def _check(ray: OnRay) -> None:
    """Check what can be checked at once. Errors: `ClusterRefused`."""
    try:
        found = version("ray")
    except PackageNotFoundError:
        raise ClusterRefused("Ray is not installed here: pip install 'tidegate[ray]'") from None
    if tuple(map(int, re.findall(r"\d+", found)[:2])) < OLDEST:
        raise ClusterRefused(
            f"Ray {found} is too old: pip install 'tidegate[ray]', here and on the nodes"
        )
    if ray.address:
        match = _ADDRESS.fullmatch(ray.address)
        if match is None or not 0 < int(match[2]) < 65536:
            raise ClusterRefused(
                f"--ray-address must be HOST:PORT, as `ray start --head` prints it; it is {ray.address!r}"
            )
