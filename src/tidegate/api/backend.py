"""What every route gets: the service, and the means to carry out its requests."""

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from tidegate.api.budgets import Buckets
from tidegate.api.carry import Carrier
from tidegate.api.route import Call, encode
from tidegate.api.settings import Settings
from tidegate.api.tail import Tail
from tidegate.errors import Unauthenticated
from tidegate.service.access import Principal
from tidegate.service.service import Service
from tidegate.service.tokens import NOBODY
from tidegate.wire import AnswerReply, Ask, Checked, check

V = TypeVar("V")

SIGN_INS = 20
"""Sign-ins of one person per minute: each is a commit, which others wait for."""


class Backend:
    """The service behind the door, for the routes."""

    def __init__(self, service: Service, version: str, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.service = service
        self.version = version
        self.tail = Tail(service, self.settings.heartbeat)
        self.openapi: Callable[[], bytes] = bytes
        self.replies: Counter[tuple[str, int]] = Counter()
        self.answers = 0
        self.sign_ins = Buckets(SIGN_INS / 60, SIGN_INS)
        self._carrier = Carrier()

    async def ask(self, call: Call, checked: Checked[V]) -> V:
        """
        Handle a request.

        Errors: those of the service; `Unauthenticated` if the token ended while the request waited; `HungUp` if nobody waits for the reply.
        """
        steps = self.service.steps(checked, call.principal)
        waits: Any = getattr(checked.request, "wait", 0.0)
        receive = call.receive if waits else None
        who = call.principal.name
        carried = await self._carrier.carry(
            steps, receive, aside=call.is_large, who=who, reads=call.reads
        )
        view: V = carried.view
        if waits and not self.service.sessions.is_valid(call.principal):
            raise Unauthenticated(NOBODY)
        if carried.body is not None:
            call.written.view, call.written.body = view, carried.body
        self.answers += isinstance(view, AnswerReply)
        return view

    async def take_over(self, request: Ask[Any], principal: Principal) -> bytes:
        """Handle a request that another server of this store has passed on; return its view, encoded. Errors: those of the service; `NotHere`."""
        steps = self.service.steps(check(request), principal, passed_on=True)
        carried = await self._carrier.carry(steps, who=principal.name)
        self.answers += isinstance(carried.view, AnswerReply)
        return encode(carried.view) if carried.body is None else carried.body

    def close(self) -> None:
        """Release everybody who waits for something, because the server is stopping."""
        self.service.close()
        self.tail.close()
