"""Workflows that the client's tests launch on a server."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tidegate import Deck, File, approve, current_context, task, wait_for_input, workflow


@dataclass
class Point:
    x: int
    when: datetime


@task
def move(point: Point, by: int) -> Point:
    return Point(point.x + by, point.when + timedelta(days=by))


@workflow
def point_wf(point: Point) -> Point:
    by = wait_for_input("by", expected_type=int)
    return move(point=point, by=by)


@task
def shout(file: File) -> tuple[File, datetime]:
    text = Path(file).read_text()
    loud = Path(current_context().working_directory, "loud.txt")
    loud.write_text(text.upper())
    return File(loud), datetime(2024, 5, 17, tzinfo=UTC)


@workflow
def file_wf(file: File) -> tuple[File, datetime]:
    return shout(file=file)


@task
def draw(rows: list[dict]) -> int:
    Deck("Rows").table(rows).markdown("**bold** <script>alert(1)</script>")
    Deck("Own", "<script>document.title = 'taken'</script><b>mine</b>")
    return len(rows)


@workflow
def deck_wf(rows: list[dict]) -> int:
    return approve(draw(rows=rows), "publish")


@task
def fail_with_deck(x: int) -> int:
    Deck("Before", f"<p>x was {x}</p>")
    raise ValueError("after the deck")


@workflow
def failing_wf(x: int) -> int:
    return fail_with_deck(x=x)


@task
def crash_with_deck(x: int) -> int:
    Deck("Before", f"<p>x was {x}</p>")
    Deck.publish()
    os._exit(3)


@workflow
def crashing_wf(x: int) -> int:
    return crash_with_deck(x=x)


@task(timeout=timedelta(milliseconds=300))
def overrun_with_deck(x: int) -> int:
    Deck("Before", f"<p>x was {x}</p>")
    Deck.publish()
    time.sleep(60)
    return x


@workflow
def overrunning_wf(x: int) -> int:
    return overrun_with_deck(x=x)


@task
def draw_in_two_steps(go_on: str) -> int:
    Deck("Steps", "<p>the first</p>")
    Deck.publish()
    while not Path(go_on).exists():
        time.sleep(0.01)
    current_context().decks[0].append("<p>the second</p>")
    return 1


@workflow
def steps_wf(go_on: str) -> int:
    return draw_in_two_steps(go_on=go_on)


@task
def long_report(lines: int) -> str:
    return "a line of the report\n" * lines


@workflow
def large_wf(lines: int) -> str:
    return approve(long_report(lines=lines), "publish")


@workflow
def anything_wf(v: dict) -> dict:
    return approve(v, "ok", None)
