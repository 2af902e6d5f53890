"""A server with workflows of all kinds, and what its health says: for the tests that break its parts, and those that stop it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
from tests.serving import LONGEST, Server

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import artifacts_in, open_runtime
from tidegate.wire import Register

T = TypeVar("T")

FLOW = """
import os
import time
from datetime import timedelta
from pathlib import Path
from tidegate import sleep, task, wait_for_input, workflow

@task
def double(x: int) -> int:
    return 2 * x

@task
def linger(place: str) -> str:
    with open(f"{place}/began", "a") as file:
        file.write(f"{os.getpid()}\\n")
    while not Path(place, "end").exists():
        time.sleep(0.01)
    return place

@workflow
def doubling(x: int) -> int:
    return double(x=x)

@workflow
def asking() -> int:
    return double(x=wait_for_input("n", expected_type=int))

@workflow
def lasting(place: str) -> str:
    return linger(place=place)

@workflow
def two_steps(place: str) -> int:
    return linger(place=place) >> double(x=1)

@workflow
def napping() -> int:
    return sleep(timedelta(seconds=1)) >> double(x=4)
"""


def until(holds: Callable[[], T]) -> T:
    """Wait for something, and return it."""
    give_up = time.monotonic() + LONGEST
    while not (found := holds()):
        assert time.monotonic() < give_up, "it has not happened"
        time.sleep(0.01)
    return found


def prepare(home: Path, place: Path) -> None:
    """Make a store in which the workflows are registered."""
    (place / "wf.py").write_text(FLOW)
    sources = find_sources(place / "wf.py", ())
    archive = pack(sources)
    with open_runtime(home, workers=1, serve_door=False) as runtime:
        artifacts_in(home).bundles.put(archive)
        runtime.handle(Register(bundle=archive.digest, module=sources.module))


class Watched:
    """A server, and what its health says."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def ready(self) -> "Watched":
        self.server.ready()
        self.ask = self.server.connect()
        return self

    def down(self) -> dict[str, str]:
        """Return which parts are down, and why. Health as a whole must agree, unless it has changed in between."""
        reply = self.ask("GET", "health")
        found = {each["name"]: each["why"] for each in reply.body["parts"] if not each["up"]}
        assert (reply.status, reply.body["status"]) == ((503, "down") if found else (200, "ok"))
        return found

    def is_well(self) -> bool:
        return self.down() == {}

    def launch(self, workflow: str, id_: str, **inputs) -> None:
        body = {"workflow": f"wf.{workflow}", "id": id_, "inputs": inputs}
        reply = self.ask("POST", "executions", body)
        assert reply.status == 201, (reply, self.server.said)

    def outputs(self, id_: str):
        reply = self.ask("GET", f"executions/{id_}?wait={LONGEST:.0f}")
        assert (reply.status, reply.body["phase"]) == (200, "SUCCEEDED"), reply
        return reply.body["outputs"]["o0"]

    def works(self, name: str) -> None:
        """See that it launches, runs, waits, answers, and that its timers fire."""
        self.launch("asking", f"{name}-asking")
        self.launch("napping", f"{name}-napping")
        where = f"executions/{name}-asking/signals/n"
        assert self.ask("PUT", where, {"value": 21}).status == 200
        assert self.outputs(f"{name}-asking") == 42
        assert self.outputs(f"{name}-napping") == 8

    def fork_server(self) -> psutil.Process:
        (child,) = psutil.Process(self.server.process.pid).children()
        return child
