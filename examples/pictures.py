"""
Show a picture with a question, and save it from the terminal.

    $ tidegate run pictures.py label_wf --grey 40 --id square --detach
    ...
    $ tidegate get square label.picture -o square.png
    ...
    $ tidegate answer square label dark
    ...
    $ tidegate resume square
    ...
    "it is dark"

The page displays the picture, and so do terminals that can.
"""

import struct
import zlib
from pathlib import Path
from typing import Literal

from tidegate import File, task, wait_for_input, workflow


@task
def draw(grey: int) -> File:
    """Draw a square, as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    rows = b"".join(b"\0" + bytes([grey] * 32) for _ in range(32))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0))
    Path("square.png").write_bytes(png + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return File("square.png")


@task
def record(label: str) -> str:
    """Record an answer."""
    return f"it is {label}"


@workflow
def label_wf(grey: int) -> str:
    """Draw, ask, record."""
    picture = draw(grey=grey)
    label = wait_for_input(
        "label", expected_type=Literal["dark", "light"], show={"picture": picture}
    )
    return record(label=label)
