"""
A program that owns a store under load, to be killed at any moment: it launches, answers, and writes down what it asked and what was acknowledged.

`python -m tests.crash.owner HOME NOTES SEED [finish]`. The notes are kept outside the store; each is one line of JSON, `[what, execution, signal, value]`,
written with one system call: `ask` before a request, `ack` after its reply. With `finish` it asks for nothing new and ends when every execution has.
"""

import itertools
import json
import os
import random
import sys
import threading
import time
from pathlib import Path
from typing import Any

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_sources
from tidegate.errors import Refused
from tidegate.runtime import Runtime, artifacts_in, open_runtime
from tidegate.wire import Answer, Launch, ListExecutions, ListInbox, Register

FLOW = """
import time
from datetime import timedelta
from tidegate import approve, sleep, task, wait_for_input, workflow

@task
def first(n: int) -> int:
    time.sleep(0.15 if n % 8 == 0 else 0)  # some are announced as running, most are not
    return n + 1

@task
def last(number: int, words: str) -> str:
    return f"{number}: {words}"

@workflow
def story(n: int) -> str:
    number = first(n=n)
    words = wait_for_input("words", expected_type=str)
    number >> words
    nap = sleep(timedelta(seconds=0.1))
    text = last(number=number, words=words)
    nap >> text
    return approve(text, "fine")
"""

OPEN = 60
"""How many executions may be open before a new one is launched."""


class Notes:
    """What was asked and acknowledged, by this process and by those before it."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, *words: Any) -> None:
        os.write(self._file, json.dumps(words).encode() + b"\n")


def read_notes(path: Path) -> list[list[Any]]:
    """Return the notes so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def prepare(home: Path, source: Path, flow: str = FLOW) -> None:
    """Register the workflow, so that owners need not."""
    source.write_text(flow)
    sources = find_sources(source, ())
    archive = pack(sources)
    with open_runtime(home, workers=1, serve_door=False) as runtime:
        artifacts_in(home).bundles.put(archive)
        runtime.service.handle(Register(bundle=archive.digest, module=sources.module))


class Owner:
    """Asks from several threads at once."""

    def __init__(self, runtime: Runtime, notes: Path, seed: str) -> None:
        self._handle: Any = runtime.service.handle
        before = read_notes(notes)
        self._notes = Notes(notes)
        self._acked = {tuple(note[1:]) for note in before if note[0] == "ack"}
        replied = {tuple(note[1:4]) for note in before if note[0] != "ask"}
        self._open = {tuple(note[1:]) for note in before if note[0] == "ask"} - replied
        launched = [int(note[1][1:]) for note in before if note[2] == ""]
        self._next = max(launched, default=-1) + 1
        self._chance = random.Random(seed)
        self._seed = seed
        self._count = itertools.count()

    def ask(self, execution: str, signal: str, value: Any) -> None:
        """Launch an execution (no signal), or answer one; the value is its own idempotency key."""
        self._notes.write("ask", execution, signal, value)
        try:
            if signal:
                key = f"{signal}={value}"
                self._handle(Answer(id=execution, name=signal, value=value, key=key))
            else:
                name = "flow.story"
                self._handle(Launch(workflow=name, inputs={"n": value}, id=execution))
        except Refused as error:
            self._notes.write("refused", execution, signal, value, error.code)
            return
        self._notes.write("ack", execution, signal, value)

    def ask_again(self) -> None:
        """Repeat what was never acknowledged, and some of what was: the reply must be the same."""
        acked = sorted(self._acked)
        for words in sorted(self._open) + self._chance.sample(acked, min(len(acked), 5)):
            self.ask(*words)

    def launch(self) -> None:
        for n in itertools.count(self._next):
            while len(self._live(OPEN)) == OPEN:
                time.sleep(0.005)
            self.ask(f"e{n}", "", n)

    def answer(self, *, finish: bool = False) -> None:
        while not finish or self._live(1):
            waiting = self._waiting()
            self._chance.shuffle(waiting)
            for execution, signal in waiting[:20]:
                value: Any = True
                if signal == "words":
                    value = f"{self._seed}-{next(self._count)}"
                self.ask(execution, signal, value)
            if not waiting:
                time.sleep(0.005)

    def _waiting(self) -> list[tuple[str, str]]:
        page = self._handle(ListInbox(limit=500))
        return [(each.execution, each.name) for each in page.items]

    def _live(self, limit: int) -> list[Any]:
        page = self._handle(ListExecutions(phases=["QUEUED", "RUNNING", "WAITING"], limit=limit))
        return page.items


def main() -> None:
    """Own the store until killed, or until everything has ended."""
    home, notes, seed, *rest = sys.argv[1:]
    with open_runtime(Path(home), workers=2, serve_door=False) as runtime:
        owner = Owner(runtime, Path(notes), seed)
        owner.ask_again()
        if rest == ["finish"]:
            owner.answer(finish=True)
            return
        threads = [threading.Thread(target=each) for each in (owner.launch, *[owner.answer] * 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
