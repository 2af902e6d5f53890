"""
One place in an object store: objects are put whole or not at all, read in parts, listed.

Rule 1: everything ends within a bounded time. A request is repeated for 10 s (30 s for a part of a large object), and then the store counts as away.
Rule 2: while it is away, everything is refused at once with the same line; one request in two seconds tries whether it is back.
Rule 3: credentials come from the environment, as obstore reads them. They are never stored, and never part of a message.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from tidegate import disk
from tidegate.errors import ObjectsAway, StoreError

PART: Final = 8 * 1024 * 1024
"""Bytes of one part of a large object, and of one read: S3 takes no smaller part than 5 MiB, and 10,000 parts."""

LARGE: Final = 1024 * PART
"""Bytes from which parts are larger, so that there are never more than some thousand."""

AT_ONCE: Final = 4
"""Parts that are sent at once: with `PART`, what one upload takes of memory."""

QUICK: Final = 5.0
SLOW: Final = 30.0
"""Seconds of one request: for answers of some bytes; for a part, which takes 30 s at 2 Mbit/s."""

AGAIN: Final = 2.0
"""Seconds between two attempts while the store is away."""

SCHEMES: Final = ("s3", "gs", "az", "file")

V = TypeVar("V")

_QUERY = re.compile(r"(https?://[^\s?]*)\?\S*")
_CODE = re.compile(r"<Code>(\w+)</Code>")


class ObjectEntry(Struct, frozen=True, gc=False):
    """An object: its name below the place, how many bytes it has, when it was written, and the tag of this version of it."""

    name: str
    size: int
    written: datetime
    tag: str


def check_address(address: str) -> str:
    """Return the address of a place in an object store, without a slash at its end. Errors: `StoreError`."""
    parts = urlsplit(address)
    if parts.scheme not in SCHEMES:
        raise StoreError(
            "--blobs (TIDEGATE_BLOBS) is not the address of an object store: it looks like s3://BUCKET/PREFIX, gs://, az:// or file:///DIRECTORY"
        )
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise StoreError(
            f"--blobs {parts.scheme}://...: an address has no credentials and no options in it; give them in the environment"
        )
    if parts.scheme == "file" and (parts.netloc or not parts.path.strip("/")):
        raise StoreError("--blobs file://: give an absolute path, as in file:///srv/tidegate")
    if parts.scheme != "file" and not parts.netloc:
        raise StoreError(f"--blobs {address}: there is no bucket in it")
    return address.rstrip("/")


class Bucket:
    """A place in an object store, by its address. May be used from any thread; not in a process that was forked from one that has used it."""

    def __init__(self, address: str) -> None:
        """Errors: `StoreError`. The store itself is not asked yet."""
        self.address = check_address(address)
        self._lock = threading.Lock()
        self._why = ""
        self._try_at = 0.0
        self._told: Callable[[str], None] = _nobody
        try:
            import obstore  # noqa: PLC0415 - an extra
            from obstore import exceptions  # noqa: PLC0415
        except ImportError as error:
            raise StoreError(
                f"files in an object store need more packages ({error}): pip install 'tidegate[objects]'"
            ) from error
        self._api = obstore
        self._missing = (FileNotFoundError, exceptions.NotFoundError)
        self._exists = exceptions.AlreadyExistsError
        self._errors = (exceptions.BaseError, OSError, ValueError)
        self._root = Path(urlsplit(self.address).path) if self.address.startswith("file:") else None
        self._quick = self._open(QUICK)
        self._slow = self._open(SLOW)

    def _open(self, seconds: float) -> Any:
        from obstore.store import LocalStore, from_url  # noqa: PLC0415 - an extra

        if self._root is not None:
            try:
                disk.make_directory(self._root)
            except OSError as error:
                raise disk.failed(f"{self._root} cannot be made", error) from error
            return LocalStore(self._root)
        options: dict[str, Any] = {
            "client_options": {
                "timeout": timedelta(seconds=seconds),
                "connect_timeout": timedelta(seconds=QUICK),
                # Only where the endpoint that is given says so.
                "allow_http": True,
            },
            "retry_config": {"max_retries": 4, "retry_timeout": timedelta(seconds=seconds)},
        }
        try:
            return from_url(self.address, **options)
        except self._errors as error:
            raise StoreError(f"{self.address} cannot be used: {_first_line(error)}") from None

    @property
    def why(self) -> str:
        """Why the store is away; empty if it is not, as far as is known."""
        return self._why

    def on_away(self, call: Callable[[str], None]) -> None:
        """Call this when the store goes away, with the reason, and when it is back, with an empty one."""
        self._told = call

    # ---- objects ----

    def put(self, name: str, content: bytes, *, new: bool = False) -> str:
        """Store an object; return its tag, or "" with `new` if there is one of this name, which stays. Errors: `ObjectsAway`, `StoreError`."""
        mode = {"mode": "create"} if new else {}
        try:
            made = self._asked(
                lambda: self._api.put(self._slow, name, content, use_multipart=False, **mode)
            )
        except FileExistsError:
            return ""
        self._settle(name)
        return str(made["e_tag"] or "-")

    def put_file(self, name: str, path: Path) -> str:
        """Store a file as an object, in parts if it is large; return its tag. Errors: as above; `OSError` of the file."""
        size = path.stat().st_size
        if size <= PART:
            return self.put(name, path.read_bytes())
        part = PART if size <= LARGE else size // 1000
        with path.open("rb") as file:
            made = self._asked(
                lambda: self._api.put(
                    self._slow,
                    name,
                    file,
                    use_multipart=True,
                    chunk_size=part,
                    max_concurrency=AT_ONCE,
                )
            )
        self._settle(name)
        return str(made["e_tag"] or "-")

    def find(self, name: str) -> ObjectEntry | None:
        """Return what is known of an object; None if there is none. Errors: as above."""
        try:
            return _entry(self._asked(lambda: self._api.head(self._quick, name)))
        except FileNotFoundError:
            return None

    def read(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield an object in parts, from a place on and to another one. Errors: `FileNotFoundError` before the first; `ObjectsAway`, `StoreError`."""
        found = self.find(name)
        if found is None:
            raise FileNotFoundError(name)
        end = found.size if end is None else min(end, found.size)
        while start < end:
            until = min(start + PART, end)
            yield self._range(name, start, until)
            start = until

    def _range(self, name: str, start: int, end: int) -> bytes:
        return bytes(
            self._asked(lambda: self._api.get_range(self._slow, name, start=start, end=end))
        )

    def list(self, prefix: str) -> Iterator[ObjectEntry]:
        """Yield the objects whose names begin with a prefix, which ends at a slash, in the order of the store. Errors: as above."""
        pages = self._api.list(self._quick, prefix=prefix, chunk_size=1000)
        while page := self._asked(lambda: next(pages, None)):
            yield from map(_entry, page)

    def remove(self, *names: str) -> None:
        """Remove objects; missing ones are ignored. Errors: as above."""
        for at in range(0, len(names), 1000):
            few = list(names[at : at + 1000])
            try:
                self._asked(lambda few=few: self._api.delete(self._quick, few))  # type: ignore[misc]
            except FileNotFoundError:
                continue

    def check(self) -> None:
        """Ask the store for something, even while it counts as away. Errors: `ObjectsAway`."""
        with self._lock:
            self._try_at = 0.0
        self.find("store")

    # ---- being away ----

    def _asked(self, call: Callable[[], V]) -> V:
        self._refuse_while_away()
        try:
            found = call()
        except self._missing:
            if self._is_gone():
                raise self._away(f"there is no such bucket as that of {self.address}") from None
            self._is_back()
            raise FileNotFoundError from None
        except self._exists:
            self._is_back()
            raise FileExistsError from None
        except self._errors as error:
            raise self._away(meaning(error, self.address)) from None
        self._is_back()
        return found

    def _is_gone(self) -> bool:
        """Whether what is missing is the bucket itself: the reply to a question about one object does not say."""
        if self._root is not None:
            return not self._root.is_dir()
        try:
            next(iter(self._api.list(self._quick, prefix="store", chunk_size=1)), None)
        except self._missing:
            return True
        except self._errors as error:
            raise self._away(meaning(error, self.address)) from None
        return False

    def _refuse_while_away(self) -> None:
        if not self._why:
            return
        with self._lock:
            now = time.monotonic()
            if self._why and now < self._try_at:
                raise ObjectsAway(self._why)
            self._try_at = now + SLOW  # the others are refused while this one tries

    def _away(self, why: str) -> ObjectsAway:
        with self._lock:
            is_new, self._why = self._why != why, why
            self._try_at = time.monotonic() + AGAIN
        if is_new:
            self._told(why)
        return ObjectsAway(why)

    def _is_back(self) -> None:
        if not self._why:
            return
        with self._lock:
            self._why = ""
        self._told("")

    def _settle(self, name: str) -> None:
        """Sync an object that is a file of this machine: object stores do that themselves."""
        if self._root is None:
            return
        path = self._root / name
        try:
            disk.sync(path)
            while path != self._root:
                path = path.parent
                disk.sync(path)
        except OSError as error:
            raise disk.failed(f"{self.address} cannot be written", error) from error


def meaning(error: BaseException, address: str) -> str:
    """Say in one line what an error of the object store means."""
    said, kind = str(error), type(error).__name__
    code = found[1] if (found := _CODE.search(said)) else ""
    if "169.254." in said or "metadata.google" in said or "CredentialsNotFound" in said:
        return f"there are no credentials for {address}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or those of its provider"
    if code == "NoSuchBucket" or "NoSuchContainer" in said:
        return f"there is no such bucket as that of {address}: make it, or correct --blobs (TIDEGATE_BLOBS)"
    if kind in {"PermissionDeniedError", "UnauthenticatedError"} or "403 Forbidden" in said:
        return f"{address} refuses our credentials{f' ({code})' if code else ''}: check them, and what they may do there"
    if "timed out" in said or "operation timeout" in said:
        return f"{address} does not reply in time"
    if "error sending request" in said or "connect" in said.lower():
        return f"{address} cannot be reached"
    return f"{address} fails: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    """Return the beginning of what an error says, without anything that may be a credential."""
    said = _QUERY.sub(r"\1", (str(error).splitlines() or [type(error).__name__])[0])
    return said if len(said) <= 200 else f"{said[:200]}..."


def _entry(found: Any) -> ObjectEntry:
    return ObjectEntry(found["path"], found["size"], found["last_modified"], found["e_tag"] or "-")


def _nobody(_: str) -> None:
    """Tell nobody."""
