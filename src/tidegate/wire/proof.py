"""
How a server proves that it knows a token before the token is sent: an HMAC of a nonce under the token's stored hash.

An impostor that listens in place of the server does not know the hash, so it gets no token. Both sides know the hash: the client has the secret, the server stores the hash.
"""

import hmac
from hashlib import sha256
from typing import Final

PATH: Final = "/api/v1/proof"
NONCE: Final = 32
"""Bytes of a nonce: as many as the hash used as its key."""
_WHAT: Final = b"tidegate-proof-1\0"
"""No other HMAC under this key starts with this."""


def prove(hash_: bytes, nonce: bytes) -> bytes:
    """Return the proof for a nonce, from the stored hash of a token."""
    return hmac.digest(hash_, _WHAT + nonce, "sha256")


def id_and_hash(token: str) -> tuple[str, bytes] | None:
    """Return the id and the hash of a token, computed from its text; None for what is not a token."""
    parts = token.split("_")
    if len(parts) != 4 or parts[0] != "tdg":
        return None
    return parts[1], sha256(parts[2].encode(errors="replace")).digest()
