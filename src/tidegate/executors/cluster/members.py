"""The keepers that a link knows: one per node and environment, found by its name, or made."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from typing import Any

import ray
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from tidegate.executors.cluster.actor import CALLS, NodeActor
from tidegate.executors.cluster.protocol import (
    PROTOCOL,
    Duty,
    Following,
    Order,
    Shape,
    Told,
    greetings,
    jobs,
    pack,
    tellings,
)
from tidegate.executors.cluster.settings import Linked
from tidegate.ports.executor import NO_WORKER, Attempt, Job

VERSION = version("tidegate")
"""Read once: it takes a tenth of a millisecond, and every look for a keeper needs it."""
POLL = 5.0
"""Seconds that a keeper waits before it says that there is nothing new."""
SILENCE = 75.0
"""Seconds after which a keeper that says nothing is gone: a node that is cut off ends by itself, with all that runs there, after 60 (Ray's gcs_rpc_server_reconnect_timeout_s)."""
START = 60.0
"""Seconds in which a keeper must be up; with an environment, `PREPARE`."""
PREPARE = 900.0
"""Seconds for installing an environment."""
AGAIN = 10.0
"""Seconds after which a node that could not have a keeper is tried again."""


class Member:
    """One keeper, as a link sees it. `out` counts what it has, by shape, and `slots` what it has reserved."""

    def __init__(self, given: Linked, node: str, environment: str) -> None:
        self.node = node
        self.environment = environment
        self.trouble = ""
        self.code = NO_WORKER
        self.failed_at = 0.0
        self.is_up = False
        self.rises: asyncio.Task[None] | None = None
        self.followed = False
        self.slots: dict[Shape, int] = {}
        self.out: Counter[Shape] = Counter()
        self.wanted: dict[Shape, int] = {}
        self.ended: set[Attempt] = set()
        self.actor: Any = None
        self._given = given
        self._heard = 0
        self._orders: asyncio.Queue[Order] = asyncio.Queue()

    def order(self, order: Order) -> None:
        """Send an order, after those before it."""
        self._orders.put_nowait(order)

    async def send(self) -> None:
        """Send orders, as many at once as there are: a call takes half a millisecond, whatever it carries."""
        while True:
            given = [await self._orders.get()]
            while not self._orders.empty():
                given.append(self._orders.get_nowait())
            try:
                await self._carry(pack(given))
            except ray.exceptions.ActorDiedError:
                return  # which is noticed where it is heard

    async def _carry(self, orders: bytes) -> None:
        """Send orders until they have arrived: to carry out the same ones again changes nothing, as long as no others follow."""
        while True:
            try:
                await self.actor.order.remote(self._given.session, self._given.owner, orders)
            except ray.exceptions.ActorUnavailableError:
                await asyncio.sleep(1.0)
            else:
                return

    async def tell(self) -> Told | None:
        """Return what it tells next; None if it is gone."""
        while True:
            call = self.actor.tell.remote(self._given.session, self._heard, POLL)
            try:
                told = tellings.decode(await _within(call, SILENCE))
            except ray.exceptions.ActorUnavailableError:
                # The connection was lost. Ray says of an actor that has ended that it has died.
                await asyncio.sleep(1.0)
            except (ray.exceptions.RayError, TimeoutError):
                return None
            else:
                self._heard = told.number
                return told

    async def claim(self, attempts: list[Attempt], *, only: bool) -> list[Job] | None:
        """Follow attempts; return those that it has, None if it is gone."""
        given = self._given
        claim = pack(Following(given.session, given.owner, attempts, only))
        try:
            return jobs.decode(await _within(self.actor.claim.remote(claim), SILENCE))
        except (ray.exceptions.RayError, TimeoutError):
            return None

    async def greet(self, limit: float) -> None:
        """Wait until it is up, and find out whether it can be used."""
        loop = asyncio.get_running_loop()
        try:
            said = greetings.decode(await _within(self.actor.greet.remote(), limit))
        except ray.exceptions.RuntimeEnvSetupError as error:
            self.refuse(f"its runtime_env cannot be set up: {_brief(error)}", loop.time())
        except (ray.exceptions.RayError, TimeoutError) as error:
            self.refuse(f"a node of the Ray cluster cannot run tasks: {_brief(error)}", loop.time())
        else:
            if said.trouble or said.protocol != PROTOCOL:
                self.code = said.code
                self.refuse(said.trouble or f"it is of Tidegate {said.version}", loop.time())

    async def leave(self) -> None:
        """Use it no longer; end it, if it has nothing, and nobody else uses it."""
        with suppress(ray.exceptions.RayError, TimeoutError):
            if await _within(self.actor.leave.remote(self._given.session), 5.0):
                ray.kill(self.actor)

    def refuse(self, why: str, now: float) -> None:
        """Record why it cannot be used; it is tried again after a while."""
        self.trouble, self.failed_at = why, now


class Members:
    """All of them. `stir` is called whenever one is up, or turns out to be of no use."""

    def __init__(self, given: Linked, stir: Callable[[], None]) -> None:
        self._given = given
        self._stir = stir
        self._known: dict[str, Member] = {}

    def living(self) -> list[Member]:
        """Return those that can be used."""
        return [each for each in self._known.values() if each.is_up and not each.trouble]

    def get(self, node: str, environment: str, runtime_env: Mapping[str, Any]) -> Member:
        """Return the keeper of a node, which is made if there is none. That may take minutes: it is not used before it is up."""
        name = f"{VERSION} {node} {environment}"
        found = self._known.get(name)
        now = asyncio.get_running_loop().time()
        if found is not None and not (found.trouble and now > found.failed_at + AGAIN):
            return found
        made = partial(self._make, name, node, environment, runtime_env)
        return self._introduce(name, made, PREPARE if runtime_env else START)

    async def find(self) -> list[Member]:
        """Return all keepers of this store that there are, also those that earlier versions have made."""
        loop = asyncio.get_running_loop()
        for name in await loop.run_in_executor(None, list_named_actors):
            if name not in self._known:
                self._introduce(name, partial(_existing, name), SILENCE)
        return list(self._known.values())

    def _introduce(self, name: str, find: Callable[[], Any], limit: float) -> Member:
        """Return a new member, whose keeper is looked for in the background. Only one is made of a keeper: of two, each would hear half of what it tells."""
        _, node, environment = name.split(" ")
        member = self._known[name] = Member(self._given, node, environment)
        member.rises = asyncio.get_running_loop().create_task(self._raise(member, find, limit))
        return member

    async def _raise(self, member: Member, find: Callable[[], Any], limit: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            # It packs and uploads what the environment names.
            member.actor = await loop.run_in_executor(None, find)
        except Exception as error:  # noqa: BLE001 - whatever Ray says of an author's environment must not end the link
            member.refuse(f"its runtime_env cannot be set up: {_brief(error)}", loop.time())
        else:
            if member.actor is None:
                member.trouble = "it has just ended"
                self.drop(member)
            else:
                await member.greet(limit)
        member.is_up = True
        self._stir()

    def _make(self, name: str, node: str, environment: str, runtime_env: Mapping[str, Any]) -> Any:
        """Return the keeper's actor, which is made if there is none."""
        duty = Duty(self._given.identity, self._given.home, environment, self._given.objects)
        options: dict[str, Any] = {"runtime_env": dict(runtime_env)} if runtime_env else {}
        options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=False)
        made: Any = ray.remote(NodeActor)
        return made.options(
            name=name,
            lifetime="detached",
            get_if_exists=True,
            num_cpus=0,
            max_restarts=0,
            max_concurrency=CALLS,
            **options,
        ).remote(pack(duty))

    def drop(self, member: Member) -> None:
        """Forget a keeper that is gone."""
        self._known = {name: each for name, each in self._known.items() if each is not member}

    async def leave(self) -> None:
        """End the keepers that have nothing, and that nobody else uses."""
        await asyncio.gather(*(each.leave() for each in self.living()))


def _existing(name: str) -> Any:
    """Return an actor; None if it has ended."""
    try:
        return ray.get_actor(name)
    except ValueError:
        return None


async def _within(call: Any, seconds: float) -> Any:
    async def done() -> Any:
        return await call

    return await asyncio.wait_for(done(), seconds)


def _brief(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:300]
