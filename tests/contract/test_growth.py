"""
Whatever is sent is checked in time that grows with its length, and no faster.

Method: the inputs are taken from the route table (each body, query and header), from the commands and from one type of each way to check a value; each is filled
with what makes careless readers go back and forth. The processor time for 2^10 to 2^17 bytes, the best of five, is laid on a line: its exponent is at most 1.2. Over
the last four sizes, where nothing fixed hides what grows, it is at most 0.15 more, for what leaves a processor's caches there. A measurement that others have
disturbed is made again. An input of a kind that has no patterns here fails.
"""

import gc
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import click
import pytest
from msgspec import structs
from tests.unit.types.samples import Point
from tests.unit.types.test_branching import Expr

from tidegate.api import door, strict
from tidegate.api.app import ROUTES, make_app
from tidegate.api.auth import Gatekeeper
from tidegate.api.route import Content, Route
from tidegate.api.settings import Settings
from tidegate.cli.main import tidegate
from tidegate.cli.page_text import words_of
from tidegate.cli.render import text as shown
from tidegate.errors import TidegateError
from tidegate.home import BLOBS_VARIABLE, STORE_VARIABLE
from tidegate.testing import Sandbox
from tidegate.types.registry import codec
from tidegate.types.schema import faults
from tidegate.types.text import parse
from tidegate.wire import read as read_request

SIZES = [2**power for power in range(10, 18)]
MOST = 1.2
BEST_OF = 5
TRIES = 8
NOTHING = 50e-6
"""Seconds in which 2^17 bytes can be gone through a few times by the fastest code there is: what takes no longer does not grow."""

CACHES = 0.15

WORDS = {
    "letters": "a",
    "brackets": "[",
    "quotes": '"',
    "backslashes": "\\",
    "blanks": " ",
    "digits": "1",
    "commas": ",",
    "semicolons": ";",
    "stars": "*a",
    "slashes": "a/",
    "percent": "%41",
    "tags": "<style ",
    "escapes": "\x1b[",
    "messages": " - at `$.a[0]",
    "amounts": "1h ",
    "accents": "ü",
}
"""Texts that are repeated to any length."""


FEW = {name: WORDS[name] for name in ("letters", "digits", "brackets", "amounts")}


class Subject(NamedTuple):
    """Something that is checked, and how it comes to any length."""

    act: Callable[[Any], object]
    make: Callable[[int], Any]


def repeated(word: str, size: int) -> str:
    return (word * (size // len(word) + 1))[:size]


def timed(subject: Subject, given: Any) -> float:
    begun = time.process_time()
    with suppress(TidegateError, ValueError, click.ClickException, click.exceptions.Exit):
        subject.act(given)
    return time.process_time() - begun


def slope(points: list[tuple[float, float]]) -> float:
    """Return the slope of the line that lies closest to these points."""
    x0 = sum(x for x, _ in points) / len(points)
    y0 = sum(y for _, y in points) / len(points)
    across = sum((x - x0) ** 2 for x, _ in points)
    return sum((x - x0) * (y - y0) for x, y in points) / across


def exponent(subject: Subject) -> float:
    points: list[tuple[float, float]] = []
    for size in reversed(SIZES):
        given = subject.make(size)
        best = min(timed(subject, given) for _ in range(BEST_OF))
        if not points and best < NOTHING:
            return 0.0
        points.append((math.log(size), math.log(max(best, 1e-9))))
    return max(slope(points), slope(points[:4]) - CACHES)


def grows_too_fast(subject: Subject) -> float:
    """Return the exponent, if it is too large each time it is measured; else 0."""
    gc.disable()
    try:
        found = exponent(subject)
        for _ in range(TRIES - 1):
            if found <= MOST:
                return 0.0
            found = min(found, exponent(subject))
    finally:
        gc.enable()
    return found if found > MOST else 0.0


def check(subjects: dict[str, Subject]) -> None:
    assert subjects, "there is nothing to measure: give this kind of input patterns"
    slow = {name: found for name, each in subjects.items() if (found := grows_too_fast(each))}
    assert not slow, slow


# ---- bodies ----


def held(field: str, value: str) -> str:
    """Return an object with one field, written as it is."""
    return "{" + json.dumps(field) + ":" + value + "}"


def many(piece: str, size: int, last: str) -> str:
    return "[" + (piece + ",") * (size // (len(piece) + 1)) + last + "]"


def names(size: int) -> str:
    return ",".join(f'"{n:x}":0' for n in range(size // 8))


def twins(size: int) -> str:
    return "{" + names(size) + ',"zz":0,"zz":0}'


SHAPES: dict[str, Callable[[str, int], str]] = {
    "a twin last": lambda _, size: twins(size),
    "other names": lambda _, size: "{" + names(size) + "}",
    "zeros": lambda field, size: held(field, many("0", size, "0")),
    "objects": lambda field, size: held(field, many("{}", size, "{}")),
    "floats": lambda field, size: held(field, many("1.5", size, "1")),
    "a long number": lambda field, size: held(field, "1" * size),
    "a long fraction": lambda field, size: held(field, "1." + "1" * size),
    "deep lists": lambda field, size: held(field, "[" * size),
    "deep objects": lambda _, size: '{"a":' * (size // 5),
    "no end": lambda field, size: held(field, '"' + "\\\\" * (size // 2)),
    "escaped quotes": lambda field, size: held(field, '"' + '\\"' * (size // 2) + '"'),
    "escaped letters": lambda field, size: held(field, '"' + "\\u0061" * (size // 6) + '"'),
    "half a pair": lambda field, size: held(field, '"' + "\\ud83d" * (size // 6) + '"'),
    "blanks": lambda _, size: " " * size + "{}" + " " * size,
    "what does not fit": lambda field, size: held(field, many('{"role":"x","y":1}', size, "1")),
}


def read(route: Route, raw: bytes) -> None:
    assert isinstance(route.body, type)
    body = strict.decode(raw, route.body)
    if route.binding is not None:
        given = {name: getattr(body, called) for name, called in route.binding.rest.items()}
        read_request(route.binding.request, given)


def bodies(route: Route) -> dict[str, Subject]:
    kind = route.body
    if kind is None or isinstance(kind, Content):
        return {}
    found: dict[str, Subject] = {}
    fields = structs.fields(kind)
    first = fields[0].encode_name if fields else "none"
    for called, shape in SHAPES.items():
        found[f"{first}: {called}"] = Subject(
            lambda raw: read(route, raw),
            lambda size, shape=shape: shape(first, size).encode(),
        )
    for field in fields:
        # What is declared alike is checked alike, whatever it is called.
        if str(field.type) in MEASURED:
            continue
        MEASURED.add(str(field.type))
        for called, word in WORDS.items():
            found[f"{field.encode_name}: {called}"] = Subject(
                lambda raw: read(route, raw),
                lambda size, word=word, name=field.encode_name: json.dumps(
                    {name: repeated(word, size)}
                ).encode(),
            )
    for called in ("brackets", "messages", "quotes", "accents"):
        found[f"a field called {called}"] = Subject(
            lambda raw: read(route, raw),
            lambda size, word=WORDS[called]: json.dumps({repeated(word, size): 1}).encode(),
        )
    return found


MEASURED: set[str] = set()

WITH_BODY = [route for route in ROUTES if isinstance(route.body, type)]


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.name)
def test_a_body_is_read_in_time_that_grows_with_it(route: Route) -> None:
    check(bodies(route))


# ---- queries and headers ----


def queries(route: Route) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    fields = structs.fields(route.query) if route.query else ()
    wanted = [each for each in fields if str(each.type) not in MEASURED]
    MEASURED.update(str(each.type) for each in wanted)
    for name in [*(each.encode_name for each in wanted), "other"]:
        for called, word in WORDS.items():
            found[f"{name}: {called}"] = Subject(
                lambda raw: door._query(route, raw),
                lambda size, word=word, name=name: f"{name}={repeated(word, size)}".encode(),
            )
    for called, word in {"ampersands": "&", "pairs": "a=1&", "percents": "%"}.items():
        found[called] = Subject(
            lambda raw: door._query(route, raw),
            lambda size, word=word: repeated(word, size).encode(),
        )
    return found


def test_a_query_is_read_in_time_that_grows_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MAX_QUERY", 2 * SIZES[-1])
    with_query = {route.query: route for route in ROUTES if route.query is not None}
    for route in with_query.values():
        check(queries(route))


def test_a_header_of_a_route_is_read_in_time_that_grows_with_it() -> None:
    for route in ROUTES:
        for header in route.headers:
            check(
                {
                    f"{route.name} {header.name}: {called}": Subject(
                        lambda raw, route=route: door._wanted(route, raw),
                        lambda size, word=word, key=header.key: {
                            key: repeated(word, size).encode()
                        },
                    )
                    for called, word in WORDS.items()
                }
            )


OF_THE_GATE = ("host", "origin", "authorization", "cookie", "sec-fetch-site", "x-forwarded-for")


@pytest.mark.parametrize("name", OF_THE_GATE)
def test_a_header_that_says_who_asks_is_read_in_time_that_grows_with_it(name: str) -> None:
    with serving() as gate:
        words = {**WORDS, "cookies": "a=b; ", "addresses": "10.0.0.1, ", "bearer": "Bearer "}
        check(
            {
                called: Subject(
                    lambda scope: gate._admitted(scope, dict(scope["headers"])),
                    lambda size, word=word: scope_with(name, repeated(word, size).encode()),
                )
                for called, word in words.items()
            }
        )


def scope_with(name: str, value: bytes) -> dict[str, Any]:
    headers = {b"host": b"localhost", name.encode(): value}
    return {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/executions",
        "client": ("127.0.0.1", 1),
        "headers": list(headers.items()),
    }


@contextmanager
def serving() -> Iterator[Gatekeeper]:
    """Give the gatekeeper of a server behind a proxy."""
    with Sandbox() as sandbox:
        settings = Settings(behind_proxy=True, failures=10**9)
        yield make_app(sandbox._service, "1", settings)


# ---- commands ----


def commands(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}".strip())
    else:
        yield path, group


def parameters(command: click.Command) -> dict[str, Subject]:
    found: dict[str, Subject] = {}
    for parameter in command.params:
        option = parameter.opts[0] if isinstance(parameter, click.Option) else ""
        if isinstance(parameter, click.Option) and (parameter.is_flag or parameter.is_eager):
            continue
        kind = f"{parameter.type!r} {option} {parameter.callback}"
        if kind in MEASURED:
            continue
        MEASURED.add(kind)
        for called, word in WORDS.items():
            found[f"{parameter.name}: {called}"] = Subject(
                lambda args: command.make_context("x", args),
                lambda size, word=word, option=option: [
                    *([option] if option else []),
                    repeated(word, size),
                ],
            )
    return found


@pytest.mark.parametrize(("path", "command"), list(commands(tidegate)), ids=lambda each: str(each))
def test_what_a_command_is_given_is_read_in_time_that_grows_with_it(
    path: str, command: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where a word ends the parsing, no context is closed, and what the command set stays.
    for variable in (STORE_VARIABLE, BLOBS_VARIABLE):
        monkeypatch.setenv(variable, "")
    found = parameters(command)
    if found:
        check(found)


def test_what_is_shown_in_a_terminal_is_made_in_time_that_grows_with_it() -> None:
    for act in (shown, words_of):
        check(
            {
                called: Subject(act, lambda size, word=word: repeated(word, size))
                for called, word in WORDS.items()
            }
        )


# ---- types ----

TYPES = [
    str, date, datetime, timedelta, Decimal, bytes, list[int], dict[int, str], dict[str, float], Point, list[Point], int | None, Expr,
]  # fmt: skip
"""One of each way in which a value is checked."""


def values(annotation: Any) -> dict[str, Subject]:
    schema = codec(annotation).schema
    fits: dict[str, Callable[[int], Any]] = {
        "numbers": lambda size: list(range(size // 4)),
        "one number": lambda size: [1] * (size // 2),
        "texts": lambda size: [f"{n:x}" for n in range(size // 6)],
        "objects": lambda size: [{"a": n} for n in range(size // 8)],
        "names": lambda size: {f"{n:x}": n for n in range(size // 8)},
        "deep": lambda size: nested(size, {"left": 1, "right": "no", "value": 1}),
    }
    for called, word in FEW.items():
        fits[called] = lambda size, word=word: repeated(word, size)
    return {
        called: Subject(lambda value: faults(schema, value), make) for called, make in fits.items()
    }


def nested(size: int, leaf: dict[str, Any]) -> Any:
    """Return objects of 60 levels each, as many as are that long together."""
    found = []
    for _ in range(max(1, size // 1200)):
        value: Any = dict(leaf)
        for _ in range(58):
            value = {"left": value, "right": 1}
        found.append(value)
    return found


@pytest.mark.parametrize("annotation", TYPES, ids=lambda each: ascii(each)[:40])
def test_a_value_is_checked_in_time_that_grows_with_it(annotation: Any) -> None:
    check(values(annotation))


@pytest.mark.parametrize("annotation", TYPES, ids=lambda each: ascii(each)[:40])
def test_what_is_typed_for_a_value_is_read_in_time_that_grows_with_it(annotation: Any) -> None:
    schema = codec(annotation).schema
    texts = {
        **{called: (lambda size, word=word: repeated(word, size)) for called, word in FEW.items()},
        "a twin last": twins,
    }
    check({name: Subject(lambda text: parse(schema, text), make) for name, make in texts.items()})


# ---- the test itself ----


def back_and_forth(text: str) -> None:
    """Look at a text in n^1.5: as many times as its root, from the beginning."""
    for _ in range(math.isqrt(len(text))):
        text.count("x")


def test_what_grows_by_the_power_of_one_and_a_half_is_caught() -> None:
    planted = Subject(back_and_forth, lambda size: "a" * size)

    assert grows_too_fast(planted) > MOST
    assert not grows_too_fast(Subject(lambda text: text.count("x"), lambda size: "a" * size))


def test_every_input_that_is_text_has_patterns() -> None:
    with pytest.raises(AssertionError, match="give this kind of input patterns"):
        check({})
    assert {route.name for route in WITH_BODY} >= {"launch", "answer", "open_session"}
    assert all(bodies(route) for route in WITH_BODY)
