"""
DataFrames and Arrow tables as Parquet, and the proof that they read back identically: what was written is read, and compared.

Parquet cannot express some things that pandas has: the frequency of an index, a range of labels, text in a column of objects,
seconds. These are noted in the metadata of the file (`tidegate`), and restored when it is read as a DataFrame.
"""

from decimal import Decimal
from importlib import import_module
from io import BytesIO
from typing import Any, Final

import msgspec

from tidegate.errors import InvalidValue
from tidegate.types.alike import check_alike
from tidegate.types.form import changed, inside, name_of, wrong
from tidegate.types.values import misplaced

_NEEDS: Final = "install pyarrow to store tables"
_NOTE: Final = b"tidegate"
_TEXTS: Final = ("object", "nan")
"""How a note describes a column of objects that holds text, with None or with NaN for missing values."""


def package(name: str) -> Any:
    """Load an optional package that only tables need."""
    try:
        return import_module(name)
    except ImportError as e:
        raise InvalidValue(f"{name} is not installed: {_NEEDS}") from e


def is_a(value: object, module: str, name: str) -> bool:
    """Say whether an object, or a class, is of a class of a package, without loading the package."""
    cls = value if isinstance(value, type) else type(value)
    return any(c.__name__ == name and c.__module__.split(".")[0] == module for c in cls.__mro__)


def is_table(value: object) -> bool:
    """Say whether a value, or a class, is a DataFrame or an Arrow table."""
    return is_a(value, "pandas", "DataFrame") or is_a(value, "pyarrow", "Table")


def write_table(table: Any) -> bytes:
    """Write a DataFrame or an Arrow table as Parquet. Raises `InvalidValue` if that is impossible, or would read back differently."""
    arrow = package("pyarrow")
    frame = is_a(table, "pandas", "DataFrame")
    target = BytesIO()
    try:
        made = _from_frame(table) if frame else table
        package("pyarrow.parquet").write_table(made, target)
        content = target.getvalue()
        back, note = _read(content)
        if frame:
            _check_frame(table, made, back, note)
        else:
            _check_arrow(table, back)
    except InvalidValue:
        raise
    except (arrow.ArrowException, ValueError, TypeError, KeyError, OverflowError) as e:
        raise misplaced(f"the table cannot be stored: {e}") from e
    return content


def read_table(content: bytes, cls: type) -> Any:
    """Read Parquet as a pandas DataFrame or an Arrow table."""
    if not is_table(cls):
        raise misplaced(f"a table cannot be opened as {cls.__qualname__}: use pandas.DataFrame")
    table, note = _read(content)
    if is_a(cls, "pandas", "DataFrame"):
        package("pandas")
        return _put_back(table.to_pandas(), note)
    return table


def _read(content: bytes) -> tuple[Any, dict[str, Any]]:
    """Return the Arrow table of a Parquet file, and the note beside it."""
    # A tenth of a millisecond for a small table; `read_table`, which also reads directories, takes five.
    file = package("pyarrow.parquet").ParquetFile(BytesIO(content))
    table = file.read()
    metadata = dict(table.schema.metadata or {})
    note = metadata.pop(_NOTE, None)
    if note is None:
        return table, {}
    return table.replace_schema_metadata(metadata or None), msgspec.json.decode(note)


def _from_frame(frame: Any) -> Any:
    if type(frame).__name__ != "DataFrame" or not type(frame).__module__.startswith("pandas"):
        raise changed(frame, "DataFrame", "use pandas.DataFrame(value)")
    _check_labels_are_text(frame)
    made = package("pyarrow").Table.from_pandas(frame)
    note = _note(frame)
    if not note:
        return made
    return made.replace_schema_metadata(
        {**(made.schema.metadata or {}), _NOTE: msgspec.json.encode(note)}
    )


def _check_labels_are_text(frame: Any) -> None:
    """Refuse labels that Arrow would turn into text, naming the first."""
    for level in range(frame.columns.nlevels):
        labels = frame.columns.get_level_values(level)
        if labels.inferred_type.startswith("mixed"):
            first = next(label for label in labels if not isinstance(label, str))
            raise wrong(
                f"the column label {first!r} is not text, unlike others, and would be read back as "
                f"{str(first)!r}: make all of them text, as with df.columns.map(str)"
            )
    for name in frame.index.names:
        if name is not None and not isinstance(name, str):
            raise wrong(
                f"the name {name!r} of the index would be read back as {str(name)!r}: make it text"
            )


def _note(frame: Any) -> dict[str, Any]:
    """Return what pandas knows of a frame and Parquet does not."""
    noted = {axis: _note_of_labels(getattr(frame, axis), axis) for axis in ("index", "columns")}
    noted["dtypes"] = {}
    for n, dtype in enumerate(frame.dtypes):
        kind = str(dtype)
        if kind == "object":
            kind = _object_of(frame.iloc[:, n])
        elif kind == "string":
            kind = f"string[{dtype.storage}]"
        elif not kind.startswith("datetime64[s"):
            continue
        noted["dtypes"] |= {str(n): kind} if kind else {}
    return {part: found for part, found in noted.items() if found}


def _note_of_labels(labels: Any, axis: str) -> dict[str, Any]:
    freq = None if is_a(labels, "pandas", "PeriodIndex") else getattr(labels, "freqstr", None)
    found = {"freq": freq} if freq else {}
    if axis == "columns" and is_a(labels, "pandas", "RangeIndex"):
        found["range"] = [labels.start, labels.stop, labels.step]
    if labels.nlevels == 1 and str(labels.dtype) == "object" and len(labels):
        found["object"] = True
    return found


def _object_of(column: Any) -> str:
    """Say how a column of objects that holds text is restored: with None, or with NaN, for missing values; empty if it holds other objects."""
    kinds = set(map(type, column.to_numpy().tolist()))
    if str not in kinds or not kinds <= {str, float, type(None)} or len(kinds) > 2:
        return ""
    return "nan" if float in kinds else "object"


def _put_back(frame: Any, note: dict[str, Any]) -> Any:
    """Restore what the note describes."""
    pandas = package("pandas")
    for n, kind in note.get("dtypes", {}).items():
        column = frame.iloc[:, int(n)]
        if kind in _TEXTS:
            items = column.astype(object)
            column = items if kind == "nan" else items.where(column.notna(), None)
        else:
            column = column.astype(kind)
        frame.isetitem(int(n), column)
    for axis in ("index", "columns"):
        kept = note.get(axis, {})
        labels = getattr(frame, axis)
        if "object" in kept:
            setattr(frame, axis, labels.astype(object))
        if "range" in kept:
            frame.columns = pandas.RangeIndex(*kept["range"], name=labels.name)
        if "freq" in kept:
            labels.freq = kept["freq"]
    return frame


def _check_arrow(table: Any, back: Any) -> None:
    for mine, other in zip(table.schema, back.schema, strict=True):
        if not mine.equals(other) or mine.metadata != other.metadata:
            told = (
                f"{mine.type} would be read back as {other.type}"
                if mine.type != other.type
                else "its nullability or metadata would be lost"
            )
            raise inside(mine.name, wrong(f"{told}: cast it before"))
    if (table.schema.metadata or {}) != (back.schema.metadata or {}):
        raise wrong("the metadata of the table would be read back differently: leave it out")
    if table.equals(back):
        return
    for name, mine, other in zip(table.column_names, table.columns, back.columns, strict=True):
        if not mine.equals(other):  # also where there is a NaN
            _check_cells(name, mine.to_pylist(), other.to_pylist())


def _check_frame(frame: Any, made: Any, table: Any, note: dict[str, Any]) -> None:
    """Refuse a frame that reads back differently: by its labels, the types of its columns, and each cell."""
    # Text is text in Arrow, too: such a column is compared there, and not converted to objects again.
    texts = {int(n) for n, kind in note.get("dtypes", {}).items() if kind in _TEXTS}
    others = {n: kind for n, kind in note.get("dtypes", {}).items() if kind not in _TEXTS}
    back = _put_back(table.to_pandas(), {**note, "dtypes": others})
    if frame.shape != back.shape:
        raise wrong(f"a table of {frame.shape} would be read back as one of {back.shape}")
    _check_labels("the index", frame.index, back.index)
    _check_labels("the column labels", frame.columns, back.columns)
    for n, ((name, mine), (_, other)) in enumerate(zip(frame.items(), back.items(), strict=True)):
        step = name if isinstance(name, str) else repr(name)
        if n not in texts:
            _check_column(step, mine, other)
        elif not made.column(n).equals(table.column(n)):
            raise inside(step, wrong("its text would be read back differently"))
    if frame.attrs:
        try:
            check_alike(frame.attrs, back.attrs)
        except InvalidValue as e:
            raise inside("attrs", e) from None
    if frame.flags != back.flags:
        raise wrong("its flags would be lost: allow duplicate labels again")


def _check_labels(which: str, mine: Any, other: Any) -> None:
    if list(mine.names) != list(other.names) or mine.nlevels != other.nlevels:
        raise wrong(
            f"the names {list(mine.names)} of {which} would be read back as {list(other.names)}"
        )
    if getattr(mine, "freqstr", None) != getattr(other, "freqstr", None):
        raise wrong(f"the frequency of {which}, {mine.freqstr}, would be lost")
    for level in range(mine.nlevels):
        if mine is not other:
            _check_column(which, mine.get_level_values(level), other.get_level_values(level))


def _check_column(step: str, mine: Any, other: Any) -> None:
    """Compare two columns, or two levels of labels."""
    if mine.dtype != other.dtype or str(mine.dtype) != str(other.dtype):
        way = "infer_objects() or astype() gives it a type that is kept"
        raise inside(step, wrong(f"{mine.dtype} would be read back as {other.dtype}: {way}"))
    if str(mine.dtype) == "object":
        _check_cells(step, list(mine), list(other))
    elif getattr(mine.dtype, "storage", "") == "python" and not _is_plain_text(mine):
        raise inside(step, wrong("its text would be read back as str: make it plain with map(str)"))
    elif not _same_array(mine.array, other.array):
        raise inside(step, wrong("its values would be read back differently: cast it before"))


def _is_plain_text(column: Any) -> bool:
    """Return whether a column of text has no instances of subclasses of `str`, which it may hold."""
    kinds = set(map(type, column.to_numpy(dtype=object)))
    return not any(issubclass(kind, str) and kind is not str for kind in kinds)


def _same_array(mine: Any, other: Any) -> bool:
    numpy = package("numpy")
    if type(mine).__name__ != "NumpyExtensionArray":
        if is_a(mine, "pandas", "Categorical") and mine.categories.dtype != other.categories.dtype:
            return False
        return bool(mine.equals(other))
    a, b = mine.to_numpy(), other.to_numpy()
    if a.dtype.kind != "f":
        return bool(numpy.array_equal(a, b))
    bits = f"u{a.dtype.itemsize}"
    differ = numpy.ascontiguousarray(a).view(bits) != numpy.ascontiguousarray(b).view(bits)
    return not differ.any() or bool((numpy.isnan(a[differ]) & numpy.isnan(b[differ])).all())


def _check_cells(step: str, mine: list[Any], other: list[Any]) -> None:
    """Compare the cells of a column of objects."""
    kinds = list(map(type, mine))
    if kinds == list(map(type, other)) and {str, type(None)}.issuperset(kinds) and mine == other:
        return
    for n, (value, back) in enumerate(zip(mine, other, strict=True)):
        try:
            _check_cell(value, back)
        except InvalidValue as e:
            raise inside(step, inside(n, e)) from None


def _check_cell(value: Any, back: Any) -> None:
    if isinstance(value, Decimal) and isinstance(back, Decimal) and value == back:
        return  # a column has one number of digits after the point
    if type(value) is not type(back):
        way = (
            "use an array, or an Arrow table"
            if isinstance(value, list)
            else "use one type in a column, and None for missing values"
        )
        raise wrong(f"{name_of(value)} would be read back as {name_of(back)}: {way}")
    check_alike(value, back)
