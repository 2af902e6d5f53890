"""
The owner of a store is killed just before and just after each commit of one execution: the next owner brings it to the same end.

Method: a program kills itself at its n-th commit, for every n that there is; each time on a fresh copy of a store.
"""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.crash.owner import prepare
from tests.crash.suicide import ID, NUMBER

from tidegate.errors import UnknownExecution
from tidegate.runtime import open_reader, problems_of
from tidegate.wire import GetExecution

ROOT = Path(__file__).parents[2]


def life(home: Path, when: str, at: int) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-m", "tests.crash.suicide", str(home), when, str(at)]
    return subprocess.run(
        program, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def view_of(home: Path) -> Any:
    with open_reader(home) as reader:
        try:
            return reader.service.handle(GetExecution(id=ID))
        except UnknownExecution:
            return None


def shape(view: Any) -> list[tuple[str, str, str]]:
    return [(node.id, node.name, node.phase) for node in view.nodes]


def killed(prepared: Path, at: int, when: str) -> tuple[bool, str]:
    """Live until the n-th commit, then to the end; return whether there was such a commit, and what is wrong."""
    home = prepared.with_name(f"{when}-{at}")
    shutil.copytree(prepared, home)
    first = life(home, when, at)
    if first.returncode == 0:
        return False, ""
    if first.returncode != -9:
        return True, first.stderr
    if (view_of(home) is None) != ((when, at) == ("before", 1)):
        return True, "the launch is there without its commit, or not there with it"
    if problems := problems_of(home)[1]:
        return True, str(problems)
    second = life(home, "never", 0)
    if second.returncode != 0:
        return True, second.stderr
    phase, outputs, _ = json.loads(second.stdout)
    if (phase, outputs) != ("SUCCEEDED", {"o0": f"{NUMBER + 1}: hello"}):
        return True, second.stdout
    if problems := problems_of(home)[1]:
        return True, str(problems)
    return True, "" if shape(view_of(home)) == shape(
        view_of(prepared.with_name("whole"))
    ) else "shape"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_any_commit_an_execution_comes_to_the_same_end(tmp_path: Path, when: str):
    prepared, whole = tmp_path / "prepared", tmp_path / "whole"
    prepare(prepared, tmp_path / "flow.py")
    shutil.copytree(prepared, whole)
    commits = json.loads(life(whole, "never", 0).stdout)[2]
    assert commits >= 5  # the launch, two tasks, two answers; the sleep may share one

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(partial(killed, prepared, when=when), range(1, commits + 2)))

    assert [wrong for _, wrong in found] == [""] * len(found)
    assert sum(reached for reached, _ in found) >= 5
