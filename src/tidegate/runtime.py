"""
The composition root: the one place where a store, an executor and the engine meet.

There is one engine per store, so a process that opens a runtime owns the store until it is closed, and serves all others through the local door.
"""

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec import structs

from tidegate import disk
from tidegate.api.local import LocalDoor
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.uploads import UploadDirectory
from tidegate.bundles.directory import BundleDirectory
from tidegate.bundles.sources import STORE
from tidegate.disk import give_all
from tidegate.engine.dispatch import Hinders, Outlook
from tidegate.engine.loop import Engine
from tidegate.engine.probes import Hindrance
from tidegate.errors import ObjectsAway, StoreError, TidegateError
from tidegate.executors.cluster.executor import RayExecutor
from tidegate.executors.cluster.opening import Employ, employing, refuse_unusable
from tidegate.executors.cluster.settings import OnRay
from tidegate.executors.idle import IdleExecutor
from tidegate.executors.objects import Owner, OwnerBlobs
from tidegate.executors.process import ProcessExecutor
from tidegate.executors.surroundings import Surroundings
from tidegate.executors.terminals import TerminalExecutor
from tidegate.home import (
    BLOBS,
    BUNDLES,
    TABLES,
    UPLOADS,
    find_blobs,
    find_store,
    refuse_held,
)
from tidegate.ir.graph import Instant
from tidegate.logs import Logs
from tidegate.objects.elsewhere import absent
from tidegate.objects.opening import ObjectStore, chosen, recorded
from tidegate.parts import Part, Parts
from tidegate.ports.artifacts import Artifacts
from tidegate.ports.blobs import Blobs
from tidegate.ports.executor import (
    MISSING,
    NO_CLUSTER,
    NO_OBJECTS,
    NO_ROOM,
    TOO_LARGE,
    Executor,
    Job,
)
from tidegate.ports.shares import StoreShares
from tidegate.ports.store import Progress, Store
from tidegate.remote.local import is_owned
from tidegate.service.access import owner
from tidegate.service.checks import StoreCheck, check_store
from tidegate.service.demands import too_much
from tidegate.service.missing import Needs
from tidegate.service.service import Service
from tidegate.stores.folder import close_to_others, is_locked, remove_drafts
from tidegate.stores.opening import (
    is_there,
    lacks_files,
    open_for_access,
    open_for_reading,
    open_store,
)
from tidegate.stores.sqlite import SqliteStore
from tidegate.tables.readers import TableReaders
from tidegate.wire import Ask

V = TypeVar("V")

ray_cluster = OnRay
"""What `open_runtime` takes for `workers` if a Ray cluster runs the tasks."""

PRIVATE = 0o077
"""The umask of a store's owner: what it makes is for its user alone."""

log = logging.getLogger(__name__)


class SystemClock:
    """The wall clock of this machine."""

    def now(self) -> Instant:
        """Return the present instant."""
        return Instant(time.time_ns() // 1000)


def objects_of(home: Path) -> ObjectStore | None:
    """Return the object store with the files of a home; None if they are in it. Errors: `StoreError`."""
    address = chosen(home, find_blobs())
    return ObjectStore(home, address) if address else None


def artifacts_in(
    home: Path, objects: ObjectStore | None = None, store: Store | None = None
) -> Artifacts:
    """Return what a store keeps beside its database; the same for every owner of the store. `objects` is its object store, and `store` its database, if these are known. Errors: `StoreError`."""
    objects = objects or objects_of(home)
    if objects is None and store is not None and (name := lacks_files(home / STORE, store)):
        return absent(home, name)
    if objects is not None:
        return Artifacts(
            blobs=objects.blobs,
            bundles=objects.bundles,
            logs=objects.logs,
            uploads=UploadDirectory(home / UPLOADS),
            objects=objects,
        )
    return Artifacts(
        blobs=BlobDirectory(home / BLOBS),
        bundles=BundleDirectory(home / BUNDLES),
        logs=Logs(home),
        uploads=UploadDirectory(home / UPLOADS),
    )


def blobs_beside(home: Path) -> Blobs:
    """Return the blobs of a store for a command that does not own it; those in an object store come from the owner, if there is one, so that no keys are needed."""
    if recorded(home) is not None and is_owned(home):
        return OwnerBlobs(Owner(home.absolute()), patience=False)
    return artifacts_in(home).blobs


def _hinders(
    home: Path, artifacts: Artifacts, executor: TerminalExecutor | IdleExecutor
) -> Hinders:
    """
    Return what says why an attempt cannot start: no cluster, it is too large, there is no room, or something is missing.

    An object store is not asked here, on the engine's thread: its workers look for what they need.
    """
    needs, objects, capacity = Needs(artifacts), artifacts.objects, executor.capacity

    def hinders(job: Job) -> Hindrance | None:
        if why := executor.hinders(job):
            return Hindrance(NO_CLUSTER, why)
        if why := too_much(job.requires, capacity):
            return Hindrance(TOO_LARGE, f"the task {why}")
        if why := disk.lacks_room(home):
            return Hindrance(NO_ROOM, why)
        if objects is not None:
            return Hindrance(NO_OBJECTS, objects.why) if objects.why else None
        why = needs.lacks(job)
        return Hindrance(MISSING, why) if why else None

    return hinders


class Runtime(AbstractContextManager["Runtime"]):
    """A running engine on a store, and the service in front of it. Made by the functions below."""

    def __init__(
        self,
        home: Path,
        store: Store,
        executor: TerminalExecutor | IdleExecutor,
        *,
        serve_door: bool,
        reads_only: bool = False,
        parts: Parts | None = None,
    ) -> None:
        self._background: list[Part] = []
        clock = store.shares or SystemClock()
        self._store = store
        self._executor: Executor = executor
        self._is_worker = executor.has_started
        self.parts = parts or Parts()
        artifacts = executor.artifacts
        hinders = _hinders(home, artifacts, executor)
        terminals = executor if isinstance(executor, TerminalExecutor) else None
        if terminals is None:
            outlook = Outlook(hinders)
        else:
            outlook = Outlook(hinders, terminals.where, terminals.keeping, terminals.has)
        self._engine = Engine(store, executor, clock, self.parts, outlook)
        self.blobs = artifacts.blobs
        tables = TableReaders(home / TABLES, partial(self.parts.part, tidies=True))
        artifacts = structs.replace(artifacts, tables=tables)
        self.service = Service(store, self._engine, executor, artifacts, clock, terminals)
        if store.shares is not None and store.shares.is_shared:
            self._join(store.shares)
        self._reads_only = reads_only
        self._home = home
        self._objects = artifacts.objects
        self._door: LocalDoor | None = None
        self._closed: Callable[[], object] = lambda: None
        self._quotas: Part | None = None
        if not reads_only:
            if terminals is None or terminals.keeping is None:
                # No attempt outlives its owner: what an earlier one has left running is ended, before any is submitted.
                executor.attach(())
            remove_drafts(home)
            self._engine.start()
        if serve_door and (door := self.open_door()) is not None:
            door.run(self._local_app)

    def _join(self, shares: StoreShares) -> None:
        """Pass requests for shards of other servers on to them."""
        from tidegate.api.passing import PeerLines  # noqa: PLC0415 - a store in a file has none

        part = self.parts.part("peers")
        lines = PeerLines(shares, part)
        self.service.replicas.peers = lines
        part.run(lines.run)
        self._background.append(part)

    def __exit__(self, *_: object) -> None:
        """Close the runtime."""
        self.close()

    def handle(self, request: Ask[V]) -> V:
        """Handle a request, as the user of this process."""
        return self.service.handle(request, owner(os.getuid()))

    def open_door(self) -> LocalDoor | None:
        """Open the local door, which is closed with the runtime; the code that opens it accepts the connections. None if this home cannot have one."""
        door = LocalDoor(self._home, self.parts.part("local-door"), self._is_worker)
        try:
            door.open()
        except StoreError as error:
            log.warning("%s; other commands cannot reach this engine", error.message)
            return None
        self._door = door
        return door

    def _local_app(self) -> Any:
        # Loaded here: most runs end without any client.
        from importlib.metadata import version  # noqa: PLC0415

        from tidegate.api.app import make_app  # noqa: PLC0415

        return make_app(self.service, version("tidegate")).local

    @property
    def failure(self) -> TidegateError | None:
        """Why the engine no longer runs; None as long as it does."""
        return self._engine.failure

    def turning(self) -> tuple[int, float] | None:
        """Return the engine's thread, and since when it is in one turn; None if it is in none."""
        return self._engine.turning

    def on_end(self, call: Callable[[], None]) -> None:
        """Call this once when the engine has ended and all waiters were told (see `failure`); at once if it has."""
        self._engine.on_end(call)

    def close(self) -> None:
        """Close the door, stop the engine, give back what runs to the next owner, release the store."""
        if self._door is not None:
            self._door.close()
        self.service.close()
        if self._quotas is not None:
            self._quotas.stop()
            self.service.quotas.stir()
            self._quotas.join()
        if not self._reads_only:
            self._engine.stop()
        if self.service.replicas.peers is not None:
            self.service.replicas.peers.close()
        for part in self._background:
            part.stop()
        if self._objects is not None:
            self._objects.close()
        self._store.close()
        for part in self._background:
            part.join()
        give_all(self._home)
        self._closed()

    def on_close(self, call: Callable[[], object]) -> None:
        """Call this when everything is closed."""
        self._closed = call

    def follow_quotas(self, limits: Mapping[str, int]) -> None:
        """Enforce quotas for projects from now on; existing usage is counted in the background."""
        quotas, part = self.service.quotas, self.parts.part("quotas", tidies=True)
        quotas.limits = limits
        self.service.on_commit(quotas.stir, "quota-signal")
        part.run(lambda: quotas.follow(part))
        self._quotas = part

    def run_in_background(self, name: str, run: Callable[[], None]) -> None:
        """Run housekeeping in a supervised thread; it returns when the store is closed."""
        self._background.append(self.parts.thread(name, run, tidies=True))


def open_runtime(
    home: Path,
    *,
    workers: int | OnRay | None = None,
    serve_door: bool = True,
    strict: bool | None = None,
    pass_env: Sequence[str] | None = None,
    anywhere: str = "",
) -> Runtime:
    """
    Become the owner of the store in `home`: run its tasks, fire its timers, take its answers. `strict` as of `ProcessExecutor`.

    `pass_env` are patterns of the variables that tasks get beside the usual ones; None gives them all. `anywhere` as of `Surroundings`. `workers`: how many
    processes run the tasks, or the cluster that does. Until the runtime is closed, what this process makes is private; tasks have the umask that it has now.

    Errors: `StoreLocked` if somebody else is; `StoreHeld`; `StoreError` and below.
    """
    employ = employing(home, workers, strict=strict)
    return _opened(home, employ, Surroundings(pass_env, anywhere=anywhere), serve_door=serve_door)


def open_server(
    home: Path,
    presence: tuple[str, str],
    *,
    workers: int | OnRay | None = None,
    strict: bool | None = None,
    pass_env: Sequence[str] | None = None,
) -> Runtime:
    """
    Become the owner of the store in `home`; or, if it is on Postgres, one of its owners, known to the others by address and version (`presence`).

    The code that calls this opens the local door. All else as above.
    """
    employ = employing(home, workers, strict=strict)
    return _opened(home, employ, Surroundings(pass_env), serve_door=False, presence=presence)


def _opened(
    home: Path,
    employ: Employ,
    surroundings: Surroundings,
    *,
    serve_door: bool,
    presence: tuple[str, str] | None = None,
) -> Runtime:
    refuse_held(home)
    parts, objects = Parts(), objects_of(home)
    umask = os.umask(PRIVATE)
    try:
        store = open_store(home / STORE, presence=presence)
    except BaseException:
        os.umask(umask)
        raise
    try:
        close_to_others(home)
        store.agree_on_files("" if objects is None else objects.bucket.address)
        if objects is not None:
            objects.claim(store.number)
            objects.serve(parts)
        around = structs.replace(
            surroundings,
            umask=umask,
            objects=objects,
            asks=None if objects is None else home.absolute(),
        )
        artifacts = artifacts_in(home, objects)
        is_one_of_several = store.shares is not None and store.shares.is_shared
        address = presence[0] if presence is not None and is_one_of_several else ""
        runs = employ(parts, around, artifacts, address)
        executor = TerminalExecutor(runs, artifacts, parts.part("terminals", tidies=True))
        runtime = Runtime(home, store, executor, serve_door=serve_door, parts=parts)
        runtime.on_close(lambda: os.umask(umask))
        store.begin(runtime.run_in_background)
    except BaseException:
        if objects is not None:
            objects.close()
        store.close()
        os.umask(umask)
        raise
    return _usable(runtime, runs)


def _usable(runtime: Runtime, runs: ProcessExecutor | RayExecutor) -> Runtime:
    """Return a runtime, unless its cluster must not be used. Errors: `ClusterRefused`."""
    try:
        refuse_unusable(runs)
    except BaseException:
        runtime.close()
        raise
    return runtime


def open_workers(
    home: Path,
    *,
    store: Path,
    workers: int | None,
    strict: bool | None,
    anywhere: str,
    is_afar: bool,
) -> ProcessExecutor:
    """
    Return workers of this process's own, for the store in another home than theirs, with the environment and the umask of this process.

    If the store `is_afar`, they ask for its files at the socket in `store`.
    """
    umask = os.umask(PRIVATE)
    os.umask(umask)
    asks = store.absolute() if is_afar or recorded(store) else None
    surroundings = Surroundings(
        None, umask, store.absolute(), asks=asks, anywhere=anywhere, keeps_keys=is_afar
    )
    return ProcessExecutor(home, workers, strict=strict, surroundings=surroundings)


def open_briefly(home: Path) -> Runtime:
    """Become the owner of the store for the moment in which an answer or an abort is stored; nothing is run. Errors: as above."""
    refuse_held(home)
    umask = os.umask(PRIVATE)
    try:
        store = open_store(home / STORE, runs=False)
        try:
            objects = objects_of(home)
            if objects is not None:
                objects.claim(store.number)
            idle = IdleExecutor(home, artifacts_in(home, objects, store))
            runtime = Runtime(home, store, idle, serve_door=False)
        except BaseException:
            store.close()
            raise
    except BaseException:
        os.umask(umask)
        raise
    runtime.on_close(lambda: os.umask(umask))
    return runtime


def open_access(home: Path) -> Runtime:
    """Open the store to change tokens: on Postgres beside its owners, who see that within a second; in a file as its owner. Errors: as above."""
    store = open_for_access(home / STORE)
    return open_briefly(home) if store is None else _looking(home, store)


def open_reader(home: Path) -> Runtime:
    """Look at the store without owning it; where there is none yet, at an empty one. Only requests that change nothing may be handled."""
    if is_there(home) and not home.is_dir():
        raise StoreError(f"{home} is not a directory: choose another place for the store (--home)")
    store = open_for_reading(home / STORE) or SqliteStore.memory()
    runtime = _looking(home, store)
    runtime.service.is_run = is_owned(home) or is_locked(home) or store.is_owned()
    return runtime


def _looking(home: Path, store: Store) -> Runtime:
    idle = IdleExecutor(home, artifacts_in(home, store=store))
    return Runtime(home, store, idle, serve_door=False, reads_only=True)


def problems_of(home: Path) -> tuple[int, list[str]]:
    """Check the store in `home`, and return how many executions it has and all that is wrong or missing, one line each. Errors: as of `checked`."""
    found = checked(home)
    return found.executions, found.problems + found.missing


def checked(home: Path) -> StoreCheck:
    """Check the store in `home`, with all that is kept there. Errors: `StoreError` and below."""
    path = home / STORE
    if is_there(path) and path.is_file() and not path.stat().st_size:
        return StoreCheck(0, [], [f"{path} is empty: what was in it is lost"])
    store = open_for_reading(path)
    if store is None:
        return StoreCheck(0, [], [f"{path} is missing: there is no store in this directory"])
    try:
        objects = objects_of(home)
        if objects is None and (name := lacks_files(path, store)):
            found, why = check_store(store), f"the files of {name} are not in {home}"
            found.missing.append(f"{why}, and were not checked: do that where they are")
            return found
        artifacts = artifacts_in(home, objects)
        try:
            if objects is not None:
                objects.look_around()
            found = check_store(store, artifacts)
            found.problems.extend(artifacts.bundles.damaged())
        except ObjectsAway as error:
            found = check_store(store)
            found.problems.append(f"the files cannot be checked: {error.message}")
        return found
    finally:
        store.close()


def rebuild_lists(home: Path, progress: Progress) -> None:
    """Rebuild what lists show in `home`, from the history. Errors: `StoreLocked` if somebody runs it; `StoreError` and below."""
    if not (find_store() or is_there(home / STORE)):
        return
    with closing(open_store(home / STORE, progress=progress)) as store:
        store.rebuild(progress)
