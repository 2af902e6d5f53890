"""A server with the workflows that the tests over HTTP ask for, and crowds that ask at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.serving import Connection, Reply, Server

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources

FLOWS = '''
from datetime import timedelta

from tidegate import approve, conditional, sleep, task, wait_for_input, workflow

SECOND = timedelta(seconds=1)


@task
def double(x: int) -> int:
    print("doubling", x)
    return 2 * x


@task
def fails_at_first(x: int, path: str) -> int:
    """Succeed once the file is there."""
    with open(path):
        return x


@workflow
def ask(x: int = 1) -> int:
    """Ask for a number, and double it."""
    return double(x=wait_for_input("n", None, int))


@workflow
def ask_twice() -> list[int]:
    return [wait_for_input("n", None, int), wait_for_input("m", None, int)]


@workflow
def ask_in_time() -> list[int]:
    return [wait_for_input("n", SECOND, int, on_timeout=7), wait_for_input("m", None, int)]


@workflow
def expire() -> int:
    return wait_for_input("n", SECOND, int)


@workflow
def review(x: int = 1) -> int:
    return approve(double(x=x), "ok", None)


@workflow
def review_late() -> int:
    n = wait_for_input("n", None, int)
    return approve(double(x=n), "ok", None)


@workflow
def inner() -> int:
    return wait_for_input("n", None, int)


@workflow
def two_of_a_name() -> list[int]:
    return [inner(), inner()]


@workflow
def with_slash() -> int:
    return wait_for_input("a/b c", None, int)


@workflow
def choose() -> int:
    n = wait_for_input("n", None, int)
    return (
        conditional("size").if_(n > 5).then(wait_for_input("big", None, int)).else_().then(double(x=n))
    )


@workflow
def recoverable(path: str) -> int:
    n = wait_for_input("n", None, int)
    return fails_at_first(x=double(x=n), path=path)


@workflow
def dozing() -> None:
    sleep(timedelta(hours=1))
'''

CROWD = 100

T = TypeVar("T")


class World:
    """A server, one connection to it for the test itself, and as many more as wanted."""

    def __init__(self, place: Path, planted: str = "") -> None:
        self.place = place
        self.server = Server(place / "home", planted=planted).ready()
        self.ask = self.server.connect()
        self._made = 0
        self.version = self.register(FLOWS)

    def register(self, source: str, module: str = "flows") -> str:
        folder = self.place / f"tree{self._made}"
        self._made += 1
        folder.mkdir()
        (folder / f"{module}.py").write_text(source)
        archive = pack(find_sources(folder / f"{module}.py", ()))
        sent = self.ask("POST", "bundles", archive.body, Content_Type="application/x-tar")
        assert sent.status == 201, sent
        digest: str = sent.body["digest"]
        done = self.ask("POST", "workflows", {"bundle": digest, "module": module})
        assert done.status == 200, done
        return digest[:12]

    def launch(self, workflow: str, until_waiting: bool = True, **inputs: Any) -> str:
        """Launch an execution, and wait until nothing more happens without an answer."""
        sent = self.ask("POST", "executions", {"workflow": f"flows.{workflow}", "inputs": inputs})
        assert sent.status == 201, sent
        id_: str = sent.body["id"]
        if until_waiting:
            self.see(id_, "wait=20&until_waiting=true")
        return id_

    def see(self, id_: str, query: str = "") -> Any:
        found = self.ask("GET", f"executions/{id_}?{query}")
        assert found.status == 200, found
        return found.body

    def end(self, id_: str) -> Any:
        return self.see(id_, "wait=20")

    def answer(self, id_: str, name: str, value: Any, key: str = "", **more: Any) -> Reply:
        headers = {"Idempotency_Key": key} if key else {}
        return self.ask(
            "PUT", f"executions/{id_}/signals/{name}", {"value": value, **more}, **headers
        )

    def close(self) -> None:
        self.server.close()


@contextmanager
def at_work(place: Path) -> Iterator[World]:
    world = World(place)
    try:
        yield world
    finally:
        world.close()


def at_once(server: Server, act: Callable[[Connection, int], T], count: int = CROWD) -> list[T]:
    """Have a crowd act at the same moment, each on a connection of its own, and return what each has got."""
    start = threading.Barrier(count)
    got: dict[int, T] = {}

    def one(number: int) -> None:
        line = Connection(server.port, server.token)
        try:
            assert line("GET", "health").status == 200
            start.wait(60)
            got[number] = act(line, number)
        finally:
            line.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(got) == count, f"{count - len(got)} of the crowd got nothing"
    return [got[number] for number in range(count)]
