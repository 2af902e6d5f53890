"""
How a server shows that it knows a token before it is shown it: an HMAC of a nonce under the token's stored hash.

Whoever listens where a server should be knows no hash, so it gets no token. Both sides know the hash: the client has the secret, the server has stored it.
"""

import hmac
from hashlib import sha256
from typing import Final

PATH: Final = "/api/v1/proof"
NONCE: Final = 32
"""Bytes of a nonce: as many as the hash under it."""
_WHAT: Final = b"tidegate-proof-1\0"
"""No other HMAC under this key begins so."""


def prove(hash_: bytes, nonce: bytes) -> bytes:
    """Return the proof for a nonce, of who knows the stored hash of a token."""
    return hmac.digest(hash_, _WHAT + nonce, "sha256")


def id_and_hash(token: str) -> tuple[str, bytes] | None:
    """Return the id and the stored hash of a token, as far as its text tells; None for what is not a token."""
    parts = token.split("_")
    if len(parts) != 4 or parts[0] != "tdg":
        return None
    return parts[1], sha256(parts[2].encode(errors="replace")).digest()
