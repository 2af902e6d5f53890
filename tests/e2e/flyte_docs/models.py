"""The same with pydantic models, under an image which has no effect."""

import os
import tempfile

import pandas as pd
from pydantic import BaseModel

from tidegate import FlyteDirectory, FlyteFile, ImageSpec, StructuredDataset, task, workflow

image_spec = ImageSpec(registry="example.org/images", packages=["pandas", "pyarrow", "pydantic"])

PEOPLE = {"Name": ["Ada", "Grace"], "Age": [36, 85]}


class Entry(BaseModel):
    x: int
    y: str
    z: dict[int, str]


@task(container_image=image_spec)
def entry_of(s: int) -> Entry:
    return Entry(x=s, y=str(s), z={s: str(s)})


@task(container_image=image_spec)
def add(x: Entry, y: Entry) -> Entry:
    x.z.update(y.z)
    return Entry(x=x.x + y.x, y=x.y + y.y, z=x.z)


class Luggage(BaseModel):
    dataframe: StructuredDataset
    file: FlyteFile
    directory: FlyteDirectory


@task(container_image=image_spec)
def pack() -> Luggage:
    df = pd.DataFrame(PEOPLE)

    temp_dir = tempfile.mkdtemp(prefix="luggage-")
    df.to_parquet(os.path.join(temp_dir, "df.parquet"))

    file_path = tempfile.NamedTemporaryFile(delete=False)
    file_path.write(b"Hello, sea!")
    file_path.close()

    return Luggage(
        dataframe=StructuredDataset(dataframe=df),
        file=FlyteFile(file_path.name),
        directory=FlyteDirectory(temp_dir),
    )


@task(container_image=image_spec)
def unpack(res: Luggage):
    assert pd.DataFrame(PEOPLE).equals(res.dataframe.open(pd.DataFrame).all())
    with open(res.file, "r") as f:
        assert f.read() == "Hello, sea!"
    assert os.listdir(res.directory) == ["df.parquet"]


@workflow
def model_wf(x: int, y: int) -> (Entry, Luggage):
    o1 = add(x=entry_of(s=x), y=entry_of(s=y))
    o2 = pack()
    unpack(res=o2)
    return o1, o2
