"""A line of history comes back as it was written, or not at all."""

from pathlib import Path

import msgspec
import pytest

from tidegate.core.evaluate import outputs
from tidegate.core.history import from_bytes, replay, to_bytes
from tidegate.core.messages import AnswerGiven, AnswerRecord
from tidegate.core.plan import Plan
from tidegate.core.state import NodeChanged, NodePhase, NodeState
from tidegate.errors import StoreDamaged
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Instant

GATE = NodeId("n0")
EVENT = AnswerGiven(Instant(7), GATE, "hello", who="ann", key="k")
CHANGES = [
    NodeChanged(
        GATE,
        NodeState(NodePhase.SUCCEEDED, answer=AnswerRecord("hello", Instant(7), "ann", "test")),
    )
]


def test_what_was_written_comes_back() -> None:
    line = from_bytes(to_bytes(EVENT, CHANGES))

    assert line.changes == CHANGES
    assert line.event == msgspec.structs.replace(EVENT, value=None)


def test_one_changed_bit_anywhere_in_a_line_is_noticed() -> None:
    body = to_bytes(EVENT, CHANGES)
    for place in range(len(body)):
        for bit in range(8):
            changed = bytearray(body)
            changed[place] ^= 1 << bit
            with pytest.raises(StoreDamaged):
                from_bytes(bytes(changed))


def test_a_line_that_was_cut_is_noticed() -> None:
    body = to_bytes(EVENT, CHANGES)
    for length in range(len(body)):
        with pytest.raises(StoreDamaged):
            from_bytes(body[:length])


def test_a_line_from_before_there_was_a_checksum_is_read() -> None:
    assert from_bytes(to_bytes(EVENT, CHANGES)[5:]).changes == CHANGES


def test_a_history_that_an_earlier_version_wrote_folds_to_the_same_state() -> None:
    """Recorded with the version before attempts could be given back; it has unfolded tasks, a lost attempt, a retry, keys and refusals."""
    old = msgspec.json.decode((Path(__file__).parent / "old_history.json").read_bytes())
    graph = msgspec.msgpack.decode(bytes.fromhex(old["graph"]), type=Graph)

    plan, state = replay(Plan.of(graph), [bytes.fromhex(line) for line in old["lines"]])

    nodes = {id_: [now.phase.name, now.attempt, now.lost] for id_, now in state.nodes.items()}
    assert nodes == old["nodes"]
    assert all(now.reissued == 0 for now in state.nodes.values())
    assert outputs(plan, state) == {"o0": {"a": [1, True, None, "ü"]}}
