"""An application that is asked without a network, as a server would hand it requests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, NamedTuple

import msgspec

TUS = {"tus_resumable": "1.0.0"}
PIECE = {**TUS, "upload_offset": "0", "content_type": "application/offset+octet-stream"}
"""The headers of a resumable upload, and of a piece of it."""


class Told(NamedTuple):
    """A reply."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Asking:
    """Asks an application; one event loop for all that is asked."""

    def __init__(self, app: Any, host: str = "localhost") -> None:
        self._app = app
        self._host = host
        self._runner = asyncio.Runner()

    def __call__(self, method: str, path: str, **how: Any) -> Told:
        """Ask, and return the reply; of one that goes on forever, this many `pieces`."""
        return self._runner.run(self.ask(method, path, **how))

    def run(self, story: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(story)

    def close(self, before: Callable[[], None]) -> None:
        async def end() -> None:
            before()

        self._runner.run(end())
        self._runner.close()

    async def ask(self, method: str, path: str, *, pieces: int = 1, **how: Any) -> Told:
        found = []
        messages = self._messages(method, path, **how)
        start = await anext(messages)
        async for message in messages:
            found.append(message.get("body", b""))
            if message.get("more_body", False) and len(found) >= pieces:
                await messages.aclose()
                break
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Told(start["status"], headers, b"".join(found))

    async def stream(self, method: str, path: str, **how: Any) -> AsyncIterator[bytes]:
        """Ask, and yield the pieces of the reply as they come."""
        messages = self._messages(method, path, **how)
        start = await anext(messages)
        assert start["status"] == 200, start
        async for message in messages:
            if message.get("body"):
                yield message["body"]

    async def _messages(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        body: bytes = b"",
        **headers: str,
    ) -> AsyncIterator[Any]:
        given = {"host": self._host, **{n.replace("_", "-"): v for n, v in headers.items()}}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        if json is not None:
            body = msgspec.json.encode(json)
            given["content-type"] = "application/json"
        elif body:
            given.setdefault("content-type", "application/octet-stream")
        given["content-length"] = str(len(body))
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "headers": [(n.encode(), v.encode("latin-1")) for n, v in given.items()],
            "client": ("192.0.2.1", 50_000),
            "scheme": "http",
        }
        sent: asyncio.Queue[Any] = asyncio.Queue()
        left = asyncio.Event()
        coming = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            if coming:
                return coming.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        task = asyncio.create_task(self._app(scope, receive, sent.put))
        task.add_done_callback(lambda _: sent.put_nowait(None))
        try:
            while (message := await sent.get()) is not None:
                yield message
        finally:
            left.set()
            await task
