"""The patterns of projects and domains."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.ports.listings import fits


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_star_stands_for_any_characters_and_all_else_for_itself(pattern, name):
    meant = ".*".join(map(re.escape, pattern.split("*")))

    assert fits(pattern, name) == bool(re.fullmatch(meant, name))


@pytest.mark.parametrize("pattern", ["*a" * 32, "*a" * 31 + "*b"])
def test_a_pattern_that_would_send_an_expression_back_and_forth_costs_nothing(pattern):
    assert not fits(pattern, "a" * 30 + "c")
