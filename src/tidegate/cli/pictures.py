"""
Files beside a question: pictures are drawn if the terminal supports it, and for every file the command that saves it is shown.

Rule 1: the terminal's own reply says what it supports; its name is not used for guessing, and a terminal that does not reply is waited for once.
Rule 2: a picture is untrusted data: few formats, a bounded size, and re-encoded from its pixels. None of its bytes reach the terminal unchanged.
"""

import fcntl
import io
import mimetypes
import os
import re
import select
import shlex
import struct
import sys
import termios
import time
import tty
import warnings
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from functools import cache
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any, Final, TextIO

from msgspec import UNSET

from tidegate.cli.render import line
from tidegate.cli.terminal import STDIN
from tidegate.cli.way import Way, spelled
from tidegate.errors import TidegateError
from tidegate.types.values import BLOB, is_reference
from tidegate.wire import BlobView, WaitingView

MOST: Final = 5
"""Files of a question of which something is said; more of them push the question off the screen."""

LARGEST: Final = 20_000_000
"""Bytes of a picture that is fetched and drawn: four times what a telephone takes."""

PIXELS: Final = 50_000_000
"""Pixels that are decoded, 150 MB: a picture of a few bytes may claim any number."""

ROWS, COLUMNS = 14, 60
"""Cells that a picture takes at most, so that the question below stays on a screen of 24 lines."""

TIMES: Final = 6
"""How many times a small picture is enlarged at most: one of 28 pixels, a digit to be labelled, takes 10 lines then."""

PATIENCE: Final = 0.6
"""Seconds that a terminal has to reply. One that is near takes 2 ms, one behind a connection around the world 300."""

FORMATS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
}
"""Media types that are drawn, and what the library calls them."""

_KITTY: Final = b"\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\"
"""Whether it takes pictures of the kitty graphics protocol: one pixel, which is not shown."""
_ATTRIBUTES: Final = b"\x1b[c"
"""What it is (DA1, ECMA-48): every terminal replies to this, so nothing comes after the reply. Attribute 4 is sixel."""
_REPLY: Final = re.compile(rb"\x1b\[\?([0-9;]*)c")

EXTRA: Final = "tidegate[images]"


class Draws(Enum):
    """How a terminal draws pictures."""

    NOT = "not"
    KITTY = "kitty"
    SIXEL = "sixel"


def show_files(way: Way, gate: WaitingView, stream: TextIO) -> None:
    """Draw the pictures beside a question on a stream, and give the command that saves each of the other files."""
    found = list(_files(gate))
    for path, value in found[:MOST]:
        if drawn := _drawn(way, gate.files[value[BLOB]], stream):
            _write(stream, f"  {line(path)}:\n{drawn}\n")
        elif said := save_command(gate, path, value):
            _write(stream, f"  save {line(path)}: {said}\n")
    if (
        not has_library()
        and stream.isatty()
        and any(_can_be_drawn(gate, each) for _, each in found)
    ):
        _write(stream, f"  to see pictures here: pip install '{EXTRA}'\n")


def _files(gate: WaitingView) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the files among the values of a question, with the way to them from its node: `plot`, `plots[3]`, `parts["a b"]`."""
    for name, value in {**gate.show, "value": gate.value}.items():
        if value is UNSET:
            continue
        todo = [(_step(name), value)]
        while todo:
            path, each = todo.pop()
            if is_reference(each):
                if each[BLOB] in gate.files:
                    yield path.removeprefix("."), each
            elif isinstance(each, dict):
                todo += [(path + _step(key), part) for key, part in reversed(each.items())]
            elif isinstance(each, list):
                todo += [(f"{path}[{n}]", part) for n, part in reversed(list(enumerate(each)))]


def _step(key: str) -> str:
    return f".{key}" if re.fullmatch(r"[\w-]+", key) else f'["{key}"]'


def save_command(gate: WaitingView, path: str, value: dict[str, Any]) -> str:
    """Return the command that saves a file beside a question; empty if it cannot be typed."""
    source = f"{gate.node}{'' if path.startswith('[') else '.'}{path}"
    name = _file_name(value.get("name"), path, gate.files[value[BLOB]].media)
    if line(source) != source:
        return ""
    return spelled("get", gate.execution, shlex.quote(source), "-o", shlex.quote(name))


def _file_name(name: object, label: str, media: str) -> str:
    """Return what to call a file here: its own name if that can be typed as it is shown, else one made of what it is called beside the question."""
    called = PurePosixPath(name).name if isinstance(name, str) else ""
    if called and line(called) == called and not called.startswith(("-", ".")):
        return called
    made = re.sub("[^A-Za-z0-9_-]+", "-", label).strip("-") or "file"
    return f"{made}{mimetypes.guess_extension(media) or '.bin'}"


def _can_be_drawn(gate: WaitingView, value: dict[str, Any]) -> bool:
    return gate.files[value[BLOB]].media in FORMATS and drawing() is not Draws.NOT


def _drawn(way: Way, found: BlobView, stream: TextIO) -> str:
    """Return what draws a picture on a stream; empty if it is not one, the terminal cannot, or nothing here can."""
    fits = found.media in FORMATS and found.size <= LARGEST
    if not fits or not stream.isatty() or not has_library() or drawing() is Draws.NOT:
        return ""
    with suppress(TidegateError, OSError):
        data = way.blobs.get(found.digest)
        return picture(data, FORMATS[found.media], drawing(), cell_of(stream))
    return ""


def has_library() -> bool:
    """Whether what draws pictures is installed."""
    return all(find_spec(each) is not None for each in ("PIL", "dapple"))


def picture(data: bytes, kind: str, draws: Draws, cell: tuple[int, int]) -> str:
    """Return the sequence that draws a picture of a format in cells of this many pixels; empty if it is damaged, or claims to be too large."""
    # Loaded late, and from an extra: they take 200 ms.
    import numpy as np  # noqa: PLC0415 - as above
    from dapple.renderers.kitty import KittyRenderer  # noqa: PLC0415 - as above
    from dapple.renderers.sixel import SixelRenderer  # noqa: PLC0415 - as above
    from PIL import Image  # noqa: PLC0415 - as above

    wide, high = cell
    room = (COLUMNS * wide, ROWS * high // 6 * 6)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(io.BytesIO(data), formats=[kind]) as opened,
        ):
            if opened.width * opened.height > PIXELS:
                return ""
            opened.draft("RGB", room)
            opened.thumbnail(room)
            times = max(1, min(room[0] // opened.width, room[1] // opened.height, TIMES))
            pixels = opened.convert("RGBA").resize(
                (times * opened.width, times * opened.height), Image.Resampling.NEAREST
            )
            page = Image.new("RGBA", (pixels.width, -(-pixels.height // 6) * 6), "white")
            page.alpha_composite(pixels)
    except Exception:  # noqa: BLE001 - whatever a decoder finds wrong with a stranger's bytes
        return ""
    colours = np.asarray(page.convert("RGB")) / 255
    sheet = io.StringIO()
    renderer = KittyRenderer() if draws is Draws.KITTY else SixelRenderer()
    renderer.render(colours.mean(axis=2), colours, dest=sheet)
    return sheet.getvalue()


def cell_of(stream: TextIO) -> tuple[int, int]:
    """Return how many pixels wide and high a cell of a terminal is; of one that does not say, what most have."""
    with suppress(OSError, ValueError):
        found = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        rows, columns, wide, high = struct.unpack("HHHH", found)
        if rows and columns and wide >= columns and high >= rows:
            return wide // columns, high // rows
    return 8, 16


@cache
def drawing() -> Draws:
    """Ask the terminal, once, how it draws pictures."""
    if not _is_at_a_terminal() or os.environ.get("TERM", "dumb") in ("dumb", "linux"):
        return Draws.NOT
    # A multiplexer takes the first question for a title; what it draws itself, it says to the second.
    behind = os.environ.get("TMUX") or os.environ["TERM"].startswith(("screen", "tmux"))
    reply = _asked(_ATTRIBUTES if behind else _KITTY + _ATTRIBUTES)
    if b"\x1b_Gi=31;OK" in reply:
        return Draws.KITTY
    attributes = _REPLY.search(reply)
    return Draws.SIXEL if attributes and b"4" in attributes[1].split(b";") else Draws.NOT


def _is_at_a_terminal() -> bool:
    """Whether a terminal can be asked. The system stops a process in the background that changes how a terminal is read."""
    with suppress(OSError):
        return sys.stderr.isatty() and os.tcgetpgrp(STDIN) == os.getpgrp()
    return False


def _asked(question: bytes) -> bytes:
    """Return what the terminal replies, without a character of it on the screen. What somebody types meanwhile is lost, as before any question."""
    reply = b""
    until = time.monotonic() + PATIENCE
    try:
        before = termios.tcgetattr(STDIN)
    except termios.error:
        return b""
    try:
        tty.setcbreak(STDIN)
        os.write(sys.stderr.fileno(), question)
        while not _REPLY.search(reply) and (rest := until - time.monotonic()) > 0:
            if select.select([STDIN], [], [], rest)[0]:
                reply += os.read(STDIN, 1024)
    except (OSError, termios.error):
        return b""
    finally:
        with suppress(termios.error):
            termios.tcsetattr(STDIN, termios.TCSADRAIN, before)
    return reply


def _write(stream: TextIO, words: str) -> None:
    with suppress(OSError):
        stream.write(words)
        stream.flush()
