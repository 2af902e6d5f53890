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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

POOLER = "pgbouncer"

WANTED = ("initdb", "pg_basebackup", "pg_ctl", "postgres", "psql")
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
        self._begin(durable=durable)

    def follow(self, primary: "Cluster") -> None:
        """Become a standby of another one, which receives what that writes from now on."""
        said = f"host={primary.place} user=tidegate application_name=standby"
        wanted = ("-D", self._place / "cluster", "-d", said, "-R", "-X", "stream", "-c", "fast")
        self._run("pg_basebackup", *wanted)
        self._begin(durable=False)

    def promote(self) -> None:
        """Make a standby take over."""
        self._run("pg_ctl", "promote", "-w", "-D", self._place / "cluster")

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        with psycopg.connect(self.address(), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def _begin(self, *, durable: bool) -> None:
        data = self._place / "cluster"
        options = f"-c listen_addresses= -c unix_socket_directories={self._place} -c fsync={'on' if durable else 'off'}"
        log = self._place / "log"
        self._run("pg_ctl", "start", "-w", "-t", "60", "-D", data, "-l", log, "-o", options)

    def stop(self) -> None:
        """Stop it as a power cut does, if it runs."""
        data = self._place / "cluster"
        if (data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)

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
    with made() as cluster:
        cluster.start(durable=durable)
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def standing_by(primary: Cluster) -> Iterator[Cluster]:
    """Start a standby of a server, and stop it at the end."""
    with made() as cluster:
        cluster.follow(primary)
        try:
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def pooling(cluster: Cluster, mode: str) -> Iterator[str]:
    """Start a pooler in front of a server, in this mode, and give the address of the first database there."""
    found = shutil.which(POOLER, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"there is no pooler here (on Debian: sudo apt-get install {POOLER})")
    with made() as own:
        settings = own.place / "pooler.ini"
        settings.write_text(
            f"[databases]\npostgres = host={cluster.place} user=tidegate\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\n"
            f"unix_socket_dir = {own.place}\nauth_type = any\npool_mode = {mode}\n"
        )
        process = subprocess.Popen([found, "-q", settings], **own._as)
        try:
            end = time.monotonic() + 20
            while not (own.place / ".s.PGSQL.5432").exists():
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.02)
            yield own.address()
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def made() -> Iterator[Cluster]:
    """Make the place of a server, and remove it at the end."""
    found = programs()
    if found is None:
        why = "there is no Postgres here (on Debian: sudo apt-get install postgresql)"
        assert os.environ.get("TIDEGATE_REQUIRE_POSTGRES") != "1", why
        pytest.skip(why)
    # Not below `tmp_path`: the path of a socket may have some 100 characters, and somebody else must be able to go there.
    place = Path(tempfile.mkdtemp(prefix="tidegate-pg-"))
    try:
        yield Cluster(place, found)
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
