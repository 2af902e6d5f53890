"""
The server over HTTP: answers a second beside a bare server that replies at once, from an answer to the next task, how soon it is ready, and many watchers.

Method: the server is the real command, in a process of its own; so is the load (`http_load`), on the same machine and its two cores.
"""

import http.client
import json
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flows
import machine
from figures import Figure, percentile

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import artifacts_in

ANSWERS = 6_000
CONNECTIONS = 16
CYCLES = 100
WAITING = 100_000
WATCHERS = 200

BARE = """
import asyncio, socket, sys, uvicorn, uvloop
async def app(scope, receive, send):
    await receive()
    body = b'{"execution":"e1","signal":"title","at":"2026-01-01T00:00:00Z","who":"admin","early":false}'
    await send({"type": "http.response.start", "status": 200, "headers": [
        (b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error")
"""


class Server:
    """A server that runs, and the way to it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.port = port

    @property
    def token(self) -> str:
        words = (self.home / "token").read_text().split()
        return words[-1]

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        line.request(method, path, None if body is None else json.dumps(body), headers)
        reply = line.getresponse()
        said = json.loads(reply.read())
        line.close()
        assert reply.status < 300, said
        return said

    def register(self) -> None:
        sources = find_sources(Path(flows.__file__), ())
        archive = pack(sources)
        artifacts_in(self.home).bundles.put(archive)
        body = {"bundle": archive.digest, "module": sources.module}
        self.ask("POST", "/api/v1/workflows", body)

    def load(self, requests: list[tuple[str, str, Any]]) -> dict[str, Any]:
        return load(self.port, self.token, requests)


@contextmanager
def serving(home: Path) -> Iterator[tuple[Server, float]]:
    """Run the command, and give the server with the seconds that it took to answer its first request."""
    port = free_port()
    words = ["serve", "--home", str(home), "--port", str(port), "--workers", "2"]
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "tidegate", *words], stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert "serves" in said, said
        server = Server(home, port)
        server.ask("GET", "/api/v1/health")
        ready = time.perf_counter() - begun
        try:
            yield server, ready
        finally:
            process.send_signal(signal.SIGTERM)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def load(port: int, token: str, requests: list[tuple[str, str, Any]]) -> dict[str, Any]:
    client = Path(__file__).with_name("http_load.py")
    words = [sys.executable, str(client), "127.0.0.1", str(port), str(CONNECTIONS), token]
    # Into a file: of so much, a pipe that fills up has lost the rest.
    with tempfile.TemporaryFile("w+") as said:
        given = "\n".join(json.dumps(each) for each in requests)
        subprocess.run(words, input=given, stdout=said, text=True, check=True)
        said.seek(0)
        result: dict[str, Any] = json.load(said)
    return result


def figures(repeats: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=machine.here()) as place:
        home = Path(place)
        bare = bare_rates(repeats)
        with serving(home) as (server, _):
            server.register()
            runs = [answers(server, f"a{turn}", "ask_wf") for turn in range(repeats)]
            then = [answers(server, f"t{turn}", "gate_wf") for turn in range(repeats)]
            cycles = [
                [cycle(server, f"c{turn}-{i}") * 1e3 for i in range(CYCLES)]
                for turn in range(repeats)
            ]
            watched = [watchers(server, f"w{turn}") for turn in range(min(repeats, 2))]
        ready = [ready_time(Path(place) / f"empty{turn}") for turn in range(repeats)]
        full = Path(place) / "full"
        fill(full)
        later = [ready_time(full) for _ in range(repeats)]
    beside = "a bare server that replies at once"
    name = f"answers over HTTP, {CONNECTIONS} connections"
    return [
        Figure(name, "/s", [rate(run) for run in runs], bare, beside, 1_500),
        Figure("... 99th percentile", "ms", [slow(run) for run in runs], aim=50, more=False),
        Figure("... with a task after each", "/s", [rate(run) for run in then]),
        Figure("... 99th percentile", "ms", [slow(run) for run in then]),
        Figure(
            "answer over HTTP to next task, in a warm worker, p50",
            "ms",
            [statistics.median(each) for each in cycles],
            aim=8,
            more=False,
        ),
        Figure("... p99", "ms", [percentile(each, 0.99) for each in cycles]),
        Figure("server ready", "s", ready, aim=1, more=False),
        Figure(f"... with {WAITING:,} waiting executions", "s", later, aim=2, more=False),
        Figure(
            f"{WATCHERS} event-stream watchers: from an answer to its event, median of all",
            "ms",
            watched,
        ),
    ]


def rate(run: dict[str, Any]) -> float:
    return len(run["latencies"]) / float(run["seconds"])


def slow(run: dict[str, Any]) -> float:
    return percentile(run["latencies"], 0.99) * 1e3


def bare_rates(repeats: int) -> list[float]:
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", BARE, str(port)]) as process:
        try:
            wait_for(port)
            request = ("PUT", "/api/v1/executions/e1/signals/title", {"value": "a title"})
            return [rate(load(port, "token", [request] * ANSWERS)) for _ in range(repeats)]
        finally:
            process.terminate()


def wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port}")


def answers(server: Server, prefix: str, workflow: str) -> dict[str, Any]:
    """Launch executions, let all of them come to their gate, then answer each once."""
    ids = [f"{prefix}-{i}" for i in range(ANSWERS)]
    launch(server, ids, workflow)
    result = server.load(
        [("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"}) for id_ in ids]
    )
    assert result["statuses"] == {"200": ANSWERS}, result["statuses"]
    return result


def launch(server: Server, ids: list[str], workflow: str) -> None:
    name = f"flows.{workflow}"
    inputs = {"x": 1} if workflow == "gate_wf" else {}
    bodies = [{"workflow": name, "id": id_, "inputs": inputs} for id_ in ids]
    result = server.load([("POST", "/api/v1/executions", body) for body in bodies])
    assert result["statuses"] == {"201": len(ids)}, result["statuses"]
    for id_ in (ids[0], ids[-1]):
        server.ask("GET", f"/api/v1/executions/{id_}?wait=60&until_waiting=true")
    until = time.monotonic() + 120
    while server.ask("GET", "/api/v1/executions?phase=RUNNING&limit=1")["items"]:
        assert time.monotonic() < until, "not all have come to their gate"
        time.sleep(0.1)


def cycle(server: Server, id_: str) -> float:
    """Return the seconds from the answer to the call of the task that takes it."""
    body = {"workflow": "flows.gate_wf", "id": id_, "inputs": {"x": 1}}
    server.ask("POST", "/api/v1/executions", body)
    server.ask("GET", f"/api/v1/executions/{id_}?wait=60&until_waiting=true")
    start = time.perf_counter()
    server.ask("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"})
    end = server.ask("GET", f"/api/v1/executions/{id_}?wait=60")
    called: float = end["outputs"]["o0"]
    return called - start


def watchers(server: Server, id_: str) -> float:
    """Open many streams, answer once, and return the milliseconds until the event was there, the median over the streams."""
    came: list[float] = []
    opened = threading.Barrier(WATCHERS + 1)
    server.ask("POST", "/api/v1/executions", {"workflow": "flows.ask_wf", "id": id_})

    def watch() -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {server.token}"}
        line.request("GET", f"/api/v1/events?execution={id_}", headers=headers)
        reply = line.getresponse()
        reply.readline()
        opened.wait(60)
        while b"AnswerGiven" not in reply.readline():
            pass
        came.append(time.perf_counter())
        line.close()

    threads = [threading.Thread(target=watch) for _ in range(WATCHERS)]
    for thread in threads:
        thread.start()
    opened.wait(60)
    start = time.perf_counter()
    server.ask("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"})
    for thread in threads:
        thread.join(60)
    assert len(came) == WATCHERS, f"{WATCHERS - len(came)} watchers have seen nothing"
    return (statistics.median(came) - start) * 1e3


def ready_time(home: Path) -> float:
    with serving(home) as (_, ready):
        return ready


def fill(home: Path) -> None:
    with serving(home) as (server, _):
        server.register()
        for begin in range(0, WAITING, 10_000):
            launch(server, [f"f{i}" for i in range(begin, begin + 10_000)], "ask_wf")
