"""Getting values and files out of an execution at the terminal, from its own store and from a server's."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.serving import Server

FLOWS = """
from pathlib import Path
from tidegate import Directory, File, dynamic, task, wait_for_input, workflow

@task
def plot(i: int) -> File:
    Path("plot.bin").write_bytes(b"\\x00\\xff plot " + str(i).encode())
    Path("plot.bin").chmod(0o755)
    return File("plot.bin")

@task
def folder() -> Directory:
    Path("d/sub").mkdir(parents=True)
    Path("d/sub/b.txt").write_text("b")
    return Directory("d")

@task
def facts() -> tuple[dict[str, list[int]], str]:
    return {"sizes": [1, 2, 3]}, "a text"

@dynamic
def label(n: int) -> list[str]:
    return [wait_for_input(f"label.{i}", expected_type=str, show={"image": plot(i=i), "n": n}) for i in range(n)]

@workflow
def wf() -> tuple[Directory, list[str]]:
    facts()
    return folder(), label(n=2)
"""


@pytest.fixture
def place(tidegate: Any) -> Any:
    tidegate.write("flows.py", FLOWS)
    assert tidegate("run", "flows.py", "wf", "--id", "e", "--detach").code == 0
    return tidegate


def test_a_file_beside_a_question_is_saved_by_the_name_of_the_question(place: Any) -> None:
    file = Path(place.place, "image")
    for what in ("label.1", "label.1.image", "n2/n3.image"):
        file.unlink(missing_ok=True)
        done = place("get", "e", what, "-o", str(file))

        assert (done.code, done.out) == (0, ""), done
        assert file.read_bytes() == b"\x00\xff plot 1"
        assert os.access(file, os.X_OK), "as it was"


def test_a_part_of_a_value_is_meant_by_the_way_to_it(place: Any) -> None:
    assert place("get", "e", "facts").json == {"o0": {"sizes": [1, 2, 3]}, "o1": "a text"}
    assert place("get", "e", "facts.o0.sizes[-1]").out == "3\n"
    assert place("get", "e", "n0.o1").out == "a text\n"
    assert place("get", "e", "n0.o1", "--json").out == '"a text"\n'
    assert place("get", "e", "label.0.n").out == "2\n"
    for what, code, said in (
        ("plot", 3, "2 nodes named 'plot'; name one by its id: n2/n0, n2/n2"),
        ("facts.o2", 4, "it has: o0, o1"),
        ("facts.o0.sizes[3]", 4, "has 3 items, and no [3]"),
        ("facts.o0[", 4, "write .NAME or [NUMBER]"),
        ("nothing.at.all", 4, "no node 'nothing.at.all'; it has: facts, folder, label"),
        ("label", 3, "is RUNNING and has no outputs; it was given: n"),
    ):
        done = place("get", "e", what)
        assert done.code == code, done
        assert said in done.err
        assert done.err.count("\n") == 1, done.err


def test_files_and_directories_are_saved_whole_from_a_server_too(
    place: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    server = Server(place.home).ready()
    place.environment["TIDEGATE_TOKEN"] = server.token
    try:
        url = ("--server", f"http://127.0.0.1:{server.port}")
        done = place("answer", "e", "label.0", "zero", *url)
        assert done.code == 0, done
        assert place("get", "e", "folder", "-o", str(folder), *url).code == 0
        assert place("get", "e", "n2/n0", "-o", str(folder), *url).code == 0
        text = place("get", "e", "label.0", *url)
    finally:
        server.close()

    assert (folder / "d" / "sub" / "b.txt").read_text() == "b"
    assert (folder / "plot.bin").read_bytes() == b"\x00\xff plot 0"
    assert text.out == "zero\n"


def test_a_file_goes_to_a_pipe_as_it_is_and_a_terminal_is_told_how_to_save_it(place: Any) -> None:
    words = [sys.executable, "-m", "tidegate", "get", "e", "label.0"]
    piped = subprocess.run(words, capture_output=True, check=True, env=place.environment)
    screen = place.screen("get", "e", "label.0")

    assert piped.stdout == b"\x00\xff plot 0"
    screen.says("plot.bin: 9 bytes")
    screen.says("get e label.0 -o plot.bin")
    assert screen.ends() == 0


def test_what_cannot_be_written_is_one_line(place: Any) -> None:
    done = place("get", "e", "facts", "-o", str(place.place / "no" / "where"))

    assert done.code == 2
    assert "cannot be written: No such file or directory" in done.err
    assert done.err.count("\n") == 1
