"""
Of two servers on one database one is killed at any moment, or the database, under a load of launches and answers: nothing acknowledged is lost, nothing
happens twice, and everything ends.

Method: that of `test_kill_server`. The clients are at the server that stays, half of what they want is decided at the other. Each third time the
database crashes instead, and begins again.

TIDEGATE_KILLS sets how many times (6 if it is not set).
"""

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crash.clients import LONGEST, Clients, check_all
from tests.crash.owner import prepare
from tests.postgres import Cluster, emptied, running
from tests.serving import Server

KILLS = int(os.environ.get("TIDEGATE_KILLS", "6"))
NAMES = ("a", "b")


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running() as cluster:
        yield cluster


def homes(place: Path) -> dict[str, Path]:
    """Make homes with files in one place."""
    found = {name: place / name for name in NAMES}
    for shared in ("blobs", "bundles"):
        (place / shared).mkdir(mode=0o700)
    for home in found.values():
        home.mkdir(mode=0o700)
        for shared in ("blobs", "bundles"):
            (home / shared).symlink_to(place / shared)
    return found


def wait_for(clients: Clients, acks: int) -> None:
    """Wait until so much more was acknowledged."""
    wanted, end = clients.acks + acks, time.monotonic() + LONGEST
    while clients.acks < wanted:
        assert clients.faults == []
        assert time.monotonic() < end, "nothing is acknowledged"
        time.sleep(0.005)


@pytest.mark.timeout(300 + 20 * KILLS)
def test_killed_servers_of_one_store_lose_nothing_and_double_nothing(
    tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIDEGATE_STORE", emptied(cluster))
    chance, clients, places = random.Random(1), Clients(), homes(tmp_path)
    prepare(places["a"], tmp_path / "flow.py")
    servers = {name: Server(place, workers=1).ready() for name, place in places.items()}
    try:
        clients.move(servers["b"])
        clients.start()
        for n in range(KILLS):
            wait_for(clients, chance.randrange(20, 120))
            if n % 3 == 2:
                cluster.restart()
                continue
            dies = NAMES[n % 2]
            clients.move(servers[NAMES[1 - n % 2]])
            servers[dies].kill()
            servers[dies].close()
            servers[dies] = Server(places[dies], workers=1).ready()
        clients.finish()
        for each in servers.values():
            each.stop()
    except AssertionError as error:
        said = {name: (each.process.poll(), each.said[-4_000:]) for name, each in servers.items()}
        raise AssertionError(f"{error}: {said}") from error
    finally:
        for each in servers.values():
            each.close()
    check_all(places["a"], clients)
