"""
Each part of a server is made to fail while it runs: health says so, and when the cause is gone everything works again, without a restart and with no job lost.

Method: causes are real where they can be made from outside (files, signals, limits). Faults of the store and bugs are planted: Python that the
server's process runs before it begins, and which waits for a file to be there.
"""

import http.client
import itertools
import json
import resource
import sys
import threading

import pytest
from tests.e2e.watched import FLOW, prepare, until
from tests.serving import LONGEST, Server

# ---- the pool ----


def test_jobs_of_a_server_whose_scratch_is_a_file_run_once_it_is_none(watched_home, watch):
    (watched_home / "scratch").rmdir()
    (watched_home / "scratch").write_text("not a directory")
    server = watch().ready()

    for n in range(20):
        server.launch("doubling", f"e{n}", x=n)
    why = until(server.down)

    assert list(why) == ["pool"]
    assert "scratch" in why["pool"]
    assert server.ask("GET", "executions/e0").body["phase"] == "RUNNING"
    (watched_home / "scratch").unlink()
    assert [server.outputs(f"e{n}") for n in range(20)] == [2 * n for n in range(20)]
    until(server.is_well)
    server.works("after")


def test_who_has_no_token_is_told_the_status_and_nothing_else(watched_home, watch):
    (watched_home / "scratch").rmdir()
    (watched_home / "scratch").write_text("not a directory")
    server = watch().ready()
    until(server.down)

    line = http.client.HTTPConnection("127.0.0.1", server.server.port, timeout=LONGEST)
    line.request("GET", "/api/v1/health")
    reply = line.getresponse()

    assert reply.status == 503
    assert json.loads(reply.read()) == {"status": "down", "version": "", "parts": []}
    line.close()


def test_doctor_asks_the_server_which_part_is_down(watched_home, watch, tidegate):
    (watched_home / "scratch").rmdir()
    (watched_home / "scratch").write_text("not a directory")
    server = watch().ready()
    until(server.down)

    done = tidegate("doctor", "--home", str(watched_home))
    as_json = tidegate("doctor", "--home", str(watched_home), "--json")

    assert (done.code, as_json.code) == (1, 1)
    assert done.out.startswith("part pool of the owner is down since ")
    assert "scratch" in done.out
    states = {each["name"]: each["up"] for each in as_json.json["parts"]}
    assert (states["pool"], states["engine"]) == (False, True)
    (watched_home / "scratch").unlink()
    until(server.is_well)
    assert tidegate("doctor", "--home", str(watched_home)).code == 0


def test_doctor_asks_a_terminal_that_owns_the_store_too(tidegate):
    tidegate.write("wf.py", FLOW)
    run = tidegate.start("run", "wf.py", "asking", "--id", "a")
    run.says("'n'")

    found = tidegate("doctor", "--json").json

    assert {each["name"] for each in found["parts"]} >= {"engine", "pool", "local-door"}
    assert found["problems"] == []


def test_the_metrics_say_which_part_is_down_and_how_many_times_it_was_run_again(
    watched_home, watch
):
    (watched_home / "scratch").rmdir()
    (watched_home / "scratch").write_text("not a directory")
    server = watch().ready()
    until(server.down)

    def metrics():
        line = http.client.HTTPConnection("127.0.0.1", server.server.port, timeout=LONGEST)
        line.request(
            "GET", "/api/v1/metrics", headers={"Authorization": f"Bearer {server.server.token}"}
        )
        text = line.getresponse().read().decode()
        line.close()
        return dict(each.rsplit(" ", 1) for each in text.splitlines() if each[0] != "#")

    assert metrics()['tidegate_part_up{part="pool"}'] == "0"
    assert metrics()['tidegate_part_up{part="engine"}'] == "1"
    (watched_home / "scratch").unlink()
    until(server.is_well)
    assert metrics()['tidegate_part_up{part="pool"}'] == "1"
    assert int(metrics()['tidegate_part_restarts_total{part="pool"}']) > 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process: Linux only")
def test_a_server_that_had_no_descriptors_for_a_while_loses_no_job(watch):
    server = watch().ready()
    pid = server.server.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    server.works("warm")
    for worker in server.fork_server().children():
        worker.kill()
    server.launch("napping", "before")

    # All it has is taken, and what it has open it keeps.
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (5, usual[1]))
    for n in range(10):
        server.launch("doubling", f"e{n}", x=n)
    assert "too many open files" in until(server.down)["pool"]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)

    assert [server.outputs(f"e{n}") for n in range(10)] == [2 * n for n in range(10)]
    assert server.outputs("before") == 8
    until(server.is_well)
    server.works("after")


# ---- the fork server ----


def test_a_fork_server_that_is_killed_comes_back_and_what_it_ran_is_repeated(tmp_path, watch):
    server = watch().ready()
    server.launch("lasting", "l", place=str(tmp_path))
    until((tmp_path / "began").exists)

    server.fork_server().kill()

    assert "signal SIGKILL" in until(server.down)["fork-server"]
    until(server.is_well)
    (tmp_path / "end").touch()
    assert server.outputs("l") == str(tmp_path)
    server.works("after")


def test_a_fork_server_that_hangs_is_seen_and_what_needs_it_runs_when_it_goes_on(watch):
    server = watch(
        planted="from tidegate.executors import roster\nroster.SILENT = 0.2", workers=1
    ).ready()
    server.works("before")
    forker = server.fork_server()
    for worker in forker.children():
        worker.kill()
    until(lambda: not forker.children())
    forker.suspend()

    server.launch("doubling", "e", x=4)
    assert until(server.down) == {"fork-server": "its process does not reply"}

    forker.resume()
    assert server.outputs("e") == 8
    until(server.is_well)


# ---- the feed ----

FEED_FAILS = """
import os
from pathlib import Path
from tidegate.errors import StoreError
from tidegate.service.feed import Feed
after = Feed.after
def fails(self, *args):
    if Path({flag!r}).exists():
        raise StoreError("cannot read the store (Input/output error)")
    return after(self, *args)
Feed.after = fails
"""


class Stream:
    """A stream of events, read in a thread as it comes."""

    def __init__(self, server: Server) -> None:
        self.text = ""
        self._line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONGEST)
        headers = {"Authorization": f"Bearer {server.token}"}
        self._line.request("GET", "/api/v1/events", headers=headers)
        self._reply = self._line.getresponse()
        assert self._reply.status == 200
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while line := self._reply.readline():
            self.text += line.decode()

    def close(self) -> None:
        self._reader.join(LONGEST)
        self._line.close()


def test_a_store_that_cannot_be_read_for_a_while_costs_a_stream_nothing(tmp_path, watch):
    flag = tmp_path / "fails"
    server = watch(planted=FEED_FAILS.format(flag=str(flag))).ready()
    first = Stream(server.server)
    server.launch("asking", "before")
    until(lambda: "before" in first.text)

    flag.touch()
    server.launch("asking", "meanwhile")
    assert "Input/output error" in until(server.down)["feed"]
    second = Stream(server.server)
    flag.unlink()

    until(lambda: "meanwhile" in first.text)
    until(server.is_well)
    server.launch("asking", "after")
    until(lambda: "after" in first.text and "after" in second.text)
    server.server.stop()
    first.close()
    second.close()


# ---- timers, and what follows every commit ----

LOOK_FAILS = """
from pathlib import Path
from tidegate.errors import StoreError
from tidegate.stores.sqlite.journal import SqliteJournal
right = SqliteJournal.next_due
def fails(self):
    if Path({flag!r}).exists():
        Path({flag!r}).unlink()
        raise StoreError("cannot read the store (Input/output error)")
    return right(self)
SqliteJournal.next_due = fails
"""


def test_no_timer_is_forgotten_though_the_look_for_the_next_one_fails_once(tmp_path, watch):
    flag = tmp_path / "fails"
    server = watch(planted=LOOK_FAILS.format(flag=str(flag))).ready()
    server.launch("napping", "a")
    flag.touch()
    server.launch("napping", "b")

    # Nobody asks for anything: what else would wake the engine?
    until(lambda: not flag.exists())
    assert server.outputs("a") == 8
    assert server.outputs("b") == 8


WATCHER_FAILS = """
from pathlib import Path
from tidegate.service.gauges import Gauges
right = Gauges._committed
def fails(self, phases):
    if Path({flag!r}).exists():
        raise KeyError("planted")
    right(self, phases)
Gauges._committed = fails
"""


def test_what_fails_after_a_commit_is_down_until_it_works_and_keeps_nobody_from_anything(
    tmp_path, watch
):
    flag = tmp_path / "fails"
    server = watch(planted=WATCHER_FAILS.format(flag=str(flag))).ready()
    stream = Stream(server.server)
    flag.touch()

    server.works("meanwhile")

    assert list(server.down()) == ["counters"]
    assert "KeyError: 'planted'" in server.down()["counters"]
    until(lambda: "meanwhile-napping" in stream.text)
    flag.unlink()
    server.works("after")
    assert server.is_well()
    server.server.stop()
    stream.close()


# ---- what moves the log of the database ----

MOVER_FAILS = """
from pathlib import Path
from tidegate.errors import StoreError
from tidegate.stores.sqlite import connections, store
connections.LOG_PAGES = 100
right = store.connect_mover
def fails(path):
    if Path({flag!r}).exists():
        raise StoreError("cannot open the store (too many open files)")
    return right(path)
store.connect_mover = fails
"""


def test_the_log_is_moved_in_the_background_and_while_that_fails_a_server_is_only_degraded(
    tmp_path, watch
):
    flag = tmp_path / "fails"
    flag.touch()
    server = watch(planted=MOVER_FAILS.format(flag=str(flag))).ready()
    numbers = itertools.count()

    def is_tried():
        server.launch("asking", f"a{next(numbers)}")
        return server.ask("GET", "health").body["status"] == "degraded"

    until(is_tried)
    reply = server.ask("GET", "health")
    why = {each["name"]: each["why"] for each in reply.body["parts"] if not each["up"]}
    assert (reply.status, list(why)) == (200, ["checkpoints"])
    assert "too many open files" in why["checkpoints"]
    server.works("meanwhile")

    flag.unlink()
    until(lambda: server.ask("GET", "health").body["status"] == "ok")
    server.works("after")
    server.server.stop()
    assert server.server.said.count("checkpoints") == 2, server.server.said


# ---- the engine ----

ENGINE_FAILS = """
from pathlib import Path
from tidegate.engine.loop import Engine
right = Engine._decide_all
def fails(self, ledger, work):
    if Path({flag!r}).exists():
        raise BaseException("planted")
    right(self, ledger, work)
Engine._decide_all = fails
"""
SAYS = "error: the engine stopped on an internal error: BaseException: planted"


def is_one_line_that_names_it(said: str) -> bool:
    return said.startswith(SAYS) and said.count("\n") == 1 and said.endswith("\n")


def test_a_bug_of_the_engine_ends_the_server_after_one_line_and_anyone_who_waits_is_told(
    tmp_path, watch
):
    flag = tmp_path / "fails"
    server = watch(planted=ENGINE_FAILS.format(flag=str(flag))).ready()
    server.launch("asking", "a")
    before = server.server.said
    replies = []

    def wait():
        replies.append(server.server.connect()("GET", "executions/a?wait=600"))

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: len(server.server._lines) > 1)
    flag.touch()

    reply = server.ask("PUT", "executions/a/signals/n", {"value": 1})

    assert (reply.status, reply.body["code"]) == (503, "engine_failed")
    assert server.server.wait() == 70
    waiting.join(LONGEST)
    assert replies
    assert is_one_line_that_names_it(server.server.said.removeprefix(before))
    flag.unlink()
    again = watch().ready()
    assert again.ask("PUT", "executions/a/signals/n", {"value": 21}).status == 200
    assert again.outputs("a") == 42


@pytest.mark.parametrize(
    "words",
    [("run", "wf.py", "asking", "--id", "a"), ("resume", "a"), ("demo", "--port", "0")],
    ids=lambda words: words[0],
)
def test_a_bug_of_the_engine_ends_each_command_that_runs_one_after_one_line(
    tidegate, tmp_path, words
):
    prepare(tidegate.home, tidegate.place)
    flag = tmp_path / "fails"
    if words[0] == "resume":
        tidegate("run", "wf.py", "asking", "--id", "a", "--detach")
    command = tidegate.start(*words, planted=ENGINE_FAILS.format(flag=str(flag)))
    # While somebody is asked, and types nothing.
    command.says("Ctrl-C stops it" if words[0] == "demo" else "'n'")
    flag.touch()
    name = "a" if words[0] != "demo" else tidegate("list", "--json").json[0]["id"]
    tidegate("abort", name)  # sent again to the next owner, if the reply was lost with this one

    done = command.ends()

    assert done.code == 70
    assert done.err.count(SAYS) == 1
    assert "Traceback" not in done.err


ONE_ANSWER_FAILS = """
from tidegate.core.messages import AnswerGiven
from tidegate.engine.loop import Engine
right = Engine._decide
def fails(self, ledger, hot, event):
    if hot.id == "sick" and isinstance(event, AnswerGiven):
        raise ValueError("planted")
    return right(self, ledger, hot, event)
Engine._decide = fails
"""


def test_a_bug_that_one_of_many_answers_meets_hides_nothing_of_the_others(watch):
    server = watch(planted=ONE_ANSWER_FAILS).ready()
    ids = ["a", "sick", "b"]
    for id_ in ids:
        server.launch("asking", id_)
    answers = [{"execution": id_, "signal": "n", "value": 21} for id_ in ids]

    reply = server.ask("POST", "inbox/answers", {"answers": answers})

    assert (reply.status, [each["status"] for each in reply.body["items"]]) == (
        200,
        [200, 500, 200],
    )
    assert reply.body["items"][1]["problem"]["code"] == "internal"
    assert [server.outputs(id_) for id_ in ("a", "b")] == [42, 42]
    assert server.ask("GET", "executions/sick").body["phase"] == "WAITING"
    assert server.is_well()
