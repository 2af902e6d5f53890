"""
The server over HTTP: from an answer to the next task, how soon it is ready, and many watchers. `cases_answers` has what it does in a second.

Method: the server is the real command, in a process of its own; so is the load (`http_load`), on the same machine and its two cores.
"""

import http.client
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import machine
from figures import Figure, percentile
from http_server import Server, answer, launch, rate, serving, slow

ANSWERS = 6_000
CYCLES = 100
WAITING = 100_000
WATCHERS = 200


def figures(repeats: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=machine.here()) as place:
        home = Path(place)
        with serving(home) as (server, _):
            server.register()
            then = [answers(server, f"t{turn}", "gate_wf") for turn in range(repeats)]
            cycles = [
                [cycle(server, f"c{turn}-{i}") * 1e3 for i in range(CYCLES)]
                for turn in range(repeats)
            ]
            watched = [watchers(server, f"w{turn}") for turn in range(min(repeats, 2))]
        ready = [ready_time(Path(place) / f"empty{turn}") for turn in range(repeats)]
        full = Path(place) / "full"
        fill(full)
        later = [ready_time(full) for _ in range(repeats)]
    return [
        Figure("answers over HTTP with a task after each", "/s", [rate(run) for run in then]),
        Figure("... 99th percentile", "ms", [slow(run) for run in then]),
        Figure(
            "answer over HTTP to next task, in a warm worker, p50",
            "ms",
            [statistics.median(each) for each in cycles],
            aim=8,
            more=False,
        ),
        Figure("... p99", "ms", [percentile(each, 0.99) for each in cycles]),
        Figure("server ready", "s", ready, aim=1, more=False),
        Figure(f"... with {WAITING:,} waiting executions", "s", later, aim=2, more=False),
        Figure(
            f"{WATCHERS} event-stream watchers: from an answer to its event, median of all",
            "ms",
            watched,
        ),
    ]


def answers(server: Server, prefix: str, workflow: str) -> dict[str, Any]:
    """Launch executions, let all of them come to their gate, then answer each once."""
    ids = [f"{prefix}-{i}" for i in range(ANSWERS)]
    launch(server, ids, workflow)
    return answer(server, ids)


def cycle(server: Server, id_: str) -> float:
    """Return the seconds from the answer to the call of the task that takes it."""
    body = {"workflow": "flows.gate_wf", "id": id_, "inputs": {"x": 1}}
    server.ask("POST", "/api/v1/executions", body)
    server.ask("GET", f"/api/v1/executions/{id_}?wait=60&until_waiting=true")
    start = time.perf_counter()
    server.ask("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"})
    end = server.ask("GET", f"/api/v1/executions/{id_}?wait=60")
    called: float = end["outputs"]["o0"]
    return called - start


def watchers(server: Server, id_: str) -> float:
    """Open many streams, answer once, and return the milliseconds until the event was there, the median over the streams."""
    came: list[float] = []
    opened = threading.Barrier(WATCHERS + 1)
    server.ask("POST", "/api/v1/executions", {"workflow": "flows.ask_wf", "id": id_})

    def watch() -> None:
        line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        headers = {"Authorization": f"Bearer {server.token}"}
        line.request("GET", f"/api/v1/events?execution={id_}", headers=headers)
        reply = line.getresponse()
        reply.readline()
        opened.wait(60)
        while b"AnswerGiven" not in reply.readline():
            pass
        came.append(time.perf_counter())
        line.close()

    threads = [threading.Thread(target=watch) for _ in range(WATCHERS)]
    for thread in threads:
        thread.start()
    opened.wait(60)
    start = time.perf_counter()
    server.ask("PUT", f"/api/v1/executions/{id_}/signals/title", {"value": "a title"})
    for thread in threads:
        thread.join(60)
    assert len(came) == WATCHERS, f"{WATCHERS - len(came)} watchers have seen nothing"
    return (statistics.median(came) - start) * 1e3


def ready_time(home: Path) -> float:
    with serving(home) as (_, ready):
        return ready


def fill(home: Path) -> None:
    with serving(home) as (server, _):
        server.register()
        for begin in range(0, WAITING, 10_000):
            launch(server, [f"f{i}" for i in range(begin, begin + 10_000)], "ask_wf")
