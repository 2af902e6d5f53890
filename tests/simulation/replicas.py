"""
Two hosts that share a store, or three, from one integer: the real engine and the real store on each, over a database in memory.

Hosts are stopped and continued, killed, cut off from the database; it crashes and is there again; connections break during commits; notices are lost.
Clients ask either host, and again when they are told nothing; readers follow what happens. What must hold is in `replica_promises`.
In half of the runs clients ask the service of a host (`doors`), which has the owner of a shard decide; in the others they ask engines.
"""

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from tidegate.core.addresses import handle_of
from tidegate.core.messages import Accepted, AnswerGiven, Denied
from tidegate.engine.arrivals import NewExecution
from tidegate.engine.loop import Engine
from tidegate.errors import Refused, StoreError, TidegateError, UnknownSignal
from tidegate.ir.check import check as check_graph
from tidegate.ir.graph import Instant
from tidegate.ports.changes import Cursor, Touched
from tidegate.stores.postgres.changes import read
from tidegate.stores.postgres.connections import WRITER_IDLE_MS, PostgresConnections
from tidegate.stores.postgres.ownership import Ownership, Presence
from tidegate.stores.postgres.store import PostgresStore
from tidegate.wire import Answer, AnswerReply, Ask, Launch

from .crew import Crew
from .doors import Door, Network
from .replica_promises import GIVEN_UP, Promises
from .timeline import LATE, SECOND, Event, Machine, Queue, Thread, Timeline, Waiter
from .wires import Host, Server
from .world import GraphMaker

FATES = (
    "cut before", "cut after", "cut after", "lost meanwhile", "killed before", "killed after", "stopped before",
    "stopped before", "stopped before", "stopped after", "crash before", "crash before", "crash after",
)  # fmt: skip
HAPPENS = (
    "fate",
    "fate",
    "fate",
    "fate",
    "stop",
    "kill",
    "leave",
    "crash",
    "silence",
    "cut",
    "deaf",
)
ROLLS = ("leave", "leave", "leave", "leave", "leave", "leave", *HAPPENS)
"""What goes wrong, as often as it is named."""
PATIENCE, DOOR_PATIENCE = 5.0, 30.0
"""Seconds for which a client waits for an engine, and for a service, which itself waits for the owner of a shard."""
ENDS_WITHIN = 150 * SECOND


class Replica:
    """One server after another at one place: `host` is the present process there."""

    def __init__(self, run: "ReplicaRun", place: str) -> None:
        self.run = run
        self.place = place
        self.lives = 0
        self.rate = run.rng.uniform(0.995, 1.005)
        self.wanted = True
        self.begin()

    def begin(self) -> None:
        """Start a process, which joins the others."""
        rng = self.run.rng
        self.lives += 1
        offset = rng.randint(0, 10**9) * SECOND
        self.host = Host(f"{self.place}:{self.lives}:x", self.rate, offset)
        run = self.run
        self.crew = Crew(run.timeline, self.host, run.promises.begins, long=run.rolls)
        self.engine: Engine | None = None
        self.store: PostgresStore | None = None
        self.door: Door | None = None
        self.seen: dict[int, int] = {}
        self.told: dict[int, int] = {}
        self.began = self.well_since = self.run.timeline.now
        self.paused_at = -(10**12)
        self.run.timeline.spawn(self.host, self._main)

    def _main(self) -> None:
        timeline = self.run.timeline
        try:
            store, engine = self._opened()
        except StoreError:
            timeline.at(SECOND, lambda host=self.host: self.die(host))
            return
        self.store, self.engine = store, engine
        engine.start()
        store.begin(lambda _, call: timeline.spawn(self.host, call))
        self.began = timeline.now  # what was stored before, it is told of by nobody
        Reader(self, store).follow()

    def _opened(self) -> tuple[PostgresStore, Engine]:
        connections = PostgresConnections("postgresql://simulated/store", reads_only=False)
        address = self.run.network.address(self.place)
        ownership = Ownership(connections, Presence(address, "1"))
        ownership.name = self.host.name
        ownership.join()
        store = PostgresStore(connections, ownership, None)
        assert store.shares is not None
        engine = Engine(store, self.crew, store.shares)
        queue: Any = Queue(self.run.timeline)
        thread: Any = Thread(self.run.timeline, self.host, engine._run)
        engine._arrivals, engine._thread = queue, thread
        engine.on_end(lambda host=self.host: self._ended(host, engine))
        if self.run.asks_doors:
            door = Door(self.run.network, self.host, store, engine, self.crew)
            self.door = self.run.network.doors[self.place] = door
        return store, engine

    def _ended(self, host: Host, engine: Engine) -> None:
        if not host.dead and not engine._stopping:
            why = engine.failure.__cause__ if engine.failure else None
            self.run.timeline.faults.append(f"the engine at {host.name} has ended: {why!r}")

    def die(self, host: Host, after: float = 1.0) -> None:
        """End a process as kill -9 does, and start another after some seconds. From the loop."""
        if host.dead:
            return
        self.run.timeline.kill(host)
        self.run.network.dies(host)
        for wire in list(host.wires):
            self.run.timeline.at(self.run.rng.randint(0, SECOND // 10), wire.cut)
        if host is self.host:
            self.run.timeline.at(round(after * SECOND), self.begin)

    def leave(self) -> None:
        """End in good order: give up what is idle, then stop. A strand of the host."""
        host, store, engine = self.host, self.store, self.engine
        assert store is not None
        assert engine is not None
        assert store.shares is not None
        if self.door is None:
            store.shares.leave()
            engine.drain()
        else:
            self.door.service.drain()
        for _ in range(self.run.rng.choice([1, 8, 30, 60])):
            self.run.timeline.sleep(0.5)
            if not (store.shares.own or self.crew.live):
                break
        self.engine = None
        if self.door is not None:
            self.door.service.close()
        engine.stop()
        if self.door is not None:
            self.door.lines.close()
        with suppress(StoreError):
            store.close()
        self.run.timeline.at(0, lambda: self.die(host))

    @property
    def is_fresh(self) -> bool:
        """Whether it may not have noticed yet that it was stopped for a while."""
        return self.run.timeline.now - self.paused_at < GIVEN_UP

    @property
    def is_well(self) -> bool:
        """Whether nothing keeps it from doing what it should."""
        host = self.host
        return not (host.dead or host.paused or host.silent or self.engine is None)

    def ask(self, act: Callable[[Engine], Any], tell: Callable[[Any], object]) -> None:
        """Ask it something over the network. Who asks is told the result, an error, or nothing."""
        timeline, host = self.run.timeline, self.host

        def answered(future: Any) -> None:
            if not host.dead:
                said = future.exception() or future.result(0)
                timeline.at(1_000, lambda: tell(said))

        def arrives() -> None:
            if self.engine is None or host is not self.host:
                tell(StoreError("it does not serve"))
            else:
                act(self.engine).add_done_callback(answered)

        timeline.at(1_000, arrives, host)

    def request(self, request: Ask[Any], tell: Callable[[Any], object]) -> None:
        """Ask its service something over the network. Who asks is told the view, an error, or nothing."""
        timeline, host, door = self.run.timeline, self.host, self.door

        def handle() -> None:
            assert door is not None
            try:
                said: Any = door.ask(request)
            except TidegateError as error:
                said = error
            except Exception as error:  # noqa: BLE001 - a bug, which ends the run
                timeline.faults.append(f"{host.name} could not handle {request}: {error!r}")
                return
            if not host.dead:
                timeline.at(1_000, lambda: tell(said))

        def arrives() -> None:
            if self.engine is None or door is None or host is not self.host:
                tell(StoreError("it does not serve"))
            else:
                timeline.spawn(host, handle)

        reset = StoreError("the connection is lost")
        if host.dead:
            timeline.at(1_000, lambda: tell(reset))
        else:
            self.run.network.goes(host, lambda: tell(reset))
            timeline.at(1_000, arrives, host)


class Reader:
    """Follows what happens, at one host: it reads whenever it is told that there is something, and only then."""

    def __init__(self, replica: Replica, store: PostgresStore) -> None:
        self._replica = replica
        self._store = store
        self._news = Event(replica.run.timeline)

    def _told(self, touched: Touched) -> None:
        now = self._replica.run.timeline.now
        self._replica.told.update(dict.fromkeys(touched, now))
        self._news.set()

    def follow(self) -> None:
        self._store.changes.subscribe(self._told)
        cursor = Cursor("0")
        promises, seen = self._replica.run.promises, self._replica.seen
        while True:
            try:
                while rows := self._store.changes.after(cursor, 20):
                    for row in rows:
                        promises.is_read(self._replica, row, read(cursor), read(row.cursor))
                        cursor = row.cursor
                    seen.update(enumerate(read(cursor)))
            except StoreError:
                self._replica.run.timeline.sleep(0.3)
                continue
            self._news.wait()
            self._news.clear()


class ReplicaRun:
    """One run."""

    def __init__(self, seed: int, *, rolls: bool = False, doors: bool | None = None) -> None:
        self.rng = random.Random(seed)
        self.timeline = Timeline(self.rng)
        self.server = Server(self.timeline)
        self.server.act = self.act
        self.network = Network(self.timeline)
        self.asks_doors = random.Random(f"doors {seed}").random() < 0.5 if doors is None else doors
        self.outside = Machine("outside")
        self.keys: dict[str, int] = {}
        self.given = 0
        self.promises = Promises(self)
        self.rolls = rolls or self.rng.random() < 0.2
        """Whether hosts are restarted one after the other while attempts run."""
        if self.rolls:
            self.server.idle = WRITER_IDLE_MS * SECOND // 1_000
        self.replicas = [Replica(self, place) for place in ("abc" if self.rolls else "ab")]
        self.chaos = True

    def go(self) -> "ReplicaRun":
        """Launch, live through chaos, and bring everything to its end."""
        try:
            self._go()
        finally:
            for machine in (self.outside, self.server.machine, *(r.host for r in self.replicas)):
                self.timeline.kill(machine)
        return self

    def forget(self) -> None:
        """Take it apart: what refers to itself, threads that have ended among it, would stay in memory."""
        for replica in self.replicas:
            for each in (replica.engine, replica.store, replica.crew, replica.host):
                if each is not None:
                    vars(each).clear()
        for part in (*self.replicas, self.server.tables, self.server, self.timeline, self.promises):
            vars(part).clear()
        vars(self).clear()

    def _go(self) -> None:
        self.launches()
        lasts = self.rng.randint(20, 50) * SECOND
        self.timeline.spawn(self.outside, self._chaos)
        for _ in range(3):
            self.timeline.spawn(self.outside, self._client)
        self._until(lasts)
        self.chaos = False
        self.heal()
        for _ in range(ENDS_WITHIN // SECOND):
            self._until(self.timeline.now + SECOND)
            if self.promises.all_ended():
                self._until(self.timeline.now + 4 * SECOND)
            if self.promises.all_ended():  # no launch was still on its way
                break
        else:
            raise AssertionError(f"an execution does not end: {self.promises.unended()}")
        self.promises.at_the_end()

    def _until(self, instant: int) -> None:
        while self.timeline.now < instant:
            self.timeline.run(min(instant, self.timeline.now + SECOND))
            self.promises.each_second()

    def launches(self) -> None:
        """Register workflows, and launch them."""
        for number in range(self.rng.randint(8, 12) if self.rolls else self.rng.randint(4, 8)):
            graph = GraphMaker(self.rng, 1).make(self.rng.randint(1, 5))
            check_graph(graph)
            body = msgspec.msgpack.encode(graph)
            self.server.tables.workflows[number + 1] = (
                number + 1, f"w{number}", "1", body, "", "", 0, "",
            )  # fmt: skip
            self.promises.graphs[number + 1] = graph
            self.timeline.spawn(self.outside, partial(self._launch, number))

    def _launch(self, number: int) -> None:
        self.timeline.sleep(self.rng.choice([3, 10, 17, 24] if self.rolls else [1, 3, 10]))
        wanted = NewExecution(f"e{number}-{self.rng.getrandbits(20):x}", number + 1, {"x": 7})
        if self.asks_doors:
            self._launch_at_door(wanted.id, number)
            return
        while True:
            said = self._ask(self.rng.choice(self.replicas), lambda engine: engine.launch(wanted))
            if not isinstance(said, Exception) and said is not LATE:
                break
            self.timeline.sleep(0.3)
        self.promises.launched(wanted.id, said.key)
        self.keys[wanted.id] = said.key

    def _launch_at_door(self, id_: str, number: int) -> None:
        """Launch, with an id or without one: then it is known at most how many executions that makes."""
        request = Launch(workflow=f"w{number}", inputs={"x": 7}, id=self.rng.choice([id_, ""]))
        while True:
            if not request.id:
                self.promises.asked[number + 1] += 1
            said = self._request(request)
            if not isinstance(said, Exception) and said is not LATE:
                break
            self.promises.refused(said)
            self.timeline.sleep(0.3)
        self.promises.launched(said.id, self.server.tables.ids.get(said.id, -1))
        self.keys[said.id] = self.server.tables.ids[said.id]

    def _request(self, request: Ask[Any]) -> Any:
        waiter, began = Waiter(self.timeline), self.timeline.now
        replica = self.rng.choice(self.replicas)
        replica.request(request, waiter.done)
        said = waiter.wait(DOOR_PATIENCE)
        self.promises.told_at_door(replica, request, said, self.timeline.now - began)
        return said

    def _answer(self, key: int, given: AnswerGiven) -> Any:
        """Give an answer to some host, and return what is said."""
        if not self.asks_doors:
            host = self.rng.choice(self.replicas)
            return self._ask(host, lambda engine: engine.submit(key, given))
        id_ = self.server.tables.executions[key]["id"]
        name = handle_of(given.node)
        asked = Answer(id=id_, name=name, value=given.value, key=given.key, comment=given.comment)
        said = self._request(asked)
        if isinstance(said, AnswerReply):
            return Accepted(Instant(0), said.who, said.early)
        return Denied(said.code) if isinstance(said, Refused | UnknownSignal) else said

    def _ask(self, replica: Replica, act: Callable[[Engine], Any]) -> Any:
        waiter = Waiter(self.timeline)
        replica.ask(act, waiter.done)
        return waiter.wait(PATIENCE)

    def _client(self) -> None:
        """Answer what is asked, again and again."""
        rng, number = self.rng, 0
        while True:
            self.timeline.sleep(rng.choice([0.05, 0.3, 0.6, 1.0]))
            gates = self.promises.gates(likely=rng.random() < 0.8)
            if not gates:
                continue
            number += 1
            key, node = rng.choice(gates)
            name = rng.choice(["", f"k{rng.getrandbits(40):x}"])
            self.given += 1
            which = f"<{self.given}>"
            given = AnswerGiven(Instant(0), node, rng.random() < 0.8, key=name, comment=which)
            for _ in range(20):
                had_opened = self.promises.has_opened(key, node)
                said = self._answer(key, given)
                self.promises.replied(key, given, said, had_opened=had_opened)
                if not (isinstance(said, Exception) or said is LATE):
                    break
                if not name and getattr(said, "code", "") != "not_here":
                    break
                self.timeline.sleep(0.2)

    # -- what goes wrong --

    def _chaos(self) -> None:
        rng = self.rng
        self.timeline.sleep(3)
        while self.chaos:
            self.timeline.sleep(rng.uniform(0.2, 5))
            if not self.chaos:
                return
            replica = rng.choice(self.replicas)
            happens = rng.choice(ROLLS if self.rolls else HAPPENS)
            self.timeline.at(0, partial(self._happens, happens, replica))

    def _happens(self, happens: str, replica: Replica) -> None:
        rng, host = self.rng, replica.host
        self.promises.counts[happens] += happens != "fate"
        match happens:
            case "fate":
                host.fate = rng.choice(FATES)
            case "stop":
                self.act(host, "stopped")
            case "kill":
                replica.die(host, rng.choice([0.5, 3, 15]))
            case "leave":
                if replica.engine is not None:
                    self.timeline.spawn(host, replica.leave)
                    if self.rolls and rng.random() < 0.4:
                        self.timeline.at(3 * SECOND, partial(self._silence, host, 20))
            case "crash":
                self.server.crash(rng.choice([0.2, 1, 6]))
            case "silence":
                self._silence(host, rng.choice([1, 5, 12, 20]))
            case "cut":
                for wire in list(host.wires):
                    wire.cut()
            case "deaf":
                self.server.drops_notices = not self.server.drops_notices
            case _:
                raise AssertionError(happens)

    def _silence(self, host: Host, seconds: int) -> None:
        host.silent = True
        self.timeline.at(seconds * SECOND, lambda: self.server.heal(host))

    def act(self, host: Host, fate: str) -> None:
        """Do to a host, or to the server, what a fate says."""
        replica = next(each for each in self.replicas if each.place == host.name[0])
        match fate.split(maxsplit=1)[0]:
            case "killed":
                self.timeline.at(0, lambda: replica.die(host, self.rng.choice([0.5, 3, 15])))
            case "stopped":
                self.timeline.pause(host)
                after = self.rng.choice([2, 9, 14, 14, 25]) * SECOND
                self.timeline.at(after, lambda: self._resume(replica, host))
            case "crash":
                self.timeline.at(0, lambda: self.server.crash(self.rng.choice([0.2, 1, 6])))
                if self.rng.random() < 0.5:
                    self.timeline.pause(host)
                    self.timeline.at(4 * SECOND, lambda: self._resume(replica, host))
            case _:
                pass

    def _resume(self, replica: Replica, host: Host) -> None:
        if host.paused:
            self.timeline.resume(host)
            replica.paused_at = self.timeline.now

    def heal(self) -> None:
        """Let everything be well from now on."""
        self.server.drops_notices = False
        for replica in self.replicas:
            replica.host.fate = ""
            self._resume(replica, replica.host)
            self.server.heal(replica.host)
