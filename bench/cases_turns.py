"""
How long one turn of the server's event loop takes at most, by the processor time of its thread: for so long everybody else waits.

Method: the whole of the server but for its socket, in this process, on an event loop that measures its turns; requests come in as bytes, and
each kind is asked several times.
"""

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flows
import machine
import uvicorn
from cases_workers import register
from figures import Figure
from uvicorn.server import ServerState

from tidegate.api.app import make_app
from tidegate.api.protocol import Protocol
from tidegate.api.settings import Settings
from tidegate.home import TOKEN_FILE
from tidegate.runtime import Runtime, open_runtime
from tidegate.wire import GetExecution, Launch

MOST_MS = 20.0
TIMES = 5
LARGE = "x" * 900_000
ANSWERS = 500

Asked = tuple[str, str, Any]


class Loop(asyncio.SelectorEventLoop):
    """An event loop that measures its turns."""

    longest = 0.0

    def _run_once(self) -> None:
        begun = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # asyncio's own, and a turn is nothing else
        self.longest = max(self.longest, time.thread_time() - begun)


class Line(asyncio.Transport):
    """A connection on which one reply is awaited."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 80)})
        self.replied: asyncio.Future[int] = loop.create_future()

    def write(self, data: Any) -> None:
        if not self.replied.done():
            self.replied.set_result(int(data[9:12]))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def figures(repeats: int) -> list[Figure]:
    with (
        tempfile.TemporaryDirectory(dir=machine.here()) as place,
        open_runtime(Path(place), workers=1, serve_door=False) as runtime,
    ):
        register(runtime, Path(place))
        ready(runtime)
        runtime.service.tokens.admin_token(Path(place) / TOKEN_FILE)
        token = (Path(place) / TOKEN_FILE).read_text().split()[-1]
        turns = [measured(runtime, token, turn) for turn in range(repeats)]
    return [
        Figure(
            f"longest turn of the event loop: {kind}",
            "ms",
            [turn[kind] for turn in turns],
            aim=MOST_MS,
            more=False,
        )
        for kind in turns[0]
    ]


def ready(runtime: Runtime) -> None:
    """Have something there to be read: questions over large subjects, and one execution of very many gates."""
    handle = runtime.service.handle
    for n in range(100):
        handle(Launch(workflow="flows.large_wf", inputs={"text": LARGE}, id=f"large-{n}"))
    handle(Launch(workflow="flows.many_gates", id="many"))
    handle(GetExecution(id="many", wait=60, until_waiting=True))
    handle(GetExecution(id="large-99", wait=60, until_waiting=True))


def measured(runtime: Runtime, token: str, turn: int) -> dict[str, float]:
    """Return the longest turn in milliseconds, by what was asked."""
    app = make_app(runtime.service, "1", Settings())
    config = uvicorn.Config(
        app,
        interface="asgi3",
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
    )
    config.load()
    state = ServerState()

    async def ask(asked: Asked) -> None:
        line = Line(asyncio.get_running_loop())
        protocol = Protocol(config, state, {})
        protocol.connection_made(line)
        protocol.data_received(request(token, *asked))
        status = await asyncio.wait_for(line.replied, 60)
        assert status < 300, (asked[:2], status)
        protocol.connection_lost(None)

    async def all_of(kind: list[Asked]) -> None:
        for asked in kind:
            await ask(asked)

    found = {}
    for name, kind in kinds(runtime, turn):
        gc.collect()
        loop = Loop()
        loop.run_until_complete(all_of(kind[:1]))
        loop.longest = 0.0
        loop.run_until_complete(all_of(kind[1:]))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
        found[name] = loop.longest * 1e3
    return found


def kinds(runtime: Runtime, turn: int) -> Iterator[tuple[str, list[Asked]]]:
    api, times = "/api/v1", range(TIMES + 1)

    def waiting(name: str) -> str:
        runtime.service.handle(Launch(workflow="flows.ask_wf", id=name))
        return name

    ids = [waiting(f"a{turn}-{n}") for n in times]
    yield (
        "one answer",
        [("PUT", f"{api}/executions/{id_}/signals/title", {"value": "t"}) for id_ in ids],
    )
    ids = [waiting(f"b{turn}-{n}") for n in times]
    yield (
        "an answer of 900 KB",
        [("PUT", f"{api}/executions/{id_}/signals/title", {"value": LARGE}) for id_ in ids],
    )
    many = [[waiting(f"m{turn}-{n}-{i}") for i in range(ANSWERS)] for n in range(2)]
    yield (
        f"{ANSWERS} answers in one request",
        [
            (
                "POST",
                f"{api}/inbox/answers",
                {"answers": [{"execution": id_, "signal": "title", "value": "t"} for id_ in ids]},
            )
            for ids in many
        ],
    )
    body = {"workflow": "flows.ask_wf"}
    yield "a launch", [("POST", f"{api}/executions", {**body, "id": f"c{turn}-{n}"}) for n in times]
    body = {"workflow": "flows.many_gates"}
    yield (
        f"a launch of {flows.GATES:,} gates",
        [("POST", f"{api}/executions", {**body, "id": f"d{turn}-{n}"}) for n in range(2)],
    )
    large = {"workflow": "flows.large_wf", "inputs": {"text": LARGE}}
    yield (
        "a launch with an input of 900 KB",
        [("POST", f"{api}/executions", {**large, "id": f"e{turn}-{n}"}) for n in times],
    )
    paths = {
        f"an execution of {flows.GATES:,} gates": "/executions/many",
        "... and what has changed": "/executions/many?after=9000",
        f"the signals of {flows.GATES:,} gates": "/executions/many/signals",
        "a page of 500 questions": "/inbox?limit=500",
        "a search in the inbox": "/inbox?text=nobody-has-this",
        "100 questions over 900 KB each": "/inbox?text=large&limit=100",
        "one question over 900 KB": "/executions/large-1/signals/agree",
        "a page of 1,000 executions": "/executions?limit=1000",
        "metrics": "/metrics",
    }
    for name, path in paths.items():
        yield name, [("GET", api + path, None)] * (TIMES + 1)


def request(token: str, method: str, path: str, body: Any) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
