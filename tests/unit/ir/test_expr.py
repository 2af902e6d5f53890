"""Every reference of an expression and every operand of a condition is found, however deep it stands."""

import random

import msgspec

from tidegate.ir.expr import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Const,
    DictExpr,
    Expr,
    InputRef,
    IsNone,
    ListExpr,
    NodeId,
    OutputRef,
    natural,
    operands,
    refs,
    source_order,
)

A, B = OutputRef(NodeId("n0"), "o0"), OutputRef(NodeId("n1"), "o0", ("a", 0))
X = InputRef("x")
DEEP = ListExpr((Const(1), A, DictExpr({"k": ListExpr((B, X)), "l": Const(None)})))


def test_references_are_found_in_order_in_lists_and_dicts():
    assert list(refs(DEEP)) == [A, B, X]
    assert list(refs(A)) == [A]
    assert list(refs(Const({"$ref": 1}))) == []


def test_operands_are_found_within_and_and_or():
    either = AnyOf((Compare("<", A, Const(1)), AllOf((IsNone(B), Compare("==", X, A)))))

    assert list(operands(either)) == [A, Const(1), B, X, A]


def test_expressions_and_conditions_come_back_from_their_bytes():
    condition = AllOf((Compare(">=", DEEP, Const(True)), IsNone(X)))

    packed = msgspec.msgpack.encode(condition)

    assert msgspec.msgpack.decode(packed, type=Condition) == condition
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(DEEP), type=Expr) == DEEP


def test_names_are_sorted_as_people_count():
    names = [
        "",
        "7",
        "Item 1",
        "item 2",
        "item 2b",
        "item 10",
        "item 010 b",
        "items",
        "x" + "9" * 9_000,
    ]

    mixed = random.Random(1).sample(names, len(names))

    assert sorted(mixed, key=natural) == names


def test_ids_are_sorted_as_they_stand_in_the_source():
    ids = ["n10/n0", "n2", "n10", "n0/n10", "n0", "n1~2/n3", "n0/n2", "n0/n0"]

    assert sorted(ids, key=source_order) == [
        *("n0", "n0/n0", "n0/n2", "n0/n10", "n1~2/n3", "n2", "n10", "n10/n0")
    ]
