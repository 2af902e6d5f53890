"""What a page must know before it sends anything, over HTTP: limits, whether a value would be accepted, what waits and how much."""

import pytest
from tests.e2e.http_world import at_work


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("questions")) as world:
        yield world


def test_a_value_that_is_only_checked_is_not_sent(world):
    id_ = world.launch("ask")
    signal = f"executions/{id_}/signals/n"

    good = world.ask("POST", f"{signal}/check", {"value": 7})
    bad = world.ask("POST", f"{signal}/check", {"value": "seven"})

    assert (good.status, good.body) == (200, {"valid": True, "faults": []})
    assert bad.status == 200
    assert bad.body["valid"] is False
    assert bad.body["faults"][0]["path"] == []
    assert bad.body["faults"][0]["reason"]
    refused = world.ask("PUT", signal, {"value": "seven"})
    assert refused.body["faults"] == bad.body["faults"]
    assert world.ask("GET", f"executions/{id_}").body["phase"] == "WAITING"


def test_inputs_that_are_only_checked_launch_nothing(world):
    before = len(world.ask("GET", "executions").body["items"])

    bad = world.ask("POST", "workflows/flows.ask/check", {"inputs": {"x": "one", "y": 1}}).body

    assert {each["path"][0] for each in bad["faults"]} == {"x", "y"}
    assert world.ask("POST", "workflows/flows.ask/check", {"inputs": {}}).body["valid"]
    assert len(world.ask("GET", "executions").body["items"]) == before
    assert world.ask("POST", "workflows/none/check", {"inputs": {}}).status == 404


def test_the_limits_are_those_that_are_enforced(world):
    limits = world.ask("GET", "limits").body

    assert limits["value_bytes"] == 1024 * 1024
    long = "x" * (limits["comment_characters"] + 1)
    id_ = world.launch("review")
    refused = world.ask("POST", f"executions/{id_}/signals/ok/approve", {"comment": long})
    assert "10,000" in refused.body["detail"]
    many = [{"execution": "e", "signal": "s", "value": 1}] * (limits["answers"] + 1)
    assert world.ask("POST", "inbox/answers", {"answers": many}).status == 422


def test_the_inbox_is_summed_up_and_narrowed(world):
    id_ = world.launch("review")

    summary = world.ask("GET", "inbox/summary").body
    listed = world.ask("GET", "inbox?yours=true&due=none&sort=-opened&zone=-90").body["items"]

    assert summary["yours"] == summary["all"] == sum(each["count"] for each in summary["workflows"])
    assert listed[0]["execution"] == id_
    assert (listed[0]["title"], listed[0]["may"], listed[0]["who_may"]) == ("ok", True, "")
    assert listed[0]["figures"] == {"value": 2}
    assert world.ask("GET", "inbox?due=soon").status == 422


def test_executions_are_listed_by_how_they_ended(world):
    id_ = world.launch("review")
    world.ask("POST", f"executions/{id_}/signals/ok/reject", {"comment": "too dear"})
    world.end(id_)

    (line,) = [
        each
        for each in world.ask("GET", "executions?end=rejected").body["items"]
        if each["id"] == id_
    ]

    assert line["end"]["kind"] == "rejected"
    assert line["end"]["message"] == "too dear"
    assert line["end"]["who"]
    assert id_ not in [
        each["id"] for each in world.ask("GET", "executions?end=failed").body["items"]
    ]
