"""What a client sends is what the server reads: every request, in every way in which it travels, through the real door."""

from collections import Counter
from typing import Any, get_args

import msgspec
import pytest
from msgspec import structs
from tests.e2e.asking import Asking

from tidegate.api.app import ROUTES
from tidegate.api.door import Door
from tidegate.api.pages import Pages
from tidegate.api.route import Table
from tidegate.errors import InvalidValue
from tidegate.remote.requests import HttpCall, call_of, content_of, target_of
from tidegate.service.access import LOCAL
from tidegate.wire import (
    Abort,
    Answer,
    Ask,
    CheckAnswer,
    Checked,
    CheckInputs,
    DescribeBlob,
    EndSession,
    GetDeck,
    GetExecution,
    GetLogs,
    GetNode,
    GetQuestion,
    GetRound,
    GetWorkflow,
    GrantView,
    Launch,
    ListAudit,
    ListEvents,
    ListExecutions,
    ListInbox,
    ListReplicas,
    ListRounds,
    ListSessions,
    ListSignals,
    ListTokens,
    ListVersions,
    ListWorkflows,
    MakeCode,
    MakeToken,
    PreviewRecovery,
    Recover,
    Register,
    Relaunch,
    Request,
    RevokeToken,
    RotateToken,
    SummarizeInbox,
)
from tidegate.wire.bindings import BINDINGS, SELF, binding_of

ODD = "a/b c?d=e&f#ü%2F{name}"
SIGNALS = [".", "..", "n2/title", ODD, "%00", "approve", "x/approve"]

FULL: list[Ask[Any]] = [
    Register(bundle="0" * 64, module="m", version="v/1", only=["a", "b"], terminal="t"),
    Launch(
        workflow="w",
        version="v",
        inputs={"x": [1, None, {"y": "ü"}]},
        id="i.1",
        project="p",
        domain="d",
        launched_from="/home/ann",
        environment="1" * 64,
    ),
    Relaunch(id=ODD, new_id="n", version="v/1", inputs={"x": [1, None, {"y": "ü"}]}),
    Recover(id=ODD, new_id="n", version="v/1", rerun=["n0", ODD], keep_approvals=True),
    PreviewRecovery(
        id=ODD,
        version="v/1",
        rerun=["n0", ODD],
        keep_approvals=True,
        bundle="0" * 64,
        module="m",
        terminal="t",
    ),
    GetExecution(id=ODD, after=7, wait=0.5, until_waiting=True, questions=3),
    ListExecutions(
        phases=["FAILED", "ABORTED"],
        ends=["rejected", "failed"],
        workflow=ODD,
        project="p",
        domain="d",
        since="2026-01-31T12:00:00Z",
        until="2026-01-31T12:00:00.5+01:00",
        text=ODD,
        cursor="7",
        limit=3,
    ),
    ListInbox(
        execution=ODD,
        workflow="w",
        project="p",
        domain="d",
        kind="approve",
        yours=True,
        due="later",
        zone=-90,
        sort="-figure:AUC",
        text=ODD,
        cursor="c==",
        limit=3,
    ),
    SummarizeInbox(),
    ListSignals(id=ODD),
    GetQuestion(id=ODD, name=ODD),
    Answer(id=ODD, name=ODD, value={"a": [1.5, "ü"]}, comment="ü\n", key="k 1", shown="1:0a"),
    CheckAnswer(id=ODD, name=ODD, value={"a": [1.5, "ü"]}),
    CheckInputs(name="w", inputs={"a": [1.5, "ü"]}, version="v"),
    Abort(id=ODD, reason="ü\n"),
    ListEvents(id=ODD, after=2**53, limit=1, wait=1.0),
    GetLogs(id=ODD, node="n2/n0", after="end"),
    ListRounds(id=ODD, node="n2/n0", after=7, limit=3),
    GetRound(id=ODD, node="n2/n0", round="3"),
    GetDeck(id=ODD, node="n2/n0", attempt=2),
    GetNode(id=ODD, node="n2/n0"),
    GetNode(id=ODD, node="logs"),
    DescribeBlob(digest="ab" * 32),
    ListWorkflows(),
    GetWorkflow(name=ODD.replace("/", ""), version=ODD),
    ListVersions(name=ODD.replace("/", "")),
    MakeToken(name="ada", grants=[GrantView(role="viewer", project="a*", domain="b")], lasts=None),
    ListTokens(),
    RevokeToken(token="ada"),
    RotateToken(name="ada", overlap=5.0),
    MakeCode(),
    ListSessions(),
    EndSession(id="0a1b2c3d4e5f"),
    ListReplicas(),
    ListAudit(
        kind="decision",
        who_did="ada",
        execution=ODD,
        since="2026-01-31T12:00:00Z",
        until="2026-02-01T12:00:00Z",
        cursor="7",
        limit=3,
    ),
]
LEAST: list[Ask[Any]] = [
    Launch(workflow="w"),
    Relaunch(id="e"),
    Recover(id="e"),
    PreviewRecovery(id="e"),
    GetExecution(id="e"),
    ListExecutions(),
    ListInbox(),
    *(Answer(id="e", name=name, value=value) for name in SIGNALS for value in (None, True, False)),
    Abort(id="e"),
    ListEvents(id="e"),
    GetLogs(id="e"),
    GetLogs(id="e", node="logs"),
    GetDeck(id="e", node="n0"),
    DescribeBlob(digest="ab" * 32),
    GetWorkflow(name="w"),
    MakeToken(name="ada", grants=[]),
]


class Ear:
    """What routes are handed instead of a service: it notes what is asked, and has no answer."""

    def __init__(self) -> None:
        self.heard: list[Ask[Any]] = []

    async def ask(self, call: Any, checked: Checked[Any]) -> None:
        self.heard.append(checked.request)
        raise InvalidValue("heard")


@pytest.fixture(scope="module")
def ear():
    return Ear()


@pytest.fixture(scope="module")
def door(ear: Ear):
    made = Door(Table(ROUTES), ear, Counter(), Pages())

    async def let_in(scope: Any, receive: Any, send: Any) -> None:
        await made({**scope, "state": {"principal": LOCAL}}, receive, send)

    asking = Asking(let_in)
    yield asking
    asking.close(lambda: None)


def sent(door: Asking, call: HttpCall) -> Any:
    content, headers = content_of(call)
    named = {name.lower().replace("-", "_"): text for name, text in headers.items()}
    if call.body is not None:
        named.pop("content_type")
        return door(call.method, target_of(call), json=msgspec.json.decode(content), **named)
    return door(call.method, target_of(call), **named)


def test_each_kind_of_request_is_tried_with_every_field_other_than_usual():
    assert {type(each) for each in FULL} == set(get_args(Request))
    for each in FULL:
        usual = {f.name: f.default for f in structs.fields(each)}
        same = {n for n in usual if n not in SELF and getattr(each, n) == usual[n]}
        assert not same, each


@pytest.mark.parametrize("request_", [*FULL, *LEAST])
def test_what_is_sent_arrives_and_who_asks_comes_from_the_door(door, ear, request_):
    said = structs.replace(request_, who="somebody", via="ui", credential="token:x")
    ear.heard.clear()

    reply = sent(door, call_of(said))

    assert reply.json["detail"] == "heard", reply
    assert ear.heard == [request_]


@pytest.mark.parametrize("value", [True, False])
def test_an_approval_and_a_rejection_are_answers_too(door, ear, value):
    ear.heard.clear()
    verb = "approve" if value else "reject"
    path = f"/api/v1/executions/e/signals/n2/ok/{verb}"
    door("POST", path, json={"comment": "so be it"}, idempotency_key="k")

    request = Answer(id="e", name="n2/ok", value=value, comment="so be it", key="k")
    assert ear.heard == [request]


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda each: each.name)
def test_who_asks_cannot_be_sent(door, ear, binding):
    ear.heard.clear()
    path = binding.path.replace("...", "").format_map(
        Counter({"id": 1, "name": 1, "node": 1, "token": 1})
    )
    for name in SELF - set(binding.rest.values()):
        if binding.has_body:
            reply = door(binding.method, path, json={name: "ada"})
        else:
            reply = door(binding.method, f"{path}?{name}=ada")
        assert (reply.status, reply.json["code"]) == (422, "invalid_value")
    assert ear.heard == []


def test_each_way_has_a_name_of_its_own_and_a_route():
    names = [each.name for each in BINDINGS]
    assert len(set(names)) == len(names)
    assert {each.binding.name for each in ROUTES if each.binding is not None} == set(names)


def test_a_repetition_that_would_do_it_again_is_not_repeatable():
    assert not call_of(Launch(workflow="w")).repeatable
    assert call_of(Launch(workflow="w", id="i")).repeatable
    assert not call_of(Recover(id="e")).repeatable
    assert call_of(Answer(id="e", name="n", value=1)).repeatable


def test_the_first_way_that_says_all_is_taken():
    assert binding_of(GetLogs(id="e")).name == "get_logs"
    assert binding_of(GetLogs(id="e", node="n")).name == "get_node_logs"
    assert binding_of(Answer(id="e", name="n", value=True)).name == "answer"
    assert binding_of(GetExecution(id="")).name == "get_execution"
