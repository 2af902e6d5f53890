"""
The digest of a question: of everything that a person was shown and decides about, so that an answer can say what it answers.

It is written as the number of its form, `:` and hexadecimal digits: 32 bytes over all parts together, for which no collision can be constructed,
and a byte per part, by which a refusal says what differs. It does not cover due dates and people. An addition to a question
(another part, another encoding) makes another form; one more part at the end changes nothing of the others.
"""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from msgspec import UNSET, json

from tidegate.core.addresses import handle_of
from tidegate.core.draft import Draft
from tidegate.core.evaluate import NoValue, evaluate
from tidegate.core.plan import Plan, Planned
from tidegate.core.state import ExecutionState
from tidegate.core.titles import figures_of, title_of
from tidegate.ir.expr import Expr, NodeId, Value
from tidegate.ir.graph import ApproveNode, InputNode

FORM: Final = 1
"""The number of the form in which digests are made."""

PARTS: Final = (
    "handle",
    "kind",
    "schema",
    "prompt",
    "title",
    "figures",
    "suggestion",
    "subject",
    "shown values",
    "decks",
)
"""What a digest of this form covers, in order. Figures that the author did not name are part of the subject or of a shown value."""

BEFORE: Final = 3
"""How many steps before a question the page shows the decks of a node."""

SIZE: Final = 32

_encode = json.Encoder(order="sorted").encode


def digest_of(plan: Plan, state: Draft | ExecutionState, planned: Planned) -> bytes:
    """Return the digest of a gate's question. A value that does not exist yet is left out."""
    gate = planned.node
    assert isinstance(gate, InputNode | ApproveNode)
    question = gate.question
    decks = _decks(plan, state, planned)
    subject = gate.subject if isinstance(gate, ApproveNode) else None
    listed = question.title is not UNSET or question.figures is not UNSET
    if (
        decks is NOTHING
        and subject is question.suggested is None
        and not question.show
        and not listed
    ):
        return _still(_Same(planned))

    def part(exprs: Mapping[str, Expr]) -> bytes:
        return _hash(_encode(list(_values(plan, state, planned, exprs)))) if exprs else NOTHING

    parts = (
        _texts(_Same(planned)),
        _listed(plan, state, planned) if listed else UNLISTED,
        part({} if question.suggested is None else {"suggested": question.suggested}),
        part({} if subject is None else {"value": subject}),
        part(question.show),
        decks,
    )
    return _joined(b"".join(parts))


def _values(
    plan: Plan, state: Draft | ExecutionState, planned: Planned, exprs: Mapping[str, Expr]
) -> Iterator[tuple[str, Value]]:
    for name, expr in exprs.items():
        try:
            yield name, evaluate(plan, state, planned.scope, expr)
        except NoValue:
            continue


def _joined(parts: bytes) -> bytes:
    return _hash(parts) + parts[::SIZE]


def _decks(plan: Plan, state: Draft | ExecutionState, planned: Planned) -> bytes:
    """Return the part for the decks of the nodes before a question: for each, those of its last attempt that made any."""
    layers = [state.decks, state.base.decks] if isinstance(state, Draft) else [state.decks]
    if not any(layers):
        return NOTHING
    known = ChainMap(*layers)
    found: dict[NodeId, str] = {}
    edge = dict.fromkeys(planned.needs)
    for _ in range(BEFORE):
        found |= {node: known[node][max(known[node])] for node in edge if node in known}
        edge = dict.fromkeys(up for node in edge for up in plan.nodes[node].needs)
    return _hash(_encode(found)) if found else NOTHING


class _Same:
    """A planned gate as a key: the same object, not an equal one, because a graph may contain unhashable values."""

    __slots__ = ("planned",)

    def __init__(self, planned: Planned) -> None:
        self.planned = planned

    def __hash__(self) -> int:
        return id(self.planned)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.planned is self.planned


@lru_cache(256)
def _texts(same: _Same) -> bytes:
    """Return the parts that are the same in every execution: these take the time, and most executions of a workflow share a plan."""
    gate = same.planned.node
    assert isinstance(gate, InputNode | ApproveNode)
    kind = "approve" if isinstance(gate, ApproveNode) else "input"
    texts = (kind.encode(), _encode(gate.schema), gate.question.prompt.encode())
    return b"".join(_hash(each) for each in (handle_of(same.planned.id).encode(), *texts))


@lru_cache(256)
def _still(same: _Same) -> bytes:
    """Return the digest of a question that shows no values."""
    return _joined(_texts(same) + UNLISTED + 4 * NOTHING)


def _listed(plan: Plan, state: Draft | ExecutionState, planned: Planned) -> bytes:
    """Return the parts for the title and the figures that the author named."""
    title, figures = title_of(plan, state, planned), figures_of(plan, state, planned)
    return _hash(_encode(title)) + _hash(_encode(figures))


def _hash(body: bytes) -> bytes:
    return blake2b(body, digest_size=SIZE).digest()


NOTHING: Final = _hash(b"[]")
UNLISTED: Final = _hash(b'""') + NOTHING
"""The parts of a question without title and figures."""


def written(digest: bytes, form: int = FORM) -> str:
    """Return a digest as text."""
    return f"{form}:{digest.hex()}"


def differences(shown: str, digest: bytes) -> tuple[str, ...]:
    """Return which parts of a question differ from the digest of what was shown, or `form` if it cannot be compared; empty if it is the same."""
    if shown == written(digest):
        return ()
    form, _, digits = shown.partition(":")
    if form != str(FORM) or len(digits) != 2 * len(digest):
        return ("form",)
    try:
        parts = bytes.fromhex(digits)[SIZE:]
    except ValueError:
        return ("form",)
    found = tuple(name for name, a, b in zip(PARTS, parts, digest[SIZE:], strict=True) if a != b)
    return found or ("question",)
