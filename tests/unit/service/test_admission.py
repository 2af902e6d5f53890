"""What every request passes before it is handled, seen from the service's own door."""

import pytest

from tidegate import File, wait_for_input, workflow
from tidegate.errors import Forbidden, InvalidValue, Unauthenticated, UnknownExecution
from tidegate.service.access import ANONYMOUS, LOCAL, Action, Grant, Principal, Role, owner
from tidegate.service.admission import admit, enter
from tidegate.testing import Sandbox
from tidegate.wire import (
    Answer,
    Ask,
    GetExecution,
    Launch,
    ListExecutions,
    ListInbox,
    ListTokens,
    WorkflowList,
)

WEB = {"$uri": "https://example.org/x"}
ADA = Principal("ada", (Grant(Role.ADMIN, "flow", "*"),), "api", "t1")


@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int)


@workflow
def ask_file() -> File:
    return wait_for_input("file", expected_type=File)


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        sandbox._register(ask)
        sandbox._register(ask_file)
        yield sandbox


@pytest.fixture
def handle(sandbox):
    return sandbox._service.handle


def never(_):
    raise AssertionError("nothing was to be looked up")


def test_what_a_request_says_of_who_asks_counts_for_nothing():
    claims = Answer(id="e", name="n", value=1, who="somebody", via="ui", credential="token:x")
    everywhere = Principal("ada", (Grant(Role.ADMIN),), "api", "t1", credential="token:t1")

    for given in (claims, Answer(id="e", name="n", value=1)):
        admitted = admit(given, everywhere, never, never)
        assert (admitted.who, admitted.via, admitted.credential) == ("ada", "api", "token:t1")
        admitted = admit(given, owner(0), never, never)
        assert (admitted.who, admitted.via, admitted.credential) == ("root", "cli", "user:0")


def test_who_may_do_it_everywhere_costs_no_look_at_the_store():
    everywhere = Principal("ada", (Grant(Role.VIEWER),))
    for request in (GetExecution(id="e"), ListExecutions(), ListInbox()):
        assert admit(request, everywhere, never, never).who == "ada"


def test_the_owner_may_give_files_on_the_web(sandbox, handle):
    id_ = handle(Launch(workflow=ask_file.name)).id
    handle(Answer(id=id_, name="file", value=WEB))
    assert sandbox.run(id_).phase == "SUCCEEDED"


@pytest.mark.parametrize(
    ("value", "places"),
    [
        (WEB, [("value",)]),
        ([1, WEB], [("value", 1)]),
        ({"a": {"b": [WEB]}}, [("value", "a", "b", 0)]),
        ({"$uri": {"$uri": 1}}, [("value",), ("value", "$uri")]),
        ({"$blob": "d", "media": "application/x-python-pickle"}, [("value",)]),
    ],
)
def test_nobody_else_may_give_what_reaches_into_a_worker(handle, value, places):
    id_ = handle(Launch(workflow=ask_file.name, project="flow")).id
    with pytest.raises(InvalidValue) as caught:
        handle(Answer(id=id_, name="file", value=value), ADA)
    assert [fault.path for fault in caught.value.faults] == places


def test_values_that_only_look_alike_are_taken():
    everywhere = Principal("ada", (Grant(Role.ADMIN),))
    media = {"media": "application/x-python-pickle"}
    lookalikes: list[object] = ["$uri", ["$uri"], {"uri": 1}, media, [[]], {}]
    for value in lookalikes:
        request = Answer(id="e", name="n", value=value)
        assert admit(request, everywhere, never, never).value == value


def test_a_value_as_deep_as_can_be_is_looked_through_without_recursion():
    value: object = WEB
    for _ in range(100_000):
        value = [value]
    everywhere = Principal("ada", (Grant(Role.ADMIN),))
    with pytest.raises(InvalidValue) as caught:
        admit(Answer(id="e", name="n", value=value), everywhere, never, never)
    assert caught.value.faults[0].path == ("value", *[0] * 100_000)


def test_what_is_hidden_is_unknown_and_what_is_seen_but_not_allowed_is_forbidden(handle):
    hidden = handle(Launch(workflow=ask.name, project="other")).id
    seen = handle(Launch(workflow=ask.name, project="flow")).id
    viewer = Principal("bob", (Grant(Role.VIEWER, "flow"),))

    for id_ in (hidden, "none", ""):
        for request in (GetExecution(id=id_), Answer(id=id_, name="number", value=1)):
            with pytest.raises(UnknownExecution):
                handle(request, viewer)
    with pytest.raises(UnknownExecution):
        handle(ListInbox(execution=hidden), viewer)
    with pytest.raises(Forbidden):
        handle(Answer(id=seen, name="number", value=1), viewer)
    assert len(handle(ListInbox(execution=seen), viewer).items) == 1


def test_nobody_in_particular_and_who_has_no_grant_are_turned_away(handle):
    for request in (ListExecutions(), ListTokens(), Launch(workflow=ask.name)):
        with pytest.raises(Unauthenticated):
            handle(request, ANONYMOUS)
        with pytest.raises(Forbidden):
            handle(request, Principal("eve", ()))
    assert handle(ListExecutions()).items == []


def test_a_kind_of_request_that_nobody_has_thought_of_is_refused_to_everybody():
    class Strange(Ask[WorkflowList], frozen=True, kw_only=True, tag="get_health"):
        """Named like an action that is public."""

    for principal in (LOCAL, ADA, ANONYMOUS):
        with pytest.raises(Forbidden):
            admit(Strange(), principal, never, never)


def test_nobody_is_asked_for_a_token_and_somebody_is_told_what_is_lacking(handle):
    id_ = handle(Launch(workflow=ask.name, project="flow", domain="dev")).id
    operator = Principal("ada", (Grant(Role.OPERATOR),))
    with pytest.raises(Unauthenticated, match="Bearer"):
        handle(Launch(workflow=ask.name), ANONYMOUS)
    with pytest.raises(Forbidden, match=r"'ada' may not answer in project 'flow', domain 'dev'"):
        handle(Answer(id=id_, name="number", value=1), operator)
    with pytest.raises(Forbidden, match="launch, abort and register everywhere"):
        enter(Principal("ada", (Grant(Role.OPERATOR, "flow"),)), Action.REGISTER)
    with pytest.raises(Forbidden, match="only on the machine of the store"):
        handle(ListTokens(), Principal("ada", (Grant(Role.ADMIN),)))


def test_a_door_lets_nobody_in_who_may_not_do_it_anywhere():
    enter(Principal("ada", (Grant(Role.APPROVER, "flow"),)), Action.ANSWER)
    with pytest.raises(Forbidden, match="anywhere"):
        enter(Principal("ada", (Grant(Role.VIEWER, "flow"),)), Action.ANSWER)
    with pytest.raises(Unauthenticated):
        enter(ANONYMOUS, Action.GET_EXECUTION)
    enter(ANONYMOUS, Action.GET_HEALTH)


def test_what_there_is_not_is_told_to_those_who_are_known():
    enter(Principal("eve", ()), None)
    with pytest.raises(Unauthenticated):
        enter(ANONYMOUS, None)
