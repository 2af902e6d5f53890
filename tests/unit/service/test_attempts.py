"""What attempts leave for people to read is found by the node, by its name, and by the attempt."""

from pathlib import Path

import pytest

from tidegate import task, wait_for_input, workflow
from tidegate.errors import AmbiguousNode, UnknownDeck, UnknownExecution, UnknownNode
from tidegate.logs import Logs, keep_log
from tidegate.testing import Sandbox
from tidegate.wire import GetDeck, GetExecution, GetLogs


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def twice() -> list[int]:
    n = wait_for_input("n", expected_type=int)
    return [double(x=n), inner(x=n)]


@pytest.fixture
def world(tmp_path: Path):
    with Sandbox(home=tmp_path) as sandbox:
        run = sandbox.launch_as("e1", twice)
        run.answer("n", 1)
        yield Logs(tmp_path), sandbox._service.handle


def keep(logs: Logs, node: str, attempt: int, text: str) -> None:
    source = logs.path("source", "n", 1)
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(text)
    with source.open("r+b") as file:
        keep_log(file.fileno(), logs.path("e1", node, attempt))


def test_logs_are_found_by_node_and_by_name_with_their_attempts(world):
    logs, handle = world
    for node, attempt in (("n1", 1), ("n1", 2), ("n2/n0", 1), ("n9", 1)):
        keep(logs, node, attempt, f"{node} {attempt}")

    def texts(node: str = "") -> list[str]:
        return [each.text for each in handle(GetLogs(id="e1", node=node)).items]

    # What is not a node of this execution is nobody's log.
    assert texts() == texts("double") == ["n1 1", "n1 2", "n2/n0 1"]
    assert texts("n1") == ["n1 1", "n1 2"]
    assert texts("n2/n0") == ["n2/n0 1"]
    assert {each.name for each in handle(GetLogs(id="e1")).items} == {"double"}


def test_a_node_that_is_not_there_is_answered_with_those_there_are(world):
    _, handle = world

    with pytest.raises(UnknownNode, match=r"no node 'dubble'; it has: .*double"):
        handle(GetLogs(id="e1", node="dubble"))
    with pytest.raises(UnknownExecution):
        handle(GetLogs(id="e2"))


def keep_as_earlier(logs: Logs, node: str, attempt: int, page: str) -> None:
    path = logs._directory("decks", "e1", node) / f"{attempt}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page)


def test_nodes_with_decks_say_so_and_of_several_of_a_name_none_is_taken_silently(world):
    logs, handle = world
    keep_as_earlier(logs, "n1", 1, "first")
    keep_as_earlier(logs, "n2/n0", 3, "third")

    view = handle(GetExecution(id="e1"))

    assert [node.id for node in view.nodes if node.deck] == ["n1", "n2/n0"]
    with pytest.raises(AmbiguousNode, match=r"2 nodes named 'double' .*: n1, n2/n0$") as refused:
        handle(GetDeck(id="e1", node="double"))
    assert refused.value.details == {"nodes": ["n1", "n2/n0"]}
    shown = handle(GetDeck(id="e1", node="n2/n0"))
    assert (shown.node, shown.attempt) == ("n2/n0", 3)
    assert "third" in shown.html
    assert "Content-Security-Policy" in shown.html
    assert (shown.digest, shown.live) == ("", False)
    assert "first" in handle(GetDeck(id="e1", node="n1")).html
    for node, attempt in (("n1", 2), ("n", 0)):
        with pytest.raises(UnknownDeck, match="has no deck"):
            handle(GetDeck(id="e1", node=node, attempt=attempt))


def test_what_an_attempt_publishes_after_its_end_is_not_shown(world):
    logs, handle = world

    logs.publish_deck("e1", "n1", 1, b"late")

    assert not [node for node in handle(GetExecution(id="e1")).nodes if node.deck]
    with pytest.raises(UnknownDeck):
        handle(GetDeck(id="e1", node="n1"))
