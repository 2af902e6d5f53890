"""The tree of an execution's nodes: what stands in what, and nothing said a hundred times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from tidegate.cli.tree import DEEPEST, MOST_ALIKE, tree
from tidegate.wire import AnswerView, FailureView, NodeView, PreviewView

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def node(id_: str, name: str, phase: str = "SUCCEEDED", **more: Any) -> NodeView:
    return NodeView(id=id_, name=name, phase=phase, **{"kind": "task", **more})


def shown(*nodes: NodeView) -> list[str]:
    return [click.unstyle(each) for each in tree(nodes, NOW)]


def test_a_node_stands_below_what_it_unfolds_in_and_below_its_branch():
    assert shown(
        node("n0", "sub", "RUNNING", kind="workflow"),
        node("n1", "pick", "RUNNING", kind="branch"),
        node("n2", "last", "QUEUED"),
        node("n3", "taken", "RUNNING", branch="n1"),
        node("n4", "other", "SKIPPED", branch="n1"),
        node("n0/n0", "inner", parent="n0"),
        node("n0/n1", "deep", parent="n0", branch="n0/n2"),
        node("n0/n2", "if", parent="n0", kind="branch"),
    ) == [
        "▶ RUNNING    sub (sub-workflow)  n0",
        "✓ SUCCEEDED    inner             n0/n0",
        "✓ SUCCEEDED    if (branch)       n0/n2",
        "✓ SUCCEEDED      deep            n0/n1",
        "▶ RUNNING    pick (branch)       n1",
        "▶ RUNNING      taken             n3",
        "- SKIPPED      other             n4",
        "○ QUEUED     last                n2",
    ]


def test_nodes_however_deep_are_shown_and_indented_only_so_far():
    nodes = [node("n0", "top", "RUNNING", kind="workflow")]
    for depth in range(3_000):
        above = nodes[-1].id
        nodes.append(node(f"{above}/n", f"d{depth}", "RUNNING", kind="workflow", parent=above))
    nodes.append(node("n1", "last", "QUEUED"))
    lines = shown(*nodes)
    assert len(lines) == 3_002
    ids = max(len(each.id) for each in nodes)
    assert max(map(len, lines)) < ids + 2 * DEEPEST + 60
    assert lines[-1].split() == ["○", "QUEUED", "last", "n1"]


def test_many_nodes_that_say_the_same_are_one_line_with_the_shortest_and_the_longest_time():
    began = NOW - timedelta(minutes=1)
    alike = [
        node(f"n{n}", "sq", began=began, ended=began + timedelta(seconds=n + 1)) for n in range(40)
    ]
    failed = node("n40", "sq", "FAILED", failure=FailureView(code="X", message="no"))
    assert shown(*alike, failed) == [
        "✓ SUCCEEDED  sq x 40  n0..n39  1 s to 40 s",
        "✗ FAILED     sq       n40      no",
    ]
    assert len(shown(*alike[:MOST_ALIKE])) == MOST_ALIKE


def test_nodes_of_one_name_are_told_apart_by_id_and_by_their_inputs():
    long = "a-name-that-somebody-types-" * 5
    photo = {"$blob": "0" * 64, "size": 9, "media": "image/png", "name": "photo.png"}
    assert shown(
        node("n0", "fit", inputs={"depth": 3, "name": "small forest"}),
        node(
            "n1",
            "fit",
            inputs={"depth": 5},
            preview={"rows": PreviewView(text="[[1,2,3],[4,5,6]", size=900)},
        ),
        node("n2", "fit", inputs={"photo": photo}),
        node("n3", "fit", inputs={f"column_{n}": n for n in range(9)}),
        node("n4", long),
    ) == [
        "✓ SUCCEEDED  fit(depth=3, name=small forest)               n0",
        "✓ SUCCEEDED  fit(depth=5, rows=[[1,2,3],[4,5,…)            n1",
        "✓ SUCCEEDED  fit(photo=<photo.png>)                        n2",
        "✓ SUCCEEDED  fit(column_0=0, column_1=1, column_2=2, …)    n3",
        f"✓ SUCCEEDED  {long}  n4",
    ]


def test_what_a_node_has_to_say_stands_behind_it_one_below_the_other():
    answer = AnswerView(value="x" * 100, who="ann\x1b[2J", via="cli", at=NOW, comment="fine")
    assert shown(
        node("n0", "a", "RUNNING", began=NOW - timedelta(seconds=90), attempts=2),
        node("n1", "title", kind="input", answer=answer),
        node("n2", "ok", "WAITING", kind="approve", due=NOW + timedelta(hours=2)),
    ) == [
        "▶ RUNNING    a              n0  for 1 min 30 s  attempt 2",
        f'✓ SUCCEEDED  title (input)  n1  ← "{"x" * 59}… (42 more characters) by ann‹U+001B›[2J, shown: no  “fine”',
        "◆ WAITING    ok (approval)  n2  2 h left",
    ]
