"""What there is to look at before a question, without the values: they are often large, rarely opened, and shared by the questions of an execution."""

from collections.abc import Callable
from typing import Final, TypeAlias

from msgspec import UNSET

from tidegate.core.plan import Plan
from tidegate.core.state import NodePhase
from tidegate.engine.folds import Snapshot
from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import SleepNode
from tidegate.service.nodes import Measured
from tidegate.service.views import outputs_view
from tidegate.wire import BackgroundView, BeforeView, WaitingView

STEPS: Final = 3
"""How far back it goes: what led to the values that are shown, not the whole workflow."""

Decks: TypeAlias = Callable[[str, set[str], Snapshot], set[str]]
"""Which tasks of an execution have decks."""


def background_of(now: Snapshot, node: NodeId, asked: WaitingView, decks: Decks) -> BackgroundView:
    """Return which nodes before a question gave something that it does not show itself, the nearest first."""
    before = _before(now, node)
    reporting = decks(now.row.id, {*before}, now)
    measured = Measured()
    shown = {
        measured.encoded(value)
        for value in (asked.value, *asked.show.values())
        if value is not UNSET
    }
    found: list[BeforeView] = []
    for each in before:
        outputs = outputs_view(now.plan, now.state, now.plan.nodes[each]) or {}
        output: Value = next(iter(outputs.values())) if len(outputs) == 1 else outputs
        told = measured.encoded(output) if outputs else b""
        size = 0 if told in shown else len(told)
        if size or each in reporting:
            name = now.plan.nodes[each].node.name
            found.append(BeforeView(node=each, name=name, deck=each in reporting, size=size))
    return BackgroundView(inputs=len(now.state.inputs), before=found)


def _before(now: Snapshot, node: NodeId) -> list[NodeId]:
    """Return the nodes that have succeeded, of those a question comes after."""
    found: dict[NodeId, None] = {}
    edge = _needed(now.plan, node)
    for _ in range(STEPS):
        edge = [each for each in edge if each not in found]
        for each in edge:
            is_pause = isinstance(now.plan.nodes[each].node, SleepNode)
            if now.state.node(each).phase is NodePhase.SUCCEEDED and not is_pause:
                found[each] = None
        edge = [further for each in edge for further in _needed(now.plan, each)]
    return list(found)


def _needed(plan: Plan, node: NodeId) -> list[NodeId]:
    return [each for each in plan.nodes[node].needs if each in plan.nodes]
