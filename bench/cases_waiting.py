"""
What a hundred thousand waiting executions cost: disk, memory, processor; and how soon they are there again after `kill -9`.

Method: a child process fills a store, says what it sees, and waits; it is killed, and another child opens the same store.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import machine
from figures import Figure
from inprocess import Host

from tidegate.core.state import ExecutionPhase
from tidegate.ports.journal import Key

EXECUTIONS = 100_000
IDLE_SECONDS = 5.0


def figures(repeats: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=machine.here()) as place:
        path = Path(place) / "store" / "tidegate.db"
        empty = Path(place) / "empty" / "tidegate.db"
        filled = child("fill", path)
        disk = sum(f.stat().st_size for f in path.parent.rglob("*") if f.is_file())
        opened = [child("open", path, str(i)) for i in range(repeats)]
        bare = [child("open", empty, "none") for _ in range(repeats)]
    beside = "an empty store"
    return [
        Figure("100,000 waiting: disk each", "bytes", [disk / EXECUTIONS], aim=800, more=False),
        Figure(
            "... memory together, where they were launched",
            "MB",
            [filled["grown"]],
            aim=50,
            more=False,
        ),
        Figure(
            "... memory together, after a restart",
            "MB",
            [o["memory"] - b["memory"] for o, b in zip(opened, bare, strict=True)],
            aim=50,
            more=False,
        ),
        Figure(
            "... processor while they wait", "% of a core", [filled["idle"]], aim=0.5, more=False
        ),
        Figure(
            "... open again after kill -9",
            "s",
            [o["open"] for o in opened],
            [b["open"] for b in bare],
            beside,
            1.0,
            more=False,
        ),
        Figure("... then the first answer to next task", "ms", [o["answer"] for o in opened]),
        Figure("... and the hundredth", "ms", [o["later"] for o in opened]),
    ]


def child(what: str, path: Path, *words: str) -> dict[str, float]:
    """Run this file as a program; when it has said its figures, kill it as a power cut would."""
    with subprocess.Popen(
        [sys.executable, __file__, what, str(path), *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    figures: dict[str, float] = json.loads(line)
    return figures


def fill(path: Path) -> dict[str, Any]:
    host = Host(path)
    # The first executions bring in code and caches that are not the executions' own.
    for i in range(100):
        host.launch(f"warm{i}").result()
    host.wait(ExecutionPhase.WAITING, 100)
    before = memory()
    for start in range(100, EXECUTIONS, 1_000):
        end = min(start + 1_000, EXECUTIONS)
        for i in range(start, end):
            host.launch(f"e{i}")
        host.wait(ExecutionPhase.WAITING, end)
    grown = memory() - before
    spent = time.process_time()
    time.sleep(IDLE_SECONDS)
    return {"grown": grown, "idle": (time.process_time() - spent) / IDLE_SECONDS * 100}


def reopen(path: Path, turn: str) -> dict[str, Any]:
    start = time.perf_counter()
    host = Host(path)
    opened = time.perf_counter() - start
    if turn == "none":
        return {"open": opened, "memory": memory()}
    first = int(turn) * 100 + 200
    samples = []
    for i in range(100):
        key = Key(first + i)
        begun = time.perf_counter()
        host.answer(key).result()
        host.wait(ExecutionPhase.SUCCEEDED, i + 1)
        samples.append((host.executor.began[key] - begun) * 1e3)
    return {"open": opened, "answer": samples[0], "later": samples[-1], "memory": memory()}


def memory() -> float:
    """Megabytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    what, path, *words = sys.argv[1:]
    result = fill(Path(path)) if what == "fill" else reopen(Path(path), *words)
    print(json.dumps(result), flush=True)
    # Wait to be killed: nothing of this process may end in good order.
    time.sleep(600)


if __name__ == "__main__":
    main()
