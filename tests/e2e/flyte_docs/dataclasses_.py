"""A dataclass of plain fields, and one that carries a table, a file and a directory; a library makes JSON of both."""

import os
import tempfile
from dataclasses import dataclass

import pandas as pd
from mashumaro.mixins.json import DataClassJSONMixin

from tidegate import FlyteDirectory, FlyteFile, StructuredDataset, task, workflow

PEOPLE = {"Name": ["Ada", "Grace"], "Age": [36, 85]}


@dataclass
class Entry(DataClassJSONMixin):
    x: int
    y: str
    z: dict[int, str]


@task
def entry_of(s: int) -> Entry:
    return Entry(x=s, y=str(s), z={s: str(s)})


@task
def add(x: Entry, y: Entry) -> Entry:
    x.z.update(y.z)
    return Entry(x=x.x + y.x, y=x.y + y.y, z=x.z)


@dataclass
class Luggage(DataClassJSONMixin):
    dataframe: StructuredDataset
    file: FlyteFile
    directory: FlyteDirectory


@task
def pack() -> Luggage:
    df = pd.DataFrame(PEOPLE)

    temp_dir = tempfile.mkdtemp(prefix="luggage-")
    df.to_parquet(temp_dir + "/df.parquet")

    file_path = tempfile.NamedTemporaryFile(delete=False)
    file_path.write(b"Hello, sea!")

    return Luggage(
        dataframe=StructuredDataset(dataframe=df),
        file=FlyteFile(file_path.name),
        directory=FlyteDirectory(temp_dir),
    )


@task
def unpack(res: Luggage):
    assert pd.DataFrame(PEOPLE).equals(res.dataframe.open(pd.DataFrame).all())
    with open(res.file, "r") as f:
        assert f.read() == "Hello, sea!"
    assert os.listdir(res.directory) == ["df.parquet"]


@workflow
def dataclass_wf(x: int, y: int) -> (Entry, Luggage):
    o1 = add(x=entry_of(s=x), y=entry_of(s=y))
    o2 = pack()
    unpack(res=o2)
    return o1, o2
