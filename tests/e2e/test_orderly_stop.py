"""A server that is told to stop lets what runs end, or gives it back; and the next owner ends what a killed one has left running."""

import os
import signal
from pathlib import Path

import psutil
import pytest
from tests.e2e.watched import FLOW, Watched, prepare, until
from tests.serving import Server

from tidegate.runtime import problems_of

RESTARTS = int(os.environ.get("TIDEGATE_RESTARTS", "12"))
"""How many restarts a task runs through: more than it may be lost."""

# ---- an orderly stop ----


def test_a_server_that_is_told_to_stop_serves_on_but_launches_nothing_until_what_runs_has_ended(
    tmp_path, watch
):
    server = watch("--grace", "600").ready()
    server.launch("two_steps", "l", place=str(tmp_path))
    server.launch("asking", "a")
    until((tmp_path / "began").exists)
    server.server.process.terminate()
    until(lambda: server.ask("GET", "health").body["status"] == "stopping")

    assert server.ask("GET", "health").status == 503
    body = {"workflow": "wf.doubling", "inputs": {"x": 1}}
    refused = server.ask("POST", "executions", body)
    assert (refused.status, refused.body["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) > 0
    assert server.ask("GET", "executions/a").body["phase"] == "WAITING"
    assert server.ask("PUT", "executions/a/signals/n", {"value": 21}).status == 200
    assert server.ask("POST", "executions/a/abort", {}).status == 200
    for verb in ("relaunch", "recover"):
        assert server.ask("POST", f"executions/a/{verb}", {}).status == 503
    (tmp_path / "end").touch()
    assert server.server.wait() == 0
    assert "Traceback" not in server.server.said

    again = watch().ready()
    # The first step ended in the grace, and is not repeated; the second did not begin.
    assert again.outputs("l") == 2
    assert len((tmp_path / "began").read_text().split()) == 1
    events = again.ask("GET", "executions/l/events").body["items"]
    assert "TaskLost" not in {each["kind"] for each in events}


@pytest.mark.parametrize("how", ["grace", "SIGTERM", "SIGINT"])
def test_what_still_runs_at_the_end_of_the_grace_or_at_a_second_signal_is_given_back(
    tmp_path, watch, how
):
    server = watch("--grace", "0.3" if how == "grace" else "600").ready()
    server.launch("lasting", "l", place=str(tmp_path))
    until((tmp_path / "began").exists)
    until(lambda: server.ask("GET", "executions/l").body["nodes"][0]["phase"] == "RUNNING")
    server.server.process.terminate()
    if how != "grace":
        until(lambda: server.ask("GET", "health").body["status"] == "stopping")
        server.server.process.send_signal(getattr(signal, how))

    assert server.server.wait() == 0
    (pid,) = (tmp_path / "began").read_text().split()
    assert not psutil.pid_exists(int(pid))
    (tmp_path / "end").touch()
    again = watch().ready()
    assert again.outputs("l") == str(tmp_path)
    kinds = [e["kind"] for e in again.ask("GET", "executions/l/events").body["items"]]
    assert "GivenBack" in kinds
    assert "TaskLost" not in kinds


def test_a_server_where_nothing_runs_ends_at_once_whatever_the_grace(watch):
    server = watch("--grace", "86400").ready()
    server.works("a")
    server.launch("asking", "waits")
    server.server.stop()


@pytest.mark.timeout(120 + 5 * RESTARTS)
def test_more_restarts_than_a_task_may_be_lost_do_not_fail_it(tmp_path, watch):
    for n in range(RESTARTS):
        server = watch("--grace", "0", workers=1).ready()
        if n == 0:
            server.launch("lasting", "l", place=str(tmp_path))
        began = tmp_path / "began"
        until(lambda n=n: began.exists() and len(began.read_text().split()) == n + 1)
        until(lambda s=server: s.ask("GET", "executions/l").body["nodes"][0]["phase"] == "RUNNING")
        server.server.stop()
    (tmp_path / "end").touch()
    assert watch().ready().outputs("l") == str(tmp_path)


def test_a_terminal_that_is_interrupted_gives_back_at_once_what_it_runs(tidegate, tmp_path):
    tidegate.write("wf.py", FLOW)
    run = tidegate.start("run", "wf.py", "lasting", "--place", str(tmp_path), "--id", "l")
    run.says("running linger")
    run.interrupt()
    assert run.ends().code == 130
    events = tidegate("events", "l", "--json").json
    assert "GivenBack" in {each["kind"] for each in events}
    (tmp_path / "end").touch()
    assert tidegate("resume", "l").code == 0


# ---- between two lives ----


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="there is no /proc here")
def test_what_a_killed_owner_left_running_ends_before_it_is_repeated(tmp_path, watched_home, watch):
    """The fork server and the worker hang, so that neither can see to the attempt when the owner is killed."""
    first = watch(workers=1).ready()
    first.launch("lasting", "l", place=str(tmp_path))
    until((tmp_path / "began").exists)
    (pid,) = (tmp_path / "began").read_text().split()
    hanging = [first.fork_server(), psutil.Process(int(pid)).parent()]
    for each in hanging:
        each.suspend()
    first.server.kill()
    assert psutil.Process(int(pid)).is_running()

    second = watch(workers=1).ready()

    until(lambda: len((tmp_path / "began").read_text().split()) == 2)
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == "zombie"
    for each in hanging:
        assert not each.is_running() or each.status() == "zombie"
    (tmp_path / "end").touch()
    assert second.outputs("l") == str(tmp_path)
    attempts = second.ask("GET", "executions/l").body["nodes"][0]["attempts"]
    assert attempts == 2
    assert problems_of(watched_home)[1] == []


def test_what_runs_when_an_owner_stops_is_the_second_attempt_with_the_next(
    tmp_path, watched_home, watch
):
    first = watch("--grace", "0").ready()
    first.launch("lasting", "l", place=str(tmp_path))
    until(lambda: "TaskStarted" in str(first.ask("GET", "executions/l/events").body))
    first.server.stop()

    second = watch().ready()
    until(lambda: len((tmp_path / "began").read_text().split()) == 2)
    (tmp_path / "end").touch()
    assert second.outputs("l") == str(tmp_path)
    assert second.ask("GET", "executions/l").body["nodes"][0]["attempts"] == 2
    assert problems_of(watched_home)[1] == []


def test_the_workers_of_another_store_are_left_alone(tmp_path, watch):
    other_home = tmp_path / "other"
    place = tmp_path / "place"
    place.mkdir()
    prepare(other_home, place)
    other = Watched(Server(other_home, workers=1)).ready()
    try:
        other.launch("lasting", "l", place=str(place))
        until((place / "began").exists)
        first = watch().ready()
        first.works("a")
        first.server.kill()
        watch().ready().works("b")
        (place / "end").touch()
        assert other.outputs("l") == str(place)
        assert other.ask("GET", "executions/l").body["nodes"][0]["attempts"] == 1
    finally:
        other.server.close()
