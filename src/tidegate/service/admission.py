"""
Admission: the one place that decides who may do what. Every request at every door passes through here.

A door first checks (`enter`) that the caller may perform such an action somewhere, before it reads the body. For files, streams and metrics, which
concern no execution, that is the whole check. The service then admits (`admit`) each request to its target. `access` holds the roles and policies.

Requests from the network are also sanitized here: the principal is the one the token names, and no value makes the server fetch anything.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, TypeAlias, cast, get_args

import msgspec
from msgspec import structs

from tidegate.errors import Fault, Forbidden, InvalidValue, Unauthenticated
from tidegate.ir.expr import Path, Value
from tidegate.ports.journal import ExecutionRow
from tidegate.service.access import (
    POLICIES,
    Action,
    Namespace,
    Principal,
    Where,
    allows,
    holds,
    sees,
)
from tidegate.types.blobbed import PICKLE
from tidegate.types.values import BLOB, URI
from tidegate.wire import Ask, Launch, ListInbox, PreviewRecovery, Recover, Request

MAX_FAULTS: Final = 20

PLAIN: Final = (
    msgspec.inspect.StrType,
    msgspec.inspect.IntType,
    msgspec.inspect.FloatType,
    msgspec.inspect.BoolType,
)
"""Field types whose values cannot contain further values."""

_ACTIONS: Final[Mapping[Any, Action]] = {
    kind: Action(kind.__struct_config__.tag) for kind in get_args(Request)
}


def action_of(kind: type[Ask[Any]]) -> Action | None:
    """Return the action that a kind of request asks for; None if it is not a member of the union `Request`."""
    return _ACTIONS.get(kind)


def enter(principal: Principal, action: Action | None) -> None:
    """
    Admit a caller at a door if they may perform the action somewhere. None stands for an unknown action, which only authenticated callers learn.

    Errors: `Unauthenticated` for a caller without a token, else `Forbidden`.
    """
    if action is None:
        if not principal.name:
            raise _unknown()
        return
    policy = POLICIES[action]
    if policy.where is Where.THERE:
        if not holds(principal, policy.right):
            raise _refusal(principal, action, "anywhere")
    elif not allows(principal, action):
        where = "everywhere" if policy.where is Where.EVERYWHERE else "anywhere"
        raise _refusal(principal, action, where)


def admit(
    request: Ask[Any],
    principal: Principal,
    row: Callable[[str], ExecutionRow],
    unknown: Callable[[str], Exception],
) -> Request:
    """
    Return the request as it is to be handled, with its principal, door and credential filled in; whatever the request itself claimed is overwritten.

    `row` looks up an execution by its id, `unknown` makes the error for a missing one.
    Errors: `Unauthenticated`, `Forbidden`, `InvalidValue`; those of `row` and `unknown` for an execution that is missing or may not be seen.
    """
    action = action_of(type(request))
    if action is None:
        raise Forbidden(f"{type(request).__name__} is not a supported request")
    admitted = cast("Request", request)
    if not allows(principal, action):
        found = _namespace(admitted, principal, row, unknown)
        if found is None:
            enter(principal, action)
            raise _refusal(principal, action, "everywhere")
        if not allows(principal, action, found):
            where = f"in project {found.project!r}, domain {found.domain!r}"
            raise _refusal(principal, action, where)
    elif isinstance(request, ListInbox) and request.execution:
        _namespace(request, principal, row, unknown)
    for more in _also(request):
        if not allows(principal, more, _namespace(admitted, principal, row, unknown)):
            everywhere = POLICIES[more].where is Where.EVERYWHERE
            raise _refusal(principal, more, "everywhere" if everywhere else "there")
    if not principal.local:
        refuse_dangerous(request)
    return structs.replace(
        admitted, who=principal.name, via=principal.via, credential=principal.credential
    )


def _also(request: Ask[Any]) -> Iterator[Action]:
    """Yield what somebody must be allowed as well: to keep an approval is to approve, and to look into code that is not registered runs it."""
    if isinstance(request, Recover | PreviewRecovery) and request.keep_approvals:
        yield Action.ANSWER
    if isinstance(request, PreviewRecovery) and request.bundle:
        yield Action.REGISTER


def _unknown() -> Unauthenticated:
    return Unauthenticated("authentication required: send `Authorization: Bearer TOKEN`")


def _refusal(principal: Principal, action: Action, where: str) -> Unauthenticated | Forbidden:
    if not principal.name:
        return _unknown()
    policy = POLICIES[action]
    if policy.where is Where.LOCAL:
        why = "only on the machine of the store: tokens are made, listed and revoked with `tidegate token`"
        if action is Action.SERVE_EXECUTION:
            why = "only on the machine of the store: a terminal serves an execution that `tidegate run` or `tidegate resume` follows there"
        return Forbidden(why, action=action.value)
    return Forbidden(
        f"{principal.name!r} may not {policy.right.value} {where}: ask an administrator for a token with that right",
        action=action.value,
    )


def _namespace(
    request: Request,
    principal: Principal,
    row: Callable[[str], ExecutionRow],
    unknown: Callable[[str], Exception],
) -> Namespace | None:
    """Return the namespace of the target; None if it has none. An execution that the caller may not see counts as missing."""
    if isinstance(request, Launch):
        return Namespace(request.project, request.domain)
    id_ = request.execution if isinstance(request, ListInbox) else getattr(request, "id", None)
    if id_ is None:
        return None
    found = row(id_)
    where = Namespace(found.project, found.domain)
    if not sees(principal, where):
        raise unknown(id_)
    return where


def refuse_dangerous(request: Ask[Any]) -> None:
    """
    Refuse values that would have an effect inside a worker.

    A file on the web would be fetched from inside the worker's network. A pickle is a program that runs when it is opened, so it is accepted only from
    callers who may run programs here anyway. (A value that is not marked as a pickle is never unpickled.)

    Errors: `InvalidValue`, with the path of each.
    """
    todo: list[tuple[_Step, object]] = [
        ((None, name), value)
        for name in _holders(type(request))
        if _holds(value := getattr(request, name))
    ]
    if not todo:
        return
    faults: list[Fault] = []
    while todo and len(faults) < MAX_FAULTS:
        step, value = todo.pop()
        if isinstance(value, dict):
            if URI in value:
                why = "is a web address; upload the file and pass its digest instead"
                faults.append(Fault(_path(step), why))
            if BLOB in value and value.get("media") == PICKLE:
                faults.append(
                    Fault(_path(step), "is a pickle, which is not accepted over the network")
                )
            todo.extend(((step, str(key)), item) for key, item in value.items() if _holds(item))
        elif isinstance(value, list):
            todo.extend(((step, n), item) for n, item in enumerate(value) if _holds(item))
    if faults:
        raise InvalidValue("some values are not accepted over the network", faults)


_Step: TypeAlias = "tuple[_Step | None, str | int]"
"""A path into a value: the path so far and the last step. Copying whole paths would be quadratic in the depth."""


def _path(step: _Step) -> Path:
    found: list[str | int] = []
    rest: _Step | None = step
    while rest is not None:
        rest, last = rest
        found.append(last)
    return tuple(reversed(found))


def _holds(value: Value) -> bool:
    return isinstance(value, dict | list)


@cache
def _holders(kind: type[Ask[Any]]) -> tuple[str, ...]:
    """Return the fields of a kind of request that may contain values."""
    fields = msgspec.inspect.type_info(kind).fields  # type: ignore[attr-defined]  # a Struct's
    return tuple(field.name for field in fields if not _is_plain(field.type))


def _is_plain(declared: msgspec.inspect.Type) -> bool:
    if isinstance(declared, msgspec.inspect.Metadata):
        return _is_plain(declared.type)
    return isinstance(declared, PLAIN)
