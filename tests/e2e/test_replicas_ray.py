"""Two servers share a store on Postgres, and a Ray cluster: what one of them has started goes on without it, once, and is taken over by the other."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_remote_client import PAGE, SNIPPET, url_of
from tests.e2e.test_replicas import Pair, outputs, shard_for, until
from tests.e2e.watched import FLOW
from tests.postgres import emptied, running
from tests.ray_cluster import running_ray
from tests.serving import Connection, Reply, Server

from tidegate.remote import Config, Remote
from tidegate.stores.postgres.store import PostgresStore

NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0]
REPORT = {"mean": 3.0, "length": 5, "max": 5.0, "min": 1.0}
TITLED = {"title": "mine", **REPORT}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    place = tmp_path_factory.mktemp("pair")
    page = place / "tree" / (PAGE.replace(".", "/") + ".py")
    page.parent.mkdir(parents=True)
    page.write_text(Path(__file__).with_name("seed_page.py").read_text())
    (place / "tree" / "wf.py").write_text(FLOW)
    with running_ray() as ray, running() as cluster, ExitStack() as stack:
        on_ray = ("--executor", "ray", "--ray-address", ray.address)
        pair = Pair(place, emptied(cluster), stack, *on_ray)
        both = [pair.start(name) for name in ("a", "b")]
        with remote(pair.servers["a"]) as client:
            client.register(place / "tree")
        pair.settled(both[0], "a", "b")
        yield pair
        for server in pair.servers.values():
            if server.process.poll() is None:
                server.stop()
        store = PostgresStore.open(pair.address, writer=False)
        assert store.problems() == []
        store.close()


def remote(server: Server) -> Remote:
    return Remote(Config.for_endpoint(url_of(server), server.token), "flytesnacks", "development")


def begun(pair: Pair, owner: str, prefix: str) -> tuple[str, Path]:
    """Start a task that waits for a file, in an execution that this server decides about; return its id and place."""
    ask = pair.servers[owner].connect()
    items = ask("GET", "replicas").body["items"]
    owned = next(each["shards"] for each in items if each["here"])
    id_ = next(f"{prefix}-{n}" for n in range(1_000) if shard_for(f"{prefix}-{n}") in owned)
    place = pair.place / id_
    place.mkdir()
    launched(ask, id_, "wf.lasting", place=str(place))
    until(lambda: (place / "began").exists() and nodes(ask, id_)[0]["phase"] == "RUNNING")
    return id_, place


def launched(ask: Connection, id_: str, workflow: str, **inputs: Any) -> None:
    reply = ask("POST", "executions", {"workflow": workflow, "id": id_, "inputs": inputs})
    assert reply.status == 201, reply


def nodes(ask: Connection, id_: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", f"executions/{id_}").body["nodes"]
    return found


def ran_once(ask: Connection, id_: str, place: Path) -> None:
    """Let the task end, and see that it was the first attempt that did."""
    (place / "end").touch()
    assert outputs(ask, id_) == str(place)
    assert len((place / "began").read_text().split()) == 1
    kinds = [e["kind"] for e in ask("GET", f"executions/{id_}/events").body["items"]]
    assert "TaskLost" not in kinds
    assert kinds.count("TaskSucceeded") == 1


def answered(ask: Connection, id_: str, name: str, value: Any) -> Reply:
    """Answer a question once it is asked; an approval is never early."""
    place = f"executions/{id_}/signals/{name}"
    replies: list[Reply] = []

    def is_asked() -> bool:
        replies.append(ask("PUT", place, {"value": value}))
        return replies[-1].body.get("code") != "not_waiting_yet"

    until(is_asked, 40)
    return replies[-1]


def test_the_seed_page_runs_at_both_doors(pair: Pair):
    a, b = (pair.servers[name].connect() for name in ("a", "b"))
    launched(a, "sleep", f"{PAGE}.sleep_wf", num=3)
    for n, ask in enumerate((a, b)):
        for name in ("reporting_wf", "reporting_with_approval_wf", "approval_as_promise_wf"):
            launched(ask, f"{name}-{n}", f"{PAGE}.{name}", data=NUMBERS)
            assert answered((b, a)[n], f"{name}-{n}", "title", "mine").status == 200
        for name, gate in (
            ("reporting_with_approval_wf", "approve-final-report"),
            ("approval_as_promise_wf", "raw-report-approval"),
        ):
            assert answered(ask, f"{name}-{n}", gate, True).status == 200
    for n, ask in enumerate((a, b)):
        for name in ("reporting_wf", "reporting_with_approval_wf", "approval_as_promise_wf"):
            assert outputs(ask, f"{name}-{n}") == TITLED
    assert outputs(b, "sleep") == 3


def test_of_two_answers_at_two_doors_one_is_accepted(pair: Pair):
    doors = [pair.servers[name].connect() for name in ("a", "b")]
    for n in range(8):
        launched(doors[n % 2], f"race-{n}", "wf.asking")
        replies: dict[int, Reply] = {}
        start = threading.Barrier(2)

        def race(door: int, n: int = n, replies: dict[int, Reply] = replies) -> None:
            start.wait()
            where = f"executions/race-{n}/signals/n"
            replies[door] = doors[door]("PUT", where, {"value": 10 + door})

        threads = [threading.Thread(target=race, args=(door,)) for door in (0, 1)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        (won,) = (door for door, reply in replies.items() if reply.status == 200)
        assert (replies[1 - won].status, replies[1 - won].body["code"]) == (409, "already_answered")
        assert outputs(doors[1 - won], f"race-{n}") == 2 * (10 + won)


def test_the_client_of_the_seed_page_runs_against_either(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
):
    for server in pair.servers.values():
        monkeypatch.setenv("TIDEGATE_HOME", str(server.home))
        monkeypatch.setenv("TIDEGATE_URL", url_of(server))
        names: dict[str, Any] = {}
        exec(SNIPPET, names)
        execution = names["remote"].wait(names["execution"], timeout=60)
        assert execution.outputs.o0 == {"title": "my report", **REPORT}
        names["remote"].close()


def test_a_cluster_of_one_machine_is_refused(pair: Pair):
    pair.make_home("refused")
    refused = Server(pair.place / "refused", "--store", pair.address, "--executor", "ray")
    try:
        assert refused.wait() == 2
        assert "need one Ray cluster for all of them" in refused.said
        assert len(refused.said.strip().splitlines()) == 1
    finally:
        refused.close()


def test_a_task_goes_on_once_while_its_server_is_killed_or_told_to_stop(pair: Pair):
    # Killed, and back at the same address at once: it does not end what it has started in its life before.
    id_, place = begun(pair, "a", "again")
    port = pair.servers["a"].port
    pair.servers["a"].kill()
    a = pair.start("a", port=port)
    pair.settled(a, "a", "b")
    ran_once(a, id_, place)

    # Killed: what it had belongs to the other one, once its leases have ended.
    id_, place = begun(pair, "b", "killed")
    pair.servers["b"].kill()
    until(lambda: [each["here"] for each in a("GET", "replicas").body["items"]] == [True])
    ran_once(a, id_, place)
    pair.settled(pair.start("b"), "a", "b")

    # A rolling restart: neither waits for what runs, nor ends it.
    there = [begun(pair, name, f"rolled-{name}") for name in ("a", "b")]
    for name in ("a", "b"):
        pair.servers[name].stop()
        ask = pair.start(name)
        pair.settled(ask, "a", "b")
    for id_, place in there:
        ran_once(pair.servers["a"].connect(), id_, place)
