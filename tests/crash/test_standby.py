"""
A standby takes over from the database of two servers, under a load of launches and answers: if it has received everything, nothing is lost and everything
ends; if not, nothing is decided on it.

Method: the servers reach the database through a wire, which leads to the standby once that was promoted.
"""

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.crash.clients import LONGEST, Clients, check_all
from tests.crash.owner import prepare
from tests.crash.test_kill_replicas import homes, wait_for
from tests.postgres import Cluster, running, standing_by
from tests.serving import Connection, Server
from tests.severing import Wire


class Switch:
    """A primary, its standby, and the wire to the one that counts."""

    def __init__(self, primary: Cluster, standby: Cluster, wire: Wire, place: str) -> None:
        self.primary = primary
        self.standby = standby
        self.address = f"postgresql://tidegate@/postgres?host={place}"
        self._wire = wire

    def until(self, query: str) -> None:
        """Wait until the primary says yes."""
        end = time.monotonic() + LONGEST
        while self.primary.ask(query) != [(True,)]:
            assert time.monotonic() < end, query
            threading.Event().wait(0.05)

    def fail_over(self, meanwhile: Callable[[], object]) -> None:
        """End the primary as a power cut does, and let the standby take over, which lags behind, and is asked before that."""
        self.standby.ask("SELECT pg_wal_replay_pause()")
        meanwhile()
        self.primary.stop()
        self._wire.lead(self.standby.place)
        self._wire.passes_on(20)
        self.standby.promote()


@pytest.fixture
def switch() -> Iterator[Switch]:
    with ExitStack() as stack:
        primary = stack.enter_context(running())
        standby = stack.enter_context(standing_by(primary))
        # The path of a socket may have some 100 characters.
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="tidegate-wire-"))
        wire = Wire(Path(place), primary.place)
        stack.callback(wire.close)
        yield Switch(primary, standby, wire, place)


@pytest.fixture
def places(switch: Switch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """The homes of two servers."""
    monkeypatch.setenv("TIDEGATE_STORE", switch.address)
    found = homes(tmp_path)
    prepare(found["a"], tmp_path / "flow.py")
    return found


def test_a_standby_that_has_received_everything_takes_over_without_loss(
    switch: Switch, places: dict[str, Path]
):
    switch.primary.ask("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
    switch.primary.ask("SELECT pg_reload_conf()")
    switch.until("SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'")
    clients = Clients()
    with ExitStack() as stack:
        servers = {name: Server(place, workers=1).ready() for name, place in places.items()}
        for each in servers.values():
            stack.callback(each.close)
        clients.move(servers["b"])
        clients.start()
        wait_for(clients, 100)
        switch.fail_over(lambda: wait_for(clients, 100))
        wait_for(clients, 100)
        clients.finish()
        for each in servers.values():
            each.stop()
    check_all(places["a"], clients)


def launched(ask: Connection, number: int) -> int:
    body = {"workflow": "flow.story", "inputs": {"n": number}, "id": f"n{number}"}
    return ask("POST", "executions", body).status


def test_on_a_standby_that_lacks_what_was_acknowledged_nothing_is_decided(
    switch: Switch, places: dict[str, Path]
):
    with ExitStack() as stack:
        server = Server(places["a"], workers=1).ready()
        stack.callback(server.close)
        ask = server.connect()
        assert launched(ask, 1) == 201
        switch.until(
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()"
        )
        switch.standby.ask("ALTER SYSTEM SET primary_conninfo = ''")
        switch.standby.ask("SELECT pg_reload_conf()")
        switch.until("SELECT count(*) = 0 FROM pg_stat_replication")
        assert launched(ask, 2) == 201

        switch.fail_over(lambda: None)

        # Also for what it has, for that may be half of what was decided.
        for number in (1, 2, 3):
            reply = ask("POST", "executions", {"workflow": "flow.story", "inputs": {"n": number}})
            assert reply.status == 503
            assert "is older than what this server has seen there" in json.dumps(reply.body)
        health = server.connect()("GET", "health")
        assert (health.status, "is older than" in json.dumps(health.body)) == (503, True)
        assert switch.standby.ask("SELECT count(*) FROM executions") == [(1,)]

        server.kill()
        server.close()
        again = Server(places["a"], workers=1)
        stack.callback(again.close)
        again.process.wait(LONGEST)
        assert "is older than what this server has seen there" in again.said
        (places["a"] / "seen").unlink()
        last = Server(places["a"], workers=1).ready()
        stack.callback(last.close)
        assert launched(last.connect(), 2) == 201
