"""Idempotency keys of tasks: what the outside world can store, and no two nodes share."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.core.keys import own_key
from tidegate.ir.expr import NodeId

EXECUTIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
NODES = st.from_regex(r"(n[0-9]{1,3}(~[0-9]{1,4})?/){0,60}n[0-9]{1,3}", fullmatch=True)


@settings(deadline=None)
@given(EXECUTIONS, NODES)
def test_a_key_can_be_a_file_name_a_header_or_a_column(execution: str, node: str) -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,128}", own_key(execution, NodeId(node)))


@settings(deadline=None)
@given(EXECUTIONS, NODES, EXECUTIONS, NODES)
def test_no_two_nodes_have_one_key(one: str, node: str, two: str, other: str) -> None:
    same = (one, node) == (two, other)
    assert (own_key(one, NodeId(node)) == own_key(two, NodeId(other))) is same


def test_what_is_lost_in_writing_it_is_told_apart_all_the_same() -> None:
    alike = [("Pay", "n1"), ("pay", "n1"), ("pay.", "n1"), ("pay_", "n1"), ("pay-n1", "n1")]
    alike += [("x" * 64, "n1"), ("x" * 63 + "y", "n1"), ("pay", "n1/n1"), ("pay", "n1~1")]
    assert len({own_key(execution, NodeId(node)) for execution, node in alike}) == len(alike)


def test_a_key_is_always_the_same() -> None:
    """The outside world stores it: another way to write it takes another form."""
    assert own_key("pay-1", NodeId("n2/n0")) == "pay-1-n2-n0-13b0f924c5baf729d39e804c3e40f697"
    assert own_key("pay-1", NodeId("n2/n0"), 0) == "pay-1/n2/n0"
