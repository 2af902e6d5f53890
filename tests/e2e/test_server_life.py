"""A server is started, is asked, stops, and comes back: what it says, what other commands see, and what becomes of what runs and waits."""

import fcntl
import http.client
import itertools
import json
import shutil
import socket
import stat
import subprocess
import threading
import time

import pytest
from tests.serving import LONGEST, Server, slowed

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.runtime import artifacts_in, open_runtime, problems_of
from tidegate.wire import Register

FLOW = """
import time
from datetime import timedelta
from pathlib import Path
from tidegate import approve, sleep, task, wait_for_input, workflow

@task
def shout(words: str) -> str:
    return words.upper() + "!"

@task
def linger(until: str) -> str:
    print("lingering", flush=True)
    while not Path(until).exists():
        time.sleep(0.01)
    return until

@task
def stamps() -> list[float]:
    begin = time.monotonic()
    time.sleep(0.05)
    return [begin, time.monotonic()]

@workflow
def report() -> str:
    return approve(shout(words=wait_for_input("words", expected_type=str)), "fine")

@workflow
def lasting(until: str) -> str:
    return linger(until=until)

@workflow
def napping() -> str:
    return sleep(timedelta(seconds=1.0)) >> shout(words="awake")

@workflow
def timing() -> list[list[float]]:
    return [stamps() for _ in range(4)]
"""


PATIENT = f"from tidegate.cli import store\nstore.RETURN = {LONGEST}"
"""A command that gives a server as long to come back as one needs on a busy machine, before it takes the store itself."""


@pytest.fixture(scope="module")
def registered(tmp_path_factory):
    """A store in which the workflows are registered."""
    place = tmp_path_factory.mktemp("registered")
    (place / "wf.py").write_text(FLOW)
    sources = find_sources(place / "wf.py", ())
    archive = pack(sources)
    with open_runtime(place / "home", workers=1, serve_door=False) as runtime:
        artifacts_in(place / "home").bundles.put(archive)
        runtime.service.handle(Register(bundle=archive.digest, module=sources.module))
    return place / "home"


@pytest.fixture
def serve(tidegate, registered):
    """Start servers on the store of the terminal; all of them end with the test."""
    tidegate.write("wf.py", FLOW)
    servers = []

    def start(*words, flow=False, **how):
        if flow:
            shutil.copytree(registered, tidegate.home)
        servers.append(Server(tidegate.home, *words, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def outputs(ask, execution):
    """Wait for the end of an execution, and return what it gave."""
    reply = ask("GET", f"executions/{execution}?wait={LONGEST:.0f}")
    assert reply.status == 200, reply
    assert reply.body["phase"] == "SUCCEEDED", reply.body
    return reply.body["outputs"]["o0"]


def launch(ask, workflow, execution, **inputs):
    body = {"workflow": f"wf.{workflow}", "id": execution, "inputs": inputs}
    assert ask("POST", "executions", body).status == 201


def comes_to_wait(ask, execution):
    reply = ask("GET", f"executions/{execution}?wait={LONGEST:.0f}&until_waiting=true")
    assert reply.body["phase"] == "WAITING", reply.body


# ---- start and stop ----


def test_it_says_where_it_serves_and_when_it_has_stopped(tidegate, serve):
    server = serve().ready()
    home, port = tidegate.home, server.port
    assert server.connect()("GET", "health").status == 200
    assert stat.S_IMODE((home / "token").stat().st_mode) == 0o600
    server.stop()
    where, link, *rest = server.said.splitlines()
    assert where == f"tidegate serves {home} at http://127.0.0.1:{port}"
    assert link.startswith(f"Open http://127.0.0.1:{port}/#code=")
    assert server.token not in server.said
    assert rest == ["stopped; everything accepted is stored"]


def test_the_token_stays_the_same_from_start_to_start(serve):
    first = serve().ready()
    token = first.token
    first.stop()
    assert serve().ready().token == token


def test_a_second_server_on_the_same_store_says_so_on_one_line_and_leaves_the_first_alone(serve):
    first = serve().ready()
    second = serve()
    assert second.wait() == 5
    assert len(second.said.splitlines()) == 1
    assert f"process {first.process.pid}" in second.said
    assert first.connect()("GET", "health").status == 200


def test_it_waits_for_somebody_who_is_about_to_let_go_of_the_store(tidegate, serve):
    serve().ready().stop()
    with (tidegate.home / "engine.lock").open() as brief:
        fcntl.flock(brief, fcntl.LOCK_EX)
        server = serve()
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1.5)
    assert server.ready().connect()("GET", "health").status == 200


def test_a_port_that_is_taken_is_named_on_one_line_and_the_store_is_left_alone(tidegate, serve):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = serve(port=port)
        assert server.wait() not in {0, 70}
    assert len(server.said.splitlines()) == 1
    assert f"port {port}: address already in use" in server.said
    assert not tidegate.home.exists()


def test_it_stops_at_once_though_people_wait_or_have_asked_only_half(serve):
    server = serve(flow=True).ready()
    launch(server.connect(), "report", "r")
    replies = []

    def wait_for_the_end():
        replies.append(server.connect()("GET", "executions/r?wait=600"))

    poller = threading.Thread(target=wait_for_the_end)
    poller.start()
    stream = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    stream.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {server.token}"})
    response = stream.getresponse()
    half = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
    half.putrequest("POST", "/api/v1/executions")
    for name in ("Content-Type: application/json", "Content-Length: 100"):
        half.putheader(*name.split(": "))
    half.putheader("Authorization", f"Bearer {server.token}")
    half.endheaders(b"{")
    silent = socket.create_connection(("127.0.0.1", server.port))
    assert server.connect()("GET", "health").status == 200
    begun = time.monotonic()
    server.stop()
    took = time.monotonic() - begun
    poller.join(LONGEST)
    assert [(each.status, each.body["phase"]) for each in replies] == [(200, "WAITING")]
    response.read()
    stream.close()
    refused = half.getresponse()
    assert (refused.status, json.loads(refused.read())["code"]) == (503, "overloaded")
    half.close()
    silent.close()
    assert "Traceback" not in server.said
    assert took < slowed(8), "it has waited for people who wait for it"


def test_what_was_acknowledged_while_it_stops_is_there_and_the_rest_hears_of_it(tidegate, serve):
    server = serve(flow=True).ready()
    acked: list[tuple[str, int]] = []
    refused: list[tuple[str, int]] = []
    broken = []
    numbers = itertools.count()

    def launch_forever():
        ask = server.connect()
        while True:
            id_ = f"e{next(numbers)}"
            try:
                reply = ask("POST", "executions", {"workflow": "wf.report", "id": id_})
            except (OSError, http.client.HTTPException):
                broken.append(id_)
                return
            (acked if reply.status == 201 else refused).append((id_, reply.status))
            if reply.status == 503:
                return

    threads = [threading.Thread(target=launch_forever) for _ in range(8)]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + LONGEST
    while len(acked) < 100:
        assert time.monotonic() < give_up
        time.sleep(0.005)
    server.stop()
    for thread in threads:
        thread.join(LONGEST)
    assert {status for _, status in refused} <= {503}
    assert len(broken) + len(refused) == len(threads)
    there = {each["id"] for each in tidegate("list", "--all", "--json").json}
    assert {id_ for id_, _ in acked} <= there
    assert problems_of(tidegate.home)[1] == []


# ---- it comes back ----


def test_a_task_that_runs_when_it_stops_is_repeated_by_the_next(tidegate, serve):
    mark = str(tidegate.place / "mark")
    first = serve("--grace", "2", flow=True).ready()
    ask = first.connect()
    launch(ask, "lasting", "l", until=mark)
    give_up = time.monotonic() + LONGEST
    while "lingering" not in str(ask("GET", "executions/l/logs").body):
        assert time.monotonic() < give_up
    first.stop()
    tidegate.write("mark", "")
    ask = serve().ready().connect()
    assert outputs(ask, "l") == mark
    assert ask("GET", "executions/l").body["nodes"][0]["attempts"] > 1


def test_what_waits_goes_on_after_a_restart(serve):
    first = serve(flow=True).ready()
    launch(first.connect(), "report", "r")
    launch(first.connect(), "napping", "n")
    first.stop()
    ask = serve().ready().connect()
    assert outputs(ask, "n") == "AWAKE!"
    assert ask("PUT", "executions/r/signals/words", {"value": "done"}).status == 200
    comes_to_wait(ask, "r")
    assert ask("POST", "executions/r/signals/fine/approve", {}).status == 200
    assert outputs(ask, "r") == "DONE!"


def test_an_answer_that_was_stored_while_no_server_ran_is_used_by_the_next(tidegate, serve):
    first = serve(flow=True).ready()
    launch(first.connect(), "report", "r")
    first.stop()
    assert tidegate("answer", "r", "words", "meanwhile").code == 0
    ask = serve().ready().connect()
    comes_to_wait(ask, "r")
    assert ask("GET", "inbox").body["items"][0]["name"] == "fine"


# ---- other commands ----


def test_the_other_commands_go_through_the_server(tidegate, serve):
    server = serve().ready()
    ask = server.connect()
    done = tidegate("run", "wf.py", "report", "--id", "r", "--detach")
    assert (done.code, done.out) == (0, "r\n")
    assert [each["id"] for each in tidegate("list", "--json").json] == ["r"]
    assert [each["name"] for each in tidegate("inbox", "--json").json] == ["words"]
    assert tidegate("answer", "r", "words", "hello").code == 0
    comes_to_wait(ask, "r")
    assert tidegate("show", "r", "--json").json["waiting"][0]["name"] == "fine"
    # Anyone who answers does not run it: the server continues by itself.
    assert tidegate("approve", "r", "fine", "--comment", "good").code == 0
    assert outputs(ask, "r") == "HELLO!"
    assert tidegate("resume", "r").out == '"HELLO!"\n'
    launch(ask, "report", "a")
    assert tidegate("abort", "a").code == 0
    assert ask("GET", "executions/a").body["phase"] == "ABORTED"
    assert tidegate("doctor").code == 0
    # What they did is known by who and through what.
    events = ask("GET", "executions/r/events").body["items"]
    given = [each["details"] for each in events if each["kind"] == "AnswerGiven"]
    assert [each["via"] for each in given] == ["cli", "cli"]


def test_a_run_that_follows_is_answered_through_the_server(tidegate, serve):
    ask = serve().ready().connect()
    follower = tidegate.start("run", "wf.py", "report", "--id", "r")
    follower.says("words")
    assert ask("PUT", "executions/r/signals/words", {"value": "from afar"}).status == 200
    follower.says("FROM AFAR!")
    assert ask("POST", "executions/r/signals/fine/approve", {}).status == 200
    assert follower.ends().out == '"FROM AFAR!"\n'


def test_a_run_that_follows_survives_the_servers_restart(tidegate, serve):
    first = serve().ready()
    follower = tidegate.start("run", "wf.py", "report", "--id", "r", planted=PATIENT)
    follower.says("words")
    first.kill()
    ask = serve().ready().connect()
    assert ask("PUT", "executions/r/signals/words", {"value": "again"}).status == 200
    comes_to_wait(ask, "r")
    assert ask("POST", "executions/r/signals/fine/approve", {}).status == 200
    assert outputs(ask, "r") == "AGAIN!"
    assert follower.ends().out == '"AGAIN!"\n'


def test_with_one_worker_tasks_run_one_after_the_other(serve):
    ask = serve(flow=True, workers=1).ready().connect()
    launch(ask, "timing", "t")
    spans = sorted(outputs(ask, "t"))
    assert len(spans) == 4
    assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))


# ---- versions ----


def test_what_waits_continues_with_its_own_code_after_new_and_broken_versions(tidegate, serve):
    first = serve().ready()
    ask = first.connect()
    tidegate("run", "wf.py", "report", "--id", "old", "--detach")

    tidegate.write("wf.py", FLOW.replace('"!"', '"?"'))
    tidegate("run", "wf.py", "report", "--id", "new", "--detach")
    tidegate.write("wf.py", FLOW.replace('words.upper() + "!"', "words / 0"))
    tidegate("run", "wf.py", "report", "--id", "broken", "--detach")
    tidegate.write("wf.py", "def report(:\n")
    assert tidegate("run", "wf.py", "report", "--detach").code == 2
    assert len(ask("GET", "workflows/wf.report/versions").body["items"]) == 3

    for name in "old", "new", "broken":
        assert ask("PUT", f"executions/{name}/signals/words", {"value": name}).status == 200
    ended = ask("GET", "executions/broken?wait=30").body
    assert (ended["phase"], ended["error"]["name"]) == ("FAILED", "shout")
    for name in "old", "new":
        comes_to_wait(ask, name)
    # Workers that have not seen the code yet find the same.
    first.kill()
    ask = serve().ready().connect()
    for name in "old", "new":
        assert ask("POST", f"executions/{name}/signals/fine/approve", {}).status == 200
    assert [outputs(ask, name) for name in ("old", "new")] == ["OLD!", "NEW?"]
