"""Calling a task as a worker does: stored values in, stored values out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tidegate import InvalidValue, current_context, task, workflow
from tidegate.blobs.directory import BlobDirectory
from tidegate.blobs.files import BlobFiles
from tidegate.errors import UnknownBlob
from tidegate.sdk.invoke import invoke
from tidegate.sdk.trace import TaskRun


@dataclass
class Point:
    x: int


@task
def move(point: Point, by: int = 1) -> Point:
    return Point(point.x + by)


@task
def pair(x: int) -> tuple[int, str]:
    return x, "a"


@task
def silent(x: int):
    return x


@task
def free() -> dict:
    return {"a": [1, None]}


@workflow
def moves(point: Point) -> Point:
    return move(point=point)


def call(t: Any, inputs: dict[str, Any], tmp_path: Path) -> Any:
    return invoke(t, inputs, dynamic=False, blobs=BlobFiles(BlobDirectory(tmp_path)))


def test_values_are_decoded_and_encoded_by_the_declared_types(tmp_path):
    assert call(move, {"point": {"x": 1}, "by": 2}, tmp_path) == {"o0": {"x": 3}}
    assert call(move, {"point": {"x": 1}}, tmp_path) == {"o0": {"x": 2}}
    assert call(pair, {"x": 1}, tmp_path) == {"o0": 1, "o1": "a"}
    assert call(free, {}, tmp_path) == {"o0": {"a": [1, None]}}
    assert call(silent, {"x": 1}, tmp_path) == {}


def test_an_input_that_does_not_fit_names_task_and_input(tmp_path):
    with pytest.raises(InvalidValue, match="task '.*:move': input 'point'"):
        call(move, {"point": {"y": 1}}, tmp_path)


def test_the_caller_says_which_run_it_is(tmp_path):
    seen: list[TaskRun] = []

    @task
    def look() -> int:
        seen.append(current_context())
        return 1

    run = TaskRun("e1", "n2/n0", 3, "e1/n2/n0", str(tmp_path))
    invoke(look, {}, dynamic=False, blobs=BlobFiles(BlobDirectory(tmp_path)), run=run)

    assert seen == [run]


def test_an_input_whose_blob_is_missing_names_task_input_and_blob(tmp_path):
    @task
    def weigh(content: bytes) -> int:
        return len(content)

    with pytest.raises(
        UnknownBlob, match=r"weigh': input 'content': no blob .*0000 is stored; upl"
    ):
        call(weigh, {"content": {"$blob": "0" * 64}}, tmp_path)
