"""
The owner of a store is killed at any moment under load: nothing that was acknowledged is lost, nothing happens twice, everything ends.

Method: an owner launches and answers from three threads, with real workers, and writes down outside the store what it asks and what is
acknowledged. It is killed with `kill -9` again and again; each time the notes are compared with the store, and the next owner goes on.

TIDEGATE_KILLS sets how many times (20 if it is not set).
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from tests.crash.owner import prepare, read_notes
from tests.crash.stored import check_ends, stored_answers

from tidegate.runtime import problems_of

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("TIDEGATE_KILLS", "20"))
LONGEST = 60.0


def owner(home: Path, notes: Path, *words: str) -> "subprocess.Popen[bytes]":
    program = [sys.executable, "-m", "tests.crash.owner", str(home), str(notes), *words]
    return subprocess.Popen(program, cwd=ROOT)


def await_growth(notes: Path, size: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until there are this many more bytes of notes."""
    give_up = time.monotonic() + LONGEST
    begin = notes.stat().st_size if notes.exists() else 0
    while not notes.exists() or notes.stat().st_size < begin + size:
        assert process.poll() is None, "the owner has died by itself"
        assert time.monotonic() < give_up, "the owner does nothing"
        time.sleep(0.002)


def compare(home: Path, notes: Path) -> int:
    """Compare the notes with the store; return how many acknowledged answers are in it."""
    asked, acked = defaultdict(set), defaultdict(set)
    for what, execution, gate, value, *_ in read_notes(notes):
        if what == "ask":
            asked[execution, gate].add(value)
        elif what == "ack":
            acked[execution, gate].add(value)
    assert all(len(values) == 1 for values in acked.values()), "two answers to one question"
    stored = stored_answers(home)
    lost = {place: values for place, values in acked.items() if stored.get(place) not in values}
    assert lost == {}
    for place, value in stored.items():
        assert value in asked[place], "an answer that nobody gave"
    return sum(gate != "" for _, gate in acked)


@pytest.mark.timeout(300)
def test_a_killed_owner_loses_nothing_and_doubles_nothing(tmp_path: Path):
    home, notes, chance = tmp_path / "home", tmp_path / "notes", random.Random(1)
    prepare(home, tmp_path / "flow.py")
    answers = 0
    for life in range(KILLS):
        process = owner(home, notes, str(life))
        if chance.random() < 0.8:
            await_growth(notes, chance.randrange(1, 12_000), process)
        time.sleep(chance.random() * 0.2)
        process.kill()
        assert process.wait() == -signal.SIGKILL
        answers = compare(home, notes)
        assert problems_of(home)[1] == []
    assert answers > KILLS, "hardly anything was acknowledged: this proves nothing"

    assert owner(home, notes, "end", "finish").wait(LONGEST) == 0
    compare(home, notes)
    count, problems = problems_of(home)
    assert problems == []
    stored = stored_answers(home)
    check_ends(home, stored)
    assert count == len({execution for execution, _ in stored})
