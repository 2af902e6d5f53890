"""
Gate cycles a second with the store on Postgres, syncing each commit.

A gate cycle is an answer that opens the next gate: one line of history, one wait less, another one more, one execution changed. Beside it a bare loop that
commits these rows. Whole executions, with a launch and two tasks, write four such lines each; beside them SQLite.
"""

import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

import machine
import psycopg
from cases_gate import cycled
from figures import Figure
from inprocess import Host, gates_graph

from tidegate.core.messages import Accepted
from tidegate.core.state import ExecutionPhase
from tidegate.ir.expr import NodeId
from tidegate.stores.postgres.store import PostgresStore

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.postgres import emptied, running

CYCLES = 4_000
"""How many whole executions are under way at once."""

GATES = 9
"""Gates in a row: each answer but the last opens the next."""

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
    gates, whole, sqlite, bare = [], [], [], []
    with running(durable=True) as cluster:
        for turn in range(repeats):
            with tempfile.TemporaryDirectory(dir=machine.here()) as place:
                host = Host(Path(place) / "store" / "tidegate.db")
                sqlite.append(CYCLES / cycled(host, CYCLES))
            host = Host(Path(), store=PostgresStore.open(emptied(cluster)))
            whole.append(CYCLES / cycled(host, CYCLES))
            gates.append(answered(PostgresStore.open(emptied(cluster))))
            with psycopg.connect(cluster.address(), autocommit=True) as database:
                database.execute(f"CREATE DATABASE bare{turn}")
            bare.append(max(floor(cluster.address(f"bare{turn}"))))
    return [
        Figure(
            f"answers that open the next gate, on Postgres, {KEYS:,} executions under way",
            "/s",
            gates,
            bare,
            f"a bare loop that commits the rows of {GROUPS} of them at a time, the best of these",
            aim=0.33,
            of_bare=True,
        ),
        Figure(
            f"executions of a task, a gate and a task on Postgres, {CYCLES:,} under way at once",
            "/s",
            whole,
        ),
        Figure(
            "... as a part of SQLite's", "", [a / b for a, b in zip(whole, sqlite, strict=True)]
        ),
    ]


def answered(store: PostgresStore) -> float:
    """Answer the gates of as many executions as the bare loop has, the next as soon as the last is stored; return how many a second."""
    host = Host(Path(), store=store, graph=gates_graph(GATES))
    placed = [host.launch(f"e{i}") for i in range(KEYS)]
    host.wait(ExecutionPhase.WAITING, KEYS)
    last, start = GATES - 2, time.perf_counter()
    asked = deque(
        (key, 0, host.answer(key, NodeId("n0"))) for key in (p.result().key for p in placed)
    )
    while asked:
        key, gate, reply = asked.popleft()
        assert isinstance(reply.result(), Accepted)
        if gate < last:
            asked.append((key, gate + 1, host.answer(key, NodeId(f"n{gate + 1}"))))
    took = time.perf_counter() - start
    host.close()
    return KEYS * (GATES - 1) / took


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
