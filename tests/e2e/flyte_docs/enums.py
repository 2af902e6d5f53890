"""An enum as an output, as an input, and of a workflow."""

from enum import Enum

from tidegate import task, workflow


class Tea(Enum):
    GREEN = "green"
    BLACK = "black"
    MINT = "mint"


@task
def order(tea: str) -> Tea:
    return Tea(tea)


@task
def brew(tea_enum: Tea) -> str:
    return f"Brewing {tea_enum.value} tea"


@workflow
def tea_maker(tea: str) -> str:
    tea_enum = order(tea=tea)
    return brew(tea_enum=tea_enum)


@workflow
def tea_maker_enum(tea_enum: Tea) -> str:
    return brew(tea_enum=tea_enum)
