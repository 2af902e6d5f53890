"""
A client that loads an HTTP server: as many connections as asked for, each sending its next request as soon as it has a reply.

    python bench/http_load.py HOST PORT CONNECTIONS TOKEN < requests

A request is a line of JSON: [method, path, body]. Prints JSON: how long it took, the latencies in seconds, and how many times each status came.
It is a process of its own, and as thin as Python allows, for it shares the machine with what it measures.
"""

import asyncio
import json
import sys
import time
from collections import Counter, deque
from typing import Any

import uvloop

Requests = deque[bytes]


class Connection(asyncio.Protocol):
    """Sends one request after the other."""

    def __init__(self, requests: Requests, latencies: list[float], statuses: Counter[str]) -> None:
        self._requests = requests
        self._latencies = latencies
        self._statuses = statuses
        self._transport: Any = None
        self._buffer = b""
        self._begun = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        if not self._requests:
            self._transport.close()
            self.done.set_result(None)
            return
        self._begun = time.perf_counter()
        self._transport.write(self._requests.popleft())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        size = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self._buffer) < end + 4 + size:
            return
        self._latencies.append(time.perf_counter() - self._begun)
        self._statuses[head[9:12].decode()] += 1
        self._buffer = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))


async def load(host: str, port: int, connections: int, requests: Requests) -> dict[str, Any]:
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    made = [
        await loop.create_connection(lambda: Connection(requests, latencies, statuses), host, port)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "latencies": latencies, "statuses": statuses}


def encoded(host: str, port: int, token: str, line: str) -> bytes:
    method, path, body = json.loads(line)
    content = b"" if body is None else json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def main() -> None:
    host, port, connections, token = sys.argv[1:]
    requests = deque(encoded(host, int(port), token, line) for line in sys.stdin)
    result = uvloop.run(load(host, int(port), int(connections), requests))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
