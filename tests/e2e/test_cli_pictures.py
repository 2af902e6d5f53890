"""Pictures beside a question: drawn where a terminal says that it can, and else the command that saves them."""

import base64
import io
import re
import struct
import sys
from typing import Any

import pytest
from PIL import Image
from tests.e2e.screen import Replies, silent

from tidegate.cli.pictures import Draws, picture

FLOW = """
from pathlib import Path
from tidegate import File, task, wait_for_input, workflow

@task
def plot(source: str) -> File:
    Path("plot.png").write_bytes(Path(source).read_bytes())
    return File("plot.png")

@workflow
def wf(source: str) -> str:
    return wait_for_input("label", expected_type=str, show={"plot": plot(source=source)})
"""
KITTY = re.compile(rb"\x1b_Ga=T,f=100[^;]*;([^\x1b]*)\x1b\\")
SIXEL = re.compile(rb"\x1bPq([^\x1b]*)\x1b\\")


def emulator(*, kitty: bool = False, attributes: bytes = b"62;22") -> Replies:
    """Reply as an emulator does: to what it knows, in the order in which it is asked."""

    def reply(piece: bytes) -> bytes:
        said = b""
        if kitty and b"a=q" in piece:
            said += b"\x1b_Gi=31;OK\x1b\\"
        if b"\x1b[c" in piece:
            said += b"\x1b[?" + attributes + b"c"
        return said

    return reply


def png(width: int = 60, height: int = 60, colour: str = "red") -> bytes:
    sheet = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(sheet, "PNG")
    return sheet.getvalue()


@pytest.fixture
def shown(tidegate: Any):
    """Run the question in a terminal, and answer it; return what the terminal got."""

    def run(replies: Replies, data: bytes = png(), **variables: str) -> Any:
        tidegate.write("flow.py", FLOW)
        (tidegate.place / "source.png").write_bytes(data)
        source = str(tidegate.place / "source.png")
        words = ("run", "flow.py", "wf", "--source", source, "--id", "shown")
        screen = tidegate.screen(*words, replies=replies, **variables)
        screen.says("Answer 'label'")
        screen.says("> ")
        screen.type("a square\n")
        screen.says('"a square"')
        assert screen.ends() == 0
        return screen

    return run


def test_a_terminal_that_takes_the_graphics_of_kitty_gets_the_picture(shown: Any):
    raw = shown(emulator(kitty=True)).raw

    (sent,) = KITTY.findall(raw)
    drawn = Image.open(io.BytesIO(base64.b64decode(sent)))
    assert drawn.convert("RGB").getpixel((5, 5)) == (255, 0, 0)
    assert not SIXEL.search(raw)


def test_a_terminal_that_takes_sixel_gets_the_picture(shown: Any):
    raw = shown(emulator(attributes=b"62;4;22")).raw

    (sent,) = SIXEL.findall(raw)
    assert b"#180;2;" in sent  # red, of six levels each
    assert sent.count(b"-") == 4 * 60 // 6  # four times as large, in bands of six pixels
    assert not KITTY.search(raw)


@pytest.mark.parametrize(
    "replies",
    [emulator(), emulator(attributes=b"62;14;42"), silent],
    ids=["neither", "other attributes", "no reply"],
)
def test_where_nothing_can_be_drawn_the_command_that_saves_it_is_said(shown: Any, replies: Replies):
    screen = shown(replies)

    assert "save plot: tidegate get shown n1.plot -o plot.png" in screen.text
    assert not KITTY.search(screen.raw)
    assert not SIXEL.search(screen.raw)


def test_nothing_of_a_reply_is_on_the_screen_or_in_an_answer(shown: Any):
    screen = shown(emulator(kitty=True))

    assert "[?62" not in screen.text
    assert "i=31;OK" not in screen.text


def test_a_reply_that_comes_late_is_not_part_of_an_answer(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    (tidegate.place / "source.png").write_bytes(png())
    screen = tidegate.screen("run", "flow.py", "wf", "--source", str(tidegate.place / "source.png"))
    screen.says("> ")
    screen.type("\x1b_Gi=31;OK\x1b\\\x1b[?62;4ca square\n")

    assert screen.ends() == 0
    assert screen.text.rstrip().endswith('"a square"')


def test_a_terminal_that_is_none_is_not_asked(shown: Any):
    assert b"\x1b[c" not in shown(silent, TERM="dumb").raw


def test_a_multiplexer_is_not_given_the_question_that_it_takes_for_a_title(shown: Any):
    raw = shown(emulator(attributes=b"1;2;4"), TMUX="/tmp/tmux,1,0").raw

    assert b"\x1b_G" not in raw
    assert SIXEL.search(raw)


def test_in_the_background_a_terminal_is_not_asked_and_nothing_stops(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    (tidegate.place / "source.png").write_bytes(png())
    source = str(tidegate.place / "source.png")
    tidegate("run", "flow.py", "wf", "--source", source, "--detach", "--id", "shown")
    shell = f"set -m; {sys.executable} -m tidegate show shown & wait; echo it is over"

    screen = tidegate.screen(argv=["bash", "--norc", "-c", shell], replies=emulator(kitty=True))

    screen.says("save plot: tidegate get shown n1.plot -o plot.png")
    screen.says("it is over")
    assert b"\x1b[c" not in screen.raw


def test_in_a_pipe_the_command_is_said_too(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    (tidegate.place / "source.png").write_bytes(png())
    source = str(tidegate.place / "source.png")

    done = tidegate("run", "flow.py", "wf", "--source", source, "--id", "piped", stdin="a\n")

    assert "save plot: tidegate get piped n1.plot -o plot.png" in done.err
    assert "\x1b" not in done.err


NESTED = """
from tidegate import File, approve, task, wait_for_input, workflow

@task
def make() -> dict[str, list[File]]:
    open("a b.png", "wb").write(b"1")
    open("-o", "wb").write(b"2")
    return {"of all": [File("a b.png"), File("./-o")]}

@workflow
def wf() -> str:
    made = approve(make(), "ok")
    return wait_for_input("x", expected_type=str, show={"made": made})
"""


def test_every_file_is_named_by_where_it_stands_beside_the_question(tidegate: Any):
    tidegate.write("flow.py", NESTED)
    tidegate("run", "flow.py", "wf", "--detach", "--id", "nested")

    shown = tidegate("show", "nested").out

    assert """tidegate get nested 'n1.value["of all"][0]' -o 'a b.png'""" in shown
    assert """tidegate get nested 'n1.value["of all"][1]' -o value-of-all-1.txt""" in shown


@pytest.mark.parametrize("draws", [Draws.KITTY, Draws.SIXEL])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        png()[:-40],
        png()[:16] + struct.pack(">II", 60_000, 60_000) + png()[24:],
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 10_000,
    ],
    ids=["nothing", "a signature", "cut off", "a claim of 3.6 billion pixels", "zeros"],
)
def test_a_picture_that_cannot_be_read_is_not_drawn(data: bytes, draws: Draws):
    assert picture(data, "PNG", draws, (8, 16)) == ""


@pytest.mark.parametrize("size", [(28, 28), (4_000, 10), (10, 4_000), (1_000, 1_000), (1, 1)])
def test_a_picture_takes_no_more_than_its_cells(size: tuple[int, int]):
    sent = picture(png(*size), "PNG", Draws.KITTY, (8, 16))

    drawn = Image.open(io.BytesIO(base64.b64decode("".join(re.findall(";([^\x1b]*)\x1b", sent)))))
    assert drawn.width <= 60 * 8
    assert drawn.height <= 14 * 16
