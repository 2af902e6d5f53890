"""Whole gate cycles a second with the store on Postgres, syncing each commit; beside SQLite, and beside a bare loop that commits the rows of such cycles."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
import psycopg
from cases_gate import cycled
from figures import Figure
from inprocess import Host

from tidegate.stores.postgres.store import PostgresStore

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.postgres import emptied, running

CYCLES = 4_000
"""How many are under way at once."""

GROUPS = (8, 64, 256)
"""Cycles that the bare loop commits together: the best counts."""

SECONDS = 3.0

TABLES = """
CREATE TABLE shards (shard smallint PRIMARY KEY, epoch bigint NOT NULL, UNIQUE (shard, epoch));
CREATE TABLE history (key bigint, seq int, shard smallint, place bigint, body bytea, PRIMARY KEY (key, seq), UNIQUE (shard, place));
CREATE TABLE waits (key bigint, node text, kind text, name text, opened bigint, due bigint, shown bytea, PRIMARY KEY (key, node));
CREATE TABLE executions (key bigint PRIMARY KEY, id text UNIQUE, workflow int, phase smallint, changed bigint);
INSERT INTO shards SELECT g, 1 FROM generate_series(0, 63) AS g
"""
FENCE = "SELECT s.shard FROM shards AS s JOIN unnest(%s::smallint[], %s::bigint[]) AS w (shard, epoch) ON s.shard = w.shard AND s.epoch = w.epoch FOR KEY SHARE OF s"
LINES = "INSERT INTO history SELECT k, %s, (k %% 64)::smallint, p, b FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS t (k, p, b)"
KEYS = 2_048


def figures(repeats: int) -> list[Figure]:
    ours, sqlite, bare = [], [], []
    with running(durable=True) as cluster:
        for turn in range(repeats):
            with tempfile.TemporaryDirectory(dir=machine.here()) as place:
                host = Host(Path(place) / "store" / "tidegate.db")
                sqlite.append(CYCLES / cycled(host, CYCLES))
            host = Host(Path(), store=PostgresStore.open(emptied(cluster)))
            ours.append(CYCLES / cycled(host, CYCLES))
            with psycopg.connect(cluster.address(), autocommit=True) as database:
                database.execute(f"CREATE DATABASE bare{turn}")
            bare.append(max(floor(cluster.address(f"bare{turn}"))))
    return [
        Figure(
            f"gate cycles on Postgres, {CYCLES:,} under way at once",
            "/s",
            ours,
            bare,
            f"a bare loop that commits the rows of {GROUPS} of them at a time, the best of these",
            aim=0.33,
            of_bare=True,
        ),
        Figure("... as a part of SQLite's", "", [a / b for a, b in zip(ours, sqlite, strict=True)]),
    ]


def floor(address: str) -> list[float]:
    """Return how many cycles a second a bare loop commits, for each size of a group."""
    rates = []
    with psycopg.connect(address) as database:
        database.execute(TABLES)
        keys = list(range(KEYS))
        database.execute(
            "INSERT INTO executions SELECT k, k::text, 1, 2, 0 FROM unnest(%s::bigint[]) AS k",
            (keys,),
        )
        database.commit()
        place = seq = 0
        for group in GROUPS:
            done, start, seq = 0, time.perf_counter(), seq + 1_000_000
            while time.perf_counter() < start + SECONDS:
                seq += done % KEYS == 0
                first = done % KEYS
                cycle(database, keys[first : first + group], seq, place)
                place, done = place + group, done + group
            rates.append(done / (time.perf_counter() - start))
    return rates


def cycle(database: Any, keys: list[int], seq: int, place: int) -> None:
    """Commit what one step of each of these executions writes."""
    at, count = time.time_ns() // 1000, len(keys)
    with database.pipeline():
        database.execute(FENCE, (list(range(64)), [1] * 64))
        database.execute(
            LINES, (seq, keys, list(range(place, place + count)), [b"x" * 180] * count)
        )
        database.execute(
            "DELETE FROM waits WHERE (key, node) IN (SELECT k, %s FROM unnest(%s::bigint[]) AS k)",
            (f"n{seq}", keys),
        )
        database.execute(
            "INSERT INTO waits SELECT k, %s, 'input', 'title', %s, null, %s FROM unnest(%s::bigint[]) AS k",
            (f"n{seq + 1}", at, b"y" * 60, keys),
        )
        database.execute(
            "UPDATE executions SET changed = %s FROM unnest(%s::bigint[]) AS k WHERE key = k",
            (at, keys),
        )
    database.commit()
