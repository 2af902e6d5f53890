"""
A Ray cluster of the tests' own: one node with two processors, two GPUs that are not there, and two of a resource called `license`; with a token of its own.

Without Ray what needs it is skipped, and says so; with TIDEGATE_REQUIRE_RAY=1 that is a failure.
"""

import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

UP = 90.0
"""Seconds in which it must be up; it takes 3 to 8 on an idle machine."""


class RayCluster:
    """The cluster. It can be ended, and started again at the same address."""

    def __init__(self, place: Path, *, token: bool = True) -> None:
        self.address = ""
        self._place = place
        self._token = token
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it."""
        log = self._place / "start.log"
        command = [
            *(sys.executable, "-P", "-m", "ray.scripts.scripts", "start", "--head", "--block"),
            *(f"--port={self._port}", "--num-cpus=2", "--num-gpus=2", '--resources={"license": 2}'),
            *("--include-dashboard=false", "--disable-usage-stats"),
            *("--object-store-memory=80000000", f"--temp-dir={self._place}"),
        ]
        mode = "token" if self._token else "disabled"
        with log.open("wb") as printed:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                env={**os.environ, "RAY_AUTH_MODE": mode, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )
        give_up = time.monotonic() + UP
        while "Ray runtime started" not in (said := log.read_text()) or "--address=" not in said:
            assert self._process.poll() is None, said
            assert time.monotonic() < give_up, said
            time.sleep(0.1)
        self.address = said.partition("--address=")[2].split()[0].strip("'\"")

    def stop(self) -> None:
        """End it, with everything that runs there, as a power cut would: told to end, it waits half a minute for actors."""
        if self._process is not None:
            top = psutil.Process(self._process.pid)
            for each in [top, *top.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            self._process.wait(60)
            self._process = None


def free_port() -> int:
    """Return a port that nobody uses."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def need_ray() -> None:
    """Skip a test if Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        if os.environ.get("TIDEGATE_REQUIRE_RAY") == "1":
            pytest.fail("Ray is required, and not installed")
        pytest.skip("Ray is not installed")


@contextmanager
def running_ray(*, token: bool = True) -> Iterator[RayCluster]:
    """A cluster that runs; ended with the block."""
    need_ray()
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    # Short: the name of a socket in it has at most 107 characters.
    place = Path(tempfile.mkdtemp(prefix="tg-"))
    cluster = RayCluster(place, token=token)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(place, ignore_errors=True)
