"""A request that was made in Python is held to what its class declares, and what does not fit is said in words."""

from typing import Any

import msgspec
import pytest
from msgspec import structs

from tidegate.errors import InvalidValue
from tidegate.wire import (
    Abort,
    Answer,
    Ask,
    GetExecution,
    Launch,
    ListExecutions,
    ListInbox,
    Register,
    check,
    misfit,
    view_of,
)

DIGEST = "0" * 64
LONG = "x" * 10_001


def bent(request: Ask[Any], **fields: Any) -> Ask[Any]:
    """Return a request with fields that its types do not allow, as a program without a type checker would make it."""
    return structs.replace(request, **fields)


@pytest.mark.parametrize(
    ("request_", "path", "words"),
    [
        (Launch(workflow="w", project="a\nb *"), ("project",), "the project 'a\\nb *' is invalid; use at most 64 letters"),
        (Launch(workflow="w", domain="a\n"), ("domain",), "the domain 'a\\n' is invalid"),
        (Launch(workflow="w", id="../up"), ("id",), "the id '../up' is invalid; use 1 to 64 letters"),
        (Launch(workflow="w", id="a\n"), ("id",), "the id 'a\\n' is invalid"),
        (Launch(workflow=""), ("workflow",), "the workflow '' must have 1 to 1,000 characters"),
        (Launch(workflow="w", version="v" * 256), ("version",), "the version must have at most 255 characters"),
        (Abort(id="e", reason=LONG), ("reason",), "the reason must have at most 10,000 characters"),
        (Answer(id="e", name="n", value=1, key="ü"), ("key",), "the key 'ü' must have at most 255 characters, all of them printable ASCII"),
        (Answer(id="e", name="n", value=1, comment="\ud800"), ("comment",), "comment: is not valid Unicode: a lone surrogate at position 0"),
        (ListExecutions(phases=["FAILED", "\udfff"]), ("phases",), "phases: is not valid Unicode"),
        (ListExecutions(phases=["x" * 256]), ("phases", 0), "the phases[0] must have at most 255"),
        (ListExecutions(limit=1001), ("limit",), "the limit 1001 must be between 1 and 1,000"),
        (ListExecutions(since="0.5"), ("since",), "the since '0.5' must be an instant with its offset from UTC"),
        (ListInbox(kind="sleep"), ("kind",), "the kind 'sleep' must be input or approve"),
        (ListInbox(due="soon"), ("due",), "the due 'soon' must be overdue, hour, today, week, later or none"),
        (
            ListInbox(sort="age"),
            ("sort",),
            "the sort 'age' must be due, opened, title or figure:NAME, with a minus sign before it for descending order",
        ),
        (ListInbox(limit=501), ("limit",), "the limit 501 must be between 1 and 500"),
        (GetExecution(id="e", wait=-1), ("wait",), "the wait -1 must be between 0 and 3,600 seconds"),
        (GetExecution(id="e", wait=float("nan")), ("wait",), "the wait nan must be between"),
        (Register(bundle="x", module="m"), ("bundle",), "the bundle 'x' must be a SHA-256"),
        (Register(bundle=DIGEST, module="m", only=["a", ""]), ("only", 1), "the only[1] '' must have 1 to"),
        (bent(Abort(id="e"), reason=5), ("reason",), "the request is invalid: reason: Expected 'str', got 'int'"),
        (bent(GetExecution(id="e"), id=None), ("id",), "the request is invalid: id: Expected 'str', got 'null'"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named_with_what_it_may_hold(request_, path, words):
    with pytest.raises(InvalidValue) as caught:
        check(request_)
    assert words in caught.value.message
    assert [fault.path for fault in caught.value.faults] == [path]


@pytest.mark.parametrize(
    "request_",
    [
        Launch(workflow="w" * 1000, id="i" * 64, project="p" * 64, domain="a.B_-9", who="ü" * 255),
        Launch(workflow="w"),
        Answer(id="e", name="n" * 10_000, value="ü", comment="ü" * 10_000, key=" ~" * 127),
        ListExecutions(since="2026-01-31T12:00:00Z", until="2026-01-31T12:00:00.123456-09:30"),
        GetExecution(id="e", wait=3600),
    ],
)
def test_what_is_declared_is_taken_to_its_limits(request_):
    check(request_)


def test_what_is_said_of_a_body_and_of_a_query_is_the_same():
    for what in ("the body", "the query"):
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.json.decode(b'{"workflow": "w", "project": "a b"}', type=Launch)
        error = misfit(what, Launch, {"workflow": "w", "project": "a b"}, caught.value)
        assert error.message.startswith("the project 'a b' is invalid")


def test_a_request_names_the_view_that_answers_it():
    for kind in Ask.__subclasses__():
        if kind.__module__ == Ask.__module__:
            assert view_of(kind) is kind.__orig_bases__[0].__args__[0]
