"""Views of questions: what waits, what it shows, what was answered. Instants are aware UTC `datetime`s, values are plain JSON."""

from datetime import datetime

from msgspec import UNSET, Struct, UnsetType

from tidegate.ir.expr import Schema, Value

ANSWERABLE = ("input", "approve")
"""The kinds of waits that need an answer."""


class AnswerView(Struct, frozen=True, kw_only=True, gc=False):
    """
    A decision: what, who, when, through what, with what comment. `early`: given before the gate opened.

    `credential` is how the caller was authenticated: `token:ID`, `session:ID` of a browser, or `user:NUMBER` of the operating system. It is empty if none
    was recorded.
    `shown` is the digest of the question as it was shown, or `no`.
    """

    value: Value
    who: str
    via: str
    at: datetime
    comment: str = ""
    early: bool = False
    by_timeout: bool = False
    credential: str = ""
    shown: str = "no"
    kept: str = ""
    """The execution in which it was given, if this execution recovers that one and kept the answer."""
    kept_by: str = ""
    """Who chose to keep it under other code; empty if nobody had to."""


class PreviewView(Struct, frozen=True, kw_only=True, gc=False):
    """The beginning of a value that is too large for a list: for a text the text itself, else its JSON. `size` is the full JSON in bytes."""

    text: str
    size: int


class BlobView(Struct, frozen=True, kw_only=True, gc=False):
    """What the server knows of a blob, independent of what a value claims: its size in bytes, and its media type as detected from its first bytes."""

    digest: str
    size: int
    media: str


class NextNode(Struct, frozen=True, kw_only=True, gc=False):
    """A node that begins after a decision."""

    node: str
    name: str
    kind: str


class LeadView(Struct, frozen=True, kw_only=True):
    """
    What a decision leads to. `decision` is approve, reject, answer or timeout; `next` are the nodes that begin.

    `ends` is `fails` or `succeeds` if the execution ends by it, `continues` if other nodes are still under way, and empty if something
    begins. `text` says it in a sentence, as of now: "`deploy` runs next".
    """

    decision: str
    next: list[NextNode]
    ends: str
    text: str


class BeforeView(Struct, frozen=True, kw_only=True, gc=False):
    """A node that a question comes after: whether it has a report, and how many bytes of JSON it gave that the question does not show itself."""

    node: str
    name: str
    deck: bool
    size: int


class BackgroundView(Struct, frozen=True, kw_only=True, gc=False):
    """What else there is to look at before a decision: the nodes before, the nearest first, and how many inputs the execution has."""

    before: list[BeforeView]
    inputs: int


class WaitingView(Struct, frozen=True, kw_only=True, gc=False):
    """
    One thing an execution waits for.

    `kind` is input, approve, sleep or retry. `value` is the value under approval; it, like `suggested`, is absent when there is none (null is a value).
    `schema` is what the answer must be, `expects` the same in words. `path` addresses the signal when its name is not unique; `node` is the id of its node.
    `handle` identifies this question permanently, `digest` is that of what it shows: an answer that carries it is refused if that has changed. Both are empty for waits that need no answer.

    In a list, values that are too large are in `preview` instead, under `value`, `suggested`, or `show.` and their name;
    the full question is at `executions/{id}/signals/{path}`.
    """

    execution: str
    workflow: str
    name: str
    path: str
    kind: str
    opened: datetime
    due: datetime | None = None
    node: str = ""
    title: str = ""
    """What to show in a list: the title that the author gave, else the name."""
    figures: dict[str, Value] = {}
    """Key figures, by name, in order: those that the author named, else the first two scalar fields of what is approved or shown."""
    may: bool = False
    """Whether the caller may answer."""
    who_may: str = ""
    """Who may, in a sentence, if the caller may not."""
    launched_by: str = ""
    """Who launched the execution."""
    leads: list[LeadView] = []
    """What each decision leads to. Only set when a single question is requested that waits."""
    background: BackgroundView | None = None
    """What else there is to look at; the values are those of the execution. Only set when a single question is requested."""
    phase: str = "WAITING"
    """The phase of its node: WAITING, or, when a single question is requested that was decided, how that ended."""
    ended: datetime | None = None
    """When it was decided, or ended without an answer."""
    answer: AnswerView | None = None
    """The decision; with a question that was decided, which shows what was asked and shown then."""
    schema: Schema = {}
    expects: str = ""
    prompt: str = ""
    show: dict[str, Value] = {}
    value: Value | UnsetType = UNSET
    value_schema: Schema = {}
    suggested: Value | UnsetType = UNSET
    on_timeout: Value | UnsetType = UNSET
    preview: dict[str, PreviewView] = {}
    files: dict[str, BlobView] = {}
    """What the server knows of the blobs in the values, by digest. Only set when a single question or execution is requested."""
    handle: str = ""
    form: int = 0
    """The form of the digest."""
    digest: str = ""
    damaged: str = ""
    """What is damaged in it or in its execution, and what to do; empty if no damage is known."""


class SignalView(Struct, frozen=True, kw_only=True):
    """One signal of an execution, open or not. `phase` is that of its node; `answer` is present once it is answered, early or not."""

    name: str
    path: str
    kind: str
    phase: str
    schema: Schema
    expects: str
    handle: str = ""
    """Identifies this signal permanently."""
    due: datetime | None = None
    answer: AnswerView | None = None


class AnswerReply(Struct, frozen=True, kw_only=True):
    """An accepted answer. A repeated one gets the same reply, without a time limit."""

    execution: str
    signal: str
    at: datetime
    who: str
    early: bool = False


class InboxPage(Struct, frozen=True, kw_only=True):
    """A page of what waits, earliest due first; `next` works like that of a page of executions."""

    items: list[WaitingView]
    next: str = ""


class Tally(Struct, frozen=True, kw_only=True):
    """How many questions there are with this workflow or project, and how many of them the caller may answer."""

    name: str
    count: int
    yours: int


class InboxSummary(Struct, frozen=True, kw_only=True):
    """
    How many questions wait: those that the caller may answer, and all that they may see. `soonest_due` is when the first of `yours` is due.

    Each workflow in a project is counted up to `most`; with `bounded`, at least one has more, and the sums are lower bounds.
    """

    yours: int
    all: int
    workflows: list[Tally]
    projects: list[Tally]
    soonest_due: datetime | None
    bounded: bool
    most: int


class FaultDocument(Struct, frozen=True):
    """One thing that is wrong with a value: where, as a path of keys and positions, and why."""

    path: list[str | int]
    reason: str


class CheckView(Struct, frozen=True, kw_only=True):
    """Whether a value would be accepted, and if not, what is wrong with it. Nothing is stored."""

    valid: bool
    faults: list[FaultDocument] = []


class SignalList(Struct, frozen=True, kw_only=True):
    """The signals of an execution."""

    items: list[SignalView]
