"""A server of the real command in a process of its own, and a plain HTTP connection to it, as any program would make one."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""

A_WHILE = 0.1
"""Seconds of processor time in which it is seen how busy this machine is."""

READY = re.compile(r"at https?://127\.0\.0\.1:(\d+)")
API = "/api/v1"


def slowed(seconds: float) -> float:
    """Return how long something may take on this machine now, if it may take these seconds on an idle one."""
    spent, begun = time.process_time(), time.perf_counter()
    while time.process_time() - spent < A_WHILE:
        pass
    return seconds * max(1.0, (time.perf_counter() - begun) / A_WHILE)


def program(planted: str = "") -> list[str]:
    """Return the command `tidegate`, in which something may be planted."""
    if not planted:
        return [sys.executable, "-m", "tidegate"]
    return [sys.executable, "-c", f"{planted}\nfrom tidegate.cli.main import main\nmain()"]


def certificate(place: Path, names: str) -> tuple[Path, Path] | None:
    """Make a certificate for names such as `DNS:localhost`; return its file and that of its key. None if openssl is not installed."""
    cert, key = place / "cert.pem", place / "key.pem"
    asked = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    named = ["-subj", "/CN=localhost", "-addext", f"subjectAltName={names}"]
    out = ["-days", "2", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(["openssl", "req", *asked, *named, *out], check=True, capture_output=True)
    except FileNotFoundError:
        return None
    return cert, key


class Server:
    """
    `tidegate serve` on a home, on a free port if none is given; what it says on standard error is read as it comes.

    `planted` is Python that the process runs first: a bug, or a fault of something it stands on.
    """

    def __init__(
        self, home: Path, *words: str, port: int = 0, workers: int = 2, planted: str = ""
    ) -> None:
        self.home = home
        self.port = 0
        self.said = ""
        command = [*program(planted), "serve", "--home", str(home)]
        self.process = subprocess.Popen(
            [*command, "--port", str(port), "--workers", str(workers), *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
            start_new_session=True,
        )
        self._lines: list[Connection] = []
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        pipe = self.process.stderr
        assert pipe is not None
        for line in pipe:
            with self._more:
                self.said += line.decode(errors="replace")
                if not self.port and (found := READY.search(self.said)):
                    self.port = int(found[1])
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def ready(self) -> "Server":
        """Wait until it says where it is."""
        with self._more:
            alive = self._reader.is_alive
            self._more.wait_for(lambda: self.port or not alive(), LONGEST)
        assert self.port, f"the server was not ready: {self.said}"
        return self

    @property
    def token(self) -> str:
        return (self.home / "token").read_text().strip()

    def connect(self) -> "Connection":
        """Connect; the connection is closed with the server."""
        self._lines.append(Connection(self.port, self.token))
        return self._lines[-1]

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        assert self.wait() == -signal.SIGKILL, self.said

    def stop(self) -> None:
        """End it in good order."""
        self.process.terminate()
        assert self.wait() == 0, self.said

    def wait(self) -> int:
        code = self.process.wait(LONGEST)
        # Workers of a killed server hold the pipe until they notice; only what it said matters.
        self._reader.join(1)
        return code

    def close(self) -> None:
        """End it if it still runs, whatever happened before."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        for line in self._lines:
            line.close()
        assert self.process.stderr is not None
        self.process.stderr.close()


class Reply(NamedTuple):
    status: int
    body: Any
    headers: Any


class Connection:
    """One connection, kept alive. Errors: `OSError`, `http.client.HTTPException` when there is no reply."""

    def __init__(self, port: int, token: str) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
        self._headers = {"Authorization": f"Bearer {token}"}
        # It is closed by another thread than the one that asks: only between two requests, or a reply would lose its file under way.
        self._turn = threading.Lock()

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Ask for a path below /api/v1. Names of headers are written with `_` for `-`."""
        sent = {**self._headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        with self._turn:
            self._line.request(method, f"{API}/{path}", content, sent)
            response = self._line.getresponse()
            found = response.read()
        return Reply(response.status, json.loads(found) if found else None, response.headers)

    def close(self) -> None:
        with self._turn:
            self._line.close()
