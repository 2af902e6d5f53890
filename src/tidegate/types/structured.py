"""
Tables that travel with a value, whatever library reads them: flytekit's `StructuredDataset`, as far as its guide goes.

A dataset is stored as Parquet, like a DataFrame and an Arrow table, so that each may be passed for the other.
"""

from functools import partial
from pathlib import Path
from typing import Any, Final, Self

from tidegate.ir.expr import Schema, Value
from tidegate.types.form import changed
from tidegate.types.tables import is_table, package, read_table, write_table
from tidegate.types.values import (
    BLOB,
    FileStore,
    blob_schema,
    is_reference,
    misplaced,
    new_room,
    pydantic_schema,
    reference,
)

PARQUET: Final = "application/vnd.apache.parquet"


class StructuredDataset:
    """
    A table: `StructuredDataset(dataframe=df)` to return one, `.open(pd.DataFrame).all()` to read one.

    `dataframe` is a pandas DataFrame or an Arrow table; or `uri` is the path of a Parquet or CSV file, as `file_format` or its extension says.
    Raises InvalidValue if there is neither, if the file does not exist, or if pyarrow is not installed.
    """

    def __init__(
        self, dataframe: Any = None, uri: str | None = None, file_format: str = ""
    ) -> None:
        """Take a DataFrame or an Arrow table, or the path of a Parquet or CSV file."""
        if isinstance(dataframe, str):
            dataframe, uri = None, dataframe
        if dataframe is None and uri is None:
            raise misplaced("a StructuredDataset needs a dataframe or a uri")
        self.dataframe = dataframe
        self.uri = uri
        self.file_format = file_format or (Path(uri).suffix.removeprefix(".") if uri else "parquet")
        self._stored: tuple[dict[str, Any], FileStore] | None = None
        self._opened: type | None = None

    @classmethod
    def stored(cls, value: dict[str, Any], blobs: FileStore) -> Self:
        """Make one from a stored value; it is read when it is opened."""
        made = cls(uri=value[BLOB], file_format="parquet")
        made._stored = (value, blobs)
        return made

    def open(self, dataframe_type: type) -> Self:
        """Choose the type to read it as."""
        self._opened = dataframe_type
        return self

    def all(self) -> Any:
        """Return the whole table, of the type it was opened as."""
        if self._opened is None:
            raise misplaced("open the dataset first: .open(pandas.DataFrame).all()")
        if isinstance(self.dataframe, self._opened):
            return self.dataframe
        return read_table(self.content(), self._opened)

    def content(self) -> bytes:
        """Return the table as Parquet."""
        if self._stored is not None:
            value, blobs = self._stored
            return blobs.get(value[BLOB])
        if self.dataframe is not None:
            return write_table(self.dataframe)
        path = Path(str(self.uri).removeprefix("file://"))
        if not path.is_file():
            raise misplaced(f"there is no file at {self.uri}")
        if self.file_format == "csv":
            return write_table(package("pandas").read_csv(path))
        return path.read_bytes()

    def __fspath__(self) -> str:
        """Return the path of a Parquet copy: for code that opens files, and for libraries that turn dataclasses into JSON."""
        target = new_room() / "table.parquet"
        target.write_bytes(self.content())
        return str(target)

    def reference(self) -> dict[str, Any] | None:
        """Return the stored value it was made from, if it was."""
        return None if self._stored is None else self._stored[0]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> Any:
        """Let pydantic models have such a field."""
        return pydantic_schema(partial(_from_pydantic, cls), keep_table)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: object, handler: object) -> Schema:
        """Tell pydantic the schema of the stored value."""
        return blob_schema("table", "Table")


def _from_pydantic(cls: type[StructuredDataset], value: Any, blobs: FileStore | None) -> Any:
    if isinstance(value, StructuredDataset):
        return value
    if is_reference(value) and blobs is not None:
        return cls.stored(value, blobs)
    if is_table(value):
        return cls(dataframe=value)
    raise ValueError(f"expected a table, got a {type(value).__qualname__}")


def keep_table(value: Any, blobs: FileStore | None) -> Value:
    """Store a DataFrame, an Arrow table or a dataset as Parquet. Raises `InvalidValue`."""
    dataset = isinstance(value, StructuredDataset)
    if dataset and type(value) is not StructuredDataset:
        raise changed(value, "StructuredDataset")
    if dataset and value.reference() is not None:
        return value.reference()
    if blobs is None:
        raise misplaced("a table can be given only where it can be stored")
    content = value.content() if dataset else write_table(value)
    shape = getattr(value, "shape", None)
    about = f"table {shape[0]} x {shape[1]}" if shape else "table"
    return reference(blobs.put(content), size=len(content), media=PARQUET, about=about)
