"""What can be asked for over HTTP beside answers: workflows and their code, lists and pages, files, repeats, metrics, pages of the UI."""

import http.client
import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.e2e.http_world import FLOWS, at_work


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("api")) as world:
        yield world


# ---- workflows ----


def test_a_bundle_is_sent_once_and_known_by_its_digest(world):
    again = world.register  # the same tree gives the same digest
    workflows = world.ask("GET", "workflows").body["items"]
    digest = workflows[0]["bundle"]

    assert world.ask("GET", f"bundles/{digest}").body == {"digest": digest}
    with pytest.raises(AssertionError, match="status=200"):
        again(FLOWS)


def test_workflows_are_listed_with_what_they_take_and_ask(world):
    listed = {each["name"]: each for each in world.ask("GET", "workflows").body["items"]}

    ask = listed["flows.ask"]
    assert ask["doc"] == "Ask for a number, and double it."
    assert ask["inputs"] == [
        {"name": "x", "schema": {"type": "integer"}, "expects": "a whole number", "default": 1}
    ]
    assert [signal["name"] for signal in ask["signals"]] == ["n"]
    assert listed["flows.choose"]["outputs"]["o0"] == {"type": "integer"}


def test_workflows_are_listed_with_their_newest_execution(world):
    first, last = (world.launch("ask", x=each) for each in (1, 2))
    found = world.ask("GET", "workflows").body["last"]["flows.ask"]
    assert found["id"] == last != first


def test_an_execution_comes_with_as_many_questions_as_are_wanted(world):
    id_ = world.launch("two_of_a_name")
    whole, first, none = (
        world.ask("GET", f"executions/{id_}{q}").body for q in ("", "?questions=1", "?questions=0")
    )
    assert len(whole["waiting"]) > 1
    assert first["waiting"] == whole["waiting"][:1]
    assert none["waiting"] == []
    assert first["nodes"] == whole["nodes"]


def test_a_workflow_is_shown_with_its_graph(world):
    detail = world.ask("GET", "workflows/flows.choose").body

    nodes = {node["name"]: node for node in detail["nodes"]}
    assert nodes["size"]["kind"] == "branch"
    assert nodes["size"]["cases"] == ["n > 5", "else"]
    assert nodes["big"]["case"] == {"branch": nodes["size"]["id"], "index": 0}
    assert nodes["double"]["case"]["index"] == 1
    assert nodes["double"]["target"] == "flows:double"
    assert nodes["n"]["schema"] == {"type": "integer"}


def test_versions_are_listed_the_last_first_and_the_last_counts(world):
    source = "from tidegate import wait_for_input, workflow\n\n\n@workflow\ndef wf() -> {kind}:\n    return wait_for_input('n', None, {kind})\n"
    old = world.register(source.format(kind="int"), "changing")
    new = world.register(source.format(kind="str"), "changing")

    versions = world.ask("GET", "workflows/changing.wf/versions").body["items"]

    assert [each["version"] for each in versions] == [new, old]
    shown = world.ask("GET", "workflows/changing.wf").body["workflow"]
    assert shown["version"] == new
    shown = world.ask("GET", f"workflows/changing.wf?version={old}").body["workflow"]
    assert shown["outputs"]["o0"] == {"type": "integer"}
    launched = world.ask("POST", "executions", {"workflow": "changing.wf", "version": old})
    assert launched.body["version"] == old


def test_a_module_that_cannot_be_imported_is_refused_with_the_reason(world):
    with pytest.raises(AssertionError, match="NameError"):
        world.register("undefined_name\n", "broken")


# ---- lists ----


def test_executions_are_paged_without_gaps_and_twins(world):
    ids = [
        world.ask(
            "POST", "executions", {"workflow": "flows.ask", "project": "paging", "domain": "test"}
        ).body["id"]
        for _ in range(7)
    ]

    found, cursor = [], ""
    while True:
        page = world.ask("GET", f"executions?project=paging&limit=3&cursor={cursor}").body
        found += [each["id"] for each in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert found == ids[::-1]


def test_executions_are_found_by_phase_workflow_place_time_and_text(world):
    id_ = world.launch("review")
    other = world.launch("dozing", until_waiting=False)
    launched = world.see(id_)["launched"]

    def ids(query):
        return [each["id"] for each in world.ask("GET", f"executions?{query}").body["items"]]

    assert id_ in ids("workflow=flows.review&phase=WAITING")
    assert ids(f"text={id_[3:12]}") == [id_]
    assert ids(f"workflow=flows.review&since={launched}&text={id_}") == [id_]
    assert ids(f"until={launched}&text={id_}") == []
    assert id_ not in ids("phase=SUCCEEDED&phase=FAILED")
    assert other in ids("workflow=flows.dozing")
    assert ids("project=nowhere") == []
    world.ask("POST", f"executions/{other}/abort")


def test_the_inbox_is_sorted_by_time_left_filtered_and_paged(world):
    forever = world.launch("review")
    late = world.launch("ask")

    def names(query):
        items = world.ask("GET", f"inbox?{query}").body["items"]
        return [(each["execution"], each["name"]) for each in items]

    assert names("workflow=flows.review&kind=input") == []
    assert (forever, "ok") in names("kind=approve")
    assert (late, "n") not in names("kind=approve")
    assert names(f"text={late}") == [(late, "n")]
    assert names(f"execution={late}") == [(late, "n")]
    page = world.ask("GET", "inbox?limit=1").body
    assert names(f"limit=500&cursor={page['next']}")[0] != (
        page["items"][0]["execution"],
        page["items"][0]["name"],
    )
    whole = world.ask("GET", "inbox?limit=500").body["items"]
    due = [each["due"] or "9" for each in whole]
    assert due == sorted(due)
    shown = next(each for each in whole if each["execution"] == forever)
    assert (shown["value"], shown["value_schema"]) == (2, {"type": "integer"})


def test_many_answers_at_once_have_a_result_each_in_order(world):
    ids = [world.launch("ask") for _ in range(3)]
    answers = [{"execution": id_, "signal": "n", "value": 5} for id_ in ids]
    answers[1]["value"] = "five"
    answers.append({"execution": "nobody", "signal": "n", "value": 1})
    answers.append({"execution": ids[0], "signal": "n", "value": 6})

    results = world.ask("POST", "inbox/answers", {"answers": answers}).body["items"]

    assert [each["status"] for each in results] == [200, 422, 200, 404, 409]
    assert [each["execution"] for each in results] == [*ids, "nobody", ids[0]]
    assert results[0]["reply"]["who"] == "admin"
    assert results[1]["problem"]["faults"]
    assert results[4]["problem"]["code"] == "already_answered"
    assert world.end(ids[0])["outputs"] == {"o0": 10}


def test_a_key_in_one_bulk_belongs_to_one_signal(world):
    id_ = world.launch("ask_twice")
    answers = [
        {"execution": id_, "signal": signal, "value": 5, "key": "one key"} for signal in ("n", "m")
    ]

    first, second = world.ask("POST", "inbox/answers", {"answers": answers}).body["items"]

    assert first["status"] == 200
    assert second["status"] == second["problem"]["status"]
    assert second["problem"]["code"] == "key_reused"
    waiting = world.ask("GET", f"inbox?execution={id_}").body["items"]
    assert [each["name"] for each in waiting] == ["m"]


def test_a_bulk_that_is_sent_again_with_its_keys_gets_the_same_replies(world):
    ids = [world.launch("ask_twice") for _ in range(2)]
    answers = [{"execution": id_, "signal": "n", "value": 5, "key": f"key of {id_}"} for id_ in ids]
    first = world.ask("POST", "inbox/answers", {"answers": answers}).body["items"]

    again = world.ask("POST", "inbox/answers", {"answers": answers}).body["items"]

    assert [each["status"] for each in first] == [200, 200]
    assert again == first


def test_the_same_answer_twice_in_one_bulk_with_one_key_is_one_answer(world):
    answer = {"execution": world.launch("ask_twice"), "signal": "n", "value": 5, "key": "mine"}

    one, other = world.ask("POST", "inbox/answers", {"answers": [answer] * 2}).body["items"]

    assert one["status"] == 200
    assert one == other


def test_more_than_five_hundred_answers_are_too_many(world):
    answers = [{"execution": "x", "signal": "n", "value": 1}] * 501

    assert world.ask("POST", "inbox/answers", {"answers": answers}).status == 422


COUNTED = """
from dataclasses import dataclass
from pathlib import Path
from tidegate import wait_for_input, workflow

with Path({place!r}).open("a") as file:
    file.write("imported\\n")

@dataclass
class Even:
    n: int

    def __post_init__(self) -> None:
        if self.n % 2:
            raise ValueError("it is odd")

@workflow
def even() -> Even:
    return wait_for_input("n", None, Even)
"""


def test_many_answers_that_only_their_authors_type_can_check_import_it_once(world, tmp_path):
    place = tmp_path / "imported"
    world.register(COUNTED.format(place=str(place)), "counted")
    launch = {"workflow": "counted.even"}
    ids = [world.ask("POST", "executions", launch).body["id"] for _ in range(60)]
    before = len(place.read_text().splitlines())
    answers = [
        {"execution": id_, "signal": "n", "value": {"n": n % 2}} for n, id_ in enumerate(ids)
    ]

    results = world.ask("POST", "inbox/answers", {"answers": answers}).body["items"]

    assert [each["status"] for each in results] == [200, 422] * 30
    assert len(place.read_text().splitlines()) <= before + 1


# ---- logs, repeats ----


def test_what_a_task_printed_is_shown_by_node(world):
    id_ = world.launch("ask")
    world.answer(id_, "n", 4)
    view = world.end(id_)
    node = next(node["id"] for node in view["nodes"] if node["name"] == "double")

    logs = world.ask("GET", f"executions/{id_}/nodes/{node}/logs").body["items"]

    assert [(each["name"], each["attempt"], each["text"]) for each in logs] == [
        ("double", 1, "doubling 4\n")
    ]
    assert world.ask("GET", f"executions/{id_}/logs").body["items"] == logs
    assert world.ask("GET", f"executions/{id_}/nodes/none/logs").status == 404


def test_a_relaunch_has_the_same_inputs_and_keeps_nothing(world):
    id_ = world.launch("review", x=21)
    world.ask("POST", f"executions/{id_}/signals/ok/reject")
    world.end(id_)

    again = world.ask("POST", f"executions/{id_}/relaunch")

    assert again.status == 201
    assert again.headers["location"] == f"/api/v1/executions/{again.body['id']}"
    view = world.see(again.body["id"], "wait=20&until_waiting=true")
    assert (view["origin"], view["inputs"], view["phase"]) == (id_, {"x": 21}, "WAITING")
    assert next(n["attempts"] for n in view["nodes"] if n["name"] == "double") == 1


def test_a_recovery_keeps_results_and_answers_and_does_the_rest_again(world):
    path = str(world.place / "there")
    id_ = world.launch("recoverable", path=path)
    refused = world.ask("POST", f"executions/{id_}/recover", {})
    assert (refused.status, refused.body["code"]) == (409, "not_recoverable")
    world.answer(id_, "n", 4, comment="four")
    assert world.end(id_)["phase"] == "FAILED"
    Path(path).touch()

    again = world.ask("POST", f"executions/{id_}/recover", {"id": "recovered"})

    assert (again.status, again.body["id"], again.body["origin"]) == (201, "recovered", id_)
    end = world.end("recovered")
    assert (end["phase"], end["outputs"]) == ("SUCCEEDED", {"o0": 8})
    nodes = {node["name"]: node for node in end["nodes"]}
    assert (nodes["n"]["answer"]["value"], nodes["n"]["answer"]["comment"]) == (4, "four")
    assert (nodes["double"]["attempts"], nodes["fails_at_first"]["attempts"]) == (0, 1)
    assert world.ask("POST", f"executions/{id_}/recover", {"id": "recovered"}).status == 200
    fresh = world.ask("POST", f"executions/{id_}/relaunch", {"id": "recovered"})
    assert (fresh.status, fresh.body["code"]) == (409, "id_taken")
    assert world.ask("POST", "executions/recovered/recover", {}).status == 409


# ---- blobs, system, pages ----


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_file_comes_back_as_it_was(world, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    sent = world.ask("POST", "blobs", content, Content_Type="application/octet-stream")
    assert sent.status == 201

    status, headers, body = plain(world, f"/api/v1/blobs/{sent.body['digest']}")

    assert (status, body) == (200, content)
    assert headers["content-disposition"].startswith("attachment")
    assert "sandbox" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_a_part_of_a_file_is_sent_as_the_standard_says(world):
    content = bytes(range(256)) * 4_000
    size = len(content)
    digest = world.ask("POST", "blobs", content, Content_Type="application/octet-stream").body[
        "digest"
    ]
    path = f"/api/v1/blobs/{digest}"

    headers = plain(world, path)[1]
    assert (headers["accept-ranges"], headers["etag"]) == ("bytes", f'"{digest}"')
    for asked, start, stop in [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-", 1_000, size),
        (f"bytes=700000-{size + 9}", 700_000, size),
        ("bytes=-300", size - 300, size),
    ]:
        status, headers, body = plain(world, path, Range=asked, If_Range=f'"{digest}"')
        assert (status, body) == (206, content[start:stop])
        assert headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert headers["content-disposition"].startswith("attachment")
        assert "sandbox" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    status, headers, body = plain(world, path, Range=f"bytes={size}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{size}")
    assert json.loads(body)["code"] == "range_missed"
    for asked, tag in [("bytes=0-0,5-9", ""), ("lines=1-2", ""), ("bytes=0-0", '"another"')]:
        assert plain(world, path, Range=asked, If_Range=tag)[::2] == (200, content)


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(400), "audio/wav"),
        (b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm" + bytes(400), "video/webm"),
        (b"<html><script>1</script></html>" + b" " * 400, "application/octet-stream"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>" + b" " * 400, "application/octet-stream"),
        (b"%PDF-1.7" + bytes(400), "application/octet-stream"),
    ],
)
def test_only_recordings_are_sent_as_what_they_are(world, content, media):
    sent = world.ask("POST", "blobs", content, Content_Type="application/octet-stream")
    path = f"/api/v1/blobs/{sent.body['digest']}"

    assert plain(world, path)[1]["content-type"] == media
    assert plain(world, path, Range="bytes=300-")[1]["content-type"] == media


def test_a_damaged_file_is_refused_or_breaks_off_and_is_whole_once_it_is_sent_again(world):
    for size in (1_000, 3_000_000):
        content = b"\1" * size
        digest = world.ask("POST", "blobs", content, Content_Type="application/octet-stream").body[
            "digest"
        ]
        path = world.place / "home" / "blobs" / digest[:2] / digest[2:]
        path.write_bytes(content[:-1] + b"\2")

        if size == 1_000:
            status, _, body = plain(world, f"/api/v1/blobs/{digest}")
            assert status == 503
            assert json.loads(body)["code"] == "store_damaged"
        else:
            with pytest.raises(http.client.IncompleteRead):
                plain(world, f"/api/v1/blobs/{digest}")

        assert world.ask("GET", "health").status == 200
        world.ask("POST", "blobs", content, Content_Type="application/octet-stream")
        assert plain(world, f"/api/v1/blobs/{digest}")[2] == content


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/metrics"])
def test_the_metrics_count_what_there_is_and_what_was_done(world, path):
    world.launch("ask")

    _, headers, body = plain(world, path)

    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = dict(
        line.rpartition(" ")[::2] for line in body.decode().splitlines() if line[0] != "#"
    )
    assert int(samples['tidegate_executions{phase="WAITING"}']) >= 1
    assert int(samples['tidegate_waiting_nodes{kind="input"}']) >= 1
    assert int(samples["tidegate_commits_total"]) > 0
    assert int(samples["tidegate_answers_total"]) > 0
    assert int(samples['tidegate_http_replies_total{route="launch",status="201"}']) > 0


@pytest.mark.parametrize("path", ["/", "/inbox", "/executions/abc"])
def test_without_the_ui_its_place_holds_a_plain_page(world, path):
    status, headers, body = plain(world, path)

    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in headers["content-security-policy"]
    assert b"Tidegate" in body
    assert plain(world, "/assets/none.js")[0] == 404


def test_head_gets_the_head_alone(world):
    line = http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=20)
    line.request("HEAD", "/api/v1/health")
    reply = line.getresponse()

    assert (reply.status, reply.read()) == (200, b"")
    assert int(reply.headers["content-length"]) > 0
    line.close()


def plain(world, path, **headers):
    """Ask without JSON in mind."""
    sent = {"Authorization": f"Bearer {world.server.token}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items() if value}
    with closing(http.client.HTTPConnection("127.0.0.1", world.server.port, timeout=20)) as line:
        line.request("GET", path, headers=sent)
        with line.getresponse() as reply:
            return reply.status, reply.headers, reply.read()
