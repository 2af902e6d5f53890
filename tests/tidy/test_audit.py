"""What is installed is what is locked, by hashes; and whatever is wrong with a lock is found."""

import importlib.util
import re
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = "click==8.2.0 \\\n    --hash=sha256:" + "ab" * 32 + "\n"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


lock, audit = load("lock"), load("audit")


def test_the_locks_are_whole_and_agree_with_each_other_with_pyproject_and_with_what_is_installed(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["audit.py", "--offline"])

    code = audit.main()

    assert code == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", lock.LOCKS)
def test_a_lock_names_no_index_and_no_host(name: str):
    text = (ROOT / "locks" / f"{name}.txt").read_text()

    assert not re.search(r"https?:|://|--(?:extra-)?index|--find-links|--trusted|@", text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("click==8.2.0\n", "click has no hash"),
        (ENTRY.replace("sha256", "md5"), "neither a version nor a hash"),
        (ENTRY.replace("ab" * 32, "ab"), "neither a version nor a hash"),
        (f"--index-url https://elsewhere/\n{ENTRY}", "neither a version nor a hash"),
        (f"click @ https://elsewhere/click.whl\n{ENTRY}", "neither a version nor a hash"),
        (ENTRY.replace("==", ">="), "neither a version nor a hash"),
        (ENTRY + ENTRY, "click is there twice"),
    ],
)
def test_what_is_wrong_with_a_lock_is_found(tmp_path: Path, text: str, found: str):
    (tmp_path / "lock.txt").write_text(text)

    _, wrong = audit.read(tmp_path / "lock.txt")

    assert any(found in each for each in wrong), wrong


def test_what_is_asked_for_and_not_locked_is_found():
    there, _ = audit.read(ROOT / "locks" / "server.txt")
    there.pop("click")
    there["uvicorn"] = (audit.Version("99"), "", 1)

    wrong = audit.unmet("server", there, ())

    assert any("click" in each and "is not locked" in each for each in wrong)
    assert any("uvicorn" in each and "99 is locked" in each for each in wrong)


def test_another_version_than_is_locked_is_found_and_so_is_a_licence_that_nobody_may_ship():
    there = {each.metadata["Name"].lower(): each for each in distributions()}

    differs = audit.differing({"click": (audit.Version("1"), "", 1)}, there)

    assert differs and "locked: 1" in differs[0]
    for words in ("GPL-3.0-only", "proprietary", ""):
        assert not audit.LICENCES.search(words) or audit.FORBIDDEN.search(words)


def test_where_the_service_is_not_reached_it_says_so_and_exits_with_three(
    capsys: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "argv", ["audit.py"])
    # Port 9 of this machine: nobody listens.
    monkeypatch.setattr(audit, "SERVICE", "http://127.0.0.1:9/v1/querybatch")

    assert audit.main() == audit.UNREACHED
    assert "cannot be reached" in capsys.readouterr().out
