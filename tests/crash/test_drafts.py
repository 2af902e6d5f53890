"""
What is half written when its process is killed is removed by the next owner of the store; what is still being written is left alone.

Method: a process keeps something, stops in the middle, and is killed, or lives on while another becomes the owner.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from tests.crash.drafter import CODE, DECK, KEEPING, PIECES

from tidegate.runtime import artifacts_in, open_briefly, open_reader


@contextmanager
def halfway(home: Path, what: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has written half of something."""
    words = [sys.executable, "-m", "tests.crash.drafter", str(home), what]
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as drafter:
        try:
            assert drafter.stdout is not None
            assert drafter.stdout.readline() == "half written\n"
            yield drafter
        finally:
            drafter.kill()


def drafts(home: Path) -> set[Path]:
    """Return what is written aside, wherever it is."""
    found = {
        path for path in home.rglob("*") if path.is_file() and path.parent.name.endswith("new")
    }
    return found | set(home.glob("bundles/.*"))


def own(home: Path) -> None:
    """Be the owner of the store for a moment."""
    open_briefly(home).close()


def check(home: Path, what: str) -> None:
    """Check that what was written is there, whole."""
    kept = artifacts_in(home)
    match what:
        case "a blob":
            content = b"".join(PIECES)
            assert b"".join(kept.blobs.read(sha256(content).hexdigest())) == content
        case "a deck":
            assert kept.logs.read_published("e1", "n0", 2) == DECK
        case _:
            assert kept.bundles.has(CODE.digest)


@pytest.mark.parametrize("what", KEEPING)
def test_what_a_killed_process_has_half_written_is_removed_by_the_next_owner(
    tmp_path: Path, what: str
):
    with halfway(tmp_path, what) as drafter:
        drafter.kill()
        drafter.wait()
    assert drafts(tmp_path)

    own(tmp_path)

    assert drafts(tmp_path) == set()


@pytest.mark.parametrize("what", KEEPING)
def test_what_is_still_being_written_is_left_alone(tmp_path: Path, what: str):
    with halfway(tmp_path, what) as drafter:
        there = drafts(tmp_path)
        assert there

        own(tmp_path)

        assert drafts(tmp_path) == there
        drafter.communicate("\n" * 100)
        assert drafter.returncode == 0
    check(tmp_path, what)
    assert drafts(tmp_path) == set()


def test_who_only_looks_removes_nothing(tmp_path: Path):
    with halfway(tmp_path, "a blob") as drafter:
        drafter.kill()
        drafter.wait()

    open_reader(tmp_path).close()

    assert drafts(tmp_path)
