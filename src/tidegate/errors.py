"""
Every error that a caller of Tidegate can put right, as one tree.

Each class has a stable `code`, which is the same in Python, in the terminal and over HTTP, and the HTTP `status` that goes with it.
A message names the thing, says what is wrong, and what to do. Our own bugs are `AssertionError`s and are not listed here.

    TidegateError
    ├── AuthoringError          the workflow cannot be compiled
    │   ├── CompileError        ... its graph is wrong: a cycle, a missing input, two gates of one name
    │   ├── UnsupportedType     ... a type of it cannot be stored
    │   └── CodeError           ... the user's file cannot be read, imported, or does not hold what was asked for
    ├── InvalidValue            a value does not fit its declared type; `faults` say where and why
    │   └── TooComplex          ... or takes too many steps to check
    ├── UnknownThing            there is no such execution, workflow, signal, blob or token
    ├── Refused                 the thing exists, and its state forbids what was asked
    ├── Unauthenticated, Forbidden, WrongHost, RateLimited      who asks, or from where, or how often, forbids it
    ├── BadRequest              a request over HTTP cannot be read, or asks for what no route does
    ├── QuotaReached            a project has all that it may have
    ├── StoreError              the store cannot be opened, read or written
    └── ExecutionFailed         a plain call ended in another way than SUCCEEDED
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One thing that is wrong with a value: where, as a path of keys and positions, and why."""

    path: tuple[str | int, ...]
    reason: str

    def __str__(self) -> str:
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path).lstrip(".")
        return f"{where}: {self.reason}" if where else self.reason


class TidegateError(Exception):
    """Base of everything that Tidegate raises on purpose."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 400

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details: Mapping[str, Any] = details


class AuthoringError(TidegateError):
    """The workflow cannot be compiled."""

    code = "authoring"
    status = 422

    def locate(self, where: str) -> None:
        """Say in the message where in the author's file it arose, as `flow.py:3`."""
        self.details = {**self.details, "where": where}
        if where:
            self.message = f"{self.message} ({where})"
            self.args = (self.message,)


class CompileError(AuthoringError):
    """The graph is wrong: an unknown or missing input, a cycle, two gates of one name, types that cannot flow."""

    code = "compile"


class UnsupportedType(AuthoringError):
    """A value of this type cannot be stored; the message says what to use instead."""

    code = "unsupported_type"


class CodeError(AuthoringError):
    """The user's source cannot be read, packed or imported, or does not hold the workflow asked for."""

    code = "code"


class InvalidValue(TidegateError):
    """A value does not fit its declared type."""

    code = "invalid_value"
    status = 422

    def __init__(self, message: str, faults: Sequence[Fault] = (), **details: Any) -> None:
        super().__init__(message, faults=tuple(faults), **details)
        self.faults = tuple(faults)


class TooComplex(InvalidValue):
    """A value takes more steps to check against its type than there may be."""

    code = "too_complex"


class UnknownThing(TidegateError):
    """There is no such thing."""

    code = "unknown"
    status = 404


class UnknownExecution(UnknownThing):
    """No execution has this id."""

    code = "unknown_execution"


class UnknownWorkflow(UnknownThing):
    """No workflow has this name, or not in this version."""

    code = "unknown_workflow"


class UnknownNode(UnknownThing):
    """The execution has no node with this id."""

    code = "unknown_node"


class UnknownSignal(UnknownThing):
    """The execution has no signal of this name; `signals` lists those it has."""

    code = "unknown_signal"


class UnknownBlob(UnknownThing):
    """No blob with this digest is stored."""

    code = "unknown_blob"


class UnknownBundle(UnknownThing):
    """No bundle with this digest is stored."""

    code = "unknown_bundle"


class UnknownDeck(UnknownThing):
    """No attempt of the node has made a deck."""

    code = "unknown_deck"


class UnknownToken(UnknownThing):
    """There is no such token."""

    code = "unknown_token"


class UnknownSession(UnknownThing):
    """Whoever asks has no such session."""

    code = "unknown_session"


class Refused(TidegateError):
    """The thing exists, and its state forbids what was asked; nothing has changed."""

    code = "refused"
    status = 409


class AmbiguousSignal(Refused):
    """Several signals have this name; `paths` lists them."""

    code = "ambiguous_signal"


class NotWaitingYet(Refused):
    """What should be approved does not exist yet."""

    code = "not_waiting_yet"


class Changed(Refused):
    """What was shown is not what would be answered; `changed` names the parts that differ."""

    code = "changed"


class AlreadyAnswered(Refused):
    """Another answer was accepted before, or the same one of somebody else; `who` says whose."""

    code = "already_answered"


class TimedOut(Refused):
    """The timeout of the gate fired before the answer came."""

    code = "timed_out"


class Withdrawn(Refused):
    """The gate was withdrawn: the branch that needed its answer was not taken, or what holds it has ended."""

    code = "withdrawn"


class ExecutionEnded(Refused):
    """The execution has ended."""

    code = "execution_ended"


class NotRecoverable(Refused):
    """The execution has not ended, or has succeeded: there is nothing to recover."""

    code = "not_recoverable"


class RecoveredAlready(Refused):
    """The execution has gone on in another one, its successor; `execution` says which. One that has failed is itself recovered."""

    code = "recovered_already"


class KeyReused(Refused):
    """You have used this idempotency key for another answer in this execution."""

    code = "key_reused"
    status = 422


class IdTaken(Refused):
    """An execution with this id exists and was launched with something else."""

    code = "id_taken"


class NameTaken(Refused):
    """A token of this name is in use."""

    code = "name_taken"


class Unauthenticated(TidegateError):
    """Nobody is known by this token, or none was given; an unknown, an expired and a revoked one are told alike."""

    code = "unauthenticated"
    status = 401


class Forbidden(TidegateError):
    """Whoever asks may not do this, or not from there."""

    code = "forbidden"
    status = 403


class WrongHost(TidegateError):
    """The server was called by a name that is not its own."""

    code = "wrong_host"
    status = 421


class RateLimited(TidegateError):
    """Too many wrong tokens from one address; nothing has changed, try again after `retry_after` seconds."""

    code = "rate_limited"
    status = 429


class BadRequest(TidegateError):
    """A request over HTTP that cannot be read."""

    code = "bad_request"


class Unreadable(BadRequest):
    """The body is not JSON, or not of the strict kind: a key twice, a number beyond 64 bits, nested too deep."""

    code = "unreadable"


class UnknownRoute(BadRequest):
    """Nothing is at this path."""

    code = "unknown_route"
    status = 404


class WrongMethod(BadRequest):
    """What is at this path cannot be asked in this way; `allow` lists the methods."""

    code = "wrong_method"
    status = 405


class TooLarge(BadRequest):
    """The body is larger than what is accepted here."""

    code = "too_large"
    status = 413


class TooSlow(BadRequest):
    """The request did not come, or not whole, in the time that it has; nothing of it was done."""

    code = "too_slow"
    status = 408


class HeadTooLarge(BadRequest):
    """The line and the headers of the request are larger than what is accepted."""

    code = "head_too_large"
    status = 431


class WrongMediaType(BadRequest):
    """The body is of another media type than what is accepted here."""

    code = "wrong_media_type"
    status = 415


class Overloaded(TidegateError):
    """More is asked than can be accepted now; nothing has changed, try again after `retry_after` seconds."""

    code = "overloaded"
    status = 503


class StoreError(TidegateError):
    """The store cannot be opened, read or written."""

    code = "store"
    status = 503


class EngineFailed(StoreError):
    """The engine has ended by a bug of its own, and its process ends. Start it again; what was acknowledged is stored."""

    code = "engine_failed"


class StoreLocked(StoreError):
    """Another process runs the engine of this store."""

    code = "store_locked"


class StoreTooNew(StoreError):
    """The store was written by a newer Tidegate."""

    code = "store_too_new"


class StoreDamaged(StoreError):
    """The file is not a Tidegate store, or its contents break an invariant."""

    code = "store_damaged"


class StoreHeld(StoreError):
    """The store was restored from a backup, and nobody has said yet that it may act."""

    code = "store_held"


class TaskHeld(StoreError):
    """All that is left of an execution is held: its code cannot be imported here, or imports something else than at the launch. It goes on when that is gone."""

    code = "held"


class BackupDamaged(StoreError):
    """A backup is not whole, or is not what was copied."""

    code = "backup_damaged"


class StoreFull(StoreError):
    """The disk has no room left; what was acknowledged is safe, what was asked for now is not stored."""

    code = "store_full"
    status = 507


class QuotaReached(TidegateError):
    """A project has all that it may have of something; `quota` names it. What is there goes on."""

    code = "quota_reached"
    status = 507


class ExecutionFailed(TidegateError):
    """An execution that was waited for ended in another way than SUCCEEDED; `failure` says which node and why."""

    code = "execution_failed"
    status = 500


class NoAnswer(TidegateError):
    """A gate waits and nobody is left to ask: standard input has ended."""

    code = "no_answer"
