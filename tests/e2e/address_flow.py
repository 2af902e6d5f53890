"""Workflows that say where they run, for commands that have nothing but the address of a store."""

FLOW = """
import os
import time
from datetime import timedelta
from pathlib import Path
from tidegate import Deck, File, approve, sleep, task, wait_for_input, workflow

@task
def total(data: list[int]) -> int:
    print("adding at", os.environ.get("PLACE", "a server"))
    Deck("sum", "<b>the sum</b>")
    return sum(data)

@task
def written(number: int, title: str) -> str:
    return f"{title}: {number} at {os.environ.get('PLACE', 'a server')}"

@workflow
def report(data: list[int]) -> str:
    title = wait_for_input("title", timedelta(hours=1), str)
    text = written(number=total(data=data), title=title)
    return approve(text, "review", timeout=timedelta(hours=1))

@task
def loud(text: File) -> File:
    place = Path("loud.txt")
    place.write_text(Path(text).read_text().upper())
    return File(place)

@workflow
def shouts(text: File) -> File:
    return loud(text=text)

@workflow
def asks_for_a_file() -> File:
    return loud(text=wait_for_input("text", timedelta(hours=1), File))

@task
def tries(flag: str) -> int:
    if not Path(flag).exists():
        raise ValueError("not yet")
    return 7

@workflow
def fails(flag: str) -> int:
    return tries(flag=flag)

@task
def stays(flag: str) -> str:
    with open(flag + ".began", "a") as file:
        file.write(os.environ.get("PLACE", "a server") + "\\n")
    while not Path(flag).exists():
        time.sleep(0.02)
    return os.environ.get("PLACE", "a server")

@workflow
def waits(flag: str) -> str:
    return stays(flag=flag)

@workflow
def naps(data: list[int]) -> int:
    nap = sleep(timedelta(seconds=2))
    number = total(data=data)
    nap >> number
    return number
"""
