"""
What tasks have printed, from all servers that share a store: each keeps the output of what it runs in its own directory, unless files are in an object
store. A server that is asked for it asks the others, and returns everything together.

A reader's position consists of one for each server, by its address. Nobody waits long for a server that is silent: that its part is missing is said.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from zlib import compress, decompressobj
from zlib import error as zlib_error

import msgspec
from msgspec import structs

from tidegate.engine.arrivals import tell
from tidegate.engine.futures import Future
from tidegate.errors import NotHere
from tidegate.logs import AttemptText, in_order
from tidegate.service.access import Principal
from tidegate.service.attempts import BEGINNING, MOST_UNPACKED, no_cursor
from tidegate.service.replicas import Peers
from tidegate.service.steps import Pause, Steps
from tidegate.wire import AttemptLog, GetLogs, LogList

PATIENCE: Final = 5.0
"""Seconds that all others are waited for: longer than each has to reply."""

MARK: Final = "~"
"""What a position at several servers begins with. That at one has no such character."""


def gathered(
    here: Callable[[GetLogs], LogList], peers: Peers, request: GetLogs, principal: Principal
) -> Steps[LogList]:
    """Return the output that this server has, and that of the others. Errors: those of `here`; `InvalidValue` for a position that is none."""
    me, others = peers.all_servers()
    starts = _unpacked(request.after)
    if starts is None and not others:
        return here(request)

    def at(address: str) -> GetLogs:
        if starts is None:
            return request
        return structs.replace(request, after=starts.get(address, BEGINNING))

    own = here(at(me))
    reply: Future[Any] = Future()
    peers.ask_each({each: at(each) for each in others}, principal, partial(tell, reply))
    told: dict[str, LogList | Exception] | None = yield Pause(reply, PATIENCE)
    if told is None:
        told = dict.fromkeys(others, NotHere("it was not asked in time"))
    ends = {**(starts or {}), me: own.next}
    items = {(each.node, each.attempt): each for each in own.items}
    missing = []
    for address, found in told.items():
        if isinstance(found, Exception):
            missing.append(f"what was printed at {address} is missing: {found}")
            ends.setdefault(address, request.after)
            continue
        ends[address] = found.next
        for each in found.items:
            items.setdefault((each.node, each.attempt), each)
    return LogList(
        items=sorted(items.values(), key=_in_order),
        next=_packed(ends) if own.next else "",
        missing="; ".join(missing),
    )


def _in_order(log: AttemptLog) -> tuple[list[tuple[str, int]], int]:
    return in_order(AttemptText(log.node, log.attempt, ""))


def _packed(ends: dict[str, str]) -> str:
    return MARK + urlsafe_b64encode(compress(msgspec.json.encode(ends))).decode()


def _unpacked(cursor: str) -> dict[str, str] | None:
    """Return a position by server; None if it is the same at all of them. Errors: `InvalidValue`."""
    if not cursor.startswith(MARK):
        return None
    try:
        unpacked = decompressobj().decompress(urlsafe_b64decode(cursor[1:]), MOST_UNPACKED)
        return msgspec.json.decode(unpacked, type=dict[str, str])
    except (ValueError, zlib_error):
        raise no_cursor(cursor) from None
