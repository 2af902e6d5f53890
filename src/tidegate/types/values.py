"""
What stands in a stored value for things too large or too strange for JSON, and where their bytes are kept.

A blob is named by the SHA-256 digest of its content, so that a value which names one never changes its meaning.
In a value it is `{"$blob": digest, "size": bytes, "media": type, "name": file name}`.
"""

from pathlib import Path
from typing import Any, Final, Protocol, TypeGuard

BLOB: Final = "$blob"
URI: Final = "$uri"
FLOAT: Final = "$float"
"""Keys that only stored values have."""


class Blobs(Protocol):
    """Where bytes are kept, by the digest of their content."""

    def put(self, content: bytes, /) -> str:
        """Keep bytes; return their digest (SHA-256, hex)."""
        ...

    def get(self, digest: str, /) -> bytes:
        """Return the bytes with this digest. Raises `UnknownBlob`."""
        ...

    def put_path(self, path: Path | str, /) -> str:
        """Keep a file's content, or a directory as a manifest of its files; return the digest."""
        ...

    def path(self, digest: str, /) -> Path:
        """Return a file with this content, to read and never to write. Raises `UnknownBlob`."""
        ...

    def checkout(self, digest: str, name: str, /) -> Path:
        """Return a private copy with this last name, which may be written; a manifest becomes a directory."""
        ...


class _Pickling:
    """Blobs for code that may unpickle."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self.put = blobs.put
        self.get = blobs.get
        self.put_path = blobs.put_path
        self.path = blobs.path
        self.checkout = blobs.checkout


def with_pickle(blobs: Blobs) -> Blobs:
    """
    Allow `decode` to unpickle what comes from these blobs.

    Unpickling runs whatever code the pickle names, so only a process that runs the author's tasks may ask for it.
    """
    return _Pickling(blobs)


def may_unpickle(blobs: Blobs) -> bool:
    """Say whether `decode` may unpickle."""
    return isinstance(blobs, _Pickling)


def reference(digest: str, *, size: int, media: str, name: str = "") -> dict[str, Any]:
    """Make the stored value that stands for a blob."""
    made: dict[str, Any] = {BLOB: digest, "size": size, "media": media}
    return made | {"name": name} if name else made


def is_reference(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a stored value stands for a blob."""
    return isinstance(value, dict) and BLOB in value
