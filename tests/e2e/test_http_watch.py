"""Waiting for changes over HTTP: long polls, and streams of events that are cut and resumed."""

import http.client
import json
import threading
import time
from urllib.parse import quote

import pytest
from tests.e2e.http_world import at_once, at_work
from tests.serving import LONGEST

WATCHERS = 200


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("watch")) as world:
        yield world


class Stream:
    """A stream of events, read as it comes."""

    def __init__(self, world, query="", last=None):
        self._line = http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=LONGEST)
        headers = {"Authorization": f"Bearer {world.server.token}"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        self._line.request("GET", f"/api/v1/events{query}", headers=headers)
        self._reply = self._line.getresponse()
        assert self._reply.status == 200, self._reply.read()
        assert self._reply.headers["content-type"] == "text/event-stream"
        # Once this has come, the watcher has its place in the feed.
        assert self._reply.readline() == b"retry: 1000\n"

    def next(self):
        """Return the id and the event that come next."""
        found = {}
        while line := self._reply.readline():
            name, _, text = line.decode().rstrip("\n").partition(": ")
            if name in ("id", "data"):
                found[name] = text
            elif not name and not text and found:
                return found["id"], json.loads(found["data"])
        raise EOFError

    def until(self, execution, phase):
        """Return what comes until an execution is in a phase."""
        found = []
        while True:
            found.append(self.next())
            view = found[-1][1]
            if (view["execution"], view["event"]["details"].get("phase")) == (execution, phase):
                return found

    def close(self):
        self._line.close()


@pytest.fixture
def stream(world):
    opened = []

    def open_stream(*args, **how):
        opened.append(Stream(world, *args, **how))
        return opened[-1]

    yield open_stream
    for each in opened:
        each.close()


# ---- long polls ----


def test_anyone_who_waits_for_the_end_hears_of_it_when_it_comes(world):
    id_ = world.launch("ask")
    found = []
    waiting = threading.Thread(
        target=lambda: found.append(world.server.connect()("GET", f"executions/{id_}?wait=30"))
    )
    waiting.start()

    world.answer(id_, "n", 4)

    waiting.join(LONGEST)
    assert found[0].body["phase"] == "SUCCEEDED"


def test_anyone_who_waits_too_short_sees_it_as_it_is(world):
    id_ = world.launch("ask")
    begun = time.monotonic()

    view = world.see(id_, "wait=0.2")

    assert view["phase"] == "WAITING"
    assert time.monotonic() - begun >= 0.2


def test_a_hundred_wait_without_holding_up_anybody_and_all_hear_of_the_end(world):
    id_ = world.launch("ask")
    timer = threading.Timer(0.5, lambda: world.answer(id_, "n", 4))
    timer.start()

    views = at_once(world.server, lambda ask, _: ask("GET", f"executions/{id_}?wait=30"))

    timer.join()
    assert {view.body["phase"] for view in views} == {"SUCCEEDED"}


def test_the_history_can_be_waited_for(world):
    id_ = world.launch("ask")
    seen = world.ask("GET", f"executions/{id_}/events").body["items"]
    timer = threading.Timer(0.2, lambda: world.answer(id_, "n", 4))
    timer.start()

    more = world.server.connect()("GET", f"executions/{id_}/events?after={len(seen)}&wait=20")

    timer.join()
    assert more.body["items"][0]["kind"] == "AnswerGiven"
    assert more.body["items"][0]["seq"] == len(seen) + 1


def test_what_has_changed_since_a_line_is_told_and_nothing_else(world):
    id_ = world.launch("review_late")
    seen = world.see(id_)
    assert seen["inputs"] == {}
    assert [node["phase"] for node in seen["nodes"]] == ["WAITING", "QUEUED", "QUEUED"]
    assert world.see(id_, f"after={seen['seq']}")["nodes"] == []

    world.answer(id_, "n", 4)
    world.see(id_, "wait=20&until_waiting=true")
    news = world.see(id_, f"after={seen['seq']}")

    assert "inputs" not in news
    assert {node["id"]: node["phase"] for node in news["nodes"]} == {
        "n0": "SUCCEEDED",
        "n1": "SUCCEEDED",
        "n2": "WAITING",
    }
    assert [each["node"] for each in news["waiting"]] == ["n2"]
    last = world.see(id_, f"after={news['seq'] - 1}")
    assert "n0" not in {node["id"] for node in last["nodes"]}
    for whole in (f"after={news['seq'] + 1}", "after=0", ""):
        assert world.see(id_, whole) == {**world.see(id_)}
        assert len(world.see(id_, whole)["nodes"]) == 3


def test_a_question_is_told_whole_under_its_path(world):
    id_ = world.launch("two_of_a_name")
    asked = {each["path"]: each for each in world.see(id_)["waiting"]}
    assert len(asked) == 2
    for path, question in asked.items():
        # Alone it also says what each decision leads to, and what came before.
        whole = world.ask("GET", f"executions/{id_}/signals/{path}").body
        assert [each["decision"] for each in whole["leads"]] == ["answer"]
        assert whole["background"] == {"before": [], "inputs": 0}
        assert whole | {"leads": [], "background": None} == question
        assert world.ask("GET", f"executions/{id_}/signals/{quote(path, safe='')}").body == whole
    for name, status, code in (
        ("n", 409, "ambiguous_signal"),
        ("nobody", 404, "unknown_signal"),
    ):
        refused = world.ask("GET", f"executions/{id_}/signals/{name}")
        assert (refused.status, refused.body["code"]) == (status, code)
    first = next(iter(asked))
    world.answer(id_, first, 1)
    record = world.ask("GET", f"executions/{id_}/signals/{first}").body
    assert (record["phase"], record["answer"]["value"]) == ("SUCCEEDED", 1)
    assert record["prompt"] == asked[first]["prompt"]


# ---- streams ----


@pytest.mark.parametrize("nonsense", ["x", "-1", "1.5", "9" * 100, "%F0%9F%98%80"])
def test_what_is_not_a_cursor_is_refused(world, nonsense):
    refused = world.ask("GET", f"events?after={nonsense}")
    assert (refused.status, refused.body["code"]) == (422, "invalid_value")
    if nonsense.isascii() and "%" not in nonsense:
        refused = world.ask("GET", "events", Last_Event_ID=nonsense)
        assert (refused.status, refused.body["code"]) == (422, "invalid_value")


def test_a_stream_tells_what_happens_from_now_on_in_order(world, stream):
    before = world.launch("ask")
    world.answer(before, "n", 4)
    world.end(before)
    watching = stream()

    id_ = world.launch("ask")
    world.answer(id_, "n", 4)

    found = watching.until(id_, "SUCCEEDED")
    cursors = [cursor for cursor, _ in found]
    assert len(set(cursors)) == len(cursors)
    assert cursors == [view["cursor"] for _, view in found]
    # What an earlier test has left running may end meanwhile.
    assert before not in {view["execution"] for _, view in found}
    history = world.ask("GET", f"executions/{id_}/events").body["items"]
    told = [view["event"] for _, view in found if view["execution"] == id_]
    assert [(each["seq"], each["kind"]) for each in told] == [
        (each["seq"], each["kind"]) for each in history
    ]


def test_a_stream_of_one_execution_tells_of_no_other(world, stream):
    id_ = world.launch("ask")
    watching = stream(f"?execution={id_}")

    other = world.launch("ask")
    world.answer(other, "n", 1)
    world.answer(id_, "n", 4)

    assert {view["execution"] for _, view in watching.until(id_, "SUCCEEDED")} == {id_}


def test_anyone_who_resumes_misses_nothing_and_sees_nothing_twice(world, stream):
    everything = stream()
    first = stream()
    ids = [world.launch("ask") for _ in range(5)]
    seen = [first.next() for _ in range(3)]
    first.close()
    for id_ in ids:
        world.answer(id_, "n", 4)
    for id_ in ids:
        world.end(id_)

    second = stream(last=seen[-1][0])
    last = stream("?after=0")

    whole = everything.until(ids[-1], "SUCCEEDED")
    seen += second.until(ids[-1], "SUCCEEDED")
    # What an earlier test has left running may have ended before the first was open.
    whole = whole[whole.index(seen[0]) :]
    assert seen == whole
    replayed = last.until(ids[-1], "SUCCEEDED")
    assert replayed[-len(whole) :] == whole


def test_anyone_who_has_seen_more_than_there_is_hears_of_what_happens_from_now_on(world, stream):
    """So a page that was open over a store that was made again goes on to be live."""
    watching = stream(last=10**15)

    id_ = world.launch("ask")

    assert watching.until(id_, "WAITING")


def test_a_stream_of_one_execution_can_be_read_from_its_beginning(world, stream):
    id_ = world.launch("ask")
    world.answer(id_, "n", 4)
    world.end(id_)

    found = stream(f"?execution={id_}&after=0").until(id_, "SUCCEEDED")

    assert [view["event"]["seq"] for _, view in found] == list(range(1, len(found) + 1))


def test_two_hundred_watchers_see_the_same(world):
    id_ = world.launch("ask")
    opened = [Stream(world, f"?execution={id_}") for _ in range(WATCHERS)]

    world.answer(id_, "n", 4)

    found = [each.until(id_, "SUCCEEDED") for each in opened]
    for each in opened:
        each.close()
    assert all(one == found[0] for one in found)


def test_a_watcher_that_reads_nothing_holds_up_nobody(world, stream):
    stream("?after=0")
    watching = stream()

    ids = [world.launch("ask") for _ in range(20)]
    for id_ in ids:
        world.answer(id_, "n", 4)

    watching.until(ids[-1], "SUCCEEDED")
