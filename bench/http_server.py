"""The server as it is run, in a process of its own; a client that loads it, in another; and a bare server that replies at once."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flows
from figures import percentile

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import artifacts_in

CONNECTIONS = 16
AGREED = ("PUT", "/api/v1/executions/e1/signals/title", {"value": "a title"})
"""What the bare server is asked: it does not look at it."""

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


def load(
    port: int,
    token: str,
    requests: list[tuple[str, str, Any]],
    connections: int = CONNECTIONS,
) -> dict[str, Any]:
    client = Path(__file__).with_name("http_load.py")
    words = [sys.executable, str(client), "127.0.0.1", str(port), str(connections), token]
    # Into a file: of so much, a pipe that fills up has lost the rest.
    with tempfile.TemporaryFile("w+") as said:
        given = "\n".join(json.dumps(each) for each in requests)
        subprocess.run(words, input=given, stdout=said, text=True, check=True)
        said.seek(0)
        result: dict[str, Any] = json.load(said)
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


def answer(server: Server, ids: list[str]) -> dict[str, Any]:
    """Answer each execution once."""
    result = server.load(
        [("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"}) for id_ in ids]
    )
    assert result["statuses"] == {"200": len(ids)}, result["statuses"]
    return result


def rate(run: dict[str, Any]) -> float:
    return len(run["latencies"]) / float(run["seconds"])


def slow(run: dict[str, Any]) -> float:
    return percentile(run["latencies"], 0.99) * 1e3


@contextmanager
def bare_server() -> Iterator[int]:
    """Run the bare server, and give its port."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-c", BARE, str(port)]) as process:
        try:
            wait_for(port)
            yield port
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
