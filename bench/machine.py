"""The bare machine: what its disk and its Python do without Tidegate, as yardsticks for everything else."""

import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw

from tidegate.ports import Batch


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
    """A directory on the disk of the clone: a temporary file system in memory would sync for free."""
    path = Path(__file__).parent / "results" / "scratch"
    path.mkdir(parents=True, exist_ok=True)
    return path


def fresh(code: str) -> float:
    """Seconds that a fresh Python takes to run some code, from start to end."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


SCHEMA = """
CREATE TABLE execution (key INTEGER PRIMARY KEY, id TEXT, workflow INTEGER, phase INTEGER, at INTEGER, changed INTEGER);
CREATE TABLE history (key INTEGER, seq INTEGER, body BLOB);
CREATE TABLE wait (key INTEGER, node TEXT, kind TEXT, name TEXT, opened INTEGER, due INTEGER, PRIMARY KEY (key, node)) WITHOUT ROWID;
"""


def bare_commits(path: Path, batches: list[Batch]) -> float:
    """
    Seconds that a bare loop takes to commit these batches, one transaction each, WAL and synchronous=FULL.

    The rows are the engine's own, recorded; the tables have the fewest indexes that could serve it. No decision is made here.
    """
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
    connection.execute(SCHEMA)
    start = time.perf_counter()
    for batch in batches:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?)",
            ((r.key, r.id, r.workflow, int(r.phase), r.at, r.at) for r in batch.launches),
        )
        connection.executemany(
            "INSERT INTO history VALUES (?, ?, ?)", ((r.key, r.seq, r.body) for r in batch.history)
        )
        connection.executemany(
            "UPDATE execution SET phase = ?, changed = ? WHERE key = ?",
            ((int(r.phase), r.at, r.key) for r in batch.phases),
        )
        connection.executemany(
            "REPLACE INTO wait VALUES (?, ?, ?, ?, ?, ?)",
            ((r.key, r.node, r.kind, r.name, r.opened, r.due) for r in batch.waits),
        )
        connection.executemany(
            "DELETE FROM wait WHERE key = ? AND node = ?", ((r.key, r.node) for r in batch.ends)
        )
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - start
    connection.close()
    return elapsed
