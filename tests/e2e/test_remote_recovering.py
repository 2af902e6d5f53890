"""Fixed code goes on at a server: over HTTP and by the client, for who may."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.serving import Connection, Server, program

from tidegate.errors import CodeError, InvalidValue, RecoveredAlready
from tidegate.remote import Config, Remote
from tidegate.wire import GetExecution

LONGEST = 30.0

PROGRAM = """
from tidegate import approve, task, wait_for_input, workflow

@task
def double(n: int) -> int:
    return 2 * n

@task
def pay(n: int, note: str) -> str:
    raise ValueError("closed")

@workflow
def wf(n: int) -> str:
    note = wait_for_input("note", expected_type=str)
    return pay(n=approve(double(n=n), "ok"), note=note)
"""
FIXED = PROGRAM.replace('raise ValueError("closed")', 'return f"{note}: {n}"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("server") / "home").ready()
    yield made
    made.close()


@pytest.fixture
def remote(server: Server) -> Iterator[Remote]:
    with Remote(Config.for_endpoint(f"http://127.0.0.1:{server.port}", token=server.token)) as made:
        yield made


def failed(remote: Remote, place: Path, id_: str, project: str = "") -> Path:
    """Have an execution fail that was answered and approved; return the file of its code, which is fixed by then."""
    file = place / "paying.py"
    file.write_text(PROGRAM)
    (found,) = remote.register(file)
    execution = remote.execute(found, {"n": 4}, project=project, id=id_)
    remote.set_signal("note", id_, "N")
    asked(remote, id_, "ok")
    remote.approve("ok", id_)
    assert remote.wait(execution, timeout=LONGEST).phase == "FAILED"
    file.write_text(FIXED)
    return file


def asked(remote: Remote, id_: str, *names: str) -> None:
    """Wait until an execution asks for these."""
    view = remote.ask(GetExecution(id=id_, wait=LONGEST, until_waiting=True))
    assert {*names} <= {each.name for each in view.waiting}


def test_the_client_previews_fixed_code_and_continues_with_it(remote: Remote, tmp_path: Path):
    failed(remote, tmp_path, "one")
    versions = remote.workflows()

    found = remote.preview_recovery("one", here=tmp_path)

    told = {each.name: each.becomes for each in found.nodes}
    assert told == {"note": "kept", "double": "kept", "ok": "asked", "pay": "runs"}
    assert [each.version for each in remote.workflows()] == [each.version for each in versions]

    second = remote.recover("one", here=str(tmp_path), id="two")
    assert (second.version, found.new_version) == (found.new_version, second.version)
    asked(remote, "two", "ok")
    remote.approve("ok", "two")
    assert remote.wait(second, timeout=LONGEST).outputs.o0 == "N: 8"
    assert remote.recover("one", here=tmp_path, id="two").id.name == "two"
    with pytest.raises(RecoveredAlready):
        remote.recover("one", here=tmp_path)


def test_a_version_a_node_and_approvals_can_be_named(remote: Remote, tmp_path: Path):
    file = failed(remote, tmp_path, "three")
    (found,) = remote.register(file, version="fixed")
    with pytest.raises(InvalidValue, match="exclude each other"):
        remote.recover("three", here=True, version="fixed")
    with pytest.raises(TypeError, match="has no option 'keep'"):
        remote.recover("three", keep=True)  # type: ignore[call-arg]
    (tmp_path / "paying.py").write_text("def")
    with pytest.raises(CodeError, match="SyntaxError"):
        remote.recover("three", here=tmp_path)

    execution = remote.recover(
        "three", version=found.version, rerun=["double"], keep_approvals=True
    )

    done = remote.wait(execution, timeout=LONGEST)
    assert done.outputs.o0 == "N: 8"
    (given,) = [each.answer for each in done.nodes if each.name == "ok"]
    assert given is not None
    assert given.kept == "three"
    assert given.kept_by
    (double,) = [each for each in done.nodes if each.name == "double"]
    assert double.attempts == 1


def test_a_relaunch_takes_other_inputs(remote: Remote, tmp_path: Path):
    failed(remote, tmp_path, "four")
    again = remote.relaunch("four", {"n": 5}, id="again")
    assert again.inputs == {"n": 5}
    with pytest.raises(InvalidValue):
        remote.relaunch("four", {"n": "x"})
    with pytest.raises(InvalidValue):
        remote.relaunch("four", {"m": 5})
    remote.terminate(again)


def asking_as(server: Server, role: str, project: str) -> Connection:
    """Connect as somebody with a role in a project."""
    words = ("token", "create", f"{role}-{project}", "--role", role, "--project", project)
    made = subprocess.run(
        [*program(), *words, "--home", str(server.home)],
        capture_output=True,
        text=True,
        check=True,
        timeout=LONGEST,
    )
    return Connection(server.port, made.stdout.strip())


def test_who_may_not_approve_may_not_keep_approvals(server: Server, remote: Remote, tmp_path: Path):
    file = failed(remote, tmp_path, "five", project="p")
    remote.register(file, version="other")
    how = {"version": "other", "keep_approvals": True}

    with closing(asking_as(server, "operator", "p")) as ask:
        refused = ask("POST", "executions/five/recover", how)
        also = ask("GET", "executions/five/recovery?version=other&keep_approvals=true")
        code = ask("GET", f"executions/five/recovery?bundle={'0' * 64}")
        assert (refused.status, also.status, code.status) == (403, 403, 403)
        assert remote.look("five").successor == ""
        seen = ask("GET", "executions/five/recovery?version=other&rerun=note&rerun=n1")
        assert seen.status == 200
        body = {"version": "other", "id": "six"}
        assert ask("POST", "executions/five/recover", body).status == 201
    with closing(asking_as(server, "admin", "q")) as hidden:
        assert hidden("POST", "executions/five/recover", how).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"rerun": "note"},
        {"rerun": [1]},
        {"rerun": ["x"] * 1001},
        {"keep_approvals": "yes"},
        {"version": 3},
        {"version": "x" * 256},
        {"keep": True},
    ],
)
def test_what_is_not_a_request_is_refused_with_its_field(server: Server, body: dict[str, object]):
    refused = server.connect()("POST", "executions/one/recover", body)
    assert refused.status in (400, 422)
    assert next(iter(body)) in str(refused.body)
