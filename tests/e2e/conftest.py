"""The real command in real processes, each test with a store of its own."""

import json
import os
import pty
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.e2e.screen import Replies, Screen, silent
from tests.e2e.watched import Watched, prepare
from tests.serving import Server, program

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Started:
    """A command that runs; what it says on standard error is read as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.err = ""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        while piece := os.read(self.process.stderr.fileno(), 4096):
            with self._more:
                self.err += piece.decode(errors="replace")
                self._more.notify_all()

    def says(self, words: str) -> None:
        """Wait until it has said this on standard error."""
        with self._more:
            found = self._more.wait_for(lambda: words in self.err, LONGEST)
        assert found, f"{words!r} was not said, but: {self.err!r}"

    def type(self, words: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(words)
        self.process.stdin.flush()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(LONGEST)

    def hang_up(self) -> None:
        """Wait until nothing more can be said: before the pipe is closed, which is being read."""
        self._reader.join(LONGEST)

    def interrupt(self) -> None:
        """Press Ctrl-C: every process of the foreground group gets the signal."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ends(self) -> Done:
        assert self.process.stdout is not None
        code = self.process.wait(LONGEST)
        self._reader.join(LONGEST)
        return Done(code, self.process.stdout.read(), self.err)


class Terminal:
    """Runs `tidegate` in a directory of the user's, with a store beside it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.home = place / "home"
        self._started: list[Started] = []
        self._screens: list[Screen] = []
        self.environment = {**os.environ, "TIDEGATE_HOME": str(self.home), "NO_COLOR": "1"}

    def write(self, name: str, source: str) -> Path:
        path = self.place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        return path

    def __call__(self, *words: str, stdin: str = "") -> Done:
        """Run a command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            cwd=self.place,
            env=self.environment,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str, stdin: int = subprocess.PIPE, planted: str = "") -> Started:
        """Start a command, in a process group of its own; `planted` is Python that it runs first."""
        process = subprocess.Popen(
            [*program(planted), *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.place,
            env=self.environment,
            start_new_session=True,
        )
        started = Started(process)
        self._started.append(started)
        return started

    def sit_down(self, *words: str, planted: str = "") -> tuple[Started, int]:
        """Start a command with a terminal as its standard input; return it, and the handle to type into."""
        keyboard, screen = pty.openpty()
        started = self.start(*words, stdin=screen, planted=planted)
        os.close(screen)
        return started, keyboard

    def screen(
        self, *words: str, replies: Replies = silent, argv: Sequence[str] = (), **variables: str
    ) -> Screen:
        """Start a command, or another program, in a terminal of its own."""
        environment = {**self.environment, "TERM": "xterm-256color", **variables}
        self._screens.append(Screen(self.place, environment, *words, replies=replies, argv=argv))
        return self._screens[-1]

    def close(self) -> None:
        for screen in self._screens:
            screen.close()
        for each in self._started:
            if each.process.poll() is None:
                each.kill()
            each.hang_up()
            for pipe in (each.process.stdin, each.process.stdout, each.process.stderr):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def tidegate(tmp_path: Path) -> Any:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.fixture
def watched_home(tmp_path: Path) -> Path:
    prepare(tmp_path / "home", tmp_path)
    return tmp_path / "home"


@pytest.fixture
def watch(watched_home: Path):
    servers = []

    def start(*words, **how):
        servers.append(Watched(Server(watched_home, *words, **how)))
        return servers[-1]

    yield start
    for each in servers:
        each.server.close()
