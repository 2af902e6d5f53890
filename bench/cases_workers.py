"""Tasks in worker processes, a child forked ahead for each attempt: from an answer to the next task, and many trivial tasks; beside bare processes."""

import multiprocessing
import tempfile
import time
from pathlib import Path

import flows
import machine
from figures import Figure, percentile, seconds

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import Runtime, artifacts_in, open_runtime
from tidegate.wire import Answer, ExecutionView, GetExecution, Launch, Register

CYCLES = 500
WORKERS = 2


def figures(repeats: int) -> list[Figure]:
    with tempfile.TemporaryDirectory(dir=machine.here()) as place:
        home = Path(place)
        with open_runtime(home, workers=WORKERS, serve_door=False) as runtime:
            register(runtime, home)
            # The first executions start the workers and import the code.
            fan(runtime, "warm")
            answer(runtime, "warm-gate")
            latencies = [
                [answer(runtime, f"gate-{turn}-{i}") * 1e3 for i in range(CYCLES)]
                for turn in range(repeats)
            ]
            rates, bare = [], []
            for turn in range(repeats):
                bare.append(flows.TASKS / bare_fan())
                rates.append(flows.TASKS / fan(runtime, f"fan-{turn}"))
    name = "answer to next task, in a warm worker"
    return [
        Figure(f"{name}, p50", "ms", [percentile(s, 0.5) for s in latencies], aim=1, more=False),
        Figure(f"{name}, p99", "ms", [percentile(s, 0.99) for s in latencies]),
        Figure(
            f"fan-out, {flows.TASKS:,} trivial tasks, {WORKERS} workers",
            "/s",
            rates,
            bare,
            "a process pool, one task a message",
            aim=600,
        ),
    ]


def register(runtime: Runtime, home: Path) -> None:
    sources = find_sources(Path(flows.__file__), ())
    archive = pack(sources)
    artifacts_in(home).bundles.put(archive)
    runtime.service.handle(Register(bundle=archive.digest, module=sources.module))


def look(runtime: Runtime, request: Launch | GetExecution) -> ExecutionView:
    view = runtime.service.handle(request)
    assert isinstance(view, ExecutionView)
    return view


def answer(runtime: Runtime, name: str) -> float:
    """One cycle; return the seconds from the answer to the call of the task that takes it."""
    look(runtime, Launch(workflow="flows.gate_wf", inputs={"x": 1}, id=name))
    waiting = look(runtime, GetExecution(id=name, wait=60, until_waiting=True))
    assert waiting.phase == "WAITING", waiting.phase
    start = time.perf_counter()
    runtime.service.handle(Answer(id=name, name="title", value="a title"))
    end = look(runtime, GetExecution(id=name, wait=60))
    assert end.outputs is not None, end.error
    called: float = end.outputs["o0"]
    return called - start


def fan(runtime: Runtime, name: str) -> float:
    """Return the seconds from the launch to the end of the whole fan."""

    def whole() -> None:
        look(runtime, Launch(workflow="flows.fan_wf", id=name))
        end = look(runtime, GetExecution(id=name, wait=300))
        assert end.outputs is not None, end.error
        assert end.outputs["o0"] == list(range(flows.TASKS))

    return seconds(whole)


def bare_fan() -> float:
    with multiprocessing.get_context("spawn").Pool(WORKERS) as pool:
        pool.map(abs, range(100), chunksize=1)
        return seconds(lambda: pool.map(abs, range(flows.TASKS), chunksize=1))
