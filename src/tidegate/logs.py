"""
What tasks leave for people to read, a file of each kind an attempt: what they print, `<home>/logs/<execution>/<node>/<attempt>.log`,
standard output and error together; and their decks, `<home>/decks/<execution>/<node>/<attempt>.html`.

A node inside another is a directory inside the other's. While an attempt runs, `<attempt>.live` is the file into which it prints.
Names come from outside, so each is spelled with letters that no file system takes for something else.
"""

import hashlib
import os
from pathlib import Path

from msgspec import Struct

MAX_LOG = 1024 * 1024
"""Bytes kept of what one attempt prints: the first and the last half of it."""

MAX_LIVE = 64 * MAX_LOG
"""Bytes that a running attempt may have printed before it is shortened."""

MAX_NAME = 150
"""Longest name that is spelled out in a file name."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


class AttemptText(Struct, frozen=True):
    """What one attempt has printed. `live`: it still runs, or the machine stopped while it ran."""

    node: str
    attempt: int
    text: str
    live: bool = False


def log_path(home: Path, execution: str, node: str, attempt: int) -> Path:
    """Return where the log of an attempt is, or would be if it had printed something."""
    return _directory(home, execution, node) / f"{attempt}.log"


def live_path(home: Path, execution: str, node: str, attempt: int) -> Path:
    """Return where an attempt that runs prints to."""
    return _directory(home, execution, node) / f"{attempt}.live"


def keep_log(printed: int, path: Path) -> None:
    """Write what is in an open file, shortened to `MAX_LOG`, as the log of an attempt; nothing if the file is empty."""
    size = os.fstat(printed).st_size
    if size == 0:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_ends(printed, size))


def shorten_log(printed: int) -> None:
    """Cut the middle out of an open file that is appended to and has grown too long. What is written meanwhile may be lost."""
    size = os.fstat(printed).st_size
    if size > MAX_LIVE:
        body = _ends(printed, size)
        os.ftruncate(printed, 0)
        os.write(printed, body)


def read_logs(home: Path, execution: str, node: str | None = None) -> list[AttemptText]:
    """Return what the attempts of an execution have printed, or those of one node of it, by node and attempt."""
    top = _directory(home, execution, "")
    place = top if node is None else _directory(home, execution, node)
    found: dict[tuple[str, int], AttemptText] = {}
    # In this order `.live` comes before `.log`, which replaces it when both are there for a moment.
    for path in sorted(place.glob("*" if node is not None else "**/*")):
        if path.suffix not in {".live", ".log"} or not path.stem.isdecimal():
            continue
        name = _node(path, top)
        text = _read(path)
        if text is not None:
            attempt = int(path.stem)
            found[name, attempt] = AttemptText(name, attempt, text, path.suffix == ".live")
    return sorted(found.values(), key=_order)


def keep_deck(home: Path, execution: str, node: str, attempt: int, page: bytes) -> None:
    """Write the decks of an attempt, in place of those it had written before. Errors: `OSError`."""
    path = _directory(home, execution, node, "decks") / f"{attempt}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    fresh.write_bytes(page)
    fresh.replace(path)


def read_deck(home: Path, execution: str, node: str, attempt: int = 0) -> tuple[int, str] | None:
    """Return the decks of an attempt, or of the last attempt that has any, with its number; None if there are none."""
    place = _directory(home, execution, node, "decks")
    there = [int(path.stem) for path in place.glob("*.html") if path.stem.isdecimal()]
    if not there or (attempt and attempt not in there):
        return None
    chosen = attempt or max(there)
    return chosen, (place / f"{chosen}.html").read_text(errors="replace")


def nodes_with_decks(home: Path, execution: str) -> frozenset[str]:
    """Return the nodes of an execution which have decks."""
    top = _directory(home, execution, "", "decks")
    if not top.is_dir():
        return frozenset()
    return frozenset(_node(path, top) for path in top.rglob("*.html"))


def _node(path: Path, top: Path) -> str:
    return "/".join(_unquote(part) for part in path.parent.relative_to(top).parts)


def _ends(printed: int, size: int) -> bytes:
    if size <= MAX_LOG:
        return os.pread(printed, size, 0)
    half = MAX_LOG // 2
    note = f"\n... {size - 2 * half} bytes left out ...\n".encode()
    return os.pread(printed, half, 0) + note + os.pread(printed, half, size - half)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            # A live file may be longer.
            file.seek(max(0, os.fstat(file.fileno()).st_size - 2 * MAX_LOG))
            return file.read(2 * MAX_LOG).decode(errors="replace")
    except FileNotFoundError:
        return None  # the attempt has ended while we looked


def _directory(home: Path, execution: str, node: str, kind: str = "logs") -> Path:
    parts = [_quote(part) for part in node.split("/")] if node else []
    return Path(home, kind, _quote(execution), *parts)


def _quote(name: str) -> str:
    if _PLAIN.issuperset(name) and 0 < len(name) <= MAX_NAME:
        return name
    spelled = "".join(
        letter if letter in _PLAIN else "".join(f"%{byte:02x}" for byte in letter.encode())
        for letter in name
    )
    if 0 < len(spelled) <= MAX_NAME:
        return spelled
    # The percent sign at the end cannot come from spelling.
    return f"{spelled[: MAX_NAME - 40]}{hashlib.sha256(name.encode()).hexdigest()[:32]}%"


def _unquote(part: str) -> str:
    if "%" not in part or part.endswith("%"):
        return part
    head, *rest = part.split("%")
    body = b"".join(bytes.fromhex(piece[:2]) + piece[2:].encode() for piece in rest)
    return head + body.decode(errors="replace")


def _order(found: AttemptText) -> tuple[list[tuple[str, int]], int]:
    # n2 stands before n10.
    parts = [(part.rstrip("0123456789"), part) for part in found.node.split("/")]
    return [(stem, int(part[len(stem) :] or -1)) for stem, part in parts], found.attempt
