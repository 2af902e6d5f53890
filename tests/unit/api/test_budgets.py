"""Budgets by who asks: nobody takes those of another, and what costs more takes more."""

import asyncio
import socket

import pytest

from tidegate.api.budgets import BURST, RATE, Buckets, Pace, Shares, WaitingLine, cost_of
from tidegate.api.callers import Callers, Sizes
from tidegate.errors import RateLimited
from tidegate.wire import ListExecutions


def test_strangers_wait_for_their_turn_together_and_nobody_is_refused():
    pace = Pace(rate=10, burst=3)

    assert [round(pace.wait(100.0), 3) for _ in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]
    assert pace.wait(101.0) == 0, "a second later all of that is over"


def test_who_leaves_the_line_takes_no_turn_and_the_others_keep_their_order():
    callers, came = Callers(Sizes()), []

    async def stand(line, number, caller):
        if await line.turn(caller):
            came.append(number)

    async def scene():
        line = WaitingLine(rate=50, burst=1)
        lines = [callers.open(here) for here in sockets]
        standing = [asyncio.ensure_future(stand(line, n, each)) for n, each in enumerate(lines)]
        await asyncio.sleep(0)
        assert len(line) == 999
        for each in lines[1:-2]:
            each.lost()
        await asyncio.wait_for(asyncio.gather(*standing), 5)  # 20 s, if each had a turn
        assert len(line) == 0
        assert await line.turn(None), "and it goes on"

    sockets = [socket.socket() for _ in range(1_000)]
    try:
        asyncio.run(scene())
    finally:
        for each in sockets:
            each.close()
    assert came == [0, 998, 999]


def test_only_this_many_callers_are_remembered(monkeypatch):
    monkeypatch.setattr("tidegate.api.budgets.MAX_KEYS", 100)
    buckets = Buckets(rate=1.0, burst=3.0)
    for number in range(1_000):
        assert buckets.take(f"address {number}", 0.0) == 0.0
    assert len(buckets._left) <= 100


def test_a_bucket_is_of_one_and_what_costs_more_takes_more():
    buckets = Buckets(rate=10.0, burst=20.0)

    assert buckets.take("a", 0.0, 19.0) == 0
    assert buckets.take("a", 0.0, 30.0) == 0, "who has a permit may go below none"
    assert buckets.take("a", 0.0) == pytest.approx(3.0)
    assert buckets.take("b", 0.0) == 0
    assert buckets.take("a", 3.0) == 0


def test_small_requests_at_full_speed_are_never_limited_and_large_pages_are():
    small, large = cost_of(None, 200), cost_of(ListExecutions(limit=1000, text="x"), 0)
    buckets = Buckets(RATE, BURST)

    assert not any(buckets.take("a", second / 9_000, small) for second in range(90_000))
    assert sum(not buckets.take("b", turn / 1_000, large) for turn in range(10_000)) < 600


def test_one_principal_has_only_this_many_at_once_and_others_have_theirs():
    shares = Shares("things", 2)
    for who in ("a", "a", "b"):
        shares.begin(who)

    with pytest.raises(RateLimited, match="this token already has 2 things"):
        shares.begin("a")
    shares.end("a")
    shares.begin("a")
    shares.end("a")
    shares.go_on("a")
    assert shares.count == 3
