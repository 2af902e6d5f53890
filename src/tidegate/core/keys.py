"""
The idempotency keys of tasks: one for all attempts of a node, and for those of the same node in an execution that recovers this one.

A node keeps its origin's key if its name, signature and inputs are those of the origin's node, so that external systems recognize both
requests as one. Otherwise it is something else, and has a key of its own.

Rule 1: a key has at most 128 characters of `[a-z0-9-]`, so that it can be a file name, a header or a column.
Rule 2: only the digest distinguishes keys; the text before it is for people.
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from msgspec import Struct, json

from tidegate.ir.expr import NodeId, Value
from tidegate.ir.graph import TaskNode

FORM: Final = 1
"""The form of keys. 0 is the original one: the execution, `/` and the node; executions with such keys keep them."""

PART: Final = 40
"""Characters of the execution's id, and of the node's, in a key: with 32 digits of a digest, 114 at most."""

SIZE: Final = 16

_encode = json.Encoder(order="sorted").encode
_others = re.compile(r"[^a-z0-9]+")


class KeptKey(Struct, frozen=True, array_like=True, gc=False):
    """The key that a node had in the recovered execution, and the digest of what it stood for."""

    key: str
    meant: bytes


def own_key(execution: str, node: NodeId, form: int = FORM) -> str:
    """Return the key that a node has of its own."""
    whole = f"{execution}/{node}"
    if form == 0:
        return whole
    digest = blake2b(whole.encode(), digest_size=SIZE).hexdigest()
    return f"{_words(execution)[:PART]}-{_words(node)[-PART:]}-{digest}"


def _words(text: str) -> str:
    return _others.sub("-", text.lower())


def meaning(task: TaskNode, inputs: dict[str, Value]) -> bytes:
    """Return the digest of a task's name, signature and inputs."""
    parts = [task.name, str(task.target), task.dynamic, task.outputs, inputs]
    return blake2b(_encode(parts), digest_size=SIZE).digest()


def kept_key(
    kept: Mapping[NodeId, KeptKey], node: NodeId, task: TaskNode, inputs: dict[str, Value]
) -> str:
    """Return the key that a node inherits from its origin, or nothing."""
    known = kept.get(node)
    return known.key if known is not None and known.meant == meaning(task, inputs) else ""
