"""
One-time codes: how a user of this machine signs in to the page, without a token in any link.

Rule 1: a code is made through the local door, for the user whom the operating system reports, and for nobody else.
Rule 2: it is valid for `LASTS` seconds and one sign-in. Only its hash is kept, in memory: a restart forgets it.
Rule 3: asking whose code it is does not use it up: the page asks for confirmation before it changes who is signed in.
"""

import secrets
import threading
from hashlib import sha256
from typing import Final

from tidegate.errors import Refused, Unauthenticated
from tidegate.ir.graph import Instant
from tidegate.ports.clock import Clock
from tidegate.service.access import Principal
from tidegate.wire import CodeMade, MakeCode

LASTS: Final = 60
"""Seconds: switching to a browser takes a few, and a code found in the history an hour later must be useless."""
MAX_CODES: Final = 100
"""Codes that are valid at once; beyond that, the oldest is forgotten."""
SECOND: Final = 1_000_000
NO_CODE: Final = (
    "this link has been used or is older than a minute; run `tidegate open` for a new one"
)


class OneTimeCodes:
    """The one-time codes of a server. `page` is the URL of its page, empty while none is served. May be used from any thread."""

    def __init__(self, clock: Clock) -> None:
        self.page = ""
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[bytes, tuple[Principal, Instant]] = {}

    def make(self, request: MakeCode, principal: Principal) -> CodeMade:
        """Make a code for the caller at the local door. Errors: `Refused` if there is no page to open."""
        del request
        if not self.page:
            raise Refused("no page is being served: start `tidegate serve` first")
        code = secrets.token_urlsafe(24)
        now = self._clock.now()
        with self._lock:
            live = {h: it for h, it in self._made.items() if it[1] > now}
            for oldest in list(live)[: len(live) - MAX_CODES + 1]:
                del live[oldest]
            live[_hash(code)] = (principal, Instant(now + LASTS * SECOND))
            self._made = live
        return CodeMade(link=f"{self.page}/#code={code}", lasts=LASTS)

    def whose(self, code: str) -> Principal:
        """Return who would be signed in by a code, without using it up. Errors: `Unauthenticated`."""
        return self._good(self._made.get(_hash(code)))

    def take(self, code: str) -> Principal:
        """Use a code, and return who is signed in by it. Errors: `Unauthenticated`."""
        with self._lock:
            return self._good(self._made.pop(_hash(code), None))

    def _good(self, found: tuple[Principal, Instant] | None) -> Principal:
        if found is None or found[1] <= self._clock.now():
            raise Unauthenticated(NO_CODE)
        return found[0]


def _hash(code: str) -> bytes:
    return sha256(code.encode(errors="replace")).digest()
