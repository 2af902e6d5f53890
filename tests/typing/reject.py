"""What type checkers refuse: each line that ends in `# error` is one, and no other line is."""

from datetime import timedelta

from tidegate import Deck, approve, current_context, dynamic, sleep, task, wait_for_input, workflow
from tidegate.remote import Remote


@task
def measure(text: str) -> int:
    return len(text)


@dynamic
def each(items: list[str]) -> list[int]:
    return [measure(text=item) for item in items]


@workflow
def inner(x: int) -> str:
    return "a"


@workflow
def wrong(x: int) -> str:
    measure(text=x)  # error
    measure(txt="a")  # error
    measure()  # error
    measure("a").nothing  # error
    each(items=[x])  # error
    inner(x="a")  # error
    sleep(10)  # error
    wait_for_input("a", 3600, str)  # error
    title: int = wait_for_input("b", expected_type=str)  # error
    wait_for_input("c", expected_type=str, promt="x")  # error
    approve("a", "d", timeout=5)  # error
    approve("a")  # error
    approved: int = approve("a", "e", timedelta(1))  # error
    wait_for_input(expected_type=str)  # error
    return measure(text="a")  # error


@task(retry=3)  # error
def unknown() -> int:
    return 1


@task(retries="3")  # error
def mistyped() -> int:
    return 1


@workflow(retries=3)  # error
def no_option() -> int:
    return 1


def use() -> None:
    result: int = inner(x=1)  # error
    inner.run({"x": 1}, answer={})  # error
    key: int = current_context().idempotency_key  # error
    Deck("a").tabel([])  # error
    Deck()  # error
    Remote().execute("a", inputs=3)  # error
    Remote().inbox(limit="a")  # error
