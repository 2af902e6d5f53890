"""
What is kept of the gates of a loop's earlier rounds: enough to reply to a late or repeated answer as the gate itself would.

An execution may go through thousands of rounds. So only a digest of an answer is kept, which distinguishes the same answer from a different one.
"""

import hashlib
from sys import intern

import msgspec
from msgspec import Struct

from tidegate.core.messages import Accepted, AnswerRecord, Denied, Reply
from tidegate.ir.expr import Value
from tidegate.ir.graph import Instant

DIGEST = 16
"""Bytes of a digest. Collisions by chance are out of the question, and nobody gains by constructing one."""

STORABLE = range(-(2**63), 2**64)
"""The integers that MessagePack can encode."""

_encoder = msgspec.msgpack.Encoder(order="sorted")


class PastGate(Struct, frozen=True, gc=False):
    """A gate of an earlier round: its name and how it ended. `digest` is empty if it has no answer; `code` is that of the refusal of a late one."""

    name: str
    code: str
    at: Instant | None
    who: str = ""
    early: bool = False
    digest: bytes = b""

    def has_answer(self, value: Value) -> bool:
        """Return whether this is the value of its answer."""
        return bool(self.digest) and self.digest == digest_of(value)

    def reply(self, value: Value, who: str) -> Reply:
        """Return the reply to an answer given now."""
        if self.at is not None and self.who == who and self.has_answer(value):
            return Accepted(self.at, self.who, self.early)
        return Denied(self.code, self.at, self.who)


def past_gate(name: str, answer: AnswerRecord | None, ended: Instant | None) -> PastGate:
    """Return what is kept of a gate that has ended or was never reached."""
    name = intern(name)  # there are few names and people, and many rounds
    if answer is None:
        return PastGate(name, "withdrawn", ended)
    if answer.by_timeout:
        return PastGate(name, "timed_out", ended)
    digest = digest_of(answer.value)
    return PastGate(name, "already_answered", answer.at, intern(answer.who), answer.early, digest)


def digest_of(value: Value) -> bytes:
    """Return the same bytes for values that are equal in the sense of JSON (`evaluate.same`)."""
    return hashlib.blake2b(_encoder.encode(_plain(value)), digest_size=DIGEST).digest()


def _plain(value: Value) -> Value:
    match value:
        case float() if value.is_integer():
            return _plain(int(value))
        case int() if value not in STORABLE:
            return str(value).encode()  # values never contain bytes
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case _:
            return value
