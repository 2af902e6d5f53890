"""Who may answer a question: this caller, or else whom to ask. Doors show it, so that nobody is offered what would be refused."""

from typing import Final

from msgspec import structs

from tidegate.service.access import Action, Namespace, Principal, allows
from tidegate.service.tokens import Tokens
from tidegate.wire import ANSWERABLE, ExecutionView, WaitingView

NAMED: Final = 3
"""How many people are named, then the others are counted: a line has room for about as many."""


class Deciders:
    """Whether a principal may answer, and who may. Made for one reply: it remembers what it found for a project and a domain."""

    def __init__(self, tokens: Tokens, principal: Principal) -> None:
        self._tokens = tokens
        self._principal = principal
        self._known: dict[Namespace, str] = {}

    def told(self, view: WaitingView, project: str, domain: str) -> WaitingView:
        """Return a question with who may answer it."""
        if view.kind not in ANSWERABLE:
            return view
        where = Namespace(project, domain)
        who_may = self._known.get(where)
        if who_may is None:
            may = allows(self._principal, Action.ANSWER, where)
            who_may = self._known[where] = (
                "" if may else _sentence(self._tokens.who(Action.ANSWER, where))
            )
        return structs.replace(view, may=not who_may, who_may=who_may)

    def told_of(self, view: ExecutionView) -> ExecutionView:
        """Return an execution with who may answer each of its questions."""
        if not view.waiting:
            return view
        waiting = [self.told(each, view.project, view.domain) for each in view.waiting]
        return structs.replace(view, waiting=waiting)


def _sentence(names: list[str]) -> str:
    if not names:
        return "Nobody has a token with which to answer here; ask an administrator for one."
    named, others = names[:NAMED], len(names) - NAMED
    if others > 0:
        more = "1 other" if others == 1 else f"{others} others"
        return f"{', '.join(named)} or {more} may answer."
    *first, last = named
    return f"{', '.join(first)} or {last} may answer." if first else f"{last} may answer."
