"""Every line of the race table through HTTP, against a real server; where it says "at once", a hundred clients ask."""

from collections import Counter
from urllib.parse import quote

import pytest
from tests.e2e.http_world import at_once, at_work


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with at_work(tmp_path_factory.mktemp("races")) as world:
        yield world


def refused(reply, status, code):
    assert (reply.status, reply.body["status"], reply.body["code"]) == (status, status, code), reply
    assert reply.headers["content-type"] == "application/problem+json"
    return reply.body


def test_an_answer_of_the_declared_type_is_accepted_and_the_run_goes_on(world):
    id_ = world.launch("ask")

    reply = world.answer(id_, "n", 4, comment="why not")

    assert reply.status == 200
    assert (reply.body["execution"], reply.body["signal"]) == (id_, "n")
    assert (reply.body["who"], reply.body["early"]) == ("admin", False)
    end = world.end(id_)
    assert (end["phase"], end["outputs"]) == ("SUCCEEDED", {"o0": 8})
    given = next(node["answer"] for node in end["nodes"] if node["name"] == "n")
    assert (given["value"], given["comment"], given["via"]) == (4, "why not", "api")


def test_an_answer_of_another_type_is_refused_with_its_faults_and_nothing_is_consumed(world):
    id_ = world.launch("ask")
    before = world.see(id_)

    problem = refused(world.answer(id_, "n", "four", key="k"), 422, "invalid_value")

    assert problem["faults"][0]["path"] == []
    assert "whole number" in problem["faults"][0]["reason"]
    assert world.see(id_) == before
    assert world.answer(id_, "n", 4, key="k").status == 200


def test_an_answer_before_the_gate_opens_is_kept_and_used(world):
    sent = world.ask("POST", "executions", {"workflow": "flows.ask"})

    reply = world.answer(sent.body["id"], "n", 4)

    assert reply.status == 200
    assert world.end(sent.body["id"])["outputs"] == {"o0": 8}


def test_a_wrong_early_answer_is_refused_at_once(world):
    id_ = world.launch("choose")

    refused(world.answer(id_, "big", "x"), 422, "invalid_value")
    early = world.answer(id_, "big", 11)

    assert early.body["early"] is True
    world.answer(id_, "n", 6)
    assert world.end(id_)["outputs"] == {"o0": 11}


def test_an_approval_of_what_does_not_exist_yet_is_refused(world):
    id_ = world.launch("review_late")

    refused(world.ask("POST", f"executions/{id_}/signals/ok/approve", {}), 409, "not_waiting_yet")

    world.answer(id_, "n", 3)
    world.see(id_, "wait=20&until_waiting=true")
    assert world.ask("POST", f"executions/{id_}/signals/ok/approve").status == 200
    assert world.end(id_)["outputs"] == {"o0": 6}


def test_an_unknown_signal_is_refused_and_those_there_are_are_listed(world):
    id_ = world.launch("ask_twice")

    problem = refused(world.answer(id_, "k", 1), 404, "unknown_signal")

    assert problem["signals"] == ["n", "m"]


def test_an_ambiguous_signal_is_refused_and_its_paths_are_listed(world):
    id_ = world.launch("two_of_a_name")

    problem = refused(world.answer(id_, "n", 1), 409, "ambiguous_signal")

    assert problem["paths"] == ["n0/n", "n1/n"]
    assert world.answer(id_, "n0/n", 1).status == 200
    assert world.answer(id_, quote("n1/n", safe=""), 2).status == 200
    assert world.end(id_)["outputs"] == {"o0": [1, 2]}


def test_a_signal_whose_name_has_slashes_and_spaces_is_found_percent_encoded(world):
    id_ = world.launch("with_slash")

    assert world.answer(id_, quote("a/b c", safe=""), 1).status == 200
    assert world.end(id_)["phase"] == "SUCCEEDED"


def test_the_same_answer_again_gets_the_same_reply_even_after_the_end(world):
    id_ = world.launch("ask")
    first = world.answer(id_, "n", 4, key="mine")
    world.end(id_)

    assert world.answer(id_, "n", 4, key="mine").body == first.body
    assert world.answer(id_, "n", 4).body == first.body
    refused(world.answer(id_, "n", 5, key="mine"), 422, "key_reused")


def test_a_key_that_was_used_for_another_signal_is_refused(world):
    id_ = world.launch("ask_twice")
    world.answer(id_, "n", 4, key="mine")

    refused(world.answer(id_, "m", 4, key="mine"), 422, "key_reused")


def test_a_different_answer_after_the_first_is_refused_and_says_who_answered_and_when(world):
    id_ = world.launch("ask_twice")
    first = world.answer(id_, "n", 4)

    problem = refused(world.answer(id_, "n", 5), 409, "already_answered")

    assert (problem["who"], problem["at"]) == ("admin", first.body["at"])


def test_of_a_hundred_different_answers_at_once_exactly_one_is_accepted(world):
    id_ = world.launch("ask_twice")

    replies = at_once(
        world.server,
        lambda ask, n: ask("PUT", f"executions/{id_}/signals/n", {"value": n}),
    )

    assert Counter(reply.status for reply in replies) == {200: 1, 409: 99}
    winner = next(n for n, reply in enumerate(replies) if reply.status == 200)
    assert {r.body["code"] for r in replies if r.status == 409} == {"already_answered"}
    node = next(node for node in world.see(id_)["nodes"] if node["name"] == "n")
    assert node["answer"]["value"] == winner


def test_a_hundred_equal_answers_at_once_get_one_reply(world):
    id_ = world.launch("ask_twice")

    replies = at_once(
        world.server,
        lambda ask, _: ask("PUT", f"executions/{id_}/signals/n", {"value": 1}),
    )

    assert {reply.status for reply in replies} == {200}
    assert len({tuple(reply.body.items()) for reply in replies}) == 1
    events = world.ask("GET", f"executions/{id_}/events").body["items"]
    assert [event["kind"] for event in events].count("AnswerGiven") == 1


def test_a_hundred_approve_and_reject_at_once_and_all_are_told_the_one_outcome(world):
    id_ = world.launch("review")

    replies = at_once(
        world.server,
        lambda ask, n: ask(
            "POST", f"executions/{id_}/signals/ok/{'approve' if n % 2 else 'reject'}", {}
        ),
    )

    end = world.end(id_)
    approved = end["phase"] == "SUCCEEDED"
    for number, reply in enumerate(replies):
        assert reply.status == (200 if bool(number % 2) is approved else 409), reply


def test_an_answer_after_the_timeout_is_refused_and_says_when(world):
    id_ = world.launch("ask_in_time")
    moved = world.ask("GET", f"executions/{id_}/events?after=1&wait=20").body["items"]
    assert moved[0]["kind"] == "TimerFired"

    problem = refused(world.answer(id_, "n", 1), 409, "timed_out")

    # When time ran out, and not when that was noticed.
    launched = world.ask("GET", f"executions/{id_}/events").body["items"][0]["at"]
    assert launched < problem["at"] <= moved[0]["at"]
    node = next(node for node in world.see(id_)["nodes"] if node["name"] == "n")
    assert (node["answer"]["value"], node["answer"]["by_timeout"]) == (7, True)


def test_a_hundred_answers_at_the_instant_of_the_timeout_are_all_told_the_one_truth(world):
    sent = world.ask("POST", "executions", {"workflow": "flows.expire"})
    id_ = sent.body["id"]

    def insist(ask, number):
        """Ask for what cannot be answered until the timeout is near, then answer."""
        ask("GET", f"executions/{id_}?wait=0.{90 + number % 10}")
        return ask("PUT", f"executions/{id_}/signals/n", {"value": 3})

    replies = at_once(world.server, insist)

    end = world.end(id_)
    if end["phase"] == "SUCCEEDED":
        assert {reply.status for reply in replies} == {200}
    else:
        assert end["error"]["code"] == "TimeoutExpired"
        assert {(r.status, r.body["code"]) for r in replies} == {(409, "timed_out")}


def test_a_timeout_fails_the_execution(world):
    end = world.end(world.launch("expire", until_waiting=False))

    assert (end["phase"], end["error"]["code"]) == ("FAILED", "TimeoutExpired")
    assert {node["phase"] for node in end["nodes"]} == {"TIMED_OUT"}


def test_an_answer_to_an_ended_execution_is_refused(world):
    id_ = world.launch("ask_twice")
    assert world.ask("POST", f"executions/{id_}/abort", {"reason": "enough"}).status == 200

    refused(world.answer(id_, "n", 1), 409, "execution_ended")


def test_a_rejection_fails_the_execution(world):
    id_ = world.launch("review")

    reply = world.ask("POST", f"executions/{id_}/signals/ok/reject", {"comment": "no"})

    assert reply.status == 200
    end = world.end(id_)
    assert (end["phase"], end["error"]["code"]) == ("FAILED", "Rejected")
    assert "no" in end["error"]["message"]
    refused(world.ask("POST", f"executions/{id_}/signals/ok/approve"), 409, "already_answered")


def test_a_gate_that_nobody_needs_is_withdrawn(world):
    id_ = world.launch("choose")

    world.answer(id_, "n", 2)

    assert world.end(id_)["outputs"] == {"o0": 4}
    assert world.answer(id_, "big", 1).status == 409


def test_an_abort_takes_open_gates_out_of_the_inbox_at_once(world):
    id_ = world.launch("ask_twice")
    inbox = f"inbox?execution={id_}"
    assert len(world.ask("GET", inbox).body["items"]) == 2

    reply = world.ask("POST", f"executions/{id_}/abort", {})

    assert reply.body == {"execution": id_, "phase": "ABORTED"}
    assert world.ask("GET", inbox).body["items"] == []
    assert {node["phase"] for node in world.see(id_)["nodes"]} == {"ABORTED"}
    assert world.ask("POST", f"executions/{id_}/abort", {}).status == 200


def test_of_a_hundred_launches_of_one_id_at_once_one_creates_it(world):
    body = {"workflow": "flows.ask", "id": "one-of-many"}

    replies = at_once(world.server, lambda ask, _: ask("POST", "executions", body))

    assert Counter(reply.status for reply in replies) == {201: 1, 200: 99}
    assert {reply.body["id"] for reply in replies} == {"one-of-many"}


def test_an_id_that_was_used_with_other_content_is_refused(world):
    body = {"workflow": "flows.ask", "id": "taken", "inputs": {"x": 1}}
    assert world.ask("POST", "executions", body).status == 201
    assert world.ask("POST", "executions", body).status == 200

    refused(world.ask("POST", "executions", {**body, "inputs": {"x": 2}}), 409, "id_taken")
