"""Commands as another user of this machine: a service user, somebody whom /etc/passwd does not know, root. Only root can start them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

import tidegate

LONGEST = 30.0
SERVICE, NAMELESS = 65534, 12345


def become(user: int) -> list[str]:
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"]


@cache
def python() -> str:
    """Return an interpreter of this version that every user may start, or skip the test with the reason."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv here")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for each in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
        tried = [*become(SERVICE), "sh", "-c", '"$0" -c "import tidegate, apsw"', each]
        if subprocess.run(tried, env=bare(), capture_output=True, check=False).returncode == 0:
            return each
    pytest.skip(f"no {version} here that other users may start")


def bare(**more: str) -> dict[str, str]:
    """Return an environment in which nothing is said of a user, and the packages of this one are found."""
    packages = [str(Path(tidegate.__file__).parents[1]), *(p for p in sys.path if "packages" in p)]
    found = {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(packages), "NO_COLOR": "1"}
    return {**found, "PYTHONDONTWRITEBYTECODE": "1", **more}


def command(user: int, *words: str) -> list[str]:
    return [*(become(user) if user else []), python(), "-m", "tidegate", *words]


def as_user(
    user: int, *words: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end as this user."""
    return subprocess.run(
        command(user, *words),
        cwd=cwd,
        env=bare(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
    )


def owned_by(user: int, directory: Path) -> Sequence[Path]:
    """Return what belongs to a user in a directory."""
    return [path for path in directory.rglob("*") if path.lstat().st_uid == user]


@contextmanager
def serving(user: int, home: Path) -> Iterator[None]:
    """Have a server of this user at work."""
    process = subprocess.Popen(
        command(user, "serve", "--port", "0", "--home", str(home)),
        cwd=home.parent,
        env=bare(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "tidegate serves" in process.stderr.readline()
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=LONGEST)
        process.kill()
