"""Code that comes from Flyte finds files, folders and overrides under the names it knows."""

from typing import TypeVar

from tidegate import task, workflow
from tidegate.types.directory import FlyteDirectory
from tidegate.types.file import CSVFile, FlyteFile


@task
def copy(source: FlyteFile[TypeVar("csv")]) -> FlyteFile["csv"]:  # noqa: F821 - a format, as Flyte writes it
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
