"""
Answers a second over HTTP, beside a bare server of the same kind that replies at once, measured in turns with it.

Hot are executions that have just been launched, and are in memory; cold are those that the server finds in its store, after a restart:
the usual case of what waits for people.
"""

import tempfile
from pathlib import Path

import machine
from figures import Figure
from http_server import (
    AGREED,
    CONNECTIONS,
    answer,
    bare_server,
    launch,
    load,
    rate,
    serving,
    slow,
)

ANSWERS = 6_000


def figures(repeats: int) -> list[Figure]:
    hot, cold, bare = [], [], []
    with tempfile.TemporaryDirectory(dir=machine.here()) as place, bare_server() as port:
        for turn in range(repeats):
            home = Path(place) / str(turn)
            ids = [f"{turn}-{i}" for i in range(2 * ANSWERS)]
            with serving(home) as (server, _):
                server.register()
                launch(server, ids, "ask_wf")
                hot.append(answer(server, ids[:ANSWERS]))
            with serving(home) as (server, _):
                cold.append(answer(server, ids[ANSWERS:]))
            bare.append(rate(load(port, "token", [AGREED] * ANSWERS)))
    beside = "a bare server that replies at once"
    name = f"answers over HTTP, {CONNECTIONS} connections"
    return [
        Figure(f"{name}, hot", "/s", [rate(run) for run in hot], bare, beside, 0.25, of_bare=True),
        Figure("... 99th percentile", "ms", [slow(run) for run in hot], aim=50, more=False),
        Figure(
            f"{name}, cold", "/s", [rate(run) for run in cold], bare, beside, 0.20, of_bare=True
        ),
        Figure("... 99th percentile", "ms", [slow(run) for run in cold], aim=50, more=False),
    ]
