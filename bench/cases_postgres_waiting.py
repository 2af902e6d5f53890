"""
What a million waiting executions cost on Postgres: disk with indexes, processor of server and database while nothing happens, and the time of a restart.

Method: a child process fills the database; what is measured is `tidegate serve` on it. TIDEGATE_WAITING sets another number, for a quick look.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import machine
import psutil
import psycopg
from cases_replicas import stored
from figures import Figure
from http_server import serving
from inprocess import Host

from tidegate.core.state import ExecutionPhase
from tidegate.stores.postgres.store import PostgresStore

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.postgres import emptied, running

EXECUTIONS = int(os.environ.get("TIDEGATE_WAITING", "1000000"))
TOGETHER = 5_000
IDLE_SECONDS = 20.0
SETTLES = 150.0
"""Seconds after a start within which all is done that it leaves to be done."""


def figures(repeats: int) -> list[Figure]:
    with (
        running(durable=True) as cluster,
        tempfile.TemporaryDirectory(dir=machine.here()) as place,
    ):
        address = emptied(cluster)
        begun = time.perf_counter()
        subprocess.run([sys.executable, __file__, address], check=True)
        filled = time.perf_counter() - begun
        with psycopg.connect(address, autocommit=True) as database:
            database.execute("VACUUM (ANALYZE)")
            row = database.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
        idle, ready = [], []
        with stored(address):
            for turn in range(repeats):
                with serving(Path(place) / str(turn)) as (server, seconds):
                    ready.append(seconds)
                    idle.append(spent(server.port, cluster.place))
    return [
        Figure(
            f"{EXECUTIONS:,} waiting on Postgres: disk", "MB", [row[0] / 1e6], aim=1_500, more=False
        ),
        Figure("... launched, brought to their gate", "/s", [EXECUTIONS / filled]),
        Figure("... processor of server and database", "% of a core", idle, aim=2.0, more=False),
        Figure("... start to first reply", "s", ready, aim=3.0, more=False),
    ]


def spent(port: int, place: Path) -> float:
    """Return what the server and the database use of a core while nothing happens, in percent."""
    server = next(each for each in psutil.process_iter() if str(port) in each.cmdline())
    database = psutil.Process(int((place / "cluster" / "postmaster.pid").read_text().split()[0]))
    ours = [each for top in (server, database) for each in (top, *top.children(recursive=True))]

    def used() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in ours if each.is_running())

    # What a start leaves to be done is none of it: usage is counted, the database cleans up.
    until, before = time.monotonic() + SETTLES, used()
    while time.monotonic() < until:
        time.sleep(5)
        now = used()
        if now - before < 0.25:
            break
        before = now
    before = used()
    time.sleep(IDLE_SECONDS)
    return (used() - before) / IDLE_SECONDS * 100


def fill(address: str) -> None:
    host = Host(Path(), store=PostgresStore.open(address))
    for start in range(0, EXECUTIONS, TOGETHER):
        end = min(start + TOGETHER, EXECUTIONS)
        for i in range(start, end):
            host.launch(f"e{i}")
        host.wait(ExecutionPhase.WAITING, end)
    host.close()


if __name__ == "__main__":
    fill(sys.argv[1])
