"""
Constraints that several requests share: how long a text may be, what an id, a key, a cursor and an instant look like.

Each says in words, under `SAYS`, what a value must be.
"""

from typing import Annotated, Any, get_args

from msgspec import Meta

SAYS = "says"
"""The key under which a constraint keeps its message for people; msgspec's own messages name Python types and regular expressions."""

# 255: the longest file name on common file systems. 10,000: three pages of comment, and the path of a signal in the deepest nesting.
Short = Annotated[str, Meta(max_length=255, extra={SAYS: "must have at most 255 characters"})]
Long = Annotated[str, Meta(max_length=10_000, extra={SAYS: "must have at most 10,000 characters"})]
Name = Annotated[
    str, Meta(min_length=1, max_length=1000, extra={SAYS: "must have 1 to 1,000 characters"})
]
"""The dotted name of a workflow or of a module."""
MAX_ID = 64
"""Characters of an execution's id."""

NewId = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z",
        extra={
            SAYS: "is invalid; use 1 to 64 letters, digits, '.', '_' and '-', starting with a letter or a digit"
        },
    ),
]
"""The id of a new execution: it is used in paths, URLs and file names. If it is empty, one is generated."""
Label = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{0,64}\Z",
        extra={SAYS: "is invalid; use at most 64 letters, digits, '.', '_' and '-'"},
    ),
]
"""A project or a domain: what the grant of a token can name."""
Key = Annotated[
    str,
    Meta(
        max_length=255,
        pattern=r"^[ -~]*\Z",
        description="A repeated answer by the same person with the same key gets the same reply.",
        extra={SAYS: "must have at most 255 characters, all of them printable ASCII"},
    ),
]
"""An idempotency key: it travels in a header."""
ShownDigest = Annotated[
    str,
    Meta(
        pattern=r"^([0-9]{1,6}:[0-9a-f]{2,256})?\Z",
        description="The digest of the question as it was shown; the answer is refused if it has changed. Empty: the question was not shown.",
        extra={SAYS: "must be the digest of a question: its form, ':' and hexadecimal digits"},
    ),
]
Digest = Annotated[
    str,
    Meta(
        pattern=r"^[0-9a-f]{64}\Z",
        extra={SAYS: "must be a SHA-256 in hexadecimal: 64 digits and letters a to f"},
    ),
]
OneDigest = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{64})?\Z",
        extra={SAYS: "must be a SHA-256 in hexadecimal: 64 digits and letters a to f"},
    ),
]
Version = Annotated[
    str,
    Meta(
        max_length=255,
        description="The version of the workflow's code; empty: the one that the execution has.",
        extra={SAYS: "must have at most 255 characters"},
    ),
]
Terminal = Annotated[
    Short, Meta(description="The secret of the terminal that imports it, on this machine.")
]
Rerun = Annotated[
    list[Long],
    Meta(
        max_length=1000,
        description="Nodes of which nothing is kept, by id, or by name.",
        extra={SAYS: "must name at most 1,000 nodes"},
    ),
]
KeepApprovals = Annotated[
    bool, Meta(description="Keep approvals under other code; for who may answer.")
]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d))?\Z",
        extra={SAYS: "must be an instant with its offset from UTC, such as 2026-01-31T12:00:00Z"},
        extra_json_schema={"format": "date-time"},
    ),
]
"""An instant with its offset from UTC. (Declared as a `datetime`, a bare number would be accepted, too.)"""
Seconds = Annotated[
    float,
    Meta(
        ge=0,
        le=3600,
        description="The longest time to wait, in seconds.",
        extra={SAYS: "must be between 0 and 3,600 seconds"},
    ),
]
Seen = Annotated[
    int,
    Meta(
        ge=0,
        le=2**53,
        description="Return only the nodes that are shown differently since this line of the history (`seq`).",
    ),
]
MOST_QUESTIONS = 1_000_000
"""More open gates than an execution has: its graphs have 10,000 nodes each, and unfold within one another."""
Questions = Annotated[
    int,
    Meta(
        ge=0,
        le=MOST_QUESTIONS,
        description="Return at most this many of its open gates in full, as they stand in the source. The nodes tell how many there are.",
    ),
]
Cursor = Annotated[
    str, Meta(max_length=400, description="The `next` of the previous page; empty for the first.")
]
Limit = Annotated[
    int,
    Meta(
        ge=1,
        le=1000,
        description="The most items that a page may have.",
        extra={SAYS: "must be between 1 and 1,000"},
    ),
]


def longest(constraint: Any) -> int:
    """Return how many characters a text with this constraint may have."""
    found: int = get_args(constraint)[1].max_length
    return found
