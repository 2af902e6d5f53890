"""
Every error that a caller of Tidegate can act on, as one tree.

Each class has a stable `code`, the same in Python, in the terminal and over HTTP, and the HTTP `status` that goes with it.
A message names the thing, says what is wrong, and what to do. Internal errors are `AssertionError`s and are not listed here.

    TidegateError
    ├── AuthoringError          the workflow cannot be compiled
    │   ├── CompileError        ... its graph is wrong: a cycle, a missing input, two gates with the same name
    │   ├── UnsupportedType     ... it uses a type that cannot be stored
    │   └── CodeError           ... the file cannot be read or imported, or does not contain what was asked for
    ├── InvalidValue            a value does not match its declared type (`faults`); `TooComplex`: or takes too many steps to check
    ├── UnknownThing            no such execution, workflow, signal, blob or token
    ├── Refused                 the thing exists, but its state does not allow the request
    ├── Unauthenticated, Forbidden, WrongHost, RateLimited      the caller, its address or its request rate does not allow it
    ├── BadRequest              an HTTP request cannot be parsed, or matches no route
    ├── QuotaReached            a project has used up its quota
    ├── NotATable, TableTooLarge, TablesMissing                 rows of the value cannot be read
    ├── StoreError              the store cannot be opened, read or written
    └── ExecutionFailed         a plain call ended in a phase other than SUCCEEDED
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import Struct


class Fault(Struct, frozen=True):
    """One thing that is wrong with a value: where (a path of keys and positions; keys as Python writes them, in one line) and why."""

    path: tuple[str | int, ...]
    reason: str

    def __str__(self) -> str:
        steps = (f"[{p}]" if isinstance(p, int) else f".{repr(p)[1:-1]}" for p in self.path)
        return f"{''.join(steps).lstrip('.')}: {self.reason}".removeprefix(": ")


class TidegateError(Exception):
    """Base class of every error that Tidegate raises deliberately."""

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
        """Append where in the author's file the error arose, as `flow.py:3`."""
        self.details = {**self.details, "where": where}
        if where:
            self.message = f"{self.message} ({where})"
            self.args = (self.message,)


class CompileError(AuthoringError):
    """The graph is wrong: an unknown or missing input, a cycle, two gates with the same name, or incompatible types."""

    code = "compile"


class UnsupportedType(AuthoringError):
    """Values of this type cannot be stored; the message says which type to use instead."""

    code = "unsupported_type"


class CodeError(AuthoringError):
    """The source cannot be read, packed or imported, or does not define the requested workflow."""

    code = "code"


class InvalidValue(TidegateError):
    """A value does not match its declared type."""

    code = "invalid_value"
    status = 422

    def __init__(self, message: str, faults: Sequence[Fault] = (), **details: Any) -> None:
        super().__init__(message, faults=tuple(faults), **details)
        self.faults = tuple(faults)


class TooComplex(InvalidValue):
    """Checking the value against its type would take more steps than the limit allows."""

    code = "too_complex"


class UnknownThing(TidegateError):
    """No such thing."""

    code = "unknown"
    status = 404


class UnknownExecution(UnknownThing):
    """No execution has this id."""

    code = "unknown_execution"


class UnknownWorkflow(UnknownThing):
    """No workflow has this name, or the workflow has no such version."""

    code = "unknown_workflow"


class UnknownNode(UnknownThing):
    """The execution has no node with this id."""

    code = "unknown_node"


class UnknownSignal(UnknownThing):
    """The execution has no signal with this name; `signals` lists the ones it has."""

    code = "unknown_signal"


class UnknownBlob(UnknownThing):
    """No blob with this digest is stored."""

    code = "unknown_blob"


class UnknownUpload(UnknownThing):
    """You have no such unfinished upload; it was cancelled or has expired."""

    code = "unknown_upload"


class UnknownBundle(UnknownThing):
    """No bundle with this digest is stored."""

    code = "unknown_bundle"


class NotATable(TidegateError):
    """The value is not a table, or its file cannot be read as one."""

    code = "not_a_table"
    status = 422


class TableTooLarge(TidegateError):
    """Reading the table exceeds the limit of bytes, time or memory."""

    code = "table_too_large"
    status = 413


class TablesMissing(TidegateError):
    """What reads large tables is not installed on the server; the message names it."""

    code = "tables_missing"
    status = 501


class UnknownTerminal(UnknownThing):
    """The terminal does not serve an execution of this store, or no longer does."""

    code = "unknown_terminal"


class UnknownDeck(UnknownThing):
    """No attempt of the node has written a deck."""

    code = "unknown_deck"


class UnknownToken(UnknownThing):
    """No such token."""

    code = "unknown_token"


class UnknownSession(UnknownThing):
    """You have no such session."""

    code = "unknown_session"


class Refused(TidegateError):
    """The thing exists, but its state does not allow the request; nothing has changed."""

    code = "refused"
    status = 409


class AmbiguousSignal(Refused):
    """Several open signals have this name; `paths` lists them."""

    code = "ambiguous_signal"


class AmbiguousNode(Refused):
    """Several nodes of the execution have this name; `nodes` lists their ids."""

    code = "ambiguous_node"


class NotWaitingYet(Refused):
    """The value to approve or review does not exist yet."""

    code = "not_waiting_yet"


class Changed(Refused):
    """The question has changed since it was shown; `changed` names the parts that differ."""

    code = "changed"


class AlreadyAnswered(Refused):
    """The gate has already been answered, by another value or another person; `who` says by whom."""

    code = "already_answered"


class TimedOut(Refused):
    """The gate timed out before the answer arrived."""

    code = "timed_out"


class Withdrawn(Refused):
    """The gate was withdrawn: nothing needs its answer, because its branch was not taken or its dynamic task has ended."""

    code = "withdrawn"


class ExecutionEnded(Refused):
    """The execution has ended."""

    code = "execution_ended"


class NotRecoverable(Refused):
    """The execution is still running or has succeeded, so there is nothing to recover."""

    code = "not_recoverable"


class RecoveredAlready(Refused):
    """The execution has already been recovered; `execution` is its successor. If the successor has failed, recover that one."""

    code = "recovered_already"


class KeyReused(Refused):
    """You have already used this idempotency key for a different answer in this execution."""

    code = "key_reused"
    status = 422


class IdTaken(Refused):
    """An execution with this id already exists and was launched with different arguments."""

    code = "id_taken"


class NameTaken(Refused):
    """A token with this name is in use."""

    code = "name_taken"


class WrongOffset(Refused):
    """Another number of bytes of the upload has arrived; `offset` says how many."""

    code = "wrong_offset"


class UploadBusy(Refused):
    """Another request is adding to the upload."""

    code = "upload_busy"
    status = 423


class Unauthenticated(TidegateError):
    """Authentication required: the token is missing, unknown, expired or revoked. The reply does not say which."""

    code = "unauthenticated"
    status = 401


class Forbidden(TidegateError):
    """The caller lacks the right to do this, or may not do it from this address."""

    code = "forbidden"
    status = 403


class WrongHost(TidegateError):
    """The request's `Host` is not one of the server's names."""

    code = "wrong_host"
    status = 421


class RateLimited(TidegateError):
    """Too many wrong tokens from one address; nothing has changed. Retry after `retry_after` seconds."""

    code = "rate_limited"
    status = 429


class BadRequest(TidegateError):
    """An HTTP request that cannot be parsed."""

    code = "bad_request"


class Unreadable(BadRequest):
    """The body is not strict JSON: a syntax error, a duplicate key, an integer beyond 64 bits, or too much nesting."""

    code = "unreadable"


class UnknownRoute(BadRequest):
    """No route matches this path."""

    code = "unknown_route"
    status = 404


class WrongMethod(BadRequest):
    """The path does not support this method; `allow` lists the ones it does."""

    code = "wrong_method"
    status = 405


class TooLarge(BadRequest):
    """The body exceeds the size limit of this route."""

    code = "too_large"
    status = 413


class RangeMissed(BadRequest):
    """The content has none of the bytes that `Range` asks for; it has `size` bytes."""

    code = "range_missed"
    status = 416


class WrongVersion(BadRequest):
    """The request speaks another version of the upload protocol; `Tus-Version` lists those that are supported."""

    code = "wrong_version"
    status = 412


class TooSlow(BadRequest):
    """The request did not arrive completely within its time limit; nothing was done."""

    code = "too_slow"
    status = 408


class HeadTooLarge(BadRequest):
    """The request line and headers exceed the size limit."""

    code = "head_too_large"
    status = 431


class WrongMediaType(BadRequest):
    """The route does not accept a body of this media type."""

    code = "wrong_media_type"
    status = 415


class Overloaded(TidegateError):
    """The server is overloaded; nothing has changed. Retry after `retry_after` seconds."""

    code = "overloaded"
    status = 503


class StoreError(TidegateError):
    """The store cannot be opened, read or written."""

    code = "store"
    status = 503


class EngineFailed(StoreError):
    """The engine stopped on an internal error, and its process exits. Start it again; everything acknowledged is stored."""

    code = "engine_failed"


class StoreLocked(StoreError):
    """Another process already runs the engine of this store."""

    code = "store_locked"


class NotHere(StoreError):
    """Another server owns this shard of the store: nothing was stored. Servers pass such requests on to it; retry after `retry_after` seconds."""

    code = "not_here"


class ConnectionLost(StoreError):
    """The server of the store's database went away before anything was committed, or cannot be reached."""

    code = "connection_lost"


class CommitUnknown(StoreError):
    """The connection to the database was lost during a commit, and whether it happened could not be found out."""

    code = "commit_unknown"


class StoreTooNew(StoreError):
    """The store was written by a newer version of Tidegate."""

    code = "store_too_new"


class StoreDamaged(StoreError):
    """The file is not a Tidegate store, or its contents violate an invariant."""

    code = "store_damaged"


class StoreHeld(StoreError):
    """The store was restored from a backup and has not been adopted yet."""

    code = "store_held"


class ClusterRefused(TidegateError):
    """The Ray cluster must not or cannot be used: no token is needed for it, its versions differ, or Ray is not installed here."""

    code = "cluster_refused"


class TaskHeld(StoreError):
    """Everything left in the execution is held: its code cannot be imported here, or imports different packages than at launch. It continues once that is fixed."""

    code = "held"


class BackupDamaged(StoreError):
    """The backup is incomplete, or differs from its manifest."""

    code = "backup_damaged"


class ObjectsAway(StoreError):
    """The object store with the files of the store cannot be reached, or refuses us. What needs it waits; try again."""

    code = "objects_away"


class StoreFull(StoreError):
    """The disk is full. Everything acknowledged is safe; this request was not stored."""

    code = "store_full"
    status = 507


class QuotaReached(TidegateError):
    """The project has reached a quota; `quota` names it. What exists already keeps running."""

    code = "quota_reached"
    status = 507


class ExecutionFailed(TidegateError):
    """The execution did not succeed; `failure` says which node failed and why."""

    code = "execution_failed"
    status = 500


class NoAnswer(TidegateError):
    """A gate is waiting, but standard input has ended, so nobody can be asked."""

    code = "no_answer"
