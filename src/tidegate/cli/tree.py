"""
An execution's nodes as an indented tree: the phase of each, its name, its time, and who answered what.

Rule 1: a node is shown below the one that contains it: a sub-workflow, a dynamic task, the branch whose case it belongs to.
Rule 2: nodes that add nothing to the one before them are counted, not shown.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

import click
from msgspec import Struct

from tidegate.cli.render import brief, left, line, phase, short, span, why_queued
from tidegate.sdk.exhibit import cells_wide
from tidegate.wire import AnswerView, NodeView

MOST_ALIKE = 20
"""Equal nodes are shown one by one up to this many, which fit on a screen; more are one line."""

DEEPEST = 20
"""Deepest indentation that is shown: nobody counts more spaces."""

WIDEST = 44
"""Widest name with inputs, in cells, before the text behind it is pushed aside."""

WIDEST_ID = 12
"""Widest id, in cells, before the text behind it is pushed aside."""

INPUTS_ROOM, INPUT_ROOM = 40, 16
"""Characters of the inputs of a node, and of one of them, that are shown beside its name."""

WITH_INPUTS = ("task", "workflow")
KINDS = {"approve": "approval", "workflow": "sub-workflow"}


class Row(Struct, frozen=True):
    """A line of the tree, and its depth."""

    depth: int
    phase: str
    id: str
    name: str
    rest: str


def tree(nodes: Sequence[NodeView], now: datetime) -> list[str]:
    """Return the lines of a tree."""
    rows = list(_rows(nodes, now))
    ids = min(WIDEST_ID, max((len(row.id) for row in rows), default=0))
    wide = min(WIDEST, max((2 * row.depth + cells_wide(row.name) for row in rows), default=0))
    lines = []
    for row in rows:
        name = "  " * row.depth + row.name
        gap = " " * (wide - cells_wide(name))
        lines.append(
            f"{phase(row.phase, 9)}  {name}{gap}  {row.id.ljust(ids)}  {row.rest}".rstrip()
        )
    return lines


def _rows(nodes: Sequence[NodeView], now: datetime) -> Iterator[Row]:
    below: dict[str, list[NodeView]] = {}
    for node in nodes:
        below.setdefault(node.branch or node.parent, []).append(node)
    # A stack instead of recursion: the depth of nesting is up to the author.
    stack = [(0, group) for group in reversed(_alike(below.get("", []), below))]
    while stack:
        depth, group = stack.pop()
        first = group[0]
        yield _row(min(depth, DEEPEST), group, now)
        children = _alike(below.get(first.id, []), below)
        stack.extend((depth + 1, each) for each in reversed(children))


def _alike(nodes: Sequence[NodeView], below: dict[str, list[NodeView]]) -> list[Sequence[NodeView]]:
    """Return nodes in groups: mostly of one, but equal ones together."""

    def said(node: NodeView) -> tuple[str, ...]:
        tells = node.id in below or node.answer or node.failure or node.deck or node.attempts > 1
        return (node.name, node.kind, node.phase, node.id if tells or node.due else "")

    groups: list[Sequence[NodeView]] = []
    for _, found in groupby(nodes, said):
        group = list(found)
        groups += [group] if len(group) > MOST_ALIKE else [[node] for node in group]
    return groups


def _row(depth: int, group: Sequence[NodeView], now: datetime) -> Row:
    node = group[0]
    name, id_ = line(node.name), node.id
    if node.kind != "task":
        name += f" ({KINDS.get(node.kind, node.kind)})"
    if len(group) > 1:
        name, id_ = f"{name} x {len(group)}", f"{id_}..{group[-1].id.rpartition('/')[2]}"
    elif node.kind in WITH_INPUTS:
        name += _given(node)
    return Row(depth, node.phase, id_, name, "  ".join(_rest(group, now)))


def _given(node: NodeView) -> str:
    """Return the inputs of a node in short, as they would appear in a call."""
    parts = [
        f"{line(name, INPUT_ROOM)}={short(value, INPUT_ROOM)}"
        for name, value in node.inputs.items()
    ]
    parts += [
        f"{line(name, INPUT_ROOM)}={line(view.text[: INPUT_ROOM - 2])}…"
        for name, view in node.preview.items()
    ]
    if not parts:
        return ""
    said = ", ".join(parts)
    while len(said) > INPUTS_ROOM and len(parts) > 1:
        parts.pop()
        said = ", ".join([*parts, "…"])
    return f"({said})"


def _rest(group: Sequence[NodeView], now: datetime) -> Iterator[str]:
    node = group[0]
    times = [each.ended - each.began for each in group if each.began and each.ended]
    if times:
        least, most = span(min(times)), span(max(times))
        yield least if least == most else f"{least} to {most}"
    elif node.phase == "WAITING" and node.due:
        yield left(node.due, now)
    elif node.phase == "RUNNING" and node.kind == "task" and node.began:
        yield f"for {span(now - node.began)}"
    if node.held is not None:
        yield click.style(line(why_queued(node.held), 500), fg="yellow")
    if node.attempts > 1:
        yield f"attempt {node.attempts}"
    if node.deck:
        yield "(deck)"
    if node.answer is not None:
        by = "the timeout" if node.answer.by_timeout else line(node.answer.who, 40)
        kept = f", kept from {line(node.answer.kept, 40)}" if node.answer.kept else ""
        shown = ", shown: no" if _unseen(node.answer) else ""
        yield f"← {brief(node.answer.value, 60)} by {by}{kept}{shown}"
        if node.answer.comment:
            yield f"“{line(node.answer.comment, 80)}”"
    if node.failure is not None:
        yield click.style(line(node.failure.message, 120), fg="red")


def _unseen(answer: AnswerView) -> bool:
    """Whether somebody decided without having been shown what they decided about."""
    return answer.shown == "no" and not answer.by_timeout
