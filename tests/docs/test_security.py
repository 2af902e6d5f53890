"""The table of `docs/security.md` names each requirement of ASVS 5.0.0 once, levels 1 and 2, and the tests that it names exist."""

import re
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROW = re.compile(
    r"^\| (\d+\.[0-9., -]+) \| [^|]+ \| (met|not met|yours|n\.a\.) \|(.*)\|$", re.MULTILINE
)
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = [(numbers, verdict, by.strip()) for numbers, verdict, by in ROW.findall(PAGE)]

SECTIONS = {
    1: (2, 10, 12, 3, 3), 2: (3, 3, 5, 2), 3: (1, 3, 5, 8, 8, 1, 5), 4: (5, 5, 2, 4), 5: (1, 6, 3, 3), 6: (3, 12, 8, 6, 8, 4, 2, 4),
    7: (3, 4, 2, 5, 3, 2), 8: (4, 4, 3, 2), 9: (3, 4), 10: (2, 3, 5, 16, 5, 2, 3), 11: (4, 5, 5, 4, 2, 2, 2), 12: (5, 2, 5), 13: (4, 6, 4, 7),
    14: (2, 8, 3), 15: (5, 5, 7, 4), 16: (1, 5, 4, 3, 4), 17: (2, 8, 2),
}  # fmt: skip
"""How many requirements each section of a chapter has."""

LEVEL_3 = frozenset(
    [
        "1.2.10",
        "1.3.12",
        "1.5.3",
        "2.3.5",
        "2.4.2",
        "3.1.1",
        "3.2.3",
        "3.3.5",
        "3.4.7",
        "3.4.8",
        "3.5.6",
        "3.5.7",
        "3.5.8",
        "3.6.1",
        "3.7.3",
        "3.7.4",
        "3.7.5",
        "4.1.4",
        "4.1.5",
        "4.2.2",
        "4.2.3",
        "4.2.4",
        "4.2.5",
        "5.2.4",
        "5.2.5",
        "5.2.6",
        "5.3.3",
        "6.3.5",
        "6.3.6",
        "6.3.7",
        "6.3.8",
        "6.4.5",
        "6.4.6",
        "6.5.6",
        "6.5.7",
        "6.5.8",
        "6.6.4",
        "6.7.1",
        "6.7.2",
        "7.5.3",
        "8.1.3",
        "8.1.4",
        "8.2.4",
        "8.3.2",
        "8.3.3",
        "8.4.2",
        "10.2.3",
        "10.3.5",
        "10.4.12",
        "10.4.13",
        "10.4.14",
        "10.4.15",
        "10.4.16",
        "11.1.3",
        "11.1.4",
        "11.2.4",
        "11.2.5",
        "11.3.4",
        "11.3.5",
        "11.5.2",
        "11.6.2",
        "11.7.1",
        "11.7.2",
        "12.1.4",
        "12.1.5",
        "12.3.5",
        "13.1.2",
        "13.1.3",
        "13.1.4",
        "13.2.6",
        "13.3.3",
        "13.3.4",
        "13.4.6",
        "13.4.7",
        "14.2.5",
        "14.2.6",
        "14.2.7",
        "14.2.8",
        "15.1.4",
        "15.1.5",
        "15.2.4",
        "15.2.5",
        "15.4.1",
        "15.4.2",
        "15.4.3",
        "15.4.4",
        "16.5.4",
        "17.1.2",
        "17.2.5",
        "17.2.6",
        "17.2.7",
        "17.2.8",
    ]
)

ALL = [
    f"{chapter}.{section}.{number}"
    for chapter, sizes in SECTIONS.items()
    for section, size in enumerate(sizes, start=1)
    for number in range(1, size + 1)
]


def named(numbers: str) -> list[str]:
    """Return the requirements that a row is about."""
    found: list[str] = []
    for each in numbers.split(", "):
        first, _, last = each.strip().partition("-")
        found += ALL[ALL.index(first) : ALL.index(last or first) + 1]
    return [each for each in found if each not in LEVEL_3]


def test_each_requirement_of_levels_1_and_2_stands_in_the_table_once():
    there = list(chain.from_iterable(named(numbers) for numbers, _, _ in ROWS))

    assert sorted(there) == sorted(set(ALL) - LEVEL_3)


@pytest.mark.parametrize("row", ROWS, ids=[numbers for numbers, _, _ in ROWS])
def test_what_is_met_names_a_test_or_a_page_that_is_there(row: tuple[str, str, str]):
    _, verdict, by = row
    tests = re.findall(r"`(tests/[^`]+)`", by)

    for each in tests:
        path, _, name = each.partition("::")
        assert (ROOT / path).is_file(), each
        assert not name or f"def {name}(" in (ROOT / path).read_text(), each
    if verdict == "met":
        assert tests or "](" in by or "page" in by, "say by what"
