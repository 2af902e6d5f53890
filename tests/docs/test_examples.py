"""
Each example does what the text at its top says, and the demo runs from beginning to end.

Method: the indented lines of an example's docstring are typed and compared as those of a page are (`walk`), in a copy of the directory.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from tests.docs.walk import Block, Reader

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.name != "demo.py")


def typed(path: Path) -> str:
    """Return the commands of an example, with what they show."""
    told = ast.get_docstring(ast.parse(path.read_text()), clean=True) or ""
    lines = [line for line in told.splitlines() if line.startswith("    ")]
    return textwrap.dedent("\n".join(lines))


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_an_example_does_what_it_says(path: Path) -> None:
    block = Block("console", "", typed(path), 1)
    assert block.body.startswith("$ "), "its docstring says how to run it"

    with tempfile.TemporaryDirectory(prefix="example-") as place:
        reader = Reader(Path(place))
        try:
            shutil.copytree(ROOT / "examples", reader.place, dirs_exist_ok=True)
            reader.console(block)
        finally:
            reader.close()


def test_the_list_of_examples_names_each_of_them() -> None:
    listed = (ROOT / "examples" / "README.md").read_text()

    assert [path.name for path in EXAMPLES if f"({path.name})" not in listed] == []


@pytest.mark.slow
def test_the_demo_survives_a_kill_and_finishes_by_itself() -> None:
    run = subprocess.run(
        [sys.executable, "examples/demo.py", "--unattended"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    assert "$ kill -9" in run.stdout
    assert '"title": "Airport elevations, feet"' in run.stdout
