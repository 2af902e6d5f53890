"""Processors and memory as people are told of them."""

import pytest

from tidegate.ir.amounts import cpus, size


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1Ki"),
        (1536, "1.5Ki"),
        (2**30 - 1, "1023.9Mi"),
        (2**62, "4Ei"),
    ],
)
def test_memory_is_told_in_the_unit_in_which_authors_write_it(count, said):
    assert size(count) == said


@pytest.mark.parametrize(("millis", "said"), [(1, "0.001"), (500, "0.5"), (2000, "2")])
def test_processors_are_told_as_a_number(millis, said):
    assert cpus(millis) == said
