"""
The one place that every request passes before it is handled: may whoever asks do this, to this?

What comes over the network is also made honest here: who asks is who the token names, and no value makes the server fetch something.
"""

from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from msgspec import structs

from tidegate.errors import Fault, Forbidden, InvalidValue
from tidegate.ir.expr import Path, Value
from tidegate.ports.journal import ExecutionRow
from tidegate.service.access import Action, Place, Principal, allows, authorize, sees
from tidegate.types.blobbed import PICKLE
from tidegate.types.values import BLOB, URI
from tidegate.wire import Launch, ListInbox, Request

MAX_FAULTS: Final = 20

R = TypeVar("R", bound=Request)


def admit(
    request: R,
    principal: Principal,
    row: Callable[[str], ExecutionRow],
    unknown: Callable[[str], Exception],
) -> R:
    """
    Return the request as it may be handled: with the name of who asks.

    `row` looks up an execution by its id, `unknown` makes the error for one that is not there.
    Errors: `Forbidden`; what `row` and `unknown` say, for an execution that is not there or may not be seen; `InvalidValue`.
    """
    action = action_of(request)
    if action is None:
        raise Forbidden(f"nobody may ask {type(request).__name__}")
    if not allows(principal, action):
        authorize(principal, action, _place(request, principal, row, unknown))
    elif isinstance(request, ListInbox) and request.execution:
        _place(request, principal, row, unknown)
    if principal.local:
        return request
    refuse_dangerous(request)
    return structs.replace(request, who=principal.name, via=principal.via)


def action_of(request: Request) -> Action | None:
    """Return the action that a request asks for: the one of the name under which it travels."""
    name = type(request).__struct_config__.tag
    return Action(name) if name in _NAMES else None


_NAMES: Final = frozenset(action.value for action in Action)


def _place(
    request: Request,
    principal: Principal,
    row: Callable[[str], ExecutionRow],
    unknown: Callable[[str], Exception],
) -> Place | None:
    """Return the place of what is asked about; None if it has none. Whoever may not see an execution hears that there is none."""
    if isinstance(request, Launch):
        return Place(request.project, request.domain)
    id_ = request.execution if isinstance(request, ListInbox) else getattr(request, "id", None)
    if id_ is None:
        return None
    found = row(id_)
    place = Place(found.project, found.domain)
    if not sees(principal, place):
        raise unknown(id_)
    return place


def refuse_dangerous(request: Request) -> None:
    """
    Refuse values by which whoever asks would reach into a worker.

    A file on the web would be fetched from inside the network that the worker stands in. A pickle is a program: it runs when it is opened,
    so only those may give one that may run programs here anyway. (What is not marked as a pickle is never opened as one.)

    Errors: `InvalidValue`, naming each place.
    """
    faults: list[Fault] = []
    todo: list[tuple[_Step, object]] = [
        ((None, name), value)
        for name in request.__struct_fields__
        if isinstance(value := getattr(request, name), dict | list)
    ]
    while todo and len(faults) < MAX_FAULTS:
        step, value = todo.pop()
        if isinstance(value, dict):
            if URI in value:
                why = "is a file by its address; upload the file, and give its digest"
                faults.append(Fault(_path(step), why))
            if BLOB in value and value.get("media") == PICKLE:
                faults.append(
                    Fault(_path(step), "is a pickle, which is not taken over the network")
                )
            todo.extend(((step, str(key)), item) for key, item in value.items() if _holds(item))
        elif isinstance(value, list):
            todo.extend(((step, n), item) for n, item in enumerate(value) if _holds(item))
    if faults:
        raise InvalidValue("there are values that are not taken over the network", faults)


_Step: TypeAlias = "tuple[_Step | None, str | int]"
"""A place in a value: where one came from, and the last step. To copy whole paths on the way would cost the square of the depth."""


def _path(step: _Step) -> Path:
    found: list[str | int] = []
    rest: _Step | None = step
    while rest is not None:
        rest, last = rest
        found.append(last)
    return tuple(reversed(found))


def _holds(value: Value) -> bool:
    return isinstance(value, dict | list)
