"""Commands against a server: the same words as for the store of this machine, with `--remote` or `--server URL`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.serving import Server

from tidegate.blobs.directory import BlobDirectory

HERE = Path(__file__).parent

FLOW = """
from tidegate import File, approve, task, wait_for_input, workflow

@task
def size(file: File) -> int:
    return len(open(file).read())

@workflow
def wf(file: File) -> int:
    times = wait_for_input("times", expected_type=int)
    return approve(size(file=file), "fits")
"""


@pytest.fixture
def server(tidegate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Return a server whose address and token the commands know, and whose store they do not."""
    made = Server(tmp_path / "elsewhere").ready()
    tidegate.environment |= {
        "TIDEGATE_URL": f"http://127.0.0.1:{made.port}",
        "TIDEGATE_TOKEN": made.token,
    }
    yield made
    made.close()


def test_a_workflow_is_packed_launched_followed_and_answered_over_the_network(
    tidegate: Any, server: Server
):
    tidegate.write("flow.py", FLOW)
    tidegate.write("given.txt", "12345")
    run = tidegate.start("run", "--remote", "flow.py", "wf", "--file", "given.txt", "--id", "far")
    run.says("Answer 'times'")
    inbox = tidegate("inbox", "--remote", "--json").json
    run.type("3\n")
    run.says("Approve 'fits'")
    run.type("y\n")
    done = run.ends()

    assert done.code == 0, done.err
    assert json.loads(done.out) == 5
    assert {each["execution"] for each in inbox} == {"far"}
    assert not (tidegate.home / "tidegate.db").exists()
    assert tidegate("list").out.strip() in {"", "no executions"}


def test_the_address_may_follow_the_option(tidegate: Any, server: Server):
    tidegate.write("flow.py", FLOW)
    tidegate.write("given.txt", "1")
    url = tidegate.environment.pop("TIDEGATE_URL")

    launched = tidegate(
        "run", "--remote", url, "flow.py", "wf", "--file", "given.txt", "--detach", "--id", "a"
    )
    answered = tidegate("answer", f"--remote={url}", "a", "times", "1")
    shown = tidegate("show", "--server", url, "a", "--json").json

    assert launched.code == 0, launched.err
    assert f"--server {url}" in launched.err
    assert answered.code == 0, answered.err
    answers = [node["answer"] for node in shown["nodes"] if node["name"] == "times"]
    assert answers[0]["via"] == "api"


def test_a_tree_is_registered_under_dotted_names(tidegate: Any, server: Server):
    tidegate.write("tree/core/control_flow/waiting.py", (HERE / "seed_page.py").read_text())
    tidegate.write("tree/broken.py", "from tidegate import workflow\n@workflow\ndef wf(: ...\n")

    mixed = tidegate("register", "--remote", "tree", "--version", "v1")
    named = tidegate("register", "--remote", "tree/core/control_flow/waiting.py", "--json")
    launched = tidegate("run", "--remote", "tree/broken.py")

    assert mixed.code == 2
    assert "core.control_flow.waiting.conditional_wf" in mixed.out
    assert "broken" in mixed.err
    assert {each["name"] for each in named.json} >= {"waiting.sleep_wf", "waiting.conditional_wf"}
    assert launched.code == 2


def test_a_tree_is_registered_in_the_store_of_this_machine_too(tidegate: Any):
    tidegate.write("pkg/__init__.py", "")
    tidegate.write("pkg/flow.py", FLOW)

    done = tidegate("register", "pkg", "--json")

    assert done.code == 0, done.err
    assert [each["name"] for each in done.json] == ["pkg.flow.wf"]


def test_a_server_that_is_not_there_is_said_in_one_line(tidegate: Any):
    done = tidegate("list", "--server", "http://127.0.0.1:9")

    assert done.code == 5
    assert "tidegate serve" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_wrong_token_is_said_in_one_line(tidegate: Any, server: Server):
    tidegate.environment["TIDEGATE_TOKEN"] = "wrong"

    done = tidegate("list", "--remote")

    assert done.code == 2
    assert "TIDEGATE_TOKEN" in done.err


def test_the_demo_serves_workflows_that_wait_and_continues_with_them(tidegate: Any):
    demo = tidegate.start("demo", "--port", "0")
    demo.says("Ctrl-C stops it")
    words = next(part for part in demo.err.splitlines() if "tidegate answer" in part).split("'")[0]
    report = words.split()[2]
    river = next(part for part in demo.err.splitlines() if "approve" in part).split()[2]

    answered = tidegate("answer", report, "title", "The Nile")
    deck = tidegate("deck", river, "find_change")
    approved = tidegate("approve", river, "publish")
    demo.interrupt()
    stopped = demo.ends()
    again = tidegate.start("demo", "--port", "0")
    again.says("Ctrl-C stops it")
    open_ones = tidegate("inbox", "--json").json
    again.interrupt()
    again.ends()

    assert answered.code == 0, answered.err
    assert '<td class="n">1898</td>' in deck.out
    assert approved.code == 0, approved.err
    assert stopped.code == 0, stopped.err
    # Two that waited go on, two that have ended were launched again.
    assert len({each["execution"] for each in open_ones}) == 4


CLAIMS = """
from tidegate import approve, workflow

@workflow
def claims(v: dict) -> dict:
    return approve(v, "ok", None, prompt="pay \\u202e001\\u202c?")
"""


def test_what_is_shown_of_a_blob_is_what_the_server_finds_and_nothing_else_of_the_value_is_hidden(
    tidegate: Any, server: Server
):
    page = b"<html><script>alert(1)</script>"
    digest = BlobDirectory(server.home / "blobs").put((page,))
    claimed = {"$blob": digest, "size": 1, "media": "image/png", "name": "a.png"}
    tidegate.write("flow.py", CLAIMS)
    value = {
        "file": claimed,
        "dict": claimed | {"amount": 1_000_000},
        "bidi": "\u202e001\u202c EUR",
    }
    launched = tidegate(
        "run", "--remote", "flow.py", "claims", "--v", json.dumps(value), "--detach", "--id", "x1"
    )
    assert launched.code == 0, launched.err

    shown = tidegate("inbox", "--full", "--remote").out

    assert f"a.png, {len(page)} bytes, text/html, sha256 {digest}" in shown
    assert '"amount": 1000000' in shown
    assert "pay ‹U+202E›001‹U+202C›?" in shown
    assert "\\u202e001\\u202c EUR" in shown
    assert shown.replace("\n", "").isprintable()
