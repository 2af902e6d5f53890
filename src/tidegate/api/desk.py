"""What every route is handed: the service, and the ways to carry out what it is asked."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tidegate.api.carry import carry
from tidegate.api.route import Call
from tidegate.api.settings import Settings
from tidegate.api.tail import Tail
from tidegate.errors import Unauthenticated
from tidegate.service.service import Service
from tidegate.service.tokens import NOBODY
from tidegate.wire import AnswerReply, Request

V = TypeVar("V")


class Desk:
    """The service behind the door, for the routes."""

    def __init__(
        self, service: Service, home: Path, version: str, settings: Settings | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.service = service
        self.home = home
        self.version = version
        self.tail = Tail(service, self.settings.heartbeat)
        self.openapi: Callable[[], bytes] = bytes
        self.replies: Counter[tuple[str, int]] = Counter()
        self.answers = 0

    async def ask(self, call: Call, request: Request, kind: type[V], *, quick: bool = False) -> V:
        """
        Have a request handled whose view is of this kind.

        `quick` means that it reads little, and is not worth a thread. Errors: those of the service; `Unauthenticated` for who has waited for longer than his token was good for; `HungUp` when nobody waits any more.
        """
        steps = self.service.steps(request, call.principal)
        waits: Any = getattr(request, "wait", 0.0)
        view = await carry(steps, call.gone if waits else None, threaded=not quick)
        if waits and not self.service.tokens.is_valid(call.principal):
            raise Unauthenticated(NOBODY)
        assert isinstance(view, kind), f"{type(request).__name__} gave {type(view).__name__}"
        self.answers += isinstance(view, AnswerReply)
        return view

    def close(self) -> None:
        """Let everybody go who waits for something, as the server stops."""
        self.service.close()
        self.tail.close()
