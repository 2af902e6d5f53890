"""
The contracts of `.importlinter` hold, and each of them bites.

Method: copy the package, break one rule on purpose, and see that the linter refuses the copy.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BROKEN = {
    "the core reads the clock": ("core/state.py", "import time"),
    "the core draws a random number": ("core/state.py", "import random"),
    "the graph touches the system": ("ir/expr.py", "import os"),
    "the types log": ("types/__init__.py", "import logging"),
    "the graph knows the machine": ("ir/expr.py", "import tidegate.core.state"),
    "the sdk knows the engine": ("sdk/__init__.py", "import tidegate.engine"),
    "the sdk looks sideways": ("sdk/__init__.py", "import tidegate.wire"),
    "the service knows a store": ("service/__init__.py", "import tidegate.stores"),
    "the engine knows a store": ("engine/__init__.py", "import tidegate.stores"),
    "the engine speaks SQL": ("engine/__init__.py", "import apsw"),
    "the api knows the engine": ("api/__init__.py", "import tidegate.engine"),
    "the command line knows a store": ("cli/__init__.py", "import tidegate.stores"),
    "a package has no floor": ("drawer/__init__.py", '"""A drawer."""'),
}


def lint(source: Path) -> subprocess.CompletedProcess[str]:
    linter = str(Path(sys.executable).with_name("lint-imports"))
    return subprocess.run(
        [linter, "--no-logo", "--no-cache", "--config", str(ROOT / ".importlinter")],
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_down_the_floors() -> None:
    result = lint(ROOT / "src")

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("file", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_floor_is_refused(tmp_path: Path, file: str, line: str) -> None:
    package = tmp_path / "tidegate"
    shutil.copytree(
        ROOT / "src" / "tidegate", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    broken = package / file
    broken.parent.mkdir(exist_ok=True)
    with broken.open("a") as text:
        text.write(f"\n{line}\n")

    result = lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout or "drawer" in result.stdout + result.stderr, result.stdout


def test_a_cycle_between_modules_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "tidegate"
    shutil.copytree(
        ROOT / "src" / "tidegate", package, ignore=shutil.ignore_patterns("__pycache__")
    )
    with (package / "ir" / "expr.py").open("a") as text:
        text.write("\nimport tidegate.ir.graph\n")

    result = lint(tmp_path)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "No cycles" in result.stdout
