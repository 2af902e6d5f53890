"""The set-up says what is missing, and the list of targets is complete."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def set_up(place: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(ROOT / ".ci" / "venv")],
        cwd=place,
        env={**os.environ, "PYTHON": python},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    old = tmp_path / "python 3"
    old.write_text('#!/bin/sh\ncase "$2" in *platform*) echo 3.10.4;; *) exit 1;; esac\n')
    old.chmod(0o755)

    run = set_up(tmp_path, str(old))

    assert run.returncode == 1
    assert "Python 3.11 or newer is needed" in run.stderr
    assert "is 3.10.4" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    run = set_up(tmp_path, str(tmp_path / "nowhere"))

    assert run.returncode == 1
    assert "none was found" in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_make_help_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None

    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert [w for w in phony[1].split() if f"make {w}" not in shown.stdout] == []
