"""
An S3 of the tests' own: moto's server, in a process that ends with the tests, on a free port of this machine; each use has a bucket of its own.
"""

import contextlib
import itertools
import os
import select
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

SERVE = """
import sys, logging
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(sys.argv[1]), verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
"""Serves until its standard input ends, as it does when the tests are gone."""

_numbers = itertools.count(1)


class ObjectServer:
    """A server that runs, and its buckets."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def start(self) -> None:
        """Start it; the second time at the same port, and empty."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    @property
    def endpoint(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """What the environment must have for it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "a-key-that-is-secret",
            "AWS_SECRET_ACCESS_KEY": "a-secret-that-is-secret",
            "AWS_REGION": "us-east-1",
        }

    def bucket(self, name: str = "") -> str:
        """Make a bucket, and return the address of a place in it."""
        name = name or f"bucket-{os.getpid()}-{next(_numbers)}"
        self.ask("PUT", f"/{name}")
        return f"s3://{name}/a/place"

    def ask(self, method: str, path: str, body: bytes | None = None) -> Any:
        """Ask it for something, without credentials."""
        headers = {"Content-Type": "text/plain"}
        asked = urllib.request.Request(f"{self.endpoint}{path}", body, headers, method=method)
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return reply.read()


@contextmanager
def running() -> Iterator[ObjectServer]:
    """Start a server, and end it at the end."""
    server = ObjectServer()
    try:
        yield server
    finally:
        server.stop()


class Cable:
    """Passes bytes between a port of its own and that of a server, while it is whole; `silent` accepts, and passes nothing on."""

    def __init__(self, port: int) -> None:
        self._server = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.state: Literal["whole", "cut", "silent"] = "whole"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        """Where the server is, through this cable."""
        return f"http://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.socket() as server, contextlib.suppress(OSError):
            server.connect(("127.0.0.1", self._server))
            while True:
                ready, _, _ = select.select([client, server], [], [], 0.1)
                if self.state == "cut":
                    return
                for each in () if self.state == "silent" else ready:
                    piece = each.recv(1 << 16)
                    if not piece:
                        return
                    (server if each is client else client).sendall(piece)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()
