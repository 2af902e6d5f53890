"""
What lists show of a question: its title, a template, and its key figures, both resolved while the workflow is compiled.

A name in braces is a key of `show=`, an input of the workflow, or `item` for what is approved, followed only by `.field` and `[key]`.
Nothing is formatted or computed, so a title can be read back from the graph, and a wrong name is found before anything runs.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tidegate.errors import CompileError
from tidegate.ir.expr import Const, Expr, Schema
from tidegate.sdk.bind import infer, single
from tidegate.sdk.promise import Promise
from tidegate.sdk.trace import Trace, checked_name
from tidegate.types.schema import kinds
from tidegate.types.values import KIND

TITLE_MAX: Final = 500
"""Longest template of a title, in characters; lists show 200 of what comes out."""

FIGURES_MAX: Final = 8
"""Most figures of a gate. A list has room for three, a list of one workflow for about as many as this."""

FIGURE_NAME_MAX: Final = 60
"""Longest name of a figure, in characters: it heads a column."""

ITEM: Final = "item"
"""The name of what is approved."""

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_STEP: Final = re.compile(r"\.(?P<field>\w+)|\[(?P<key>[^\[\]]+)\]")
_POSITION: Final = re.compile(r"-?\d{1,9}")


def title_of(
    trace: Trace, template: object, known: Mapping[str, object], label: str
) -> tuple[str | Expr, ...]:
    """Return a title as texts and expressions in turn; `known` gives what each name in braces stands for. Raises CompileError."""
    if not isinstance(template, str) or not template.strip():
        raise CompileError(
            f"{label}: title must be a text, such as title='Deploy {{model.name}}', not {template!r}"
        )
    if len(template) > TITLE_MAX or not template.isprintable():
        raise CompileError(
            f"{label}: title must be one line of at most {TITLE_MAX} characters; the rest belongs in prompt="
        )
    parts: list[str | Expr] = []
    for text, field in _pieces(template, label):
        if text:
            parts.append(text)
        if field is not None:
            parts.append(_resolved(trace, field, known, label))
    return tuple(parts)


def figures_of(trace: Trace, figures: object, label: str) -> dict[str, Expr]:
    """Return the sources of key figures, by name. Raises CompileError."""
    if not isinstance(figures, Mapping):
        raise CompileError(
            f"{label}: figures must be a dict of promises by name, such as figures={{'AUC': model.auc}}, not {figures!r}"
        )
    if len(figures) > FIGURES_MAX:
        raise CompileError(
            f"{label} has {len(figures)} figures; at most {FIGURES_MAX} are allowed: show the others with show="
        )
    found: dict[str, Expr] = {}
    for key, value in figures.items():
        name = checked_name(key, f"{label}: a figure")
        if len(name) > FIGURE_NAME_MAX:
            raise CompileError(
                f"{label}: the figure {name[:20]!r} has a name of {len(name)} characters; at most {FIGURE_NAME_MAX} are allowed"
            )
        expr, schema = infer(trace, value, f"figure {name!r} of {label}")
        _check_scalar(expr, schema, f"{label}: figure {name!r}", "pass one of its fields")
        found[name] = expr
    return found


def _pieces(template: str, label: str) -> Iterator[tuple[str, str | None]]:
    """Yield each text with the field in braces that follows it, None after the last."""
    text, at = "", 0
    for match in _PIECE.finditer(template):
        text += template[at : match.start()]
        at = match.end()
        piece = match.group()
        if piece in ("{{", "}}"):
            text += piece[0]
        elif match.group(1) is None:
            raise CompileError(
                f"{label}: title has a single {piece!r} at character {match.start() + 1}; write {piece * 2!r} for one"
            )
        else:
            yield text, match.group(1)
            text = ""
    yield text + template[at:], None


def _resolved(trace: Trace, field: str, known: Mapping[str, object], label: str) -> Expr:
    name, steps = _parsed(field, known, label)
    value = single(known[name], f"'{{{name}}}' in the title of {label}")
    for n, step in enumerate(steps):
        value = _part(value, step, f"{label}: {{{field}}} in title", steps[:n])
    expr, schema = infer(trace, value, f"'{{{field}}}' in the title of {label}")
    _check_scalar(expr, schema, f"{label}: {{{field}}} in title", "name one of its fields")
    return expr


def _parsed(field: str, known: Mapping[str, object], label: str) -> tuple[str, list[str | int]]:
    """Return the name that a field in braces begins with, and the steps from there."""
    # Values shown as a list have names like `model.auc`, so the longest name counts.
    name = max(
        (each for each in known if field == each or field.startswith((f"{each}.", f"{each}["))),
        key=len,
        default=None,
    )
    if name is None:
        there = ", ".join(known) or "none"
        called = re.split(r"[.\[]", field)[0]
        raise CompileError(f"{label}: title names {called!r}, but the names there are: {there}")
    steps: list[str | int] = []
    at = len(name)
    while at < len(field):
        match = _STEP.match(field, at)
        if match is None:
            raise CompileError(
                f"{label}: title has {{{field}}}; a name may be followed by .field and [key] only, so let a task compute or format it"
            )
        step = match["field"] or match["key"].strip("'\"")
        steps.append(int(step) if match["key"] and _POSITION.fullmatch(match["key"]) else step)
        at = match.end()
    return name, steps


def _part(value: object, step: str | int, where: str, done: list[str | int]) -> object:
    """Return a part of a promise, or of a value that is known already, as in a @dynamic."""
    if isinstance(value, Promise):
        try:
            return value[step]
        except CompileError as error:
            raise CompileError(f"{where}: {error.message}") from None
    try:
        if isinstance(value, Mapping) or (
            isinstance(step, int) and isinstance(value, list | tuple)
        ):
            found: Any = value
            return found[step]
        return getattr(value, str(step))
    except (LookupError, AttributeError, TypeError):
        so_far = "".join(f"[{each!r}]" for each in done)
        raise CompileError(
            f"{where}: there is no {step!r} in {type(value).__name__}{so_far}"
        ) from None


def _check_scalar(expr: Expr, schema: Schema, what: str, remedy: str) -> None:
    allowed = kinds(schema)
    if not allowed and isinstance(expr, Const) and isinstance(expr.value, dict | list):
        allowed = {"array" if isinstance(expr.value, list) else "object"}
    if allowed and allowed <= {"object", "array"} and KIND not in schema:
        record = "a list" if allowed == {"array"} else "a record"
        raise CompileError(f"{what} is {record}, which no list can show; {remedy}")
