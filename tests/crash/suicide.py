"""
A program that runs one execution to its end, and kills itself before or after its n-th commit.

`python -m tests.crash.suicide HOME WHEN N`: WHEN is `before` or `after`, N counts from 1; 0 means never. Run again, it goes on.
On standard output: the result, and how many commits there were.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from tidegate.executors.process import ProcessExecutor
from tidegate.executors.terminals import TerminalExecutor
from tidegate.parts import Parts
from tidegate.ports.journal import Batch, Key
from tidegate.runtime import STORE, Runtime, artifacts_in
from tidegate.stores.sqlite import SqliteStore
from tidegate.stores.sqlite.journal import SqliteJournal
from tidegate.wire import Answer, GetExecution, Launch

ID, NUMBER = "one", 4


class Deadly(SqliteJournal):
    """A journal that kills its process at a commit."""

    when, at, commits = "", 0, 0

    def append(self, batch: Batch) -> frozenset[Key]:
        self.commits += 1
        self._die("before")
        moved = super().append(batch)
        self._die("after")
        return moved

    def _die(self, when: str) -> None:
        if (when, self.commits) == (self.when, self.at):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Launch, answer, approve; each request may have been made before."""
    home, when, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    Deadly.when, Deadly.at = when, at
    store = SqliteStore.open(home / STORE)
    store.journal = Deadly(store.journal._connections, store.journal._search)
    own, part = ProcessExecutor(home, workers=1), Parts().part("terminals")
    executor = TerminalExecutor(own, artifacts_in(home), part)
    with Runtime(home, store, executor, serve_door=False) as runtime:
        handle: Any = runtime.service.handle
        handle(Launch(workflow="flow.story", inputs={"n": NUMBER}, id=ID))
        handle(GetExecution(id=ID, wait=60, until_waiting=True))
        handle(Answer(id=ID, name="words", value="hello", key="w"))
        while not can_approve(handle(GetExecution(id=ID))):
            time.sleep(0.01)
        handle(Answer(id=ID, name="fine", value=True, key="f"))
        view = handle(GetExecution(id=ID, wait=60))
        print(json.dumps([view.phase, view.outputs, store.journal.commits]))


def can_approve(view: Any) -> bool:
    """Whether the last gate is open, or everything is over."""
    return view.phase == "SUCCEEDED" or "fine" in [each.name for each in view.waiting]


if __name__ == "__main__":
    main()
