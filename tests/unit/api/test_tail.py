"""The stream of changes: everybody sees everything once, wherever they begin, however slow they are, and the ring stays small."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from tidegate import wait_for_input, workflow
from tidegate.api import tail as module
from tidegate.api.tail import Tail
from tidegate.errors import InvalidValue, UnknownExecution
from tidegate.ports.changes import Cursor
from tidegate.service.access import LOCAL, Grant, Principal, Role
from tidegate.service.service import Service
from tidegate.testing import Sandbox
from tidegate.wire import Answer, FeedView, Launch

LONGEST = 30.0


@workflow
def ask(text: str) -> str:
    return wait_for_input("n", expected_type=str)


class Stream:
    """One watcher, who reads message by message."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting: list[FeedView] = []

    async def next(self) -> FeedView:
        async with asyncio.timeout(LONGEST):
            while not self._waiting:
                text = (await anext(self._pieces)).decode()
                self._waiting += [
                    view for message in text.split("\n\n") if (view := parsed(message)) is not None
                ]
        return self._waiting.pop(0)

    async def take(self, count: int) -> list[FeedView]:
        return [await self.next() for _ in range(count)]


def parsed(message: str) -> FeedView | None:
    fields = dict(line.partition(": ")[::2] for line in message.split("\n"))
    if "data" not in fields:
        return None
    view = msgspec.json.decode(fields["data"], type=FeedView)
    assert fields["id"] == view.cursor
    return view


def streaming(scene: Callable[[Service, Tail], Awaitable[Any]]) -> Any:
    """Play a scene with a service and its tail, in an event loop."""

    async def play() -> Any:
        tail = Tail(sandbox._service, 0.05)
        try:
            return await scene(sandbox._service, tail)
        finally:
            tail.close()

    with Sandbox() as sandbox:
        sandbox._register(ask)
        return asyncio.run(play())


async def watch(tail: Tail, after: str | None = None, execution: str = "") -> Stream:
    return Stream(await tail.watch(after, execution, LOCAL))


async def launch(service: Service, id_: str, text: str = "x") -> None:
    request = Launch(workflow=ask.name, id=id_, inputs={"text": text})
    await asyncio.to_thread(service.handle, request)


async def answer(service: Service, id_: str) -> None:
    await asyncio.to_thread(service.handle, Answer(id=id_, name="n", value="yes"))


def told(views: list[FeedView]) -> list[tuple[str, int]]:
    return [(view.execution, view.event.seq) for view in views]


@pytest.fixture(params=[16 * 1024 * 1024, 6_000, 0], ids=["a ring", "a small ring", "no ring"])
def ring(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Anyone who is behind finds what is missed in the ring, partly there, or in the store alone."""
    monkeypatch.setattr(module, "RING", request.param)
    return int(request.param)


def test_everybody_sees_everything_once_wherever_they_begin(ring: int):
    async def scene(service: Service, tail: Tail) -> None:
        await launch(service, "before")
        live = await watch(tail)
        await live._pieces.__anext__()
        for number in range(20):
            await launch(service, f"e{number}")
        first = await live.take(20)
        assert told(first) == [(f"e{number}", 1) for number in range(20)]

        later = [await watch(tail, view.cursor) for view in first]
        from_start = await watch(tail, "0")
        for number in range(20):
            await answer(service, f"e{number}")
        second = await live.take(20)
        assert told(second) == [(f"e{number}", 2) for number in range(20)]
        for number, stream in enumerate(later, start=1):
            rest = first[number:] + second
            assert await stream.take(len(rest)) == rest
        assert told(await from_start.take(41)) == [("before", 1), *told(first), *told(second)]

        assert tail._ring is not None
        assert tail._ring.weight <= ring

    streaming(scene)


def test_a_watcher_of_one_execution_sees_all_of_it_once_and_nothing_else(ring: int):
    async def scene(service: Service, tail: Tail) -> None:
        other = await watch(tail)
        await launch(service, "mine")
        for number in range(10):
            await launch(service, f"e{number}")
        whole = await watch(tail, "0", "mine")
        rest = await watch(tail, (await whole.next()).cursor, "mine")
        live = await watch(tail, None, "mine")
        await other.take(11)
        for number in range(10):
            await answer(service, f"e{number}")
        await answer(service, "mine")

        for stream in (whole, rest, live):
            assert told([await stream.next()]) == [("mine", 2)]

    streaming(scene)


def test_one_who_is_ahead_of_the_ring_goes_on_and_is_sent_nothing_twice(
    monkeypatch: pytest.MonkeyPatch,
):
    """The ring is filled by one reader, who may be a moment behind one who reads the store."""

    async def scene(service: Service, tail: Tail) -> None:
        await launch(service, "before")
        live = await watch(tail)
        await live._pieces.__anext__()
        add, tried = module._Ring.add, asyncio.Event()
        monkeypatch.setattr(module._Ring, "add", lambda ring, piece: tried.set())
        await launch(service, "e1")
        await launch(service, "e2")
        ahead = await watch(tail, "0")
        assert told(await ahead.take(3)) == [("before", 1), ("e1", 1), ("e2", 1)]
        following = asyncio.create_task(ahead.next())
        await tried.wait()
        await asyncio.sleep(
            0.1
        )  # it looks, and finds itself ahead; were it not to, nothing is shown
        assert not following.done()
        monkeypatch.setattr(module._Ring, "add", add)
        await answer(service, "e1")

        assert told([await following]) == [("e1", 2)]
        assert told(await live.take(3)) == [("e1", 1), ("e2", 1), ("e1", 2)]

    streaming(scene)


def test_the_ring_is_bounded_in_bytes_and_large_inputs_do_not_count(monkeypatch):
    monkeypatch.setattr(module, "RING", 20_000)

    async def scene(service: Service, tail: Tail) -> None:
        live = await watch(tail)
        sent = 0
        await live._pieces.__anext__()
        for number in range(60):
            await launch(service, f"e{number}", "y" * 9_000)
        for view in await live.take(60):
            sent += len(msgspec.json.encode(view))
        assert tail._ring is not None
        assert 10_000 < tail._ring.weight <= 20_000
        assert len(tail._ring._numbers) == len(tail._ring._pieces) + 1
        assert sent < 60 * 500, "no input is sent"

    streaming(scene)


def test_a_slow_watcher_is_sent_pieces_of_a_bounded_size(monkeypatch):
    monkeypatch.setattr(module, "PAGE", 7)

    async def scene(service: Service, tail: Tail) -> None:
        live = await watch(tail)
        slow = await tail.watch(None, "", LOCAL)
        assert await anext(slow) == module.RETRY
        await live._pieces.__anext__()
        for number in range(30):
            await launch(service, f"e{number}")
        await live.take(30)
        seen = 0
        while seen < 30:
            count = (await anext(slow)).count(b"data: ")
            assert count <= 7
            seen += count

    streaming(scene)


def test_who_resumes_is_sent_only_what_may_be_seen(ring: int):
    async def scene(service: Service, tail: Tail) -> None:
        for project in ("own", "other", "own"):
            request = Launch(workflow=ask.name, inputs={"text": "x"}, project=project)
            await asyncio.to_thread(service.handle, request)
        viewer = Principal("ann", (Grant(Role.VIEWER, "own"),), local=True)
        stream = Stream(await tail.watch("0", "", viewer))
        assert [view.project for view in await stream.take(2)] == ["own", "own"]

    streaming(scene)


@pytest.mark.parametrize("nonsense", ["x", "-1", "1 2", "9" * 300])
def test_nonsense_is_not_a_cursor(nonsense):
    async def scene(_: Service, tail: Tail) -> None:
        with pytest.raises(InvalidValue, match="is not a cursor"):
            await tail.watch(nonsense, "", LOCAL)
        with pytest.raises(UnknownExecution):
            await tail.watch(None, "nobody", LOCAL)

    streaming(scene)


def test_one_from_beyond_the_end_hears_of_what_happens_from_now_on():
    async def scene(service: Service, tail: Tail) -> None:
        await launch(service, "before")
        stream = await watch(tail, str(10**15))
        await stream._pieces.__anext__()
        await launch(service, "after")
        assert told([await stream.next()]) == [("after", 1)]

    streaming(scene)


def test_silence_is_broken_by_a_comment():
    async def scene(_: Service, tail: Tail) -> None:
        pieces = await tail.watch(None, "", LOCAL)
        assert await anext(pieces) == module.RETRY
        assert await anext(pieces) == module.BEAT

    streaming(scene)


def test_the_cursors_of_the_ring_are_opaque():
    """Nothing is compared: they may be any text."""
    ring = module._Ring(Cursor("zebra"))
    where = module.Namespace()
    for cursor in ("m", "a", "ü", "m2"):
        ring.add(module._Piece(Cursor(cursor), "e", where, cursor.encode()))
    number = ring.number(Cursor("a"))
    assert number is not None
    assert [piece.cursor for piece in ring.since(number, 10)] == ["ü", "m2"]
    assert ring.since(ring.end, 10) == []
    begin = ring.number(Cursor("zebra"))
    assert begin is not None
    assert [piece.cursor for piece in ring.since(begin, 2)] == ["m", "a"]
    assert ring.number(Cursor("unknown")) is None
