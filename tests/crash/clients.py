"""
People and programs who launch, answer and repeat themselves over HTTP while servers come and go, and write down what they asked and what was acknowledged.

Each has a thread and a connection of its own. `compare` holds their notes against the store.
"""

import http.client
import itertools
import random
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.crash.stored import check_ends, stored_answers
from tests.serving import Connection, Reply, Server

from tidegate.runtime import problems_of

THREADS = 8
OPEN = 60
"""How many executions may be open before a new one is launched."""

LONGEST = 60.0
BUSY = {429, 503}


class Clients:
    """People and programs who ask, and do not let go until they have a reply."""

    def __init__(self) -> None:
        self.asked: dict[tuple[str, str], set[Any]] = defaultdict(set)
        self.acked: dict[tuple[str, str], tuple[Any, Any]] = {}
        """What was acknowledged: the value, and the reply."""
        self.acks = 0
        self.faults: list[str] = []
        self.finishing = threading.Event()
        self._numbers, self._keys = itertools.count(), itertools.count()
        self._lock = threading.Lock()
        self._server: tuple[int, Server | None] = (0, None)
        self._moved = threading.Condition()
        self._threads = [
            threading.Thread(target=self._live, args=(n,), daemon=True) for n in range(THREADS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def move(self, server: Server | None) -> None:
        """Say where the server is now; None: nowhere."""
        with self._moved:
            self._server = (self._server[0] + 1, server)
            self._moved.notify_all()

    def finish(self) -> None:
        """Launch no more, and answer until everything has ended."""
        self.finishing.set()
        for thread in self._threads:
            thread.join(LONGEST)
        assert not any(thread.is_alive() for thread in self._threads), "not everything has ended"

    def _live(self, number: int) -> None:
        client = Client(self, random.Random(number))
        try:
            while client.turn():
                pass
        except Exception as error:
            self.faults.append(repr(error))
            raise
        finally:
            client.close()

    def found(self, after: int) -> tuple[int, Connection]:
        """Wait for a server that came after this one, and connect to it."""
        with self._moved:
            come = self._moved.wait_for(
                lambda: self._server[0] > after and self._server[1], LONGEST
            )
            assert come, "there is no server"
            turn, server = self._server
        assert server is not None
        return turn, server.connect()

    def new_number(self) -> int:
        return next(self._numbers)

    def new_key(self) -> int:
        return next(self._keys)

    def is_full(self) -> bool:
        with self._lock:
            launched = sum(gate == "" for _, gate in self.asked)
            ended = sum(gate == "fine" for _, gate in self.acked)
        return launched - ended >= OPEN or self.finishing.is_set()

    def note_ask(self, place: tuple[str, str], value: Any) -> None:
        with self._lock:
            self.asked[place].add(value)

    def note_ack(self, place: tuple[str, str], value: Any, reply: Any) -> None:
        with self._lock:
            before = self.acked.setdefault(place, (value, reply))
            self.acks += 1
        if before != (value, reply):
            self.faults.append(f"{place} was {before}, and now is {(value, reply)}")

    def answers(self) -> int:
        with self._lock:
            return sum(gate != "" for _, gate in self.acked)

    def one_acked(self, chance: random.Random) -> tuple[tuple[str, str], Any] | None:
        with self._lock:
            place = chance.choice(list(self.acked)) if self.acked else None
            return None if place is None else (place, self.acked[place][0])


class Client:
    """One of them, with a connection."""

    def __init__(self, all_: Clients, chance: random.Random) -> None:
        self._all = all_
        self._chance = chance
        self._turn, self._line = all_.found(0)

    def close(self) -> None:
        self._line.close()

    def turn(self) -> bool:
        """Do something; return False if everything has been done."""
        if not self._all.is_full():
            number = self._all.new_number()
            self._ask((f"e{number}", ""), number)
        if (acked := self._all.one_acked(self._chance)) and self._chance.random() < 0.2:
            # Who did not hear the reply asks again, and hears the same.
            self._ask(*acked)
        reply = self._insist("GET", "inbox?limit=100")
        assert reply.status == 200, reply
        waiting = reply.body["items"]
        for each in self._chance.sample(waiting, min(4, len(waiting))):
            value: Any = True
            if each["name"] == "words":
                value = f"v{self._all.new_key()}"
            self._ask((each["execution"], each["name"]), value)
        if waiting or not self._all.finishing.is_set():
            return True
        reply = self._insist("GET", "executions?phase=QUEUED&phase=RUNNING&phase=WAITING&limit=1")
        return reply.body["items"] != []

    def _ask(self, place: tuple[str, str], value: Any) -> None:
        self._all.note_ask(place, value)
        execution, gate = place
        if gate == "":
            body = {"workflow": "flow.story", "inputs": {"n": value}, "id": execution}
            reply = self._insist("POST", "executions", body)
            assert reply.status in {200, 201}, reply
            self._all.note_ack(place, value, reply.body["id"])
            return
        where = f"executions/{execution}/signals/{gate}"
        if gate == "fine":
            reply = self._insist("POST", f"{where}/approve", {}, Idempotency_Key="fine")
        else:
            reply = self._insist("PUT", where, {"value": value}, Idempotency_Key=value)
        if reply.status == 200:
            self._all.note_ack(place, value, reply.body)
        else:
            assert (reply.status, reply.body["code"]) == (409, "already_answered"), reply

    def _insist(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Ask until there is a reply."""
        while True:
            try:
                reply = self._line(method, path, body, **headers)
            except (OSError, http.client.HTTPException):
                self._line.close()
                self._turn, self._line = self._all.found(self._turn)
                continue
            if reply.status not in BUSY:
                return reply
            time.sleep(0.01)


def compare(home: Path, clients: Clients) -> None:
    """Compare what was asked and acknowledged with what is stored, while no server runs."""
    acked = dict(clients.acked)
    stored = stored_answers(home)
    lost = {place: value for place, (value, _) in acked.items() if stored.get(place) != value}
    assert lost == {}, lost
    for place, value in stored.items():
        assert value in clients.asked[place], "an answer that nobody gave"
    problems = problems_of(home)[1]
    assert problems == [], problems


def check_all(home: Path, clients: Clients) -> None:
    """Everything has ended: what was launched is there, and has succeeded with what was answered."""
    assert clients.faults == []
    compare(home, clients)
    stored = stored_answers(home)
    assert {execution for execution, gate in clients.acked if gate == ""} == {e for e, _ in stored}
    check_ends(home, stored)
