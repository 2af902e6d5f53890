"""Reports of tasks: readable while the gate that shows them waits, and served where they can do nothing."""

import http.client
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.watched import until
from tests.serving import Server

from tidegate.errors import StoreError, UnknownDeck, UnknownNode
from tidegate.logs import Logs
from tidegate.remote import Config, Remote
from tidegate.wire import DeckView, GetDeck, ListEvents

HERE = Path(__file__).parent
LONGEST = 30.0
ROWS = [{"name": "<b>", "n": 1}, {"name": "x", "n": 2}]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server") / "home").ready()
    yield made
    made.close()


@pytest.fixture(scope="module")
def remote(server: Server) -> Iterator[Remote]:
    config = Config.for_endpoint(f"http://127.0.0.1:{server.port}", server.token)
    with Remote(config) as made:
        made.register(HERE / "remote_flows.py")
        yield made


def waits(remote: Remote, execution: Any) -> None:
    for event in remote.watch(execution):
        if event.event.details.get("phase") == "WAITING":
            return


def deck(remote: Remote, execution: Any, node: str) -> DeckView:
    found = remote.send(GetDeck(id=execution.id.name, node=node))
    assert isinstance(found, DeckView)
    return found


def test_a_deck_is_there_while_the_gate_that_needs_it_waits(server: Server, remote: Remote):
    execution = remote.execute("remote_flows.deck_wf", {"rows": ROWS})
    waits(remote, execution)

    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    path = f"/api/v1/executions/{execution.id.name}/nodes/draw/deck"
    line.request("GET", path, headers={"Authorization": f"Bearer {server.token}"})
    reply = line.getresponse()
    page = reply.read().decode()
    line.close()

    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert policy.startswith(
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert "allow-" not in policy
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "<td>&lt;b&gt;</td>" in page
    assert "<script>alert" not in page
    assert "<b>mine</b>" in page
    remote.sync(execution)
    assert {node.name: node.deck for node in execution.nodes} == {"draw": True, "publish": False}
    remote.approve("publish", execution.id.name)
    assert remote.wait(execution, timeout=LONGEST).outputs.o0 == 2


def test_nobody_sees_a_deck_without_a_token(server: Server):
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    line.request("GET", "/api/v1/executions/x/nodes/draw/deck")

    assert line.getresponse().status == 401
    line.close()


def test_a_task_that_fails_leaves_what_it_had_to_show(remote: Remote):
    execution = remote.execute("remote_flows.failing_wf", {"x": 7}, wait=True)

    assert execution.phase == "FAILED"
    found = deck(remote, execution, "fail_with_deck")
    assert "x was 7" in found.html
    assert (found.node, found.attempt) == ("n0", 1)


@pytest.mark.parametrize(
    ("name", "node"), [("crashing_wf", "crash_with_deck"), ("overrunning_wf", "overrun_with_deck")]
)
def test_what_a_task_had_published_is_kept_when_it_crashes_or_overruns(
    remote: Remote, name: str, node: str
):
    execution = remote.execute(f"remote_flows.{name}", {"x": 7}, wait=True)

    found = deck(remote, execution, node)
    assert "x was 7" in found.html
    assert found.digest == sha256(found.html.encode()).hexdigest()


def test_a_deck_is_live_while_its_attempt_runs_and_frozen_by_its_digest_in_history_then(
    remote: Remote, server: Server, tmp_path: Path
):
    go_on = tmp_path / "go on"
    execution = remote.execute("remote_flows.steps_wf", {"go_on": str(go_on)})

    def is_live() -> bool:
        with suppress(UnknownDeck):
            return deck(remote, execution, "draw_in_two_steps").live
        return False

    until(is_live)
    assert "the second" not in deck(remote, execution, "draw_in_two_steps").html

    go_on.touch()
    remote.wait(execution, timeout=LONGEST)

    shown = deck(remote, execution, "draw_in_two_steps")
    assert "the second" in shown.html
    assert shown.digest == sha256(shown.html.encode()).hexdigest()
    told = remote.send(ListEvents(id=execution.id.name)).items
    assert [each.details["deck"] for each in told if "deck" in each.details] == [shown.digest]
    # A process of the task that lives on may write where decks are published: nobody looks there now.
    Logs(server.home).publish_deck(execution.id.name, "n0", 1, b"<p>another</p>")
    assert deck(remote, execution, "draw_in_two_steps") == shown


def test_a_deck_that_has_changed_on_the_disk_is_not_shown(remote: Remote, server: Server):
    execution = remote.execute("remote_flows.failing_wf", {"x": 9}, wait=True)
    digest = deck(remote, execution, "fail_with_deck").digest
    blob = server.home / "blobs" / digest[:2] / digest[2:]
    blob.write_text(blob.read_text().replace("x was 9", "x was 1"))

    with pytest.raises(StoreError, match="damaged"):
        deck(remote, execution, "fail_with_deck")


def test_a_node_without_a_deck_is_told_from_one_that_is_not_there(remote: Remote):
    execution = remote.execute("remote_flows.deck_wf", {"rows": ROWS})
    waits(remote, execution)

    with pytest.raises(UnknownDeck):
        deck(remote, execution, "publish")
    with pytest.raises(UnknownNode, match="draw"):
        deck(remote, execution, "nowhere")
    remote.terminate(execution)


def test_the_command_shows_a_deck_and_writes_it(tidegate: Any):
    tidegate.write("flows.py", (HERE / "remote_flows.py").read_text())
    launched = tidegate(
        "run", "flows.py", "deck_wf", "--rows", '[{"n": 3}]', "--detach", "--id", "decked"
    )
    assert launched.code == 0, launched.err

    listed = tidegate("show", "decked").out
    shown = tidegate("deck", "decked", "draw")
    written = tidegate("deck", "decked", "draw", "--open", "page.html")
    tidegate("deck", "decked", "draw", "-o", "saved.html")
    missing = tidegate("deck", "decked", "publish")

    assert [line for line in listed.splitlines() if "(deck)" in line and "draw" in line]
    assert '<td class="n">3</td>' in shown.out
    assert written.code == 0
    assert (tidegate.place / "page.html").read_text().strip() == shown.out.strip()
    assert (tidegate.place / "saved.html").read_text() == (tidegate.place / "page.html").read_text()
    assert missing.code == 4
