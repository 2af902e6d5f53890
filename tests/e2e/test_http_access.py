"""
Who may do what over HTTP: every route, asked by every role, for what is in its own project and in another one.

Method: the application as it is served, on an engine in memory, asked as a server would hand it requests. The table below is complete, or a test fails.
"""

from itertools import count

import msgspec
import pytest
from tests.e2e.access_table import NOTHING, TABLE
from tests.e2e.asking import Asking

from tidegate import File, wait_for_input, workflow
from tidegate.api.app import ROUTES, make_app
from tidegate.api.settings import Settings
from tidegate.ports.listings import ExecutionQuery, WaitQuery
from tidegate.service import access, admission
from tidegate.service.access import Action, Policy, Right, Where
from tidegate.testing import Sandbox
from tidegate.types.values import Pickled
from tidegate.wire import GetExecution, GrantView, Launch, ListEvents, MakeToken

OWN, OTHER = ("flow", "dev"), ("flow", "live")
ROLES = ("viewer", "operator", "approver", "admin")


class Thing:
    """What only a pickle can hold."""


@workflow
def ask() -> int:
    return wait_for_input("number", expected_type=int)


@workflow
def ask_file() -> File:
    return wait_for_input("file", expected_type=File)


@workflow
def ask_pickle() -> Pickled[Thing]:
    return wait_for_input("thing", expected_type=Pickled[Thing])


EXECUTION = "/api/v1/executions/{id}"
SIGNAL = EXECUTION + "/signals/number"


YES, NO, HIDDEN = "yes", "no", "hidden"

MAY = {
    # what it needs: role: (in its own project, in another one)
    "look": dict.fromkeys(ROLES, (YES, HIDDEN)),
    "operate": {
        "viewer": (NO, NO),
        "operator": (YES, HIDDEN),
        "approver": (NO, NO),
        "admin": (YES, HIDDEN),
    },
    "launch": {
        "viewer": (NO, NO),
        "operator": (YES, NO),
        "approver": (NO, NO),
        "admin": (YES, NO),
    },
    "decide": {
        "viewer": (NO, NO),
        "operator": (NO, NO),
        "approver": (YES, HIDDEN),
        "admin": (YES, HIDDEN),
    },
    "files": {**dict.fromkeys(ROLES, (YES, YES)), "viewer": (NO, NO)},
    "launch somewhere": {
        "viewer": (NO, NO),
        "operator": (YES, YES),
        "approver": (NO, NO),
        "admin": (YES, YES),
    },
    "somewhere": dict.fromkeys(ROLES, (YES, YES)),
    "public": dict.fromkeys(ROLES, (YES, YES)),
    "code": dict.fromkeys(ROLES, (NO, NO)),
    "measure": dict.fromkeys(ROLES, (NO, NO)),
    "own": dict.fromkeys(ROLES, (NO, NO)),
    "audit": dict.fromkeys(ROLES, (NO, NO)),
}

EVERYWHERE = {
    # What a role may in addition when it is given for every project and domain.
    "code": {"operator", "admin"},
    "measure": set(ROLES),
    "audit": {"admin"},
}


class World:
    """A server, executions in two projects, and a token for every role in one of them."""

    def __init__(self, sandbox, tmp_path):
        self.service = sandbox._service
        self.store = sandbox._store
        for each in (ask, ask_file, ask_pickle):
            sandbox._register(each)
        self.app = make_app(self.service, "1.0", Settings(failures=1_000_000))
        self.asking = Asking(self.app)
        self.numbers = count()
        self.tokens = {role: self.token(f"an-{role}", [(role, *OWN)]) for role in ROLES}
        self.wide = {role: self.token(f"wide-{role}", [(role, "*", "*")]) for role in ROLES}

    def token(self, name, grants, **fields):
        views = [GrantView(role=role, project=p, domain=d) for role, p, d in grants]
        return self.service.handle(MakeToken(name=name, grants=views, **fields)).secret

    def launch(self, place, what=ask):
        project, domain = place
        id_ = f"e{next(self.numbers)}"
        request = Launch(workflow=what.name, id=id_, project=project, domain=domain)
        return self.service.handle(request).id

    def request(self, route, execution, place):
        """Return how to ask a route about an execution."""
        method, path = route.split(" ")
        parts = {
            "{id}": execution,
            "{name...}": "number",
            "{node...}": "n0",
            "{digest}": NOTHING,
            "{name}": ask.name,
            "{token}": "an-admin",
            "{round}": "1",
        }
        for name, value in parts.items():
            path = path.replace(name, value)
        path += "?at=/inputs/value" * route.endswith(
            ("{node...}/rows", "{node...}/profile")
        ) + "?round=1" * route.endswith("/round")
        how = TABLE[route][1]
        if how == "launch":
            project, domain = place
            how = {"json": {"workflow": ask.name, "project": project, "domain": domain}}
        elif how == "answers":
            one = {"execution": execution, "signal": "number", "value": 1}
            how = {"json": {"answers": [one]}}
        return method, path, how

    def ask(self, route, token, place, execution=None):
        execution = execution or self.launch(place)
        method, path, how = self.request(route, execution, place)
        return self.asking(method, path, token=token, **how)

    def everything(self):
        """All that is stored of executions."""
        rows = self.store.listings.executions(ExecutionQuery(limit=10_000)).rows
        waits = self.store.listings.waits(WaitQuery(kinds=(), limit=10_000)).rows
        return rows, waits, {row.key: self.store.journal.history(row.key) for row in rows}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sandbox() as sandbox:
        world = World(sandbox, tmp_path_factory.mktemp("home"))
        yield world
        world.asking.close(world.app.close)


@pytest.fixture
def fresh(tmp_path):
    """A world in which nothing has happened."""
    with Sandbox() as sandbox:
        world = World(sandbox, tmp_path)
        yield world
        world.asking.close(world.app.close)


def outcome(route, reply):
    """Tell what became of a request: it was done (as far as it makes sense), forbidden, or about nothing that is known."""
    replies = [reply]
    if route == "POST /api/v1/inbox/answers" and reply.status == 200:
        replies = reply.json["items"]
        reply = replies[0]
        code = (reply["problem"] or {}).get("code", "")
        return {200: YES, 403: NO}.get(
            reply["status"], HIDDEN if code == "unknown_execution" else "?"
        )
    if reply.status == 404 and reply.json["code"] == "unknown_execution":
        return HIDDEN
    if reply.status == 403:
        return NO
    return YES if reply.status in TABLE[route][2] else f"{reply.status} {reply.body!r}"


def test_every_route_is_in_the_table():
    assert {f"{route.method} {route.path}" for route in ROUTES} == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", TABLE)
def test_a_role_of_one_project_may_what_the_table_says(world, route, role):
    own, other = MAY[TABLE[route][0]][role]

    assert outcome(route, world.ask(route, world.tokens[role], OWN)) == own
    assert outcome(route, world.ask(route, world.tokens[role], OTHER)) == other


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("route", TABLE)
def test_a_role_of_all_projects_may_it_in_each_and_what_is_about_all(world, route, role):
    needs = TABLE[route][0]
    own = MAY[needs][role][0]
    expected = YES if role in EVERYWHERE.get(needs, ()) else own

    assert outcome(route, world.ask(route, world.wide[role], OWN)) == expected
    assert outcome(route, world.ask(route, world.wide[role], OTHER)) == expected


@pytest.mark.parametrize("route", TABLE)
def test_nobody_in_particular_may_only_what_is_public(world, route):
    for token in (None, "tdg_wrong"):
        reply = world.ask(route, token, OWN)
        if TABLE[route][0] == "public" and token is None:
            assert reply.status in TABLE[route][2]
        else:
            assert (reply.status, reply.json["code"]) == (401, "unauthenticated")
            assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/executions/",
        "/api/v1/none",
        "/API/v1/executions",
        "//api/v1/executions",
        "/api/v1/health/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE"])
def test_nobody_in_particular_is_not_told_what_there_is_not(world, method, path):
    reply = world.asking(method, path)
    assert (reply.status, reply.json["code"]) == (401, "unauthenticated")
    known = world.asking(method, path, token=world.tokens["viewer"])
    assert known.status in {404, 405}


@pytest.mark.parametrize("route", TABLE)
def test_no_route_is_reached_where_admission_lets_nobody_in(world, monkeypatch, route):
    closed = Policy(Right.ADMINISTER, Where.LOCAL)
    monkeypatch.setattr(admission, "POLICIES", dict.fromkeys(Action, closed))
    monkeypatch.setattr(access, "POLICIES", dict.fromkeys(Action, closed))
    execution = world.launch(OWN)
    before = world.everything()

    reply = world.ask(route, world.wide["admin"], OWN, execution)
    nobody = world.ask(route, None, OWN, execution)

    assert (reply.status, reply.json["code"]) == (403, "forbidden")
    assert (nobody.status, nobody.json["code"]) == (401, "unauthenticated")
    assert world.everything() == before


@pytest.mark.parametrize("route", [r for r in TABLE if "{id}" in r])
@pytest.mark.parametrize("role", ROLES)
def test_an_execution_of_another_project_is_told_like_one_that_is_not_there(world, route, role):
    hidden, missing = world.launch(OTHER), "e-none"
    replies = [world.ask(route, world.tokens[role], OTHER, id_) for id_ in (hidden, missing)]
    first, second = (
        (reply.status, reply.body.decode().replace(id_, "ID"), sorted(reply.headers))
        for reply, id_ in zip(replies, (hidden, missing), strict=True)
    )
    assert first == second


@pytest.mark.parametrize("route", [r for r in TABLE if r.startswith("GET")])
def test_to_look_never_decides_anything(world, route):
    execution = world.launch(OWN)
    method, path, how = world.request(route, execution, OWN)
    before = world.everything()

    for method in ("GET", "HEAD"):
        reply = world.asking(method, path, token=world.wide["admin"], **how)
        assert reply.status in TABLE[route][2]

    assert world.everything() == before


@pytest.mark.parametrize("path", [f"{SIGNAL}/approve", f"{EXECUTION}/abort", SIGNAL])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_link_that_is_followed_by_a_scanner_decides_nothing(world, path, method):
    before = world.everything()
    reply = world.asking(method, path.format(id=world.launch(OWN)), token=world.wide["admin"])
    looks = path == SIGNAL and method != "OPTIONS"  # to look at a question is not a decision
    assert reply.status in ({200} if looks else {404, 405})
    assert len(world.everything()[1]) == len(before[1]) + 1


# -- lists --


def test_lists_show_what_may_be_seen_and_nothing_else(fresh):
    own, other = fresh.launch(OWN), fresh.launch(OTHER)
    for path in ("/api/v1/executions?limit=1000", "/api/v1/inbox?limit=500"):
        seen = fresh.asking("GET", path, token=fresh.tokens["viewer"]).json["items"]
        ids = {each.get("id") or each["execution"] for each in seen}
        assert own in ids
        assert other not in ids
        everything = fresh.asking("GET", path, token=fresh.wide["viewer"]).json["items"]
        assert {own, other} <= {each.get("id") or each["execution"] for each in everything}


def test_to_ask_for_another_project_by_name_shows_nothing_of_it(world):
    world.launch(OTHER)
    for path in ("/api/v1/executions", "/api/v1/inbox"):
        asked = f"{path}?project={OTHER[0]}&domain={OTHER[1]}"
        assert world.asking("GET", asked, token=world.tokens["admin"]).json["items"] == []


def test_the_inbox_of_a_hidden_execution_is_that_of_none(world):
    hidden = world.launch(OTHER)
    for path in ("/api/v1/inbox", "/api/v1/events"):
        reply = world.asking("GET", f"{path}?execution={hidden}", token=world.tokens["viewer"])
        assert (reply.status, reply.json["code"]) == (404, "unknown_execution")


def test_the_stream_of_events_tells_of_what_may_be_seen_and_nothing_else(fresh):
    own, other = fresh.launch(OWN), fresh.launch(OTHER)

    def stream(token):
        text = fresh.asking("GET", "/api/v1/events?after=0", token=token, pieces=2).body.decode()
        lines = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
        return {msgspec.json.decode(line)["execution"] for line in lines}

    narrow, wide = stream(fresh.tokens["viewer"]), stream(fresh.wide["viewer"])
    assert own in narrow
    assert other not in narrow
    assert {own, other} <= wide


def test_the_id_of_a_hidden_execution_is_taken_and_that_is_all_that_is_told(world):
    hidden = world.launch(OTHER, ask_file)
    body = {"workflow": ask.name, "id": hidden, "project": OWN[0], "domain": OWN[1]}
    reply = world.asking("POST", "/api/v1/executions", token=world.tokens["operator"], json=body)

    assert (reply.status, reply.json["code"]) == (409, "id_taken")
    assert "ask_file" not in reply.body.decode()
    assert "live" not in reply.body.decode()


# -- who --


def test_what_is_decided_over_http_is_on_the_name_of_the_token(world):
    execution = world.launch(OWN)
    path = SIGNAL.format(id=execution)
    token = world.tokens["approver"]
    told = world.asking("PUT", path, token=token, json={"value": 5, "who": "the boss"})
    assert told.status == 422

    world.asking("PUT", path, token=token, json={"value": 5, "comment": "so be it"})

    (answer,) = [n.answer for n in world.service.handle(GetExecution(id=execution)).nodes]
    assert (answer.who, answer.via, answer.comment) == ("an-approver", "api", "so be it")
    assert answer.credential == f"token:{token.split('_')[1]}"


def test_a_launch_and_an_abort_are_on_the_name_of_the_token(world):
    body = {"workflow": ask.name, "project": OWN[0], "domain": OWN[1]}
    token = world.tokens["operator"]
    made = world.asking(
        "POST", "/api/v1/executions", token=token, json=body, x_tidegate_via="cli"
    ).json
    world.asking("POST", f"/api/v1/executions/{made['id']}/abort", token=token, json={})

    events = world.service.handle(ListEvents(id=made["id"])).items
    (aborted,) = [each.details for each in events if each.kind == "AbortRequested"]
    assert made["who"] == "an-operator"
    assert (aborted["who"], aborted["via"]) == ("an-operator", "api")


# -- values from the network --

WEB = {"$uri": "http://169.254.169.254/latest/meta-data"}


def test_a_file_by_its_address_is_not_taken_over_the_network(world):
    execution = world.launch(OWN, ask_file)
    path = f"/api/v1/executions/{execution}/signals/file"
    for token in (world.tokens["approver"], world.wide["admin"]):
        reply = world.asking("PUT", path, token=token, json={"value": WEB})
        assert (reply.status, reply.json["code"]) == (422, "invalid_value")
        assert reply.json["faults"][0]["path"] == ["value"]
    body = {"workflow": ask.name, "inputs": {"a": [{"b": WEB}]}}
    reply = world.asking("POST", "/api/v1/executions", token=world.wide["admin"], json=body)
    assert reply.json["faults"][0]["path"] == ["inputs", "a", 0, "b"]
    assert [n.phase for n in world.service.handle(GetExecution(id=execution)).nodes] == ["WAITING"]


def test_a_pickle_is_not_taken_over_the_network(world):
    token = world.wide["admin"]
    digest = world.asking("POST", "/api/v1/blobs", token=token, body=b"cos\nsystem\n").json[
        "digest"
    ]
    value = {"$blob": digest, "size": 11, "media": "application/x-python-pickle"}
    path = f"/api/v1/executions/{world.launch(OWN, ask_pickle)}/signals/thing"

    reply = world.asking("PUT", path, token=token, json={"value": value})

    assert (reply.status, reply.json["code"]) == (422, "invalid_value")
    assert "pickle" in reply.json["faults"][0]["reason"]


# -- logins --


def test_a_browser_trades_its_token_for_a_cookie_and_hands_it_back(world):
    page = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}
    token = world.token("ann", [("approver", *OWN)])
    traded = world.asking("POST", "/api/v1/session", json={"token": token}, **page)
    cookie = traded.headers["set-cookie"].partition(";")[0]

    assert traded.json["name"] == "ann"
    assert traded.json["grants"] == [{"role": "approver", "project": "flow", "domain": "dev"}]
    assert world.asking("GET", "/api/v1/session", cookie=cookie).json == traded.json
    assert traded.json["expires"] is not None
    assert "HttpOnly; SameSite=Strict" in traded.headers["set-cookie"]
    assert token not in str(traded.headers) + traded.body.decode()
    execution = world.launch(OWN)
    path = SIGNAL.format(id=execution)
    assert world.asking("PUT", path, json={"value": 1}, cookie=cookie).status == 403
    assert world.asking("PUT", path, json={"value": 1}, cookie=cookie, **page).status == 200
    (answer,) = [n.answer for n in world.service.handle(GetExecution(id=execution)).nodes]
    assert (answer.who, answer.via) == ("ann", "ui")

    left = world.asking("DELETE", "/api/v1/session", cookie=cookie, **page)
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert world.asking("GET", "/api/v1/session", cookie=cookie).status == 401
    assert world.asking("GET", "/api/v1/session", token=token).status == 200


def test_a_token_in_the_address_is_not_looked_at(world):
    for name in ("token", "access_token", "authorization"):
        path = f"/api/v1/executions?{name}={world.tokens['viewer']}"
        assert world.asking("GET", path).status == 401
