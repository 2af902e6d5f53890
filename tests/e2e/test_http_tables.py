"""Rows of large values over HTTP: found by a pointer, read by what the server finds, and only by those who may see the execution."""

import hashlib
import json
from urllib.parse import quote

import pytest
from tests.e2e.http_world import World

FLOW = """
from pathlib import Path

from tidegate import approve, task, workflow, wait_for_input
from tidegate.types.file import File


@task
def payments() -> list[dict]:
    return [{"id": f"PAY-{n}", "amount": n * 1.5, "note": "x" * 20} for n in range(5000)]


@task
def exported() -> File:
    Path("codes.csv").write_text("code,n\\n" + "".join(f"{n:05},{n}\\n" for n in range(3000)))
    return File("codes.csv")


@workflow
def release() -> list[dict]:
    made = exported()
    return approve(payments(), "ok", show={"codes": made, "limits": [1, 2]})
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("world"))
    world.register(FLOW, "tables")
    yield world
    world.close()


@pytest.fixture(scope="module")
def gate(world):
    started = world.ask("POST", "executions", {"workflow": "tables.release", "id": "batch"})
    assert started.status == 201
    world.ask("GET", "executions/batch?wait=30&until_waiting=true")
    return "executions/batch/nodes/ok"


def rows(world, gate, at, **query):
    told = "&".join(f"{name}={quote(str(value))}" for name, value in query.items())
    return world.ask("GET", f"{gate}/rows?at={quote(at)}&{told}".rstrip("&"))


def test_the_subject_of_an_approval_is_read_by_pages(world, gate):
    first = rows(world, gate, "/inputs/value", sort="-amount", limit=2)
    found = json.dumps([{"column": "amount", "op": "ge", "value": 7000}])
    filtered = rows(world, gate, "/inputs/value", filter=found, columns="0-1")

    assert [row[:2] for row in first.body["rows"]] == [["PAY-4999", 7498.5], ["PAY-4998", 7497.0]]
    assert (filtered.body["matching"], filtered.body["total"], filtered.body["wide"]) == (
        333,
        5000,
        3,
    )
    assert [each["name"] for each in filtered.body["columns"]] == ["id", "amount"]


def test_the_digest_is_that_of_the_value_and_not_of_the_page(world, gate):
    value = world.ask("GET", f"{gate}/values").body["inputs"]["value"]
    body = json.dumps(value, separators=(",", ":")).encode()

    digests = {
        rows(world, gate, "/inputs/value", **query).body["digest"]
        for query in ({}, {"offset": 4000}, {"q": "PAY-1"})
    }

    assert digests == {hashlib.sha256(body).hexdigest()}


@pytest.mark.parametrize("at", ["/inputs/show.codes", "/inputs/codes"])
def test_a_shown_file_is_read_as_what_it_is(world, gate, at):
    told = rows(world, gate, at, q="00042").body

    assert (told["rows"], told["total"], told["matching"]) == ([["00042", 42]], 3000, 1)
    value = world.ask("GET", f"{gate}/values").body["inputs"]["codes"]
    assert told["digest"] == value["$blob"]


def test_a_file_is_read_by_its_digest_too(world, gate):
    digest = rows(world, gate, "/inputs/show.codes").body["digest"]

    told = world.ask("GET", f"blobs/{digest}/rows?name=codes.csv&sort=-n&limit=1").body
    profile = world.ask("GET", f"blobs/{digest}/profile?name=codes.csv&columns=1").body
    prose = world.ask("GET", f"blobs/{digest}/rows?name=codes.txt")

    assert (told["rows"], told["total"], told["digest"]) == ([["02999", 2999]], 3000, digest)
    assert profile["columns"][0]["max"] == 2999
    assert (prose.status, prose.body["code"]) == (422, "not_a_table")


def test_a_profile_is_over_all_rows(world, gate):
    told = world.ask("GET", f"{gate}/profile?at=/inputs/value&columns=1").body

    (amount,) = told["columns"]
    assert (amount["name"], amount["max"], amount["missing"], told["total"]) == (
        "amount",
        7498.5,
        0,
        5000,
    )
    assert sum(amount["histogram"]["counts"]) == 5000


@pytest.mark.parametrize(
    ("at", "status", "code"),
    [
        ("/inputs/nothing", 422, "invalid_value"),
        ("inputs/value", 422, "invalid_value"),
        ("/", 422, "invalid_value"),
        ("/inputs/value/99999", 422, "invalid_value"),
        ("/inputs/value/0/amount", 422, "not_a_table"),
        ("/inputs/limits", 422, "not_a_table"),
    ],
)
def test_what_is_not_a_table_is_told_so(world, gate, at, status, code):
    reply = rows(world, gate, at)

    assert (reply.status, reply.body["code"]) == (status, code)


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "{"},
        {"filter": '[{"column": "amount"}]'},
        {"filter": "[" * 900},
        {"sort": "nothing"},
        {"limit": 0},
        {"limit": 1001},
        {"offset": -1},
        {"columns": "a"},
        {"columns": "-"},
        {"cell": 0},
    ],
)
def test_a_wrong_query_names_its_part(world, gate, query):
    reply = rows(world, gate, "/inputs/value", **query)

    assert (reply.status, reply.body["code"]) == (422, "invalid_value")
    assert reply.body["faults"][0]["path"] == list(query)


def test_a_server_without_the_extra_says_what_to_install(tmp_path):
    hidden = "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'duckdb' else f(n, *a)"
    world = World(tmp_path, planted=hidden)
    try:
        world.register(FLOW, "tables")
        world.ask("POST", "executions", {"workflow": "tables.release", "id": "batch"})
        world.ask("GET", "executions/batch?wait=30&until_waiting=true")
        reply = rows(world, "executions/batch/nodes/ok", "/inputs/value")
    finally:
        world.close()

    assert (reply.status, reply.body["code"]) == (501, "tables_missing")
    assert "pip install 'tidegate[tables]'" in reply.body["detail"]
