"""What a store holds of what a program asked: read without its engine."""

from pathlib import Path
from typing import Any

from tidegate.core.history import from_bytes
from tidegate.core.messages import AnswerGiven
from tidegate.core.state import NodeChanged
from tidegate.engine.folds import snapshot
from tidegate.engine.programs import Programs
from tidegate.ports.listings import ExecutionQuery
from tidegate.runtime import STORE, open_reader
from tidegate.stores.opening import open_for_reading
from tidegate.wire import GetExecution

Answers = dict[tuple[str, str], Any]
"""What each execution was launched with (gate `""`), and what each gate of it was answered."""


def stored_answers(home: Path) -> Answers:
    """Return what was launched and answered, each once."""
    store = open_for_reading(home / STORE)
    assert store is not None
    programs = Programs(store.catalog)
    found: Answers = {}
    for row in store.listings.executions(ExecutionQuery(limit=1_000_000)).rows:
        now = snapshot(store.journal, programs, row)
        found[row.id, ""] = now.state.inputs["n"]
        given = [
            change.node
            for line in map(from_bytes, store.journal.history(row.key))
            for change in line.changes
            if isinstance(line.event, AnswerGiven)
            and isinstance(change, NodeChanged)
            and change.node == line.event.node
        ]
        assert len(given) == len(set(given)), "an answer was applied twice"
        for node, state in now.state.nodes.items():
            if state.answer is not None:
                found[row.id, now.plan.nodes[node].node.name] = state.answer.value
    store.close()
    return found


def check_ends(home: Path, stored: Answers) -> None:
    """Each execution of `owner.FLOW` has succeeded, with what was answered."""
    with open_reader(home) as reader:
        for execution in {execution for execution, _ in stored}:
            view: Any = reader.service.handle(GetExecution(id=execution))
            assert view.phase == "SUCCEEDED"
            number, words = stored[execution, ""], stored[execution, "words"]
            assert view.outputs == {"o0": f"{number + 1}: {words}"}
