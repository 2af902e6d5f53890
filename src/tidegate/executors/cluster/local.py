"""
A Ray cluster of this machine alone, for one store: started when it is needed, found again by the next owner, ended once nothing of the store is left there.

It is not a child that ends with this process: what runs there outlives the owner of the store.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tidegate import disk
from tidegate.executors.cluster.settings import surroundings
from tidegate.home import CLUSTER_HERE, CLUSTER_TOKEN

UP = 60.0
"""Seconds in which the cluster must be up; it takes 3 to 8 (measured)."""
ENDS = 40.0
"""Seconds in which it must have ended; Ray gives itself 30."""
OBJECTS = 80_000_000
"""Bytes for Ray's own objects: about the least that it accepts, because nothing is put there."""
NO_ANSWER = "the Ray cluster of this machine could not be started"


class LocalCluster:
    """The cluster. `home` is that of the store, with a file that says where the cluster is."""

    is_local = True

    def __init__(self, home: Path) -> None:
        self._path = home / CLUSTER_HERE
        self._token = home / CLUSTER_TOKEN
        # The cluster has a token of its own; RAY_AUTH_TOKEN, which is that of another one, would go before.
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self._token.absolute()),
            "RAY_AUTH_TOKEN": "",
        }

    def address(self) -> str:
        """Return its address; start it if it does not run. Errors: `OSError`."""
        known = self._known()
        return known[0] if known is not None else self._start()

    def close(self, *, unused: bool) -> None:
        """End it, unless something of the store is left there."""
        known = self._known()
        if known is None or not unused:
            return
        with suppress(ProcessLookupError):
            os.kill(known[1], signal.SIGTERM)
        give_up = time.monotonic() + ENDS
        while _is_ours(known[1]) and time.monotonic() < give_up:
            _reap(known[1])
            time.sleep(0.05)
        _reap(known[1])
        self._path.unlink(missing_ok=True)

    def _known(self) -> tuple[str, int] | None:
        """Return address and process of the cluster that was started last, if it still runs."""
        try:
            found = json.loads(self._path.read_text())
            address, process = str(found["address"]), int(found["process"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return (address, process) if _is_ours(process) else None

    def _start(self) -> str:
        port = _free_port()
        directory = tempfile.mkdtemp(prefix="tg-ray-")
        command = [
            *(sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *(f"--port={port}", "--include-dashboard=false", "--disable-usage-stats"),
            *(f"--object-store-memory={OBJECTS}", f"--temp-dir={directory}"),
        ]
        if not self._token.exists():
            disk.write(self._token, secrets.token_hex(32).encode())
        log = Path(directory, "start.log")
        with log.open("wb") as printed:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env=surroundings(self.environment),
                start_new_session=True,
            )
        give_up = time.monotonic() + UP
        while (address := _address_in(log)) is None:
            if process.poll() is not None or time.monotonic() > give_up:
                process.kill()
                process.wait()
                said = log.read_text(errors="replace").split("\n")
                shutil.rmtree(directory, ignore_errors=True)
                raise OSError(0, f"{NO_ANSWER}: {_last_words(said)}")
            time.sleep(0.1)
        found = {"address": address, "process": process.pid}
        disk.write(self._path, json.dumps(found).encode())
        return address


def _last_words(said: list[str]) -> str:
    """Return the last line of a log, whose beginning says what went wrong."""
    return next((line.strip()[:200] for line in reversed(said) if line.strip()), "it said nothing")


def _reap(process: int) -> None:
    with suppress(ChildProcessError):  # an earlier owner has started it
        os.waitpid(process, os.WNOHANG)


def _address_in(log: Path) -> str | None:
    """Return the address that Ray says, once it is up."""
    text = log.read_text(errors="replace")
    if "Ray runtime started" not in text or "--address=" not in text:
        return None
    return text.partition("--address=")[2].split()[0].strip("'\"")


def _is_ours(process: int) -> bool:
    """Return whether a process is a Ray cluster that was started here."""
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return b"tg-ray-" in command and b"--head" in command


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
