"""Code that comes from Flyte finds files, folders and overrides under the names it knows."""

from dataclasses import dataclass
from typing import TypeVar

import pandas as pd
from mashumaro.mixins.json import DataClassJSONMixin

from tidegate import StructuredDataset, task, workflow
from tidegate.types.directory import FlyteDirectory
from tidegate.types.file import CSVFile, FlyteFile


@task
def copy(  # formats in brackets, as Flyte writes them
    source: FlyteFile[TypeVar("csv")],  # type: ignore[type-arg]
) -> FlyteFile["csv"]:  # type: ignore[type-arg, name-defined] # noqa: F821
    """Hand a file on."""
    return FlyteFile(source.path)


@task
def pack(source: CSVFile) -> FlyteDirectory:
    """Put a file into a directory."""
    made = FlyteDirectory.new_remote()
    with made.new_file("a.csv").open("w") as out, open(source) as content:  # noqa: PTH123 - users write it so
        out.write(content.read())
    return made


@workflow
def pack_wf(source: FlyteFile) -> FlyteDirectory:
    """Copy, then pack."""
    copied = copy(source=source).with_overrides(node_name="first", retries=1)
    return pack(source=copied)


def test_files_and_directories_travel_under_flytes_names(tmp_path) -> None:
    """Formats in brackets and named formats are taken, whatever they say."""
    given = tmp_path / "given.csv"
    given.write_text("a,b\n1,2\n")
    made = pack_wf(source=FlyteFile(str(given)))
    assert [file.name for file in FlyteDirectory.listdir(made)] == ["a.csv"]


def test_overrides_after_the_call_change_the_node() -> None:
    """As in Flyte, the name and the retries of one call."""
    first = pack_wf.compile().nodes["n0"]
    assert (first.name, first.retry.retries) == ("first", 1)


@dataclass
class Luggage(DataClassJSONMixin):
    """Flyte's guide makes JSON of its records by mashumaro."""

    table: StructuredDataset
    file: FlyteFile


def test_a_dataset_is_a_path_to_what_opens_files_and_to_libraries_that_make_json(tmp_path) -> None:
    """Both ways: to the path of a Parquet file, and from it."""
    frame = pd.DataFrame({"age": [36, 85]})
    (tmp_path / "a.txt").write_text("a")
    packed = Luggage(StructuredDataset(dataframe=frame), FlyteFile(tmp_path / "a.txt")).to_json()
    table = Luggage.from_json(packed).table
    assert table.open(pd.DataFrame).all().equals(frame)
    assert pd.read_parquet(table).equals(frame)
