"""
Before a token is sent over a connection, the other end must prove that it already knows it.

An impostor in place of the server (another user of this machine, while it is down) gets the token's id and a nonce, and nothing it could use.

Rule 1: the proof is requested on the connection itself, as soon as it is established: another connection could lead to somebody else.
Rule 2: without a proof no token is sent, whatever the reply says; a refusal of the server's own (busy, unknown token) is reported like any other.
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
    """The server has replied, but not with a proof."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.content = content


class Prover:
    """Requests a proof on each new connection to a server: a `trace` of httpx, which is called before anything is sent. Errors: `InvalidValue` for an invalid token."""

    def __init__(self, url: str, token: str, patience: float) -> None:
        found = id_and_hash(token)
        if found is None:
            raise InvalidValue("TIDEGATE_TOKEN is not a token: one starts with tdg_")
        self._url = url
        self._id, self._hash = found
        self._patience = patience
        parts = urlsplit(url)
        self._host, self._path = parts.netloc, f"{parts.path}{PATH}"
        # Through a proxy a connection is established once TLS is.
        self._stands = ("connect_tcp", "start_tls")[parts.scheme == "https"] + ".complete"

    def __call__(self, event: str, facts: Mapping[str, Any]) -> None:
        """Request a proof, if a connection has just been established. Errors: `Unreachable`, `ProofRefused`, `httpx.ConnectError`."""
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
                f"{self._url} did not prove that it knows the token {self._id}, so the token was not sent:"
                " it is not the server that made the token, an older version, or not a Tidegate server"
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
            # Nothing of the call has been sent yet.
            why = str(error) or type(error).__name__
            raise httpx.ConnectError(f"its reply is not Tidegate's: {why}") from error

    def _read(self, stream: Any) -> tuple[int, Mapping[str, str], bytes]:
        """Return a reply of known length. Errors: `ValueError` for anything else."""
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
