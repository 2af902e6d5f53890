"""The actor of a node: a keeper inside Ray, and what it reserves there. Imported only where Ray runs."""

import hashlib
import os
import platform
import tempfile
import threading
from importlib.metadata import version
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import ray
from ray.util.placement_group import placement_group, remove_placement_group
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tidegate.errors import StoreError
from tidegate.executors.cluster.keeper import Keeper, make_home
from tidegate.executors.cluster.protocol import (
    PROTOCOL,
    Greeting,
    Shape,
    duties,
    followings,
    orders,
    pack,
)
from tidegate.home import CLUSTER
from tidegate.ports.executor import NO_OBJECTS, NO_WORKER
from tidegate.ports.objects import Objects, OpensObjects

NODE_LABEL = "ray.io/node-id"
CALLS = 64
"""Calls that an actor serves at once; one of each link waits there for news."""


class Group:
    """Processors, memory and other resources, reserved without a process. It ends with the actor that made it."""

    def __init__(self, node: str, shape: Shape) -> None:
        self.environment: dict[str, str] = {}
        self._group: Any = placement_group(
            [shape.resources()], bundle_label_selector=[{NODE_LABEL: node}]
        )

    def wait(self, seconds: float) -> bool:
        """Wait until it is there."""
        return bool(self._group.wait(seconds))

    def release(self) -> None:
        """Give it up."""
        remove_placement_group(self._group)


class _Holder:
    """Holds GPUs, because only a process that Ray has started is told which."""

    def devices(self) -> list[str]:
        """Return which it has."""
        return [str(each) for each in ray.get_gpu_ids()]


class Devices:
    """GPUs, with what else is reserved beside them."""

    def __init__(self, node: str, shape: Shape) -> None:
        wanted = shape.resources()
        strategy = NodeAffinitySchedulingStrategy(node, soft=False)
        self.environment: dict[str, str] = {}
        holder: Any = ray.remote(_Holder)
        self._holder: Any = holder.options(
            max_restarts=0,
            num_cpus=wanted.pop("CPU", 0),
            num_gpus=wanted.pop("GPU", 0),
            memory=wanted.pop("memory", None),
            resources=wanted,
            scheduling_strategy=strategy,
        ).remote()
        self._devices: Any = self._holder.devices.remote()

    def wait(self, seconds: float) -> bool:
        """Wait until they are there."""
        ready, _ = ray.wait([self._devices], timeout=seconds)
        if ready:
            self.environment = {"CUDA_VISIBLE_DEVICES": ",".join(ray.get(self._devices))}
        return bool(ready)

    def release(self) -> None:
        """Give them up."""
        ray.kill(self._holder)


class RayNode:
    """The node that this process is on."""

    def __init__(self, node: str) -> None:
        self._node = node
        nodes: Any = ray.nodes  # untyped
        found = next(each for each in nodes() if each["NodeID"] == node)
        self.total: dict[str, float] = found["Resources"]

    def reserve(self, shape: Shape) -> Group | Devices:
        """Begin to reserve something."""
        return Devices(self._node, shape) if shape.gpu else Group(self._node, shape)


class NodeActor:
    """What links call. Everything comes and goes as MessagePack."""

    def __init__(self, duty: bytes) -> None:
        self._duty = duties.decode(duty)
        self._node = ray.get_runtime_context().get_node_id()
        self._trouble, self._code = "", NO_WORKER
        self._keeper: Keeper | None = None
        self._lock = threading.Lock()

    def greet(self) -> bytes:
        """Say who this is. What was wrong is checked again."""
        with self._lock:
            if self._keeper is None:
                self._begin()
        return pack(Greeting(PROTOCOL, version("tidegate"), self._trouble, self._code))

    def order(self, session: str, owner: str, given: bytes) -> None:
        """Carry out orders."""
        self._running().order(session, owner, orders.decode(given))

    def claim(self, claim: bytes) -> bytes:
        """Let a link follow attempts."""
        return pack(self._running().claim(followings.decode(claim)))

    def tell(self, session: str, heard: int, wait: float) -> bytes:
        """Return what there is to tell, after message `heard`."""
        return pack(self._running().tell(session, heard, wait))

    def leave(self, session: str) -> bool:
        """Let a link leave; return whether nothing is here and nobody else asks. Then everything has ended, and this process may be."""
        return self._keeper is None or self._keeper.leave(session)

    def _running(self) -> Keeper:
        assert self._keeper is not None, self._trouble
        return self._keeper

    def _begin(self) -> None:
        objects: Objects | None = None
        home, key = self._home(), self._duty.objects
        self._trouble = self._sees_store() if key is None else ""
        if key is not None:
            make_home(home)
            opens: OpensObjects = resolve_name(key.opens)
            try:
                objects = opens(home, key.address, key.number)
            except StoreError as error:
                self._trouble, self._code = error.message, NO_OBJECTS
        if not self._trouble:
            self._keeper = Keeper(self._duty, home, RayNode(self._node), end, objects)

    def _home(self) -> Path:
        which = hashlib.sha256(
            f"{self._duty.identity} {self._node} {self._duty.environment}".encode()
        )
        return Path(tempfile.gettempdir(), f"tidegate-node-{os.getuid()}-{which.hexdigest()[:24]}")

    def _sees_store(self) -> str:
        """Return why this node cannot read the store's files; empty if it can."""
        store = Path(self._duty.store)
        try:
            found = (store / CLUSTER).read_text().strip()
        except OSError as error:
            return f"node {platform.node()} cannot read {store} ({error.strerror}): mount the store's directory there, under the same path"
        if found != self._duty.identity:
            return f"node {platform.node()} has another directory at {store}: mount the store's directory there"
        return ""


def end() -> None:
    """End this actor: it has nothing, and nobody has asked for long."""
    os._exit(0)
