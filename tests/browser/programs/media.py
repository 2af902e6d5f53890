"""Questions about recordings, images, documents and texts; two of a kind, and the rounds of a loop."""

from tidegate import approve, dynamic, task, wait_for_input, workflow


@task
def draft(at: int) -> str:
    lines = [f"Line {n} stays as it is in every round." for n in range(1, 61)]
    lines[9] = f"Churn rose to {5.0 - at / 10:.1f} % in the third quarter."
    lines[40] = "Customers left." if at == 1 else "Customers who waited left twice as often."
    return "\n".join(lines)


@workflow
def shown(v: dict) -> dict:
    return approve(v, "ok")


@workflow
def files(files: list) -> list:
    return approve(files, "ok")


@workflow
def compared(old: str, new: str) -> str:
    return approve(new, "ok", show={"before": old})


@workflow
def settings(old: dict, new: dict) -> dict:
    return approve(new, "ok", show={"current": old})


@dynamic
def refine(at: int, done: bool) -> int:
    if done:
        return at
    good = wait_for_input("good", expected_type=bool, show={"report": draft(at=at)})
    return refine(at=at + 1, done=good)


@workflow
def rounds(done: bool) -> int:
    return refine(at=1, done=done)
