"""From an answer to the start of the next task, one at a time; beside one synced commit of one row."""

import tempfile
import time
from pathlib import Path

import apsw
import machine
from figures import Figure, percentile
from inprocess import Host

from tidegate.core.state import ExecutionPhase

CYCLES = 300


def figures(repeats: int) -> list[Figure]:
    middle, high, bare = [], [], []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory(dir=machine.here()) as place:
            bare.append(percentile(commits(Path(place)), 0.5) * 1e3)
            samples = answers(Path(place))
            middle.append(percentile(samples, 0.5) * 1e3)
            high.append(percentile(samples, 0.99) * 1e3)
    beside = "one row, one commit"
    return [
        Figure("answer to next task, in-process, p50", "ms", middle, bare, beside, 1.0, more=False),
        Figure("answer to next task, in-process, p99", "ms", high, bare, beside),
    ]


def answers(place: Path) -> list[float]:
    host = Host(place / "store" / "tidegate.db")
    samples = []
    for i in range(CYCLES):
        key = host.launch(f"e{i}").result().key
        host.wait(ExecutionPhase.WAITING, i + 1)
        start = time.perf_counter()
        host.answer(key).result()
        host.wait(ExecutionPhase.SUCCEEDED, i + 1)
        samples.append(host.executor.began[key] - start)
    host.close()
    return samples


def commits(place: Path) -> list[float]:
    connection = apsw.Connection(str(place / "bare.db"))
    connection.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").fetchall()
    connection.execute("CREATE TABLE history (key INTEGER, seq INTEGER, body BLOB)")
    samples = []
    for i in range(CYCLES):
        start = time.perf_counter()
        connection.execute("INSERT INTO history VALUES (?, 1, ?)", (i, b"x" * 100))
        samples.append(time.perf_counter() - start)
    connection.close()
    return samples
