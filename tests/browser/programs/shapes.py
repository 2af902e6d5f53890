"""Workflows of different shapes: wide, nested, dynamic, sleeping, failing, with a report, and with lots to say."""

import time
from datetime import timedelta

from tidegate import Deck, approve, dynamic, sleep, task, wait_for_input, workflow


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


@task
def add_up(parts: list[int]) -> int:
    return sum(parts)


@dynamic
def fan_out(many: int) -> int:
    return add_up(parts=[step(x=each) for each in range(many)])


@workflow
def wide(many: int) -> int:
    return fan_out(many=many)


@workflow
def naps(x: int) -> int:
    """Sleep before the last step."""
    pause = sleep(timedelta(minutes=10))
    last = step(x=x)
    pause >> last
    return last


@task
def draw(x: int) -> int:
    Deck("Shape").markdown(f"# {x} corners")
    print("drawn")
    return x


@task
def talk(lines: int) -> int:
    for line in range(lines):
        print(f"line {line}", flush=True)
        time.sleep(0.1)
    return lines


@workflow
def talks(lines: int) -> int:
    return talk(lines=lines)


@workflow
def shown(x: int) -> int:
    """Draw, and have somebody look."""
    return approve(draw(x=x), "looks-right", timeout=timedelta(minutes=30))


@workflow
def asks_inside(x: int) -> int:
    return wait_for_input("how many", expected_type=int)


@workflow
def twice(x: int) -> int:
    return add_up(parts=[asks_inside(x=x), asks_inside(x=x)])


@workflow
def defaults(count: int, name: str = "Nile", ratio: float = 0.5, loud: bool = False) -> str:
    """Take what is given."""
    return wait_for_input("word", expected_type=str)


@workflow
def wide_and_asks(many: int) -> int:
    """Fan out, and ask for two numbers."""
    wide = fan_out(many=many)
    sooner = wait_for_input("sooner", expected_type=int)
    later = wait_for_input("later", expected_type=int)
    return add_up(parts=[wide, sooner, later])


@dynamic
def asks_and_steps(many: int) -> int:
    asked = wait_for_input("inside", expected_type=int)
    return add_up(parts=[asked, *(step(x=each) for each in range(many - 1))])


@workflow
def unfolds_later() -> int:
    return asks_and_steps(many=wait_for_input("many", expected_type=int))


@workflow
def asks_twice() -> str:
    first = wait_for_input("first", expected_type=str)
    second = wait_for_input("second", expected_type=str)
    first >> second
    return second


@dynamic
def ask_again(said: int) -> int:
    if said == 0:
        return step(x=said)
    return ask_again(said=wait_for_input("more", expected_type=int))


@workflow
def rounds() -> int:
    """Ask again and again, until the answer is 0."""
    return ask_again(said=1)
