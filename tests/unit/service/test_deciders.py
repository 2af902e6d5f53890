"""Who may answer a question: the caller, or those who are named."""

from datetime import timedelta

import pytest

from tidegate import approve, workflow
from tidegate.service.access import Grant, Principal, Role, person
from tidegate.testing import Sandbox
from tidegate.wire import (
    GetExecution,
    GetQuestion,
    GrantView,
    Launch,
    ListInbox,
    MakeToken,
    RevokeToken,
)

ANN = Principal("ann", (Grant(Role.APPROVER, "risk"), Grant(Role.VIEWER)), "api")


@workflow
def deploy(region: str) -> str:
    return approve(region, "go", timeout=timedelta(hours=2))


@pytest.fixture
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def handle(sandbox):
    return sandbox._service.handle


def launched(handle, sandbox, project: str, name: str) -> None:
    """Launch `deploy` as somebody, in a project."""
    version = sandbox._register(deploy)
    request = Launch(
        workflow=deploy.name, version=version, inputs={"region": "eu"}, project=project
    )
    handle(request, person(name))
    sandbox._engine.settle()


def test_who_may_not_answer_is_told_who_may(sandbox, handle):
    launched(handle, sandbox, "ops", "tom")
    launched(handle, sandbox, "risk", "tom")
    for name in ("dana", "cho", "ben", "ada"):
        grant = GrantView(role="approver", project="ops", domain="*")
        handle(MakeToken(name=name, grants=[grant]))
    handle(MakeToken(name="eve", grants=[GrantView(role="viewer", project="*", domain="*")]))

    found = {each.may: each for each in handle(ListInbox(), ANN).items}

    assert found[True].who_may == ""
    assert found[False].who_may == "ada, ben, cho or 1 other may answer."
    alone = handle(GetQuestion(id=found[False].execution, name="go"), ANN)
    assert (alone.may, alone.who_may) == (False, found[False].who_may)
    (of_execution,) = handle(GetExecution(id=found[False].execution), ANN).waiting
    assert (of_execution.may, of_execution.who_may) == (False, found[False].who_may)


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "Nobody has a token with which to answer here; ask an administrator for one."),
        (("cho",), "cho may answer."),
        (("cho", "ben"), "ben or cho may answer."),
        (("cho", "ben", "ada"), "ada, ben or cho may answer."),
        (("a1", "a2", "a3", "a4", "a5"), "a1, a2, a3 or 2 others may answer."),
    ],
)
def test_those_who_may_answer_are_named(sandbox, handle, names, sentence):
    launched(handle, sandbox, "ops", "tom")
    for name in names:
        handle(MakeToken(name=name, grants=[GrantView(role="approver", project="ops", domain="*")]))

    (view,) = handle(ListInbox(), ANN).items

    assert view.who_may == sentence


def test_a_token_that_is_revoked_makes_nobody_an_approver(sandbox, handle):
    launched(handle, sandbox, "ops", "tom")
    for name in ("ada", "ben"):
        handle(MakeToken(name=name, grants=[GrantView(role="admin", project="*", domain="*")]))
    handle(RevokeToken(token="ada"))

    (view,) = handle(ListInbox(), ANN).items

    assert view.who_may == "ben may answer."
