"""
What a list shows of a waiting node: its kind, and for a gate the values beside the question, in full if they are small, else in part.

A list never reads history, so this is made once, when the node starts to wait, and kept as a row. Texts that are the same for
every execution (the prompt, the type) stay in the graph; only a gate that is in no registered graph, because a dynamic task
returned it, carries its own.
"""

from collections.abc import Callable, Mapping

from msgspec import UNSET, Struct, UnsetType, json, structs

from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.plan import Plan, Planned
from tidegate.core.state import ExecutionState
from tidegate.core.titles import figures_of, first_figures, title_of
from tidegate.ir.expr import Const, Expr, Value
from tidegate.ir.graph import ApproveNode, InputNode, Node, Question, SleepNode

SLEEP, INPUT, APPROVE, RETRY = "sleep", "input", "approve", "retry"

ANSWERABLE = (INPUT, APPROVE)
"""The kinds of waits that need an answer."""

ROOM = 1_536
"""
Bytes of JSON for all values beside a question together. With some 800 bytes of names, texts and types (measured: 440 to 510 with
short ones), a page of 100 questions stays below a quarter of a megabyte.
"""

MAX_PARTS = 32
"""Most values beside a question that a list shows anything of; a form with more is read by opening it."""


LINE = 200
"""
Characters of the prompt's first line that are searched. A trigram costs the index 0.3 µs, and some hundred rows are entered in one commit.
"""


class Preview(Struct, frozen=True, array_like=True, gc=False):
    """The beginning of a value that is too large for a list: for a text the text itself, else its JSON. `size` is the full JSON in bytes."""

    text: str
    size: int


class Shown(Struct, frozen=True, omit_defaults=True, gc=False):
    """
    What a list shows of a gate beyond its name. `title` is empty if its author gave none.

    `value` is the subject of an approval. What is too large is in `preview`, under `value`, `suggested`, or `show.` and its name.
    `gate` holds the texts of a gate that is in no registered graph; its expressions are left out.
    """

    title: str = ""
    figures: tuple[tuple[str, Value], ...] = ()
    value: Value | UnsetType = UNSET
    suggested: Value | UnsetType = UNSET
    show: dict[str, Value] = {}
    preview: dict[str, Preview] = {}
    gate: InputNode | ApproveNode | None = None


NOTHING = Shown()

_encode = json.Encoder().encode


def wait_kind(node: Node) -> str:
    """Return the kind of a wait: that of the gate, or `retry` for a task that pauses before a retry."""
    match node:
        case InputNode():
            return INPUT
        case SleepNode():
            return SLEEP
        case ApproveNode():
            return APPROVE
        case _:
            return RETRY


def first_line(node: Node) -> str:
    """Return the beginning of a gate's prompt, which is what a list shows of it."""
    if not isinstance(node, InputNode | ApproveNode):
        return ""
    return node.question.prompt.lstrip().partition("\n")[0][:LINE]


def shown(
    plan: Plan, state: Draft | ExecutionState, planned: Planned, *, registered: bool
) -> Shown:
    """Return what a list shows of a waiting node. `registered`: it belongs to the workflow's own graph."""
    node = planned.node
    if not isinstance(node, InputNode | ApproveNode):
        return NOTHING
    question = node.question
    exprs: dict[str, Expr] = {}
    if isinstance(node, ApproveNode):
        exprs["value"] = node.subject
    if question.suggested is not None:
        exprs["suggested"] = question.suggested
    for name, expr in question.show.items():
        exprs[f"show.{name}"] = expr
    title = title_of(plan, state, planned)
    if not exprs and not title and question.figures is UNSET:
        return NOTHING if registered else Shown(gate=_texts(node))
    values = {}
    for part, expr in exprs.items():
        try:
            values[part] = evaluate(plan, state, planned.scope, expr)
        except NoValue:
            continue
    whole, preview = fitted(values)
    return Shown(
        title=title,
        figures=first_figures(values)
        if question.figures is UNSET
        else figures_of(plan, state, planned),
        value=whole.pop("value", UNSET),
        suggested=whole.pop("suggested", UNSET),
        show={part.removeprefix("show."): value for part, value in whole.items()},
        preview=preview,
        gate=None if registered else _texts(node),
    )


def fitted(
    values: Mapping[str, Value], encoded: Callable[[Value], bytes] = _encode
) -> tuple[dict[str, Value], dict[str, Preview]]:
    """Divide `ROOM` among values: the smallest are kept whole as long as they fit, and the beginnings of the others. `encoded` writes JSON."""
    texts = {part: encoded(value) for part, value in values.items()}
    room = ROOM
    whole: set[str] = set()
    for part, text in sorted(texts.items(), key=lambda each: len(each[1])):
        if len(text) > room:
            break
        room -= len(text)
        whole.add(part)
    cut = [part for part in texts if part not in whole][:MAX_PARTS]
    each = room // max(1, len(cut))
    preview = {
        part: Preview(_beginning(values[part], texts[part], each), len(texts[part])) for part in cut
    }
    return {part: value for part, value in values.items() if part in whole}, preview


def _beginning(value: Value, text: bytes, most: int) -> str:
    """Return as much of a value as fits into this many bytes of JSON text: quotes and line ends take two there."""
    raw = value[:most].encode() if isinstance(value, str) else text
    begin = raw[:most].decode(errors="ignore")
    while (size := len(_encode(begin)) - 2) > most:
        begin = begin[: len(begin) * most // size]
    return begin


def _texts(gate: InputNode | ApproveNode) -> InputNode | ApproveNode:
    """Return a gate without its expressions, whose values are shown instead."""
    bare = structs.replace(gate, after=(), case=None, question=Question(gate.question.prompt))
    return structs.replace(bare, subject=Const(None)) if isinstance(bare, ApproveNode) else bare
