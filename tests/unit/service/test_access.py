"""Who may do what, and where: the whole matrix of roles, actions and places, written down a second time by hand."""

from itertools import product
from typing import get_args

import pytest
from msgspec import structs

from tidegate.errors import InvalidValue
from tidegate.service.access import (
    ANONYMOUS,
    LOCAL,
    POLICIES,
    Action,
    Grant,
    Namespace,
    Principal,
    Role,
    Where,
    allows,
    check_pattern,
    owner,
    sees,
    visible,
)
from tidegate.wire import Request

OWN, OTHER = Namespace("flow", "dev"), Namespace("flow", "live")

LOOK = {
    "get_execution", "list_signals", "get_question", "list_events", "get_logs", "get_deck", "get_node", "list_rounds", "get_round",
}  # fmt: skip
LOOK_ANYWHERE = {
    "list_executions", "list_inbox", "summarize_inbox", "list_workflows", "get_workflow", "list_versions", "get_blob", "describe_blob", "watch", "get_openapi",
    "get_limits",
    "get_session", "end_session", "list_sessions", "end_sessions",
}  # fmt: skip
OPERATE = {"launch", "abort", "relaunch", "recover", "preview_recovery"}
DECIDE = {"answer", "check_answer"}
GIVE_FILES = {"put_blob"}
TRY = {"check_inputs"}
CODE = {"register", "put_bundle"}
MEASURE = {"get_metrics", "list_replicas"}
TOKENS = {"make_token", "list_tokens", "revoke_token", "rotate_token", "make_code"}
TERMINALS = {"serve_execution"}
AUDIT = {"list_audit"}
PUBLIC = {"get_health", "open_session", "look_at_code", "get_proof"}

MAY = {
    "viewer": LOOK | LOOK_ANYWHERE,
    "operator": LOOK | LOOK_ANYWHERE | OPERATE | TRY | GIVE_FILES,
    "approver": LOOK | LOOK_ANYWHERE | DECIDE | GIVE_FILES,
    "admin": LOOK | LOOK_ANYWHERE | OPERATE | TRY | DECIDE | GIVE_FILES,
}
"""What a role may in its own project and domain, beside what is public."""

MAY_EVERYWHERE = {
    "viewer": MAY["viewer"] | MEASURE,
    "operator": MAY["operator"] | MEASURE | CODE,
    "approver": MAY["approver"] | MEASURE,
    "admin": MAY["admin"] | MEASURE | CODE | AUDIT,
}
"""What it may when it is given for every project and domain."""

SOMEWHERE = LOOK_ANYWHERE | TRY | GIVE_FILES | PUBLIC
"""What is not about one place."""


def holder(role, project="*", domain="*"):
    return Principal("ada", (Grant(Role(role), project, domain),))


def test_the_matrix_names_every_action():
    named = LOOK | LOOK_ANYWHERE | OPERATE | DECIDE | GIVE_FILES | CODE | MEASURE | AUDIT
    named |= TOKENS | TRY | TERMINALS | PUBLIC
    assert {action.value for action in Action} == named


def test_every_action_has_a_policy():
    assert set(POLICIES) == set(Action)


@pytest.mark.parametrize("request_type", get_args(Request), ids=lambda kind: kind.__name__)
def test_every_request_is_an_action_with_a_policy(request_type):
    tag = request_type.__struct_config__.tag
    assert tag in {action.value for action in Action}
    assert Action(tag) in POLICIES


@pytest.mark.parametrize(("role", "action"), list(product(MAY, Action)))
def test_a_role_in_one_place_may_what_the_matrix_says_there_and_nothing_elsewhere(role, action):
    ada = holder(role, OWN.project, OWN.domain)

    assert allows(ada, action, OWN) is (action.value in MAY[role] | PUBLIC)
    assert allows(ada, action, OTHER) is (action.value in (MAY[role] | PUBLIC) & SOMEWHERE)
    assert allows(ada, action) is (action.value in (MAY[role] | PUBLIC) & SOMEWHERE)


@pytest.mark.parametrize(("role", "action"), list(product(MAY_EVERYWHERE, Action)))
def test_a_role_everywhere_may_what_the_matrix_says_in_every_place(role, action):
    ada = holder(role)

    for place in (OWN, OTHER, Namespace(), None):
        assert allows(ada, action, place) is (action.value in MAY_EVERYWHERE[role] | PUBLIC)


@pytest.mark.parametrize("action", Action)
def test_the_owner_of_the_store_may_everything_and_nobody_nothing_but_what_is_public(action):
    assert allows(LOCAL, action)
    assert allows(ANONYMOUS, action, OWN) is (action.value in PUBLIC)
    assert allows(Principal("ada", ()), action, OWN) is (action.value in PUBLIC)


def test_what_is_public_is_so_on_purpose():
    public = {action.value for action in Action if POLICIES[action].where is Where.PUBLIC}
    assert public == PUBLIC


def test_grants_add_up_and_do_not_multiply():
    ada = Principal("ada", (Grant(Role.OPERATOR, "a", "*"), Grant(Role.APPROVER, "*", "b")))

    assert allows(ada, Action.LAUNCH, Namespace("a", "x"))
    assert allows(ada, Action.ANSWER, Namespace("x", "b"))
    assert allows(ada, Action.LAUNCH, Namespace("a", "b"))
    assert not allows(ada, Action.LAUNCH, Namespace("x", "b"))
    assert not allows(ada, Action.ANSWER, Namespace("a", "x"))
    # In every project of one domain and in every domain of one project is not everywhere.
    assert not allows(ada, Action.GET_METRICS)


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("*", "", True),
        ("*", "anything\n", True),
        ("flow", "flow", True),
        ("flow", "flows", False),
        ("flow", "Flow", False),
        ("flow", "flow\n", False),
        ("flow*", "flow", True),
        ("*-dev", "flow-dev", True),
        ("*-dev", "flow-dev2", False),
        ("a*b*c", "a--b--c", True),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "x", False),
    ],
)
def test_a_star_stands_for_any_characters_and_all_else_for_itself(pattern, name, fits):
    assert sees(holder("viewer", pattern), Namespace(name, "d")) is fits


@pytest.mark.parametrize("pattern", ["a b", "ü", "[a]", "a?", "x" * 65, "a\n", "a/b", "%"])
def test_a_pattern_has_no_other_signs(pattern):
    with pytest.raises(InvalidValue, match="project"):
        check_pattern("project", pattern)


def test_who_may_see_everything_is_asked_for_no_places():
    assert visible(LOCAL) is None
    assert visible(holder("approver")) is None
    assert visible(holder("viewer", "a", "b*")) == (("a", "b*"),)
    assert visible(ANONYMOUS) == ()


def test_tokens_are_the_business_of_the_owner_on_their_machine_and_of_no_administrator():
    for action in TOKENS:
        assert POLICIES[Action(action)].where is Where.LOCAL
        assert allows(LOCAL, Action(action))
        assert not allows(holder("admin"), Action(action))


def test_the_owner_is_known_by_the_name_that_the_system_has_for_the_user_or_as_local():
    root = Principal("root", LOCAL.grants, LOCAL.via, local=True, credential="user:0")
    assert owner(0) == root
    assert owner(2**31 - 5) == structs.replace(LOCAL, credential=f"user:{2**31 - 5}")
