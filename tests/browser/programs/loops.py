"""Workflows that repeat: a loop, and a dynamic task that does something with what its own call returns."""

from tidegate import conditional, dynamic, task, wait_for_input, workflow


@task
def step(x: int) -> int:
    print(f"step {x}\nwarning: {x} is odd" if x % 2 else f"step {x}")
    return x + 1


@dynamic
def again(left: int) -> int:
    if left == 0:
        return wait_for_input("last", expected_type=int)
    return again(left=step(x=left - 2))


@workflow
def repeats(left: int) -> int:
    return step(x=again(left=left))


@dynamic
def nest(left: int) -> int:
    if left == 0:
        return wait_for_input("bottom", expected_type=int)
    return step(x=nest(left=left - 1))


@workflow
def nested_calls(left: int) -> int:
    return nest(left=left)


@workflow
def inner(x: int) -> int:
    return wait_for_input("inside", expected_type=int)


@workflow
def around(x: int) -> int:
    return step(x=inner(x=step(x=x)))


@workflow
def judged(x: int) -> int:
    seen = step(x=x)
    return (
        conditional("good-enough")
        .if_(seen > 5)
        .then(step(x=1))
        .else_()
        .fail("it is not good enough")
    )


@workflow
def rows(x: int) -> list[int]:
    return [step(x=step(x=step(x=x))) for _ in range(15)]
