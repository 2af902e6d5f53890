"""A server in which a thread stands: it says so, with the place, in its log, and counts it in health and metrics."""

import time
import urllib.request

from tests.serving import Server

from tidegate import wait_for_input, workflow
from tidegate.testing import Sandbox
from tidegate.wire import Launch

STANDS = """
import time
from tidegate.api.auth import Gatekeeper
real = Gatekeeper._own_name
def stands(gate, host):
    stood = time.monotonic() + 2.5
    while b'slow' in host and time.monotonic() < stood: time.sleep(0.01)
    return real(gate, host)
Gatekeeper._own_name = stands
"""


def until_counted(ask):
    """Return how the loop is once the watchdog has seen it turn again."""
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        for seen in ask("GET", "health").body["parts"]:
            if seen["name"] == "event-loop" and seen["restarts"] == 1:
                return seen
    raise AssertionError("it is not counted")


def test_a_loop_that_stands_for_a_second_is_logged_with_its_place_and_counted(tmp_path):
    server = Server(tmp_path / "home", planted=STANDS).ready()
    try:
        ask = server.connect()
        assert ask("GET", "executions", Host="slow.test").status == 421
        seen = until_counted(ask)
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/metrics",
            headers={"Authorization": f"Bearer {server.token}"},
        )
        metrics = urllib.request.urlopen(request).read().decode()
    finally:
        server.close()

    assert seen["up"]
    assert "event-loop has failed: has been stuck for 1 s in __main__" in server.said
    assert "(stands)" in server.said
    assert 'tidegate_part_restarts_total{part="event-loop"} 1' in metrics


@workflow
def ask_number() -> int:
    return wait_for_input("number", expected_type=int)


def test_the_engine_says_when_it_is_in_a_turn_and_that_it_is_in_none_while_it_waits():
    with Sandbox() as sandbox:
        engine, seen = sandbox._service._engine, []
        sandbox._service.on_commit(lambda: seen.append(engine.turning), "test")
        sandbox._register(ask_number)
        sandbox._service.handle(Launch(workflow=ask_number.name))
        engine.settle()

        assert seen
        assert all(each is not None and each[0] == engine._thread.ident for each in seen)
        for _ in range(10_000):
            if engine.turning is None:
                return
    raise AssertionError("it is in a turn forever")
