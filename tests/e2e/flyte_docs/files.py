"""A file in, a file out, written to the working directory of the task, and a directory of them."""

import csv
import os
from collections import defaultdict
from pathlib import Path
from typing import List

import tidegate
from tidegate import FlyteDirectory, FlyteFile, task, workflow


@task
def center_columns(
    csv_url: FlyteFile,
    column_names: List[str],
    columns_to_center: List[str],
    output_location: str,
) -> FlyteFile:
    columns = defaultdict(list)
    with open(csv_url, newline="\n") as input_file:
        reader = csv.DictReader(input_file, fieldnames=column_names)
        next(reader)
        for row in reader:
            for column in columns_to_center:
                columns[column].append(float(row[column].strip()))

    centered = {name: [v - sum(vs) / len(vs) for v in vs] for name, vs in columns.items()}

    out_path = os.path.join(
        tidegate.current_context().working_directory,
        f"centered-{os.path.basename(csv_url.path).rsplit('.')[0]}.csv",
    )
    with open(out_path, mode="w") as output_file:
        writer = csv.DictWriter(output_file, fieldnames=columns_to_center)
        writer.writeheader()
        for row in zip(*centered.values()):
            writer.writerow({k: row[i] for i, k in enumerate(columns_to_center)})

    if output_location:
        return FlyteFile(path=out_path, remote_path=output_location)
    else:
        return FlyteFile(path=out_path)


@workflow
def center_csv_file(
    csv_url: FlyteFile,
    column_names: List[str],
    columns_to_center: List[str],
    output_location: str = "",
) -> FlyteFile:
    return center_columns(
        csv_url=csv_url,
        column_names=column_names,
        columns_to_center=columns_to_center,
        output_location=output_location,
    )


@task
def write_files(texts: List[str]) -> FlyteDirectory:
    working_dir = tidegate.current_context().working_directory
    local_dir = Path(os.path.join(working_dir, "texts"))
    local_dir.mkdir(exist_ok=True)
    for idx, text in enumerate(texts):
        (local_dir / f"{idx}.txt").write_text(text)
    return FlyteDirectory(path=str(local_dir))


@task
def shout_all(texts_dir: FlyteDirectory, marks: List[List[str]]) -> FlyteDirectory:
    for name, mark in zip(
        [os.path.join(texts_dir, x) for x in sorted(os.listdir(texts_dir))],
        marks,
    ):
        text = Path(name).read_text()
        with open(name, mode="w") as file:
            file.write(text.upper() + "".join(mark))
    return FlyteDirectory(path=texts_dir.path)


@workflow
def write_and_shout(texts: List[str], marks: List[List[str]]) -> FlyteDirectory:
    directory = write_files(texts=texts)
    return shout_all(texts_dir=directory, marks=marks)
