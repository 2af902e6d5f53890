"""
Many who wait and many who ask: neither takes the other's place, and who is refused is told when to come again.

Method: the application as it is served, on an engine in memory, with limits that a few requests reach.
"""

import asyncio
from collections import Counter
from contextlib import aclosing, contextmanager

import pytest
from tests.e2e.asking import Asking

from tidegate import wait_for_input, workflow
from tidegate.api import door
from tidegate.api.app import make_app
from tidegate.api.settings import Settings
from tidegate.testing import Sandbox
from tidegate.wire import Abort, GrantView, Launch, MakeToken, RevokeToken

LIST, STREAM = "/api/v1/executions", "/api/v1/events?after=0"
LONGEST = 20
"""Seconds after which something that was promised has not happened."""


@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int)


class World:
    def __init__(self, sandbox, home, **settings):
        self.service = sandbox._service
        sandbox._register(ask)
        self.app = make_app(self.service, "1.0", Settings(**settings))
        self.asking = Asking(self.app)
        self.id = self.service.handle(Launch(workflow=ask.name)).id
        wanted = MakeToken(name="ann", grants=[GrantView(role="viewer", project="*", domain="*")])
        self.token = self.service.handle(wanted).secret

    async def ask(self, path):
        return await self.asking.ask("GET", path, token=self.token)

    def stream(self, path=STREAM):
        return aclosing(self.asking.stream("GET", path, token=self.token))

    def poll(self):
        path = f"{LIST}/{self.id}?wait=60"
        return asyncio.create_task(self.asking.ask("GET", path, token=self.token))

    async def abort(self):
        await asyncio.to_thread(self.service.handle, Abort(id=self.id))


@contextmanager
def at_work(home, **settings):
    with Sandbox() as sandbox:
        made = World(sandbox, home, **settings)
        yield made
        made.asking.close(made.app.close)


@pytest.fixture
def world(tmp_path):
    with at_work(tmp_path) as made:
        yield made


async def waiting(world, count):
    """Return once this many wait at the door, and it works on nothing."""
    door = world.app._app
    async with asyncio.timeout(LONGEST):
        while (door._waiting, door._busy) != (count, 0):  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0)


def refused(reply, after):
    assert (reply.status, reply.json["code"]) == (503, "overloaded")
    assert reply.headers["retry-after"] == after


def test_who_waits_or_watches_takes_no_place_of_who_does_something(world, monkeypatch):
    monkeypatch.setattr(door, "MAX_BUSY", 1)

    async def story():
        async with world.stream() as one, world.stream() as two:
            await anext(one)
            await anext(two)
            poll = world.poll()
            await waiting(world, 3)
            listed = await world.ask(LIST)
            await world.abort()
            polled = await poll
        await waiting(world, 0)
        return listed, polled

    listed, polled = world.asking.run(story())

    assert listed.status == 200
    assert polled.json["phase"] == "ABORTED"


def test_more_than_this_many_cannot_wait_at_once(world, monkeypatch):
    monkeypatch.setattr(door, "MAX_WAITING", 1)

    async def story():
        async with world.stream() as one:
            await anext(one)
            return await world.ask(STREAM), await world.ask(f"{LIST}/{world.id}?wait=60")

    for reply in world.asking.run(story()):
        refused(reply, "5")


def test_more_than_this_many_cannot_be_worked_on_at_once(world, monkeypatch):
    monkeypatch.setattr(door, "MAX_BUSY", 0)

    refused(world.asking("GET", LIST, token=world.token), "1")


def test_one_token_cannot_take_all_places_and_who_waits_takes_none_of_who_acts(world):
    world.app._app._at_rest._most = 1
    world.app._app._under_way._most = 1
    other = world.service.handle(
        MakeToken(name="bob", grants=[GrantView(role="viewer", project="*", domain="*")])
    ).secret

    async def story():
        async with world.stream() as one:
            await anext(one)
            polled = await world.ask(f"{LIST}/{world.id}?wait=60")
            listed = await world.ask(LIST)
            poll = asyncio.create_task(
                world.asking.ask("GET", f"{LIST}/{world.id}?wait=60", token=other)
            )
            await waiting(world, 2)
            await world.abort()
            return polled, listed, await poll

    polled, listed, others = world.asking.run(story())

    assert (polled.status, polled.json["code"]) == (429, "rate_limited")
    assert (listed.status, others.status) == (200, 200)


def test_one_token_that_asks_for_large_pages_again_and_again_is_told_when_to_go_on(world):
    async def story():
        # All at once: what a slow machine takes for one after the other is given back meanwhile.
        return await asyncio.gather(*(world.ask(f"{LIST}?limit=1000") for _ in range(130)))

    replies = world.asking.run(story())

    limited = [each for each in replies if each.status == 429]
    assert limited
    assert {each.headers["retry-after"] for each in limited} == {"1"}
    assert replies[0].status == 200


def test_who_is_revoked_while_waiting_is_told_so_and_nothing_else(world):
    async def story():
        poll = world.poll()
        await waiting(world, 1)
        await asyncio.to_thread(world.service.handle, RevokeToken(token="ann"))
        await world.abort()
        return await poll

    reply = world.asking.run(story())

    assert (reply.status, reply.json["code"]) == (401, "unauthenticated")


def test_a_stream_on_which_nothing_happens_beats_so_that_a_dead_connection_is_noticed(tmp_path):
    async def story(world):
        async with world.stream("/api/v1/events") as quiet:
            found = [await anext(quiet) for _ in range(4)]
            await world.abort()
            while b"data:" not in (event := await anext(quiet)):
                assert event == b": beat\n\n"
            return found, event

    with at_work(tmp_path, heartbeat=0.05) as world:
        found, event = world.asking.run(story(world))

    assert found == [b"retry: 1000\n\n", *[b": beat\n\n"] * 3]
    assert b'"AbortRequested"' in event


def test_a_stream_beats_though_others_are_busy_of_whom_it_tells_nothing(tmp_path):
    async def story(world):
        async with world.stream(f"/api/v1/events?execution={world.id}") as quiet:
            assert await anext(quiet) == b"retry: 1000\n\n"
            beat = asyncio.ensure_future(anext(quiet))
            while not beat.done():
                await asyncio.to_thread(world.service.handle, Launch(workflow=ask.name))
            return await beat

    with at_work(tmp_path, heartbeat=0.2) as world:
        assert world.asking.run(story(world)) == b": beat\n\n"


def test_a_stream_whose_token_was_revoked_ends_with_the_next_beat(tmp_path):
    async def story(world):
        async with world.stream("/api/v1/events") as quiet:
            await anext(quiet)
            await asyncio.to_thread(world.service.handle, RevokeToken(token="ann"))
            return {piece async for piece in quiet}

    with at_work(tmp_path, heartbeat=0.05) as world:
        assert world.asking.run(story(world)) <= {b": beat\n\n"}


def test_a_stream_ends_when_its_token_does_and_not_with_the_next_beat(world):
    wanted = MakeToken(name="bob", grants=[GrantView(role="viewer")], lasts=1.0)
    secret = world.service.handle(wanted).secret

    async def story():
        async with (
            aclosing(world.asking.stream("GET", "/api/v1/events", token=secret)) as quiet,
            asyncio.timeout(LONGEST / 2),
        ):
            return [piece async for piece in quiet]

    assert Settings().heartbeat > LONGEST / 2
    assert world.asking.run(story()) == [b"retry: 1000\n\n"]


def test_one_person_signs_in_only_so_often(world):
    page = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}

    def signs_in():
        return world.asking.ask("POST", "/api/v1/session", json={"token": world.token}, **page)

    async def story():
        return await asyncio.gather(*(signs_in() for _ in range(25)))

    replies = world.asking.run(story())

    assert Counter(each.status for each in replies) == {200: 20, 429: 5}


def test_unless_told_otherwise_a_stream_beats_every_fifteen_seconds():
    assert Settings().heartbeat == 15
