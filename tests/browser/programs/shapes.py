"""Workflows of different shapes: wide, nested, and one that fails."""

from tidegate import task, workflow


@task
def step(x: int) -> int:
    return x + 1


@workflow
def chain(x: int) -> int:
    for _ in range(5):
        x = step(x=x)
    return x


@workflow
def big(x: int) -> list[int]:
    return [step(x=step(x=step(x=step(x=x)))) for _ in range(125)]


@workflow
def nested(x: int) -> int:
    return step(x=chain(x=x))


@task(retries=1)
def breaks(x: int) -> int:
    print("about to break")
    raise ValueError(f"{x} is too little")


@workflow
def broken(x: int) -> int:
    return breaks(x=x)
