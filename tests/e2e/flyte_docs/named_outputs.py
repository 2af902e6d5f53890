"""Outputs with names: a NamedTuple of one field, returned bare, and one of two."""

from typing import NamedTuple

from tidegate import task, workflow

width_value = NamedTuple("width_value", [("width", float)])
height_value = NamedTuple("height_value", [("height", float)])
size_values = NamedTuple("size_values", [("width", float), ("height", float)])


@task
def width(x: list[int]) -> width_value:
    return float(max(x) - min(x))


@task
def height(y: list[int], width: float) -> height_value:
    return (max(y) - min(y)) / width


@workflow
def size_wf(x: list[int] = [-2, 0, 2], y: list[int] = [7, 4, -3]) -> size_values:
    width_value = width(x=x)
    height_value = height(y=y, width=width_value.width)
    return size_values(width=width_value.width, height=height_value.height)
