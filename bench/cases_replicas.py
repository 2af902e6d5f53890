"""
Answers a second over HTTP with one server on Postgres, and with two: each asked for what it owns, and both asked for anything.

Method: one load of as many connections in all, divided between the servers. The clients, the servers and the database share this machine, so with two
processors a second server cannot win: what it costs is what is seen.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import machine
from figures import Figure, percentile
from http_server import Server, launch, load, serving

from tidegate.core.shards import SHARDS, home_shard

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.postgres import emptied, running

ANSWERS, CONNECTIONS = 4_000, 64


def figures(repeats: int) -> list[Figure]:
    one, own, anything, slowest = [], [], [], []
    with (
        running(durable=True) as cluster,
        tempfile.TemporaryDirectory(dir=machine.here()) as place,
    ):
        for turn in range(repeats):
            homes = made(Path(place) / str(turn))
            with stored(emptied(cluster)), serving(homes[0]) as (first, _):
                first.register()
                one.append(rate(answered([first], [launched(first, f"{turn}-one")])))
                with serving(homes[1]) as (second, _):
                    both = [first, second]
                    owners = settled(both)
                    ids = launched(first, f"{turn}-own")
                    parts = [[i for i in ids if owners[home_shard(i)] == n] for n in (0, 1)]
                    own.append(rate(answered(both, parts)))
                    ids = launched(first, f"{turn}-any")
                    random.Random(turn).shuffle(ids)
                    runs = answered(both, [ids[::2], ids[1::2]])
                    anything.append(rate(runs))
                    slowest.append(max(percentile(run["latencies"], 0.99) for run in runs) * 1e3)
    beside = "one server"
    name = f"answers on Postgres, {CONNECTIONS} connections, two servers"
    return [
        Figure("answers on Postgres, one server", "/s", one),
        Figure(f"{name}, of what each owns", "/s", own, one, beside, 1.0, of_bare=True),
        Figure(f"{name}, of anything", "/s", anything, one, beside, 0.6, of_bare=True),
        Figure("... 99th percentile", "ms", slowest, more=False),
    ]


def made(place: Path) -> list[Path]:
    """Make two homes with files in one place."""
    homes = [place / "a", place / "b"]
    for home in homes:
        home.mkdir(mode=0o700, parents=True)
        for shared in ("blobs", "bundles"):
            (place / shared).mkdir(mode=0o700, exist_ok=True)
            (home / shared).symlink_to(place / shared)
    return homes


@contextmanager
def stored(address: str) -> Iterator[None]:
    """Have every server that starts meanwhile use this database."""
    os.environ["TIDEGATE_STORE"] = address
    try:
        yield
    finally:
        del os.environ["TIDEGATE_STORE"]


def settled(servers: list[Server]) -> dict[int, int]:
    """Wait until both have as many shards; return which of them owns each."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        items = servers[0].ask("GET", "/api/v1/replicas")["items"]
        if [len(each["shards"]) for each in items] == [SHARDS // 2] * 2:
            ports = [int(each["address"].rpartition(":")[2]) for each in items]
            at = [[each.port for each in servers].index(port) for port in ports]
            return {shard: at[n] for n, each in enumerate(items) for shard in each["shards"]}
        time.sleep(0.1)
    raise TimeoutError("the servers have not divided the store")


def launched(server: Server, prefix: str) -> list[str]:
    ids = [f"{prefix}-{i}" for i in range(ANSWERS)]
    launch(server, ids, "ask_wf")
    return ids


def answered(servers: list[Server], parts: list[list[str]]) -> list[dict[str, Any]]:
    """Answer each execution once, at these servers together."""

    def at(server: Server, ids: list[str]) -> dict[str, Any]:
        asked = [(f"/api/v1/executions/{id_}/signals/title", {"value": "a title"}) for id_ in ids]
        requests = [("PUT", path, body) for path, body in asked]
        found = load(server.port, server.token, requests, CONNECTIONS // len(servers))
        assert found["statuses"] == {"200": len(ids)}, found["statuses"]
        return found

    with ThreadPoolExecutor(len(servers)) as pool:
        return list(pool.map(at, servers, parts))


def rate(runs: list[dict[str, Any]]) -> float:
    return sum(len(run["latencies"]) for run in runs) / max(float(run["seconds"]) for run in runs)
