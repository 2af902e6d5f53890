"""
Looking whether a store is sound: the file itself, and for each execution whether what is listed of it is what its history says.

It may look while an engine writes: an execution that seems wrong is looked at once more, for it may have changed between two looks.
"""

from collections.abc import Iterator

from tidegate.core.state import NodePhase
from tidegate.engine.ledger import wait_kind
from tidegate.engine.memory import Programs, Snapshot, snapshot
from tidegate.errors import TidegateError
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Instant
from tidegate.ports.journal import ExecutionRow, Key
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.ports.store import Store

PAGE = 500


def check_store(store: Store) -> tuple[int, list[str]]:
    """Return how many executions there are, and what is wrong, one line a problem."""
    problems = list(store.problems())
    programs = Programs(store)
    count = 0
    for row in _executions(store):
        count += 1
        if _problems(store, programs, row.key):
            problems += [
                f"execution {row.id}: {each}" for each in _problems(store, programs, row.key)
            ]
    return count, problems


def _executions(store: Store) -> Iterator[ExecutionRow]:
    before: Key | None = None
    while rows := store.executions(ExecutionQuery(before=before, limit=PAGE)):
        yield from rows
        before = rows[-1].key


def _problems(store: Store, programs: Programs, key: Key) -> list[str]:
    row = store.get(key)
    if row is None:
        return ["it is gone"]
    try:
        now = snapshot(store, programs, row)
        waits = store.waits(WaitQuery(kinds=(), key=key, limit=1_000_000))
    except (TidegateError, AssertionError, KeyError) as error:
        # A history that cannot be folded breaks an assertion of the machine, which is what is looked for here.
        return [f"its history cannot be read back: {type(error).__name__}: {error}"]
    found = []
    if now.seq == 0:
        found.append("it has no history")
    if row.phase is not now.state.phase:
        found.append(f"listed as {row.phase.name}, by its history {now.state.phase.name}")
    listed = {wait.node: (wait.kind, wait.due) for wait in waits}
    true = _waits(now)
    found += [
        f"node {node}: listed as waiting {listed.get(node)}, by its history {true.get(node)}"
        for node in sorted(listed.keys() | true.keys())
        if listed.get(node) != true.get(node)
    ]
    return found + _stuck(now)


def _waits(now: Snapshot) -> dict[NodeId, tuple[str, Instant | None]]:
    return {
        node: (wait_kind(now.plan.nodes[node].node), state.due)
        for node, state in now.state.nodes.items()
        if state.phase is NodePhase.WAITING
    }


def _stuck(now: Snapshot) -> list[str]:
    """Return the nodes that will never move: in an ended execution, or with all they need and still not begun."""
    if now.state.phase.is_terminal:
        return [
            f"node {node} is {state.phase.name}, though the execution has ended"
            for node, state in now.state.nodes.items()
            if not state.phase.is_terminal
        ]
    alive = any(not state.phase.is_terminal for state in now.state.nodes.values())
    return [] if alive else ["it has not ended, and nothing of it can move"]
