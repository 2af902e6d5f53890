"""The table of routes: every path finds its own route and no other, whatever its parts are, and each part arrives as it was sent."""

import re
from itertools import cycle, product

import pytest
from msgspec import Struct, ValidationError, convert, field

from tidegate.api.app import ROUTES
from tidegate.api.route import MAX_FILE, MAX_JSON, Content, Reply, Route, Table, Written, part
from tidegate.errors import UnknownRoute
from tidegate.service.access import Action

TABLE = Table(ROUTES)
PARAM = re.compile(rb"\{(\w+)(\.\.\.)?\}")
LITERAL = [route for route in ROUTES if not route.params]
OPEN = [route for route in ROUTES if route.params]

SENT = {
    b"e1": "e1",
    b"a%2Fb": "a/b",
    b"%2f%2F": "//",
    b"%C3%BC": "ü",
    "ü".encode(): "ü",
    b"%F0%9F%98%80": "😀",
    b"..": "..",
    b"%2E%2e": "..",
    b".": ".",
    b"a%20b": "a b",
    b"a b": "a b",
    b"%20": " ",
    b"a+b": "a+b",
    b"%2525": "%25",
    b"%": "%",
    b"%zz%4": "%zz%4",
    b"%00%0A": "\0\n",
    b"a\n": "a\n",
    b"\n": "\n",
    b"a%3Fb%23c": "a?b#c",
    b"{id}": "{id}",
    b"(.+)|x": "(.+)|x",
    b"events": "events",
    b"approve": "approve",
    b"signals": "signals",
    b"x" * 3_000: "x" * 3_000,
}
"""A part of a path as it is sent, and what it stands for."""

LONGER = {
    b"n2~3/title": "n2~3/title",
    b"a%2Fb/c": "a/b/c",
    b"a//b": "a//b",
    b"/": "/",
    b"../..": "../..",
    b"logs/deck": "logs/deck",
    b"a/approve": "a/approve",
    b"nodes/n1/logs": "nodes/n1/logs",
}
"""The same for a part that may hold slashes."""


def filled(route: Route, parts: list[tuple[bytes, str]]) -> tuple[bytes, dict[str, str]]:
    """Put parts into the path of a route, one after the other; return it, and what they stand for."""
    expected, left = {}, cycle(parts)

    def fill(found: re.Match[bytes]) -> bytes:
        sent, expected[found[1].decode()] = next(left)
        return sent

    return PARAM.sub(fill, route.path.encode()), expected


def shown(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", ROUTES, ids=shown)
def test_every_route_is_found_by_its_own_path_whatever_the_parts_are(route: Route):
    sent = list(SENT.items())
    for first in range(len(sent)):
        path, expected = filled(route, sent[first:] + sent[:first])

        assert TABLE.find(route.method, path) == (route, expected)


@pytest.mark.parametrize("route", [each for each in ROUTES if "..." in each.path], ids=shown)
def test_a_part_that_may_hold_slashes_is_all_that_stands_there(route: Route):
    for longer in LONGER.items():
        path, expected = filled(route, [(b"e%2F1", "e/1"), longer])

        assert TABLE.find(route.method, path) == (route, expected)


@pytest.mark.parametrize("route", [each for each in OPEN if "..." not in each.path], ids=shown)
def test_a_part_of_one_segment_holds_no_slash(route: Route):
    path, _ = filled(route, [(b"a/b", "a/b")])

    found = TABLE.find(route.method, path)

    assert found is None or found[0] != route


@pytest.mark.parametrize("route", OPEN, ids=shown)
def test_a_part_is_not_empty(route: Route):
    for number in range(len(route.params)):
        parts = [(b"x", "x")] * len(route.params)
        parts[number] = (b"", "")
        path, _ = filled(route, parts)

        assert TABLE.find(route.method, path) is None


LITERALS = {piece for route in ROUTES for piece in route.path.split("/") if "{" not in piece} - {""}
CONFUSING = [b"x", b"..", b"%2F"]
CONFUSING += [f"{before}{each}".encode() for each in sorted(LITERALS) for before in ("", "x/", "x/nodes/y/")]  # fmt: skip
SINGLE = [Table((route,)) for route in ROUTES]


@pytest.mark.parametrize("route", ROUTES, ids=shown)
def test_no_path_means_two_routes(route: Route):
    """Parts are made of what stands in the paths of other routes, and what they would make of a slash."""
    for parts in product(CONFUSING, repeat=len(route.params)):
        path, _ = filled(route, [(part, "") for part in parts] or [(b"", "")])
        matching = [found for table in SINGLE if (found := table.find(route.method, path))]

        assert len(matching) <= 1, (path, [shown(each) for each, _ in matching])
        assert TABLE.find(route.method, path) == (matching[0] if matching else None)


@pytest.mark.parametrize("route", LITERAL, ids=shown)
def test_a_path_that_only_begins_ends_or_looks_like_that_of_a_route_is_not_it(route: Route):
    path = route.path.encode()
    near = [path + b"/", path + b"\n", b"/" + path, b"/x" + path, path[:-1], path.upper(), path[1:]]
    near += [path.replace(b"/", b"//"), path.replace(b".", b"-"), path + b"?", path + b"%20"]
    for other in near:
        found = TABLE.find(route.method, other)

        assert other == path or found is None or found[0] != route


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PATCH", "get", "", "GET "])
def test_a_method_that_no_route_has_finds_nothing(method: str):
    assert TABLE.find(method, b"/api/v1/health") is None


def test_the_methods_of_a_path_are_those_that_find_a_route_and_head_where_there_is_get():
    assert TABLE.methods(b"/api/v1/executions") == ["POST", "GET", "HEAD"]
    assert TABLE.methods(b"/api/v1/executions/e%2F1/signals/n/title") == ["GET", "PUT", "HEAD"]
    assert TABLE.methods(b"/api/v1/executions/e/signals/n/approve") == ["POST", "GET", "PUT", "HEAD"]  # fmt: skip
    assert TABLE.methods(b"/api/v1/inbox/answers") == ["POST"]
    assert TABLE.methods(b"/api/v1/tokens/t") == ["DELETE"]
    assert TABLE.methods(b"/api/v1/session") == ["POST", "GET", "DELETE", "HEAD"]
    assert TABLE.methods(b"/api/v1/nothing") == TABLE.methods(b"") == []


@pytest.mark.parametrize("route", OPEN, ids=shown)
@pytest.mark.parametrize("wrong", [b"\xff", b"%FF", b"a%C3", b"%C0%80", b"%ED%A0%80"])
def test_a_path_that_is_not_utf_8_is_an_unknown_route(route: Route, wrong: bytes):
    path, _ = filled(route, [(wrong, "")])

    with pytest.raises(UnknownRoute, match="not percent-encoded UTF-8"):
        TABLE.find(route.method, path)
    with pytest.raises(UnknownRoute, match="not percent-encoded UTF-8"):
        TABLE.methods(path)


async def handler(backend, call):
    """Handle nothing."""
    return Reply()


def test_parts_are_told_apart_in_a_table_of_many():
    """The groups of all routes of a method are numbered through."""
    paths = ["/a/{x}", "/b", "/c/{x}/{y}/{z...}/end", "/d.json", "/e/{y}-{x}", "/f/{x...}"]
    routes = tuple(
        Route(method="GET", path=path, action=Action.GET_HEALTH, handler=handler) for path in paths
    )
    table = Table(routes)

    found = [
        table.find("GET", path)
        for path in (b"/a/1", b"/b", b"/c/1/2/3/4/end", b"/d.json", b"/e/1-2", b"/f/1/end")
    ]

    assert found == list(
        zip(
            routes,
            [
                {"x": "1"},
                {},
                {"x": "1", "y": "2", "z": "3/4"},
                {},
                {"y": "1", "x": "2"},
                {"x": "1/end"},
            ],
            strict=True,
        )
    )
    assert table.find("GET", b"/dxjson") is None


def test_a_body_of_bytes_is_sent_as_it_is_and_a_view_as_json():
    assert Reply(b'{"a":1}').content() == b'{"a":1}'
    assert Reply({"a": [1, None]}).content() == b'{"a":[1,null]}'


def test_what_was_written_beside_the_loop_counts_for_that_view_alone():
    view, equal = {"a": 1}, {"a": 1}
    written = Written(view, b"written")

    assert Reply(view).content(written) == b"written"
    assert Reply(equal).content(written) == b'{"a":1}'
    assert Reply(view).content(Written(view)) == b'{"a":1}'


class Whole(Struct):
    """A request, of which a part travels in the body."""

    wanted: int
    text: str = "some"
    items: list[int] = field(default_factory=lambda: [1])
    who: str = ""


def test_a_part_of_a_struct_has_its_defaults_and_takes_nothing_else():
    Some = part("Some", "Words.", Whole, {"wanted": "wanted", "text": "words", "items": "items"})

    assert convert({"wanted": 1}, Some) == Some(wanted=1, words="some", items=[1])
    assert Some(wanted=1).items is not Some(wanted=1).items
    assert Some.__doc__ == "Words."
    for wrong in ({}, {"wanted": 1, "who": "ann"}, {"wanted": 1, "text": "x"}):
        with pytest.raises(ValidationError):
            convert(wrong, Some)


def test_every_route_that_takes_json_states_how_much_and_a_sign_in_is_small():
    limits = {
        route.name: route.limit
        for route in ROUTES
        if route.body is not None and not isinstance(route.body, Content)
    }

    assert all(limits.values()), limits
    assert limits["open_session"] == 1024
    assert max(limits.values()) == MAX_JSON


def test_the_owner_of_the_store_may_send_files_of_any_size_and_nobody_else():
    streamed = [each for each in ROUTES if isinstance(each.body, Content) and each.body.streamed]
    assert {each.path for each in streamed} >= {"/api/v1/blobs", "/api/v1/terminals/files"}
    assert {each.longest(local=True) for each in streamed} == {MAX_FILE}
    (blobs,) = [each for each in streamed if each.path == "/api/v1/blobs"]
    assert blobs.longest(local=False) == 1024**3
