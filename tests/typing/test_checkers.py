"""
Type checkers see through the public API: what is right passes, and each line of `reject.py` that is marked is refused.

Each checker runs once, over both files, with settings of its own; unused expressions are allowed, for `a >> b` is one.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tidegate

HERE = Path(__file__).parent
SRC = HERE.parents[1] / "src"
FILES = ("accept.py", "accept_programs.py", "reject.py")

Findings = dict[str, dict[int, str]]


def run_mypy(cache: Path) -> Findings:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    found = subprocess.run(
        [*command, "--no-error-summary", *FILES],
        cwd=HERE,
        env={"MYPYPATH": str(SRC), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not found.stderr, found.stderr
    errors: Findings = {file: {} for file in FILES}
    for line in found.stdout.splitlines():
        match = re.match(r"(\S+\.py):(\d+): error: (.*)", line)
        if match:
            errors.setdefault(match[1], {})[int(match[2])] = match[3]
    return errors


def run_pyright() -> Findings:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--project", str(HERE)]
    found = subprocess.run([*command], cwd=HERE, capture_output=True, text=True, check=False)
    report = json.loads(found.stdout)
    assert report["summary"]["filesAnalyzed"] >= len(FILES), found.stdout
    errors: Findings = {file: {} for file in FILES}
    for finding in report["generalDiagnostics"]:
        if finding["severity"] == "error":
            line = finding["range"]["start"]["line"] + 1
            errors.setdefault(Path(finding["file"]).name, {})[line] = finding["message"]
    return errors


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def errors(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return run_mypy(tmp_path_factory.mktemp("mypy")) if request.param == "mypy" else run_pyright()


def test_what_is_right_passes(errors: Findings) -> None:
    assert (errors["accept.py"], errors["accept_programs.py"]) == ({}, {})


def test_what_is_marked_is_refused_and_nothing_else(errors: Findings) -> None:
    lines = (HERE / "reject.py").read_text().splitlines()
    marked = {number for number, line in enumerate(lines, 1) if line.endswith("# error")}

    assert marked == set(errors["reject.py"]), errors["reject.py"]


def test_every_exported_name_is_looked_at() -> None:
    text = "".join((HERE / file).read_text() for file in FILES if file.startswith("accept"))

    assert [name for name in tidegate.__all__ if not re.search(rf"\b{name}\b", text)] == []
