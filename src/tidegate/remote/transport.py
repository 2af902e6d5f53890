"""
HTTP as the client uses it: one call, one reply, and what to do when none comes.

Rule 1: a call that is not known to be idempotent is sent once; it is retried only if it cannot have arrived.
Rule 2: everything else is retried with backoff and jitter, for as long as patience lasts.
Rule 3: an error reply is raised as the original error.
Rule 4: a token is sent only over a connection whose other end has proved that it knows it (see `proving`).
"""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx

from tidegate.errors import StoreDamaged, StoreHeld, StoreTooNew, TidegateError, Unauthenticated
from tidegate.remote.config import Config, is_local, refuse_clear
from tidegate.remote.problems import Unreachable, error_in
from tidegate.remote.proving import ProofRefused, Prover
from tidegate.remote.requests import HttpCall, content_of, target_of

PATIENCE: Final = 20.0
"""Seconds for which a call is retried, if the server was seen before: it is restarting, or overloaded."""

FIRST_PATIENCE: Final = 2.0
"""Seconds for which a call is retried to a server that was never seen."""

CONNECT, REPLY = 5.0, 60.0
"""Seconds in which a connection must be established, and in which a reply must start or continue."""

PAUSE, LONGEST_PAUSE = 0.1, 3.0
BUSY: Final = frozenset({429, 502, 503, 504})
"""Statuses that mean: try again."""

LASTING: Final = (StoreDamaged, StoreHeld, StoreTooNew)
"""Errors with such a status that waiting does not fix."""


class HttpTransport:
    """A server reached over HTTP. May be used from any thread."""

    def __init__(self, config: Config) -> None:
        refuse_clear(config)
        headers = {"user-agent": "tidegate"}
        self._extensions: dict[str, Any] = {}
        if config.token:
            headers["authorization"] = f"Bearer {config.token}"
            self._extensions["trace"] = Prover(config.url, config.token, CONNECT)
        self.url = config.url
        self._seen = False
        self._client = httpx.Client(
            base_url=config.url,
            headers=headers,
            timeout=httpx.Timeout(REPLY, connect=CONNECT),
            transport=httpx.HTTPTransport(uds=config.socket) if config.socket else None,
            # A proxy from the environment leads away from this machine, and can read what is not encrypted.
            trust_env=config.url.startswith("https:") and not is_local(config.url),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def reply(self, call: HttpCall) -> httpx.Response:
        """
        Send a call, and return its reply.

        Errors: those of the server; `Unreachable` if none replies.
        """
        began = time.monotonic()
        number = 0
        while True:
            try:
                return self._once(call)
            except _AgainError as again:
                pause = again.after or _pause(number)
                patience = PATIENCE if self._seen else FIRST_PATIENCE
                if not again.harmless or time.monotonic() + pause > began + patience:
                    raise again.error from None
                time.sleep(pause)
                number += 1

    @contextmanager
    def lines(self, call: HttpCall, *, silence: float) -> Iterator[Iterator[str]]:
        """Yield the lines of an endless reply; `silence` is the seconds after which it counts as dead. Errors: those of `reply`."""
        request = self._request(call, silence)
        try:
            with _closing(self._client.send(request, stream=True)) as response:
                if response.status_code != HTTPStatus.OK:
                    raise self._error(response.status_code, response.read())
                yield response.iter_lines()
        except httpx.TransportError as error:
            raise self._unreachable(error) from None
        except ProofRefused as refused:
            raise self._error(refused.status, refused.content) from None

    def _once(self, call: HttpCall) -> httpx.Response:
        try:
            response = self._client.send(self._request(call, REPLY + call.wait))
        except httpx.ConnectError as error:
            # Nothing can have arrived.
            raise _AgainError(self._unreachable(error), harmless=True) from None
        except httpx.TransportError as error:
            raise _AgainError(self._unreachable(error), harmless=call.repeatable) from None
        except ProofRefused as refused:
            status, content = refused.status, refused.content
            raise self._refusal(status, refused.headers, content, harmless=True) from None
        self._seen = True
        if response.is_success:
            return response
        status, content = response.status_code, response.content
        raise self._refusal(status, response.headers, content, harmless=call.repeatable)

    def _refusal(
        self, status: int, headers: Mapping[str, str], content: bytes, *, harmless: bool
    ) -> Exception:
        found = self._error(status, content)
        if status not in BUSY or isinstance(found, LASTING):
            return found
        after = _seconds(headers.get("retry-after", ""))
        return _AgainError(found, harmless=harmless, after=after)

    def _request(self, call: HttpCall, patience: float) -> httpx.Request:
        content, headers = content_of(call)
        return self._client.build_request(
            call.method,
            target_of(call),
            content=content,
            headers=headers,
            timeout=httpx.Timeout(patience, connect=CONNECT),
            extensions=self._extensions,
        )

    def _error(self, status: int, body: bytes) -> TidegateError:
        error = error_in(body)
        if error is None:
            return Unreachable(
                f"unexpected HTTP {status} from {self.url}: not a Tidegate server, or a proxy answered instead"
            )
        if isinstance(error, Unauthenticated):
            return Unauthenticated(
                f"{error.message} (from {self.url}; set TIDEGATE_TOKEN to use another token)",
                **error.details,
            )
        return error

    def _unreachable(self, error: httpx.TransportError) -> Unreachable:
        return Unreachable(
            f"no server replies at {self.url}: {error}; start one with tidegate serve, or set TIDEGATE_URL to its address"
        )


class _AgainError(Exception):
    """A call failed, and may be retried if that is `harmless`."""

    def __init__(self, error: TidegateError, *, harmless: bool, after: float = 0.0) -> None:
        super().__init__(error.message)
        self.error = error
        self.harmless = harmless
        self.after = after


@contextmanager
def _closing(response: httpx.Response) -> Iterator[httpx.Response]:
    try:
        yield response
    finally:
        response.close()


def _pause(number: int) -> float:
    """Return how long to wait before a retry: exponential backoff with full jitter, so that clients do not return together."""
    longest = min(PAUSE * 2**number, LONGEST_PAUSE)
    return float(longest * (0.5 + secrets.randbelow(1000) / 2000))


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0.0
