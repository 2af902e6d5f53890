"""
The server is killed at any moment under a load of launches and answers over HTTP: nothing that was acknowledged is lost, nothing happens twice.

Method: eight threads launch, answer and repeat themselves, each with a connection of its own, and write down what they ask and what is acknowledged.
The server is killed with `kill -9` again and again, also while it starts; each time the notes are compared with the store, and the next one goes on.

TIDEGATE_KILLS sets how many times (20 if it is not set).
"""

import os
import random
import time
from pathlib import Path

import pytest
from tests.crash.clients import LONGEST, Clients, check_all, compare
from tests.crash.owner import prepare
from tests.serving import Server

KILLS = int(os.environ.get("TIDEGATE_KILLS", "20"))
ANSWERS = 5
"""Answers that are acknowledged in the life of a server which became ready, at least: else its death would prove little."""


def die(clients: Clients, server: Server, chance: random.Random) -> None:
    """Let the server live until enough was acknowledged and answered, or perhaps not even until it is ready, and kill it."""
    if chance.random() < 0.2:
        time.sleep(chance.random())
    else:
        clients.move(server.ready())
        acks, answers = clients.acks + chance.randrange(1, 200), clients.answers() + ANSWERS
        seen, give_up = clients.acks, time.monotonic() + LONGEST
        while clients.acks < acks or clients.answers() < answers:
            assert clients.faults == []
            assert server.process.poll() is None, f"the server has died by itself: {server.said}"
            if clients.acks > seen:
                seen, give_up = clients.acks, time.monotonic() + LONGEST
            assert time.monotonic() < give_up, f"the server does nothing: {server.said}"
            time.sleep(0.002)
    server.kill()
    clients.move(None)


@pytest.mark.timeout(300 + 10 * KILLS)
def test_a_killed_server_loses_nothing_and_doubles_nothing(tmp_path: Path):
    home, chance, clients = tmp_path / "home", random.Random(1), Clients()
    prepare(home, tmp_path / "flow.py")
    clients.start()
    for _ in range(KILLS):
        server = Server(home)
        try:
            die(clients, server, chance)
        finally:
            server.close()
        compare(home, clients)
    server = Server(home)
    try:
        clients.move(server.ready())
        clients.finish()
        server.stop()
    finally:
        server.close()
    check_all(home, clients)
