"""
The forms of what is stored as a blob: files, directories, arrays, tables and pickles.

The packages they belong to are never loaded for them: code that names a type of a package has loaded it.
"""

from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any, Final

from tidegate.errors import InvalidValue
from tidegate.ir.expr import Value
from tidegate.types.form import Form, changed, misfit, one, type_name, unsupported, wrong
from tidegate.types.structured import PARQUET, StructuredDataset, keep_table
from tidegate.types.tables import is_a, is_table, package, read_table
from tidegate.types.values import (
    BLOB,
    URI,
    Directory,
    File,
    FileStore,
    blob_schema,
    is_reference,
    keep,
    may_unpickle,
    reference,
)

NPY: Final = "application/vnd.numpy.npy"
PICKLE: Final = "application/x-python-pickle"

_GIVES: Final = frozenset({dict})


def _path_form(cls: type[File] | type[Directory]) -> Form:
    def encode(value: Any, blobs: FileStore) -> Value:
        if type(value) is cls:
            return keep(value, blobs)
        if isinstance(value, cls):
            raise changed(value, cls.__name__, f"use {cls.__name__}(value.path)")
        if isinstance(value, str) or (
            hasattr(value, "__fspath__") and not isinstance(value, File | Directory)
        ):
            return keep(cls(value), blobs)
        raise misfit(f"a {cls.kind} or its path", value)

    def decode(value: Value, blobs: FileStore) -> Any:
        if is_reference(value) or (cls is File and type(value) is dict and URI in value):
            return cls.stored(value, blobs)
        raise misfit(one(cls.kind), value)

    schema = blob_schema(cls.kind, cls.title)
    return Form(schema=schema, encode=encode, decode=decode, takes=(cls,), gives=_GIVES, rank=1)


PATHS: Final[dict[Any, Form]] = {File: _path_form(File), Directory: _path_form(Directory)}


def packaged_form(cls: Any) -> Form | None:
    """Build the form of a numpy array, a table or a dataset; None for any other class."""
    if not isinstance(cls, type):
        return None
    if is_a(cls, "numpy", "ndarray"):
        return _array_form(cls)
    if cls is StructuredDataset:
        return _table_form(cls)
    if is_table(cls):
        if cls.__name__ not in {"DataFrame", "Table"}:
            raise unsupported(cls, "use pandas.DataFrame")
        if find_spec("pyarrow") is None:
            raise unsupported(cls, "install pyarrow, which writes and reads it")
        return _table_form(cls)
    return None


def _array_form(cls: type) -> Form:
    if cls.__name__ != "ndarray":
        raise unsupported(cls, "use numpy.ndarray")

    def decode(value: Value, blobs: FileStore) -> Any:
        if not is_reference(value):
            raise misfit("an array", value)
        return read_array(value, blobs)

    schema = blob_schema("ndarray", "Array")
    return Form(schema=schema, encode=write_array, decode=decode, takes=(cls,), gives=_GIVES)


def write_array(value: Any, blobs: FileStore) -> Value:
    """Store a numpy array in numpy's own format."""
    numpy = package("numpy")
    if type(value) is not numpy.ndarray:
        masked = is_a(value, "numpy", "MaskedArray")
        way = ".filled() or two arrays" if masked else "numpy.asarray(value)"
        alike = is_a(value, "numpy", "ndarray")
        raise changed(value, "ndarray", f"use {way}") if alike else misfit("an array", value)
    target = BytesIO()
    try:
        if value.dtype.hasobject or value.dtype.kind == "T":
            raise wrong(
                f"the array cannot be stored, because its items are objects ({value.dtype}): use another dtype, or a list"
            )
        if value.dtype.metadata:
            raise wrong("the metadata of its dtype would be lost: leave it out")
        read = numpy.lib.format.descr_to_dtype(numpy.lib.format.dtype_to_descr(value.dtype))
        if read != value.dtype:
            raise wrong(f"an array of {value.dtype} would be read back as one of {read}")
        numpy.save(target, value, allow_pickle=False)
    except (ValueError, TypeError) as e:
        if isinstance(e, InvalidValue):
            raise
        raise wrong(f"the array cannot be stored: {e}") from e
    content = target.getvalue()
    about = f"array {value.dtype} {' x '.join(map(str, value.shape)) or 'scalar'}"
    return reference(blobs.put(content), size=len(content), media=NPY, about=about)


def read_array(value: dict[str, Any], blobs: FileStore) -> Any:
    """Read a numpy array."""
    content = blobs.get(value[BLOB])
    try:
        return package("numpy").load(BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as e:
        raise wrong(f"the blob is not an array: {e}") from e


def _table_form(cls: type) -> Form:
    whole = cls is StructuredDataset

    def encode(value: Any, blobs: FileStore) -> Value:
        if not isinstance(value, cls) and not (whole and is_table(value)):
            raise misfit(one(cls.__qualname__), value)
        return keep_table(value, blobs)

    def decode(value: Value, blobs: FileStore) -> Any:
        if not is_reference(value):
            raise misfit("a table", value)
        if whole:
            return StructuredDataset.stored(value, blobs)
        try:
            return read_table(blobs.get(value[BLOB]), cls)
        except (ValueError, OSError) as e:  # Arrow's own errors are both
            raise wrong(f"the blob is not a table: {e}") from e

    schema = blob_schema("table", "Table")
    return Form(schema=schema, encode=encode, decode=decode, takes=(cls,), gives=_GIVES)


def pickle_form(annotation: Any) -> Form:
    """
    Build the form of a type that is pickled.

    It is read only from blobs made by `with_pickle`, so that the engine's process can never unpickle by accident.
    """
    cls = annotation if isinstance(annotation, type) else object
    title = type_name(annotation)

    def encode(value: Any, blobs: FileStore) -> Value:
        if not isinstance(value, cls):
            raise misfit(one(title), value)
        # Loaded here, because importing the package must stay light; cloudpickle stores what pickle cannot.
        pickle = import_module("pickle")
        library = import_module("cloudpickle") if find_spec("cloudpickle") else pickle
        try:
            content = library.dumps(value)
        except (pickle.PicklingError, TypeError, AttributeError) as e:
            raise wrong(f"{title} cannot be pickled: {e}") from e
        return reference(blobs.put(content), size=len(content), media=PICKLE, about=title)

    def decode(value: Value, blobs: FileStore) -> Any:
        if not is_reference(value):
            raise misfit(f"a pickled {title}", value)
        # A pickle is a program: something uploaded as another kind is not one.
        if value.get("media") != PICKLE:
            raise wrong(f"the blob is not marked as a pickled {title}")
        if not may_unpickle(blobs):
            raise wrong(f"a pickled {title} can be opened only by a task")
        return import_module("pickle").loads(blobs.get(value[BLOB]))

    schema = blob_schema("pickle", title)
    return Form(schema=schema, encode=encode, decode=decode, takes=(), gives=_GIVES)


def store_object(value: Any, blobs: FileStore) -> Value | None:
    """Store an object inside an untyped value that is kept as a blob; None if it is not such an object."""
    for cls, form in PATHS.items():
        if isinstance(value, cls):
            return form.encode(value, blobs)
    if is_a(value, "numpy", "ndarray"):
        return write_array(value, blobs)
    if is_table(value):
        media = "pandas" if is_a(value, "pandas", "DataFrame") else "pyarrow"
        return keep_table(value, blobs) | {"name": f"{media}.parquet"}
    return None


def open_object(value: dict[str, Any], blobs: FileStore) -> Any:
    """Return the object that a reference in an untyped value stands for, by its media type."""
    media = value.get("media", "")
    # References to arrays and tables say so; a file may have any name and media type.
    if media == NPY and "about" in value:
        return read_array(value, blobs)
    if (
        media == PARQUET
        and "about" in value
        and value.get("name") in {"pandas.parquet", "pyarrow.parquet"}
    ):
        frames = package("pyarrow") if value["name"] == "pyarrow.parquet" else package("pandas")
        cls = frames.Table if value["name"] == "pyarrow.parquet" else frames.DataFrame
        return read_table(blobs.get(value[BLOB]), cls)
    return (Directory if media.endswith("directory+json") else File).stored(value, blobs)
