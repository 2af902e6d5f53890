"""
A page, carried out as a reader would: in an empty directory, with an empty home, from the first block to the last.

- A block with a title is a file of that name: ```` ```python title="report.py" ````.
- `console` is typed at a shell, line by line behind `$ `. What stands below a command is what it shows: durations, instants, ids and digests may
  differ, and `...` stands for any number of lines. A command ends with 0, unless the next one is `echo $?`.
  Behind a prompt (`> `, `size (text)> `, `yes or no? `) stands what the reader types. `^C` interrupts the server.
- `bash` is a script. `python` without a title is a part of the one program of the page, which runs where its last part stands.
- `sh` is for a machine of the reader's own, or for root: it is not run. Everything else is not for running.
"""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^( *)```(\w+)([^\n]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r'title="([^"]+)"')
TYPED = re.compile(r"^((?:[\w.]+ \(.*\)(?: \[.*\])?)?> |.*yes or no\? )(.*)$")
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
PATIENCE = 60.0
SERVES = re.compile(r"^tidegate (serve|demo)\b")
READY = re.compile(r"at https?://127\.0\.0\.1:(\d+)")
VARYING = (
    (re.compile(r"\b1:[0-9a-f]{20,}"), "DIGEST"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?( UTC|Z)?"), "INSTANT"),
    (re.compile(r"<?\b[\d.]+ (ms|s|min|h|d)\b( \d+ (s|min|h)\b)?"), "SPAN"),
    (re.compile(r"\b[a-z0-9]{16}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "VERSION"),
    (re.compile(r"\btdg_\w+"), "TOKEN"),
    (re.compile(r"\b(by|of) (root|[a-z]+)\b(?=,| at|\)|$)"), "by SOMEBODY"),
    (re.compile(r"  +"), "  "),
)


class Block(NamedTuple):
    language: str
    title: str
    body: str
    line: int


class Step(NamedTuple):
    """A command with what is shown below it."""

    command: str
    shown: list[str]


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for each in FENCE.finditer(text):
        indent, language, info, body = each.groups()
        title = TITLE.search(info)
        body = re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)
        line = text.count("\n", 0, each.start()) + 1
        found.append(Block(language, title[1] if title else "", body, line))
    return found


def steps(body: str) -> Iterator[Step]:
    lines = body.splitlines()
    while lines:
        command = lines.pop(0)
        assert command.startswith("$ "), f"not a command: {command}"
        while command.endswith("\\"):
            command += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield Step(command.removeprefix("$ "), shown)


def plain(line: str) -> str:
    for pattern, word in VARYING:
        line = pattern.sub(word, line)
    return line.rstrip()


def matches(shown: list[str], said: str) -> bool:
    """Return whether lines are what was said; `...` stands for any number of lines."""
    parts = [
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(plain(line)) + r"\n" for line in shown
    ]
    text = "".join(plain(line) + "\n" for line in COLOUR.sub("", said).splitlines())
    return not shown or re.fullmatch("".join(parts), text) is not None


class Reader:
    """Somebody who follows a page: a directory, a home, a shell, and perhaps a server."""

    def __init__(self, place: Path) -> None:
        self.place = place / "here"
        self.notes = place / "notes"
        for each in (self.place, self.notes, place / "home"):
            each.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        programs = str(Path(sys.executable).parent)
        self.env = {
            **kept,
            "HOME": str(place / "home"),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "COLUMNS": "80",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
            "TERM": "xterm",
        }
        self.shell = subprocess.Popen(
            ["bash", "--norc"],
            cwd=self.place,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            bufsize=1,
        )
        self.server: subprocess.Popen[str] | None = None
        self.code = 0
        self.count = 0

    def close(self) -> None:
        self.interrupt()
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.close()
        self.shell.wait(PATIENCE)
        self.shell.stdout.close()

    def interrupt(self) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.wait(PATIENCE)
            assert self.server.stderr is not None
            self.server.stderr.close()
            self.server = None

    def at(self, text: str) -> str:
        """Return a text with the port of this reader: tests run side by side."""
        return text.replace("8433", str(self.port))

    def typed(self, command: str) -> str:
        """Type a command, and return what it says; `code` is how it ended."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.count += 1
        script, said = (self.notes / f"{self.count}.{end}" for end in ("sh", "txt"))
        script.write_text(f"(exit {self.code})\n{self.at(command)}\n")
        self.shell.stdin.write(f"source {script} >{said} 2>&1 </dev/null; echo $?\n")
        ready, _, _ = select.select([self.shell.stdout], [], [], PATIENCE)
        assert ready, f"{command}: has not ended after {PATIENCE:.0f} s: {said.read_text()}"
        self.code = int(self.shell.stdout.readline() or "-1")
        return said.read_text(errors="replace").replace(str(self.port), "8433")

    def serve(self, command: str) -> None:
        self.interrupt()
        words = ["bash", "-c", f"exec {self.at(command)}"]
        if "--port" not in command:
            words[-1] += f" --port {self.port}"
        exports = self.typed("export -p | grep -E 'TIDEGATE_|PATH' || true")
        words[-1] = exports.replace("\n", "; ") + words[-1]
        self.server = subprocess.Popen(
            words, cwd=self.place, env=self.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )  # fmt: skip
        said = ""
        assert self.server.stderr is not None
        while not READY.search(said):
            line = self.server.stderr.readline()
            said += line
            assert line, f"{command}: {said}"

    def answered(self, step: Step) -> str:
        """Run a command at a terminal, and type what stands behind its prompts; return all that is on the screen."""
        left = [found for line in step.shown if (found := TYPED.match(line))]
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.place)
            os.execvpe("bash", ["bash", "-c", f"exec {self.at(step.command)}"], self.env)
        screen, until = "", time.monotonic() + PATIENCE
        try:
            while time.monotonic() < until:
                ready, _, _ = select.select([terminal], [], [], 0.1)
                try:
                    piece = os.read(terminal, 65_536) if ready else b""
                except OSError:
                    break
                screen += piece.decode(errors="replace")
                if left and COLOUR.sub("", screen).endswith(left[0][1]):
                    os.write(terminal, left.pop(0)[2].encode() + b"\r")
        finally:
            os.close(terminal)
            self.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert not left, f"was not asked for {left[0][2]!r}:\n{screen}"
        return re.sub(r"\r\x1b\[K[^\r\n]*(?=\r)", "", screen)

    def console(self, block: Block) -> None:
        todo = list(steps(block.body))
        for step, after in zip(todo, [*todo[1:], None], strict=True):
            where = f"line {block.line}: $ {step.command}"
            if SERVES.match(step.command):
                self.serve(step.command)
                if "^C" in step.shown:
                    self.interrupt()
                continue
            asked = any(TYPED.match(line) for line in step.shown)
            said = self.answered(step) if asked else self.typed(step.command)
            if after is None or after.command != "echo $?":
                assert self.code == 0, f"{where}\nended with {self.code}:\n{said}"
            assert matches(step.shown, said), f"{where}\nshowed:\n{said}"

    def program(self, parts: list[str]) -> None:
        path = self.place / "program.py"
        path.write_text(self.at("\n\n".join(parts)))
        said = self.typed("python -W error program.py")
        assert self.code == 0, said


def carry_out(page: Path, place: Path) -> None:
    """Carry a page out. Raises AssertionError where it does not do what it says."""
    todo = blocks(page)
    program = [each for each in todo if each.language == "python" and not each.title]
    reader = Reader(place)
    try:
        for block in todo:
            if block.title:
                path = reader.place / block.title
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(reader.at(block.body))
            elif block.language == "console":
                reader.console(block)
            elif block.language == "bash":
                said = reader.typed(f"set -e\n{block.body}\nset +e")
                assert reader.code == 0, f"line {block.line}: {said}"
                assert "urn:tidegate:problem" not in said, f"line {block.line}: {said}"
            elif program and block is program[-1]:
                reader.program([each.body for each in program])
    finally:
        reader.close()
