"""The bare machine: what its disk and its Python do without Tidegate, as yardsticks for everything else."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw

from tidegate.ports.journal import Batch
from tidegate.stores.rows import writes
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.statements import shared


def facts() -> dict[str, object]:
    """What the figures were taken on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "sqlite": apsw.sqlite_lib_version(),
        "fdatasync_per_second": round(fdatasync_rate()),
        "loop_million_per_second": round(loop_rate(), 1),
    }


def fdatasync_rate(turns: int = 500) -> float:
    """4 KiB appends, each synced, a second."""
    with tempfile.NamedTemporaryFile(dir=here()) as file:
        page = os.urandom(4096)
        start = time.perf_counter()
        for _ in range(turns):
            os.write(file.fileno(), page)
            os.fdatasync(file.fileno())
        return turns / (time.perf_counter() - start)


def loop_rate(turns: int = 2_000_000) -> float:
    """Turns of an empty Python loop, in millions a second."""
    start = time.perf_counter()
    for _ in range(turns):
        pass
    return turns / (time.perf_counter() - start) / 1e6


def here() -> Path:
    """A directory of this process on the disk of the clone: a temporary file system in memory would sync for free."""
    path = Path(__file__).parent / "results" / "scratch" / str(os.getpid())
    path.mkdir(parents=True, exist_ok=True)
    return path


def fresh(code: str) -> float:
    """Seconds that a fresh Python takes to run some code, from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def bare_commits(path: Path, batches: list[Batch], *, at_once: bool = False) -> float:
    """
    Seconds that a bare loop takes to commit these batches into the same tables, one transaction each, WAL and synchronous=FULL.

    The rows are the engine's own, recorded, and made beforehand. Nothing is decided here, and nobody is told.
    `at_once` hands all rows of a statement over in one call, as the engine does: the most that SQLite takes.
    """
    SqliteStore.open(path).close()
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
    connection.execute("INSERT INTO series (project, domain, workflow) VALUES ('', '', '')")
    statements = shared()
    groups = [
        [(statements[name], rows) for name, rows in writes(batch, lambda _: 1)] for batch in batches
    ]
    start = time.perf_counter()
    for group in groups:
        connection.execute("BEGIN IMMEDIATE")
        for statement, rows in group:
            if at_once:
                connection.executemany(statement, rows)
            else:
                for row in rows:
                    connection.execute(statement, row)
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - start
    connection.close()
    return elapsed
