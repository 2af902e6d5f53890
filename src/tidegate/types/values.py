"""
The representation in stored values of things too large or too special for JSON, and where their bytes are kept.

A blob is named by the SHA-256 digest of its content, so that a value that names one never changes its meaning.
In a value it is `{"$blob": digest, "size": bytes, "media": type, "name": file name}`. Executable files are marked there, too,
because their content is the same blob either way: `"executable": true`, for a directory the names of those files.
A file on the web that was not fetched yet is `{"$uri": address}`.

`File` and `Directory` are the views of them in task code; they alone in this package touch the disk, when a task asks.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Annotated, Any, Final, NoReturn, Protocol, Self, TypeGuard, TypeVar

from msgspec import Struct

from tidegate.errors import Fault, InvalidValue, StoreError, UnknownBlob
from tidegate.ir.expr import Schema, Value

BLOB: Final = "$blob"
URI: Final = "$uri"
FLOAT: Final = "$float"
"""Keys that only stored values have."""

KIND: Final = "x-tidegate"
"""The schema keyword that names what a stored value stands for, where JSON Schema has no word for it."""

_EXECUTABLE: Final[dict[str, Schema]] = {
    "file": {"const": True},
    "directory": {"type": "array", "items": {"type": "string"}},
}
"""Which of its files are executable."""
_WEB: Final = ("http://", "https://")
_LOCAL: Final = "file://"
_DIGEST: Final = "^[0-9a-f]{64}$"


class FileStore(Protocol):
    """Where the bytes and files of values are kept, by the digest of their content (SHA-256, hex)."""

    def put(self, content: bytes, /) -> str:
        """Keep bytes; return their digest."""
        ...

    def get(self, digest: str, /) -> bytes:
        """Return the bytes with this digest. Raises `UnknownBlob`."""
        ...

    def put_path(self, path: Path | str, /) -> str:
        """Keep a file's content, or a directory as a manifest of its files; return the digest."""
        ...

    def checkout(self, digest: str, name: str, /) -> Path:
        """Return a private copy of a file with this name, which may be written."""
        ...

    def checkout_tree(self, digest: str, name: str, /) -> Path:
        """Return a private copy of the directory that a manifest lists."""
        ...


class NoFiles:
    """For values that must be self-contained: constants of a workflow, defaults of fields."""

    def _refuse(self, *_: object) -> NoReturn:
        raise misplaced(
            "a file or many bytes cannot be a constant; make it an input, or let a task make it"
        )

    put = get = put_path = checkout = checkout_tree = _refuse


class _Pickling:
    """For code that may unpickle."""

    def __init__(self, blobs: FileStore) -> None:
        self.put = blobs.put
        self.get = blobs.get
        self.put_path = blobs.put_path
        self.checkout = blobs.checkout
        self.checkout_tree = blobs.checkout_tree


def with_pickle(blobs: FileStore) -> FileStore:
    """
    Allow `decode` to unpickle blobs of this store.

    Unpickling runs arbitrary code, so only a process that runs the author's tasks may allow it.
    """
    return _Pickling(blobs)


def may_unpickle(blobs: FileStore) -> bool:
    """Say whether `decode` may unpickle."""
    return isinstance(blobs, _Pickling)


def reference(digest: str, *, size: int, media: str, name: str = "", about: str = "") -> Value:
    """Make the stored value that stands for a blob; `about` describes it in a few words."""
    made: dict[str, Any] = {BLOB: digest, "size": size, "media": media}
    made |= {"name": name} if name else {}
    return made | ({"about": about} if about else {})


def is_reference(value: object) -> TypeGuard[dict[str, Any]]:
    """Say whether a stored value stands for a blob."""
    return isinstance(value, dict) and isinstance(value.get(BLOB), str)


def named_blobs(value: Value) -> Iterator[str]:
    """Yield the digests of the blobs that a value names, at any depth."""
    todo = [value]
    while todo:
        each = todo.pop()
        if is_reference(each):
            yield each[BLOB]
        if isinstance(each, dict):
            todo.extend(each.values())
        elif isinstance(each, list):
            todo.extend(each)


_OF_BLOB: Final[Mapping[str, Any]] = {
    BLOB: str,
    URI: str,
    "size": int,
    "media": str,
    "name": str,
    "about": str,
    "executable": (bool, list),
}


def is_blob(value: object) -> TypeGuard[dict[str, Any]]:
    """
    Say whether a stored value is a blob, or a file on the web, and nothing else: only then may its display replace it.

    A dict that merely resembles one, with more in it, is a dict.
    """
    return (
        isinstance(value, dict)
        and (BLOB in value) is not (URI in value)
        and all(
            name in _OF_BLOB and isinstance(each, _OF_BLOB[name]) for name, each in value.items()
        )
        and (BLOB not in value or re.fullmatch(_DIGEST, value[BLOB]) is not None)
    )


def blob_schema(kind: str, title: str) -> Schema:
    """Return the schema of a value that stands for a blob; a file may also be one on the web."""
    properties: Schema = {
        BLOB: {"type": "string", "pattern": _DIGEST},
        "size": {"type": "integer", "minimum": 0},
        "media": {"type": "string"},
        "name": {"type": "string"},
        "about": {"type": "string"},
    }
    made: Schema = {"title": title, KIND: kind, "type": "object", "properties": properties}
    if kind == "file":
        properties[URI] = {"type": "string", "pattern": "^https?://"}
        made["anyOf"] = [{"required": [BLOB]}, {"required": [URI]}]
    else:
        made["required"] = [BLOB]
    if kind in _EXECUTABLE:
        properties["executable"] = dict(_EXECUTABLE[kind])
    return made | {"additionalProperties": False}


class _Stored(Struct, frozen=True):
    """A stored value, with the blobs it names."""

    value: dict[str, Any]
    blobs: FileStore


def new_room() -> Path:
    """Make an empty directory."""
    # Loaded here, because importing the package must stay light.
    return Path(import_module("tempfile").mkdtemp(prefix="tidegate-"))


class _PathValue:
    """
    The common part of files and directories: a path given by the author, or a stored value that becomes a path
    on first use.
    """

    kind: str = ""
    title: str = ""

    def __init__(self, path: Any, downloader: object = None, remote_path: object = None) -> None:
        """
        Name a file or directory by its path, or a file by its web address (http, https).

        `downloader` and `remote_path` are accepted for compatibility with flytekit, without effect:
        the content is kept under its digest, and fetched on first use.
        """
        del downloader
        if not isinstance(path, str) and not hasattr(path, "__fspath__"):
            raise misplaced(f"expected a path, got a {type(path).__qualname__}")
        self._given = str(path).removeprefix(_LOCAL)
        self._stored: _Stored | None = None
        self._local = "" if self._given.startswith(_WEB) else self._given
        self.remote_path = remote_path

    @classmethod
    def __class_getitem__(cls, _format: object) -> Any:
        """`File["csv"]`, as Flyte writes it: a file, of whatever format."""
        return cls

    @classmethod
    def stored(cls, value: dict[str, Any], blobs: FileStore) -> Self:
        """Make one from a stored value; nothing is read before its first use."""
        made = cls(value.get(URI) or value.get("name") or value[BLOB])
        made._local = ""
        made._stored = _Stored(value, blobs)
        return made

    @property
    def path(self) -> str:
        """The path on this machine. A stored file is fetched first, as a writable copy."""
        if not self._local:
            try:
                self._local = str(self._fetch())
            except (UnknownBlob, StoreError) as error:
                raise type(error)(f"{self.kind} {self.name!r}: {error.message}") from None
        return self._local

    def _fetch(self) -> Path:
        raise NotImplementedError

    def download(self) -> str:
        """Fetch the content now; return its path."""
        return self.path

    @property
    def remote_source(self) -> str:
        """Where it came from: the path or address it was made with, or the digest of its content."""
        stored = self._stored
        return self._given if stored is None else str(stored.value.get(BLOB, self._given))

    @property
    def name(self) -> str:
        """Its name, without the directories before it."""
        return self._given.rstrip("/").rpartition("/")[2]

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._given!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _PathValue) or self.kind != other.kind:
            return NotImplemented
        if self._stored is not None and other._stored is not None:
            return self._stored.value == other._stored.value
        return self._given == other._given

    def __hash__(self) -> int:
        return hash(self.remote_source)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Let pydantic models have such a field."""
        return pydantic_schema(partial(_from_pydantic, cls), keep)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: object, handler: object) -> Schema:
        """Tell pydantic the schema of the stored value."""
        return blob_schema(cls.kind, cls.title)


class File(_PathValue):
    """
    A file whose content travels with the value. Made from a path, or from a web address (http, https), which is fetched when it is opened.

    Return `File("report.csv")` from a task, and its content is kept; a task that takes it opens its copy with `open(file)`.
    Raises InvalidValue for an invalid path, and, when it is passed on, for a path without a file.
    """

    kind = "file"
    title = "File"

    def _fetch(self) -> Path:
        stored = self._stored
        if stored is not None and BLOB in stored.value:
            copy = stored.blobs.checkout(stored.value[BLOB], self.name or "file")
            if stored.value.get("executable"):
                _make_executable(copy)
            return copy
        # Loaded here, because importing the package must stay light.
        request = import_module("urllib.request")
        target = new_room() / (self.name.partition("?")[0] or "file")
        request.urlretrieve(self._given, target)
        return target

    def open(self, mode: str = "r", cache_type: str = "", cache_options: object = None) -> IO[Any]:
        """Open the file; the arguments after `mode` are accepted for compatibility with flytekit."""
        del cache_type, cache_options
        return Path(self.path).open(mode)

    @classmethod
    def new_remote_file(cls, name: str = "file", alt: object = None) -> Self:
        """Return a file that does not exist yet, to be written by a task and returned."""
        del alt
        return cls(new_room() / name)


class Directory(_PathValue):
    """
    A directory whose files travel with the value. Made from a path; a task that takes it gets a writable copy.

    Raises InvalidValue for an invalid path, and, when it is passed on, for a path without a directory.
    """

    kind = "directory"
    title = "Directory"

    def _fetch(self) -> Path:
        stored = self._stored
        assert stored is not None, self._given
        copy = stored.blobs.checkout_tree(stored.value[BLOB], self.name or "directory")
        for within in stored.value.get("executable", ()):
            # A value may come from outside, and must not lead out of the directory.
            path = copy / within
            if ".." not in path.parts and path.is_relative_to(copy) and path.is_file():
                _make_executable(path)
        return copy

    @classmethod
    def new_remote(cls, stem: str = "directory", alt: object = None) -> Self:
        """Return an empty directory, to be filled by a task and returned."""
        del alt
        made = new_room() / stem
        made.mkdir(parents=True)
        return cls(made)

    def new_file(self, name: str = "file") -> File:
        """Return a file in this directory, to be written."""
        Path(self.path).mkdir(parents=True, exist_ok=True)
        return File(Path(self.path) / name)

    @classmethod
    def listdir(cls, directory: "Directory") -> list["File | Directory"]:
        """Return the entries of a directory, by name."""
        inside = sorted(Path(directory.path).iterdir())
        return [Directory(p) if p.is_dir() else File(p) for p in inside]

    def crawl(self, maxdepth: int | None = None) -> Iterator[tuple[str, str]]:
        """Yield each file below, as the path of this directory and the path within it."""
        root = Path(self.path)
        for found in sorted(root.rglob("*")):
            within = found.relative_to(root)
            if found.is_file() and (maxdepth is None or len(within.parts) <= maxdepth):
                yield str(root), str(within)


FlyteFile = File
FlyteDirectory = Directory

T = TypeVar("T")


class _PickledMark:
    """Marks a type whose values are pickled."""

    def __repr__(self) -> str:
        return "Pickled"


PICKLED: Final = _PickledMark()
Pickled = Annotated[T, PICKLED]
"""`Pickled[Model]`: a type that only tasks use, stored as a pickle, which only workers open."""


def misplaced(reason: str) -> InvalidValue:
    """Make the error for a file or directory that cannot be kept."""
    return InvalidValue(reason, [Fault((), reason)])


def keep(value: Any, blobs: FileStore | None) -> Value:
    """Store a file or directory; return the value that stands for it. Raises `InvalidValue`."""
    if blobs is None:
        raise misplaced("a file can be given only where it can be stored")
    stored = value._stored  # noqa: SLF001  it is of this module
    if stored is not None and not value._local:  # noqa: SLF001
        return stored.value
    given = value._local or value._given  # noqa: SLF001
    if value.kind == "file" and given.startswith(_WEB):
        return {URI: given}
    if "://" in given:
        raise misplaced(f"{given} cannot be fetched: give a path on this machine, or http(s)")
    if value.kind == "directory":
        return _keep_tree(Path(given), blobs)
    path = Path(given)
    if not path.is_file():
        raise misplaced(f"there is no file at {given}")
    # Loaded here, because importing the package must stay light.
    guessed = import_module("mimetypes").guess_type(path.name)[0]
    media = guessed or "application/octet-stream"
    state = path.stat()
    name = _checked_name(path)
    made = reference(blobs.put_path(path), size=state.st_size, media=media, name=name)
    return made | ({"executable": True} if state.st_mode & _RUN else {})


_RUN: Final = 0o100
"""The executable bit of a file's owner."""
TREE_MEDIA: Final = "application/vnd.tidegate.directory+json"


def _keep_tree(path: Path, blobs: FileStore) -> Value:
    if not path.is_dir():
        raise misplaced(f"there is no directory at {path}")
    name = _checked_name(path.resolve())
    digest = blobs.put_path(path)
    found = [(p, p.stat()) for p in sorted(path.rglob("*")) if p.is_file()]
    about = f"{len(found)} file{'' if len(found) == 1 else 's'}"
    size = sum(state.st_size for _, state in found)
    made = reference(digest, size=size, media=TREE_MEDIA, name=name, about=about)
    run = [p.relative_to(path).as_posix() for p, state in found if state.st_mode & _RUN]
    return made | ({"executable": run} if run else {})


def _checked_name(path: Path) -> str:
    """Return the last part of a path. Raises `InvalidValue` if it cannot be kept."""
    try:
        path.name.encode()
    except UnicodeEncodeError:
        raise misplaced(f"the name {path.name!a} is not valid Unicode: rename it") from None
    return path.name


def _make_executable(path: Path) -> None:
    """Make a file executable for everyone who may read it."""
    mode = path.stat().st_mode
    path.chmod(mode | (mode & 0o444) >> 2)


def _from_pydantic(cls: type[_PathValue], value: Any, blobs: FileStore | None) -> Any:
    if isinstance(value, _PathValue) and value.kind == cls.kind:
        return value
    if isinstance(value, dict) and (BLOB in value or URI in value) and blobs is not None:
        return cls.stored(value, blobs)
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        return cls(value)
    raise ValueError(f"expected a {cls.kind}, got a {type(value).__qualname__}")


def pydantic_schema(
    read: Callable[[Any, FileStore | None], Any], write: Callable[[Any, FileStore | None], Value]
) -> Any:
    """Return how pydantic validates and dumps a blob field; the blobs are the context of both."""
    # Pydantic asks for it, so it is loaded; importing the package must not load it.
    core = import_module("pydantic_core.core_schema")
    return core.with_info_plain_validator_function(
        lambda value, asked: read(value, asked.context),
        serialization=core.plain_serializer_function_ser_schema(
            lambda value, asked: write(value, asked.context), info_arg=True, when_used="json"
        ),
    )
