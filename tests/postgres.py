"""
A Postgres server of the tests' own, from the programs of the machine, in a temporary directory and on a Unix socket there; it serves nobody else.

Without the programs what needs it is skipped, and says so; with TIDEGATE_REQUIRE_POSTGRES=1 that is a failure.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

WANTED = ("initdb", "pg_ctl", "postgres", "psql")
DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian puts the programs, a directory for each version."""

UNPRIVILEGED = ("postgres", "nobody")
"""Whom the server may run as if these tests run as root, whom it refuses."""


def programs() -> Path | None:
    """Return where the programs of a server are."""
    places = sorted(DEBIAN.glob("*/bin"))
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    if config := shutil.which("pg_config"):
        said = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        places.append(Path(said.stdout.strip()))
    return next((p for p in places if all((p / name).exists() for name in WANTED)), None)


class Cluster:
    """A server that runs, and its `psql`."""

    def __init__(self, place: Path, bin_: Path) -> None:
        self._place = place
        self._bin = bin_
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            names = {entry.pw_name: entry for entry in pwd.getpwall()}
            entry = next(names[name] for name in UNPRIVILEGED if name in names)
            os.chown(place, entry.pw_uid, entry.pw_gid)
            self._as = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def start(self, *, durable: bool) -> None:
        data = self._place / "cluster"
        self._run(
            "initdb", "-D", data, "-U", "tidegate", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        options = f"-c listen_addresses= -c unix_socket_directories={self._place} -c fsync={'on' if durable else 'off'}"
        log = self._place / "log"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", data, "-l", log, "-o", options)

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._place / "cluster")

    def _run(self, program: str, *words: object) -> None:
        # What a server inherits it keeps: so its words go to a file.
        with (self._place / f"{program}.said").open("w+") as said:
            done = subprocess.run(
                [str(self._bin / program), *map(str, words)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self._place,
                check=False,
                **self._as,
            )
            said.seek(0)
            assert done.returncode == 0, said.read()

    def restart(self) -> None:
        """Stop it as a crash does, and start it again."""
        self._run(
            "pg_ctl", "restart", "-w", "-t", "60", "-m", "immediate", "-D", self._place / "cluster"
        )

    @property
    def place(self) -> Path:
        """Where its socket is."""
        return self._place

    def address(self, database: str = "postgres") -> str:
        """Return the address of a database."""
        return f"postgresql://tidegate@/{database}?host={self._place}"


@contextmanager
def running(*, durable: bool = False) -> Iterator[Cluster]:
    """Start a server, which syncs its commits if they are to be durable, and stop it at the end."""
    found = programs()
    if found is None:
        why = "there is no Postgres here (on Debian: sudo apt-get install postgresql)"
        assert os.environ.get("TIDEGATE_REQUIRE_POSTGRES") != "1", why
        pytest.skip(why)
    # Not below `tmp_path`: the path of a socket may have some 100 characters, and somebody else must be able to go there.
    place = Path(tempfile.mkdtemp(prefix="tidegate-pg-"))
    cluster = Cluster(place, found)
    try:
        cluster.start(durable=durable)
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(place)


KEPT = ("schema_version", "shards", "leases", "store")
"""Tables whose rows are made with the schema."""


def emptied(cluster: Cluster) -> str:
    """Empty the store in the first database, if there is one, and return its address."""
    address = cluster.address()
    with psycopg.connect(address, autocommit=True) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        tables = sorted({str(name) for (name,) in connection.execute(query)} - set(KEPT))
        if tables:
            truncate = sql.SQL("TRUNCATE {} RESTART IDENTITY")
            names = sql.SQL(", ").join(map(sql.Identifier, tables))
            connection.execute(truncate.format(names))
            connection.execute("UPDATE store SET files = ''")
            connection.execute("UPDATE leases SET owner = '', expires = '-infinity'")
    return address
