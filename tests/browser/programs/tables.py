"""Approvals of tables: one in the value, and one in a file."""

from pathlib import Path

from tidegate import approve, task, workflow
from tidegate.types.file import File


@task
def payments() -> list[dict]:
    return [
        {
            "id": f"PAY-{n}",
            "amount": n * 1.5,
            "country": "DE" if n % 3 else "IT",
            "new": n % 100 == 0,
        }
        for n in range(1000)
    ]


@task
def exported() -> File:
    lines = "".join(f"{n:05},{n * 1.25},2026-01-{n % 28 + 1:02}\n" for n in range(3000))
    Path("batch.csv").write_text(f"code,amount,due\n{lines}")
    return File("batch.csv")


@workflow
def value() -> list[dict]:
    return approve(payments(), "ok")


@workflow
def file() -> File:
    return approve(exported(), "ok")
