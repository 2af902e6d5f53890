"""What is read of an execution: folded once, from then on by the lines that came since, and never changed once it was handed out."""

import threading
from typing import Any

import msgspec
import pytest
from tests.unit.engine.histories import Growing, told

from tidegate.core.history import to_bytes
from tidegate.core.messages import Launched, TaskSucceeded
from tidegate.core.plan import Plan
from tidegate.core.state import ExecutionState
from tidegate.core.step import step
from tidegate.engine import folds as module
from tidegate.engine.damage import Damage
from tidegate.engine.folds import Folds, Snapshot, snapshot
from tidegate.engine.programs import Programs
from tidegate.errors import StoreDamaged
from tidegate.ir.expr import NodeId
from tidegate.ir.graph import Graph, Instant, PythonTarget, TaskNode
from tidegate.ports.journal import Key
from tidegate.stores.sqlite import SqliteStore

SEEDS = range(60)


def folds_of(store: SqliteStore, damage: Damage | None = None) -> Folds:
    return Folds(store.journal, Programs(store.catalog), damage or Damage())


def contents(now: Snapshot) -> Any:
    """Return everything that is in a snapshot, as a copy."""
    names = [name for kind in ExecutionState.__mro__ for name in getattr(kind, "__slots__", ())]
    state = {name: getattr(now.state, name) for name in names}
    state["phase"] = now.state.phase.name
    return msgspec.msgpack.encode(
        (now.seq, sorted(now.changed.items()), state, sorted(now.plan.nodes)),
        enc_hook=repr,
    )


def wide(tasks: int) -> tuple[Graph, list[bytes]]:
    """Return a graph of tasks that need nothing, and a history in which they end one after the other."""
    nodes = {
        NodeId(f"n{n}"): TaskNode(
            id=NodeId(f"n{n}"), name="t", target=PythonTarget("m", "f"), outputs={"o0": {}}
        )
        for n in range(tasks)
    }
    graph = Graph(name="wide", nodes=dict(nodes))
    plan, state, lines = Plan.of(graph), ExecutionState(), []
    for event in (
        Launched(Instant(1), {}),
        *(TaskSucceeded(Instant(1), node, 1, {"o0": 1}) for node in nodes),
    ):
        decided = step(plan, state, event)
        lines.append(to_bytes(event, decided.changes))
        plan = decided.merge()
    return graph, lines


def test_one_that_goes_on_line_by_line_is_the_same_as_one_that_is_read_whole():
    for seed in SEEDS:
        growing = told(seed)
        folds = folds_of(growing.store)
        programs = Programs(growing.store.catalog)
        for seq in growing:
            now = folds.get(growing.row)
            assert now.seq == seq
            whole = snapshot(growing.store.journal, programs, growing.row)
            assert contents(now) == contents(whole), f"seed {seed}, line {seq}"


def test_what_was_handed_out_never_changes():
    for seed in SEEDS:
        growing = told(seed)
        folds = folds_of(growing.store)
        seen = []
        for _ in growing:
            now = folds.get(growing.row)
            seen.append((now, contents(now)))
        assert all(contents(now) == before for now, before in seen), f"seed {seed}"


def test_a_second_look_reads_and_folds_only_the_lines_that_came_since(monkeypatch):
    graph, lines = wide(300)
    growing = Growing(graph, lines)
    folds = folds_of(growing.store)
    folded = counted(monkeypatch, module, "fold")
    asked = counted(monkeypatch, growing.store.journal, "history")

    for seq in growing:
        if seq in (200, 250, 301):
            folds.get(growing.row)
            folds.get(growing.row)

    assert len(folded) == len(lines)
    assert [after for _, after in asked] == [0, 200, 200, 250, 250, 301]


def test_many_who_look_at_once_have_it_folded_once(monkeypatch):
    graph, lines = wide(500)
    growing = Growing(graph, lines)
    assert list(growing)
    folds = folds_of(growing.store)
    folded = counted(monkeypatch, module, "fold")
    row, start = growing.row, threading.Barrier(8)
    found: list[Snapshot] = []

    def look() -> None:
        start.wait()
        found.append(folds.get(row))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [now.seq for now in found] == [len(lines)] * 8
    assert len(folded) == len(lines)


def test_the_bytes_that_are_kept_are_bounded_and_what_does_not_fit_is_read_again(monkeypatch):
    monkeypatch.setattr(module, "FOLDS", 40_000)
    many = [told(seed) for seed in range(20)]
    for growing in many:
        assert list(growing)
    small, large = Growing(*wide(5)), Growing(*wide(400))
    assert list(small)
    assert list(large)

    for growing in (*many, small, large):
        folds = folds_of(growing.store)
        for _ in range(2):
            now = folds.get(growing.row)
            whole = snapshot(growing.store.journal, Programs(growing.store.catalog), growing.row)
            assert contents(now) == contents(whole)
            assert folds._kept.weight <= 40_000
        if growing in (small, large):
            assert len(folds._kept) == (growing is small)


def test_values_count_with_the_memory_that_they_take():
    text = Growing(*with_input("x" * 500_000))
    rows = Growing(*with_input([{"a": n} for n in range(20_000)]))
    weights = []
    for growing in (text, rows):
        assert list(growing)
        folds = folds_of(growing.store)
        folds.get(growing.row)
        weights.append(folds._kept.weight)

    assert 500_000 < weights[0] < 600_000
    assert weights[1] > 2_000_000, "twenty thousand dicts take more than their 100 KB of history"


def with_input(value: Any) -> tuple[Graph, list[bytes]]:
    graph = Graph(name="g")
    event = Launched(Instant(1), {"x": value})
    return graph, [to_bytes(event, step(Plan.of(graph), ExecutionState(), event).changes)]


@pytest.mark.parametrize("line", [1, 2, 4])
def test_one_that_is_damaged_is_named_and_read_again_until_it_accepts_writes(tmp_path, line):
    graph, lines = wide(5)
    growing = Growing(graph, lines)
    assert list(growing)
    damage = Damage()
    folds = folds_of(growing.store, damage)
    bent = lines[line - 1][:-1] + bytes([lines[line - 1][-1] ^ 1])
    rewrite(growing.store, line, bent)

    for _ in range(2):
        with pytest.raises(StoreDamaged, match=f"execution e1 is damaged: line {line}: .*doctor"):
            folds.get(growing.row)
    assert damage.is_unreadable(Key(1))
    assert "execution e1 is damaged" in damage.why(Key(1))

    rewrite(growing.store, line, lines[line - 1])
    assert folds.get(growing.row).seq == len(lines)
    assert damage.why(Key(1)) == ""


def test_one_that_somebody_else_has_found_damaged_is_not_shown_from_memory():
    graph, lines = wide(5)
    growing = Growing(graph, lines)
    assert list(growing)
    damage = Damage()
    folds = folds_of(growing.store, damage)
    folds.get(growing.row)
    rewrite(growing.store, 3, b"\x00")
    damage.noticed(Key(1), "e1", StoreDamaged("line 3: unreadable"))

    with pytest.raises(StoreDamaged):
        folds.get(growing.row)


def test_lines_that_do_not_fit_each_other_are_damage_and_no_bug():
    graph, lines = wide(5)
    growing = Growing(graph, [lines[0], lines[1], lines[1]])
    assert list(growing)

    with pytest.raises(StoreDamaged, match="line 3 does not fit those before"):
        folds_of(growing.store).get(growing.row)


def counted(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[tuple[Any, ...]]:
    """Return a list to which is added with what a function is called from now on."""
    real, calls = getattr(where, name), []

    def call(*given: Any) -> Any:
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(where, name, call)
    return calls


def rewrite(store: SqliteStore, line: int, body: bytes) -> None:
    """Have the disk return something else for a line."""
    connection = store._connections._writer
    assert connection is not None
    connection.execute("UPDATE history SET body = ? WHERE seq = ?", (body, line))
