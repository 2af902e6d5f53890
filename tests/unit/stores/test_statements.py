"""Statements are found by their names, without their comments; migrations count from 1 without gaps."""

import pytest

from tidegate.stores.statements import migrations, own, parse, shared

TEXT = """
-- This file is about executions.

-- name: find
-- By the public id, which is unique.
SELECT *
FROM executions -- the one table
WHERE id = :id;

-- name: count
SELECT count(*) FROM executions
"""


def test_a_statement_is_what_stands_under_its_name_without_comments_and_semicolon():
    found = parse(TEXT)

    assert found == {
        "find": "SELECT *\nFROM executions -- the one table\nWHERE id = :id",
        "count": "SELECT count(*) FROM executions",
    }


def test_a_name_that_stands_twice_is_a_bug():
    with pytest.raises(AssertionError, match="a name is used twice"):
        parse("-- name: a\nSELECT 1\n-- name: a\nSELECT 2\n")


def test_no_statement_of_a_database_has_the_name_of_a_shared_one():
    assert shared()
    assert own("sqlite").keys().isdisjoint(shared())
    assert all(text for text in [*shared().values(), *own("sqlite").values()])


def test_migrations_count_from_one():
    assert [each.number for each in migrations("sqlite")] == list(
        range(1, len(migrations("sqlite")) + 1)
    )
    assert all(each.sql.strip() for each in migrations("sqlite"))
