"""
The OpenAPI document is true: requests made from it, and against it, never break the server and get nothing that it does not announce.

Method: schemathesis makes the requests; the seed and the number of examples are fixed, and no clock has a say in which are made.
Half of the names in them are of what is there, so that they come further than to the first look-up.
Streams and waiting are cut out: a request may take long by right.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.http_world import at_work

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)

CONFIG = """
[checks.negative_data_rejection]
# Too large is refused, too.
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 431]
"""


SHOWING = """
from tidegate import Deck, dynamic, task, wait_for_input, workflow

@task
def show(x: int) -> int:
    Deck("report", "<p>fine</p>")
    return x

@dynamic
def again(left: int) -> int:
    return again(left=left - 1) if left > 0 else show(x=left)

@workflow
def looped() -> int:
    return again(left=2)

@workflow
def shown() -> int:
    return show(x=wait_for_input("n", None, int))
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("schema")) as world:
        world.launch("ask")
        world.launch("review")
        yield world


def names_of(world):
    """Return what is there, for each part of a path: by the beginning of its path, or for all others."""
    world.register(SHOWING, "shows")
    launched = world.ask("POST", "executions", {"workflow": "shows.shown", "id": "shown"})
    assert launched.status == 201, launched
    assert world.answer("shown", "n", 5).status == 200
    assert world.end("shown")["phase"] == "SUCCEEDED"
    launched = world.ask("POST", "executions", {"workflow": "shows.looped", "id": "looped"})
    assert launched.status == 201, launched
    assert world.end("looped")["phase"] == "SUCCEEDED"
    bundle = world.ask("GET", "workflows/shows.shown").body["workflow"]["bundle"]
    stored = world.ask("POST", "blobs", b"content", Content_Type="application/octet-stream").body
    asking = [world.launch("ask") for _ in range(8)]
    reviews = [world.launch("review") for _ in range(5)]
    return {
        # What is aborted could no longer be answered.
        ("id", "executions/{id}/abort"): asking[:3],
        ("id", "executions/{id}/signals/{name}/"): reviews,
        ("id", "executions/{id}/signals"): asking[3:],
        ("id", "executions/{id}/nodes/{node}/round"): ["looped"],
        ("node", "executions/{id}/nodes/{node}/round"): ["again", "n0"],
        ("id", "sessions"): ["all"],
        ("id", ""): ["shown"],
        ("node", ""): ["n1", "show"],
        ("name", "executions/{id}/signals/{name}/"): ["ok"],
        ("name", "executions/{id}/signals"): ["n"],
        ("name", ""): ["shows.shown", "flows.ask"],
        ("digest", "bundles"): [bundle],
        ("digest", ""): [stored["digest"]],
    }


def make_half_real(document, world):
    there = names_of(world)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    found = next(
                        names
                        for (part, begin), names in there.items()
                        if part == parameter["name"] and path.startswith(f"/api/v1/{begin}")
                    )
                    # Two parts that are both there are drawn too seldom. What is unknown is asked to be approved.
                    always = path.endswith(
                        (
                            "signals/{name}/reject",
                            "/rows",
                            "/profile",
                            "/recovery",
                            "/rounds",
                            "/{round}",
                        )
                    )
                    real = {"enum": found}
                    parameter["schema"] = real if always else {"anyOf": [real, parameter["schema"]]}


@pytest.fixture(scope="module")
def document(world):
    line = world.server.connect()
    line._line.request("GET", "/api/openapi.json", headers=line._headers)
    reply = line._line.getresponse()
    assert reply.status == 200
    return json.loads(reply.read())


def test_every_operation_says_what_it_gives_and_refuses(document):
    assert document["openapi"].startswith("3.1")
    names = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation["summary"], (method, path)
            statuses = set(operation["responses"])
            assert statuses & {"200", "201", "204"}, (method, path)
            assert {"400", "421", "422", "503"} <= statuses, (method, path)
            if operation.get("security") != []:
                assert {"401", "403", "429"} <= statuses, (method, path)
            if method != "get":
                assert {"413", "415"} <= statuses, (method, path)
            for status, response in operation["responses"].items():
                problem = "application/problem+json" in response["content"]
                assert problem is (int(status) >= 400), (method, path, status)
    assert len(names) == len(set(names))


def test_no_parameter_but_a_cursor_may_be_empty_and_none_of_another_type(world, document):
    asked = []
    for path, operations in document["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if parameter["in"] != "query":
                continue
            kind, name = parameter["schema"]["type"], parameter["name"]
            # A phase is one of a few; a node may have any name.
            items = ["x"] if name == "phase" else []
            wrong = {"boolean": ["1", "TRUE", "yes"], "string": [], "array": items}
            empty = [] if name == "cursor" else [""]
            for value in [*empty, *wrong.get(kind, ["x", "NaN", "null"])]:
                url = re.sub(r"{\w+}", "x", path).removeprefix("/api/v1/")
                reply = world.ask("GET", f"{url}?{name}={value}")
                assert (reply.status, reply.body["code"]) == (422, "invalid_value"), reply
                assert reply.body["faults"][0]["path"][0] == name
                asked.append(kind)
    assert {"boolean", "string", "array", "integer", "number"} <= set(asked)


@pytest.mark.timeout(420)
@pytest.mark.slow
def test_no_request_breaks_the_server_or_gets_what_is_not_announced(world, document, tmp_path):
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["parameters"] = [p for p in operation["parameters"] if p["name"] != "wait"]
    del document["paths"]["/api/v1/events"]
    # To log out would end the session of the caller, and tokens are guessed slowly on purpose.
    for path in ("session", "session/code", "proof"):
        del document["paths"][f"/api/v1/{path}"]
    # Another protocol's, with a version before all else and a media type of its own (`test_http_uploads`).
    for path in ("uploads", "uploads/{id}"):
        del document["paths"][f"/api/v1/{path}"]
    make_half_real(document, world)
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    (tmp_path / "schemathesis.toml").write_text(CONFIG)

    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("st")),
            "run",
            str(path),
            "--url",
            f"http://127.0.0.1:{world.server.port}",
            "--header",
            f"Authorization: Bearer {world.server.token}",
            "--checks",
            ",".join(CHECKS),
            "--phases",
            "coverage,fuzzing",
            "--max-examples",
            "10",
            "--seed",
            "1",
            "--continue-on-failure",
            "--generation-database",
            "none",
            "--no-color",
        ],
        capture_output=True,
        text=True,
        timeout=400,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 0, "\n".join(each[:300] for each in done.stdout.splitlines()[-150:])
    assert "Missing test data" not in done.stdout
    assert world.ask("GET", "health").status == 200
