"""
Text for the terminal: names, values, times and tables.

Rule 1: foreign text never reaches the terminal as a control sequence, and everything in it is visible: control, direction and
invisible characters are shown as marks (`types.marks`), or as escapes where the text must stay exact (JSON).
Rule 2: results go to standard output and nothing else does; everything else goes to standard error.
"""

import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from tidegate.sdk.exhibit import aligned, cells_wide
from tidegate.sdk.markdown import STYLE
from tidegate.types.marks import escaped, marked
from tidegate.types.values import is_blob
from tidegate.wire import INTERRUPTED, ExecutionView, FailureView, HeldView

_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_SPACE = re.compile(r"\s+")

NARROWEST = 8
"""Narrowest useful width of a column, in cells."""

GLYPHS = {
    "QUEUED": ("○", "white"),
    "RUNNING": ("▶", "blue"),
    "WAITING": ("◆", "yellow"),
    "SUCCEEDED": ("✓", "green"),
    "FAILED": ("✗", "red"),
    "TIMED_OUT": ("✗", "red"),
    "ABORTED": ("■", "magenta"),
    "SKIPPED": ("-", "white"),
}


def text(value: object) -> str:
    """Return text that is safe to show, on as many lines as it has."""
    return marked(str(value))


def styled(value: str) -> str:
    """Return text that is safe to show, keeping only our own styles: bold and colours."""
    parts = STYLE.split(value)
    return "".join(part if n % 2 else text(part) for n, part in enumerate(parts))


def printed(value: str) -> str:
    """Return a program's output, for a log: like `text`, but without its terminal colours, and of a line that was written over (a progress bar) what it showed last."""
    return marked("\n".join(map(_last_shown, _ESCAPE.sub("", value).split("\n"))))


def _last_shown(row: str) -> str:
    if "\r" not in row:
        return row
    return next((part for part in reversed(row.split("\r")) if part.strip()), "")


def line(value: object, most: int = 2_000) -> str:
    """Return text that is safe to show, on one line, cut at `most` characters."""
    short = _SPACE.sub(" ", text(value)).strip()
    return short if len(short) <= most else f"{short[: most - 1]}…"


def json_text(value: object, *, indent: bool = False) -> str:
    """Return a value as exact JSON, with everything that could control a terminal escaped."""
    body = msgspec.json.encode(value)
    shown = (msgspec.json.format(body, indent=2) if indent else body).decode()
    return escaped(shown)


def brief(value: object, most: int = 100) -> str:
    """Return a value as JSON on one line, cut at `most` characters, with the number of characters left out."""
    whole = line(json_text(value), sys.maxsize)
    return (
        whole if len(whole) <= most else f"{whole[:most]}… ({len(whole) - most:,} more characters)"
    )


def short(value: object, most: int) -> str:
    """Return a value in a few characters: a file by its name, a text without quotes, everything else as JSON."""
    if is_blob(value):
        return f"<{line(value.get('name') or value.get('about') or value.get('media', 'file'), most - 2)}>"
    return line(value if isinstance(value, str) and value.strip() else json_text(value), most)


def print_json(value: object) -> None:
    """Write a value to standard output, on one line, or indented for a reader at a terminal."""
    click.echo(json_text(value, indent=sys.stdout.isatty()))


def phase(name: str, width: int = 0) -> str:
    """Return a phase with its symbol, coloured."""
    glyph, colour = GLYPHS.get(name, ("?", "white"))
    return click.style(f"{glyph} {name}".ljust(width + 2 if width else 0), fg=colour)


def moment(instant: datetime | None) -> str:
    """Return an instant in local time."""
    return "" if instant is None else instant.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def span(length: timedelta) -> str:
    """Return a length of time in its two largest units."""
    seconds = length.total_seconds()
    if seconds < 0:
        return f"-{span(-length)}"
    if 0 < seconds < 0.001:
        return "<1 ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 s", " s")
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    rest, parts = int(seconds), list[str]()
    for unit, size in units:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 "))


def why_queued(held: HeldView) -> str:
    """Say why a task has not started: it is held, or waits for a worker."""
    if held.code == INTERRUPTED:
        return "interrupted"
    return held.message if held.code == "busy" else f"held: {held.message}"


def left(due: datetime | None, now: datetime) -> str:
    """Say how much time is left."""
    if due is None:
        return "no timeout"
    rest = due - now
    return f"{span(rest)} left" if rest > timedelta() else "overdue"


def ago(instant: datetime, now: datetime) -> str:
    """Say how long ago something was, in the largest unit."""
    passed = now - instant
    if passed < timedelta(seconds=1):
        return "now"
    count, unit = span(timedelta(seconds=int(passed.total_seconds()))).split(" ")[:2]
    return f"{count} {unit} ago"


def counted(number: int, what: str) -> str:
    """Return a number of things: `1 execution`, `2 executions`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes in words: `900 KB`."""
    for unit, name in ((1_000_000, "MB"), (1_000, "KB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"


def utc_now() -> datetime:
    """Return the present instant, for saying how long ago or how soon something is."""
    return datetime.now(UTC)  # noqa: TID251 - shown to people, and decides nothing


def table(head: Sequence[str], rows: Iterable[Sequence[str]], whole: int = 1) -> str:
    """Return rows as aligned columns under a head, laid out for the terminal if that is the output; the first `whole` columns are never cut."""
    cells: list[Sequence[str]] = [head, *rows]
    if sys.stdout.isatty():
        lines = laid_out(cells, shutil.get_terminal_size().columns, whole)
    else:
        lines = columns(cells).split("\n")
    return "\n".join((click.style(lines[0], bold=True), *lines[1:]))


def laid_out(rows: Sequence[Sequence[str]], room: int, whole: int = 1) -> list[str]:
    """
    Return rows as lines of at most `room` cells, the head on one line.

    The first `whole` columns hold what people type, and are never cut: a row in which one of them is too wide for its column takes two lines or more.
    Of the others, the widest are cut, and the last ones dropped.
    """
    widths = [max(map(_wide, each)) for each in zip(*rows, strict=True)]
    typed, rest = widths[:whole], widths[whole:]
    # At least a third is for the other columns, if they need it: one long name does not push them out of all rows.
    limit = room - min(sum(rest) + 2 * len(rest), room // 3)
    while _across(typed) > limit and max(typed) > NARROWEST:
        typed[typed.index(max(typed))] -= 1
    if typed != widths[:whole]:
        # Cells that do not fit leave the column, which is then no wider than the others need.
        typed = [
            max((n for n in map(_wide, each) if n <= w), default=w)
            for each, w in zip(zip(*rows, strict=True), typed, strict=False)
        ]
    while _across(typed + rest) > room and rest:
        if max(rest) > NARROWEST:
            rest[len(rest) - 1 - rest[::-1].index(max(rest))] -= 1
        else:
            rest.pop()
    lines: list[str] = []
    for number, row in enumerate(rows):
        names, others = row[:whole], [_cut(cell, w) for cell, w in zip(row[whole:], rest, strict=False)]  # fmt: skip
        if all(_wide(cell) <= w for cell, w in zip(names, typed, strict=True)):
            lines.append(_placed([*names, *others], typed + rest))
        elif not number:
            names = [_cut(cell, w) for cell, w in zip(names, typed, strict=True)]
            lines.append(_placed([*names, *others], typed + rest))
        else:
            lines += _flowing(names, room)
            if any(others):
                lines.append(" " * (_across(typed) + 2) + _placed(others, rest))
    return lines


def _flowing(cells: Sequence[str], room: int) -> list[str]:
    """Return uncut cells on as many lines as they need; those after the first line are indented."""
    lines = [cells[0]]
    for cell in cells[1:]:
        if _wide(lines[-1]) + 2 + _wide(cell) <= room:
            lines[-1] += f"  {cell}"
        else:
            lines.append(f"    {cell}")
    return lines


def _placed(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (w - _wide(cell)) for cell, w in zip(cells, widths, strict=True)).rstrip()  # fmt: skip


def _cut(cell: str, width: int) -> str:
    return cell if _wide(cell) <= width else line(click.unstyle(cell), width)


def _across(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _wide(cell: str) -> int:
    return cells_wide(click.unstyle(cell))


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as aligned columns."""
    return "\n".join(aligned(rows, _wide))


def tell(message: str) -> None:
    """Print a note beside the result, on standard error; if the terminal is gone, the command continues without it."""
    with suppress(OSError):
        click.echo(message, err=True)


def write(words: str) -> None:
    """Print a question, or a part of one, on standard error: its head in bold, and faults of an answer in yellow."""
    head, newline, rest = styled(words).partition("\n")
    style = {"fg": "yellow"} if head.startswith("  ") else {"bold": bool(newline)}
    with suppress(OSError):
        click.echo(click.style(head, **style) + newline + rest, err=True, nl=False)


def result(outputs: dict[str, Any] | None) -> Any:
    """Return the result of an execution: nothing, its one value, or an object by name."""
    if not outputs:
        return None
    return next(iter(outputs.values())) if len(outputs) == 1 else outputs


def failure_line(view: ExecutionView) -> str:
    """Say on one line why an execution did not succeed."""
    error = view.error or FailureView(code=view.phase, message=view.phase.lower())
    if error.node:
        return f"node {line(error.name or error.node)!r} failed: {error.message}"
    how = "was aborted" if view.phase == "ABORTED" else f"has {view.phase.lower()}"
    why = "" if error.message.lower() == view.phase.lower() else f": {error.message}"
    return f"execution {view.id} {how}{why}"
