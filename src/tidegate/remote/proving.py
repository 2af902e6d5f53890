"""
Before a token is sent over a connection, what replies there must show that it knows the token already.

Whoever listens where a server should be (another user of this machine, while it is down) gets the token's id and a nonce, and nothing that it could use.

Rule 1: it is asked on the connection itself, as soon as that stands: another connection could lead to somebody else.
Rule 2: what does not prove it gets no token, whatever it says; a refusal of the server's own (busy, unknown token) is told as any other.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from tidegate.errors import InvalidValue
from tidegate.remote.problems import Unreachable
from tidegate.wire.proof import NONCE, PATH, id_and_hash, prove

LONGEST = 64 * 1024
"""Bytes of a reply: a proof has 80, a problem some hundred."""


class ProofRefused(Exception):
    """The server has replied, and not with a proof."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.content = content


class Prover:
    """Asks for a proof on each new connection to a server: a `trace` of httpx, which is told before anything is sent. Errors: `InvalidValue` for what is no token."""

    def __init__(self, url: str, token: str, patience: float) -> None:
        found = id_and_hash(token)
        if found is None:
            raise InvalidValue("TIDEGATE_TOKEN is not a token: one begins with tdg_")
        self._url = url
        self._id, self._hash = found
        self._patience = patience
        parts = urlsplit(url)
        self._host, self._path = parts.netloc, f"{parts.path}{PATH}"
        # Through a proxy a connection stands once TLS does.
        self._stands = ("connect_tcp", "start_tls")[parts.scheme == "https"] + ".complete"

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        """Ask, if a connection stands now. Errors: `Unreachable`, `ProofRefused`, `httpx.ConnectError`."""
        if not event.endswith(self._stands):
            return
        stream = facts["return_value"]
        try:
            self._ask(stream)
        except BaseException:
            stream.close()
            raise

    def _ask(self, stream: Any) -> None:
        nonce = secrets.token_bytes(NONCE)
        status, headers, body = self._exchange(stream, nonce)
        if status in (401, 403, 429, 503):
            raise ProofRefused(status, headers, body)
        try:
            proof = bytes.fromhex(msgspec.json.decode(body, type=dict[str, str])["proof"])
        except (msgspec.MsgspecError, ValueError, KeyError):
            proof = b""
        if not hmac.compare_digest(proof, prove(self._hash, nonce)):
            raise Unreachable(
                f"what replies at {self._url} has not shown that it knows the token {self._id}, so it was not sent:"
                " this is another server than the one that made the token, an older one, or not a Tidegate server"
            )

    def _exchange(self, stream: Any, nonce: bytes) -> tuple[int, Mapping[str, str], bytes]:
        body = msgspec.json.encode({"token": self._id, "nonce": nonce.hex()})
        lines = (
            f"POST {self._path} HTTP/1.1",
            f"Host: {self._host}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        )
        try:
            stream.write("\r\n".join((*lines, "", "")).encode() + body, timeout=self._patience)
            return self._read(stream)
        except Exception as error:
            # Nothing of the call has been sent yet, whatever it was.
            why = str(error) or type(error).__name__
            raise httpx.ConnectError(f"it has not replied as Tidegate does: {why}") from error

    def _read(self, stream: Any) -> tuple[int, Mapping[str, str], bytes]:
        """Return a reply, which says how long it is. Errors: `ValueError` for what is none."""
        reply = b""
        while b"\r\n\r\n" not in reply:
            reply += self._more(stream, reply)
        head, _, body = reply.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ")
        if not version.startswith("HTTP/1.") or not status.isdecimal():
            raise ValueError("no HTTP")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): text.strip() for name, _, text in fields}
        size = int(headers.get("content-length", "0"))
        while len(body) < size:
            body += self._more(stream, reply + body)
        return int(status), headers, body

    def _more(self, stream: Any, there: bytes) -> bytes:
        if len(there) > LONGEST:
            raise ValueError("its reply is too long")
        piece: bytes = stream.read(LONGEST, timeout=self._patience)
        if not piece:
            raise ValueError("it has hung up")
        return piece
