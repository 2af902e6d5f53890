"""
The documents agree with the code: their examples run, their commands exist, their generated parts are fresh.

Method: take every fenced block and every link out of every page. Python blocks of a page are one program, run as a person would.
Commands are parsed by the command line itself, but not carried out.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tidegate.cli.main import tidegate
from tidegate.errors import TidegateError

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED_PATH = re.compile(r"`((?:[a-z_.]+/)[A-Za-z_./]*)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def blocks(page: Path, language: str) -> list[str]:
    return [body for kind, body in FENCE.findall(page.read_text()) if kind == language]


def commands() -> list[tuple[str, str]]:
    lines = [
        (page, line.removeprefix("$ "))
        for page in PAGES
        for block in blocks(page, "console")
        for line in block.splitlines()
    ]
    return [(page.name, line) for page, line in lines if line.startswith("tidegate ")]


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=[p.name for p in WITH_PYTHON])
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    program = tmp_path / "page.py"
    program.write_text("\n\n".join(blocks(page, "python")))

    run = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "assert " in program.read_text(), "an example that checks nothing shows nothing"


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_a_page_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    context = click.Context(tidegate, info_name="tidegate")
    name = next(w for w in words if not w.startswith("-"))

    command = tidegate.get_command(context, name)

    assert command is not None, f"{page}: {line}"
    if isinstance(command, click.Group):
        part = next(w for w in words[words.index(name) + 1 :] if not w.startswith("-"))
        command = command.get_command(context, part)
        assert command is not None, f"{page}: {line}"
    known = {o for p in (*command.params, *tidegate.params) for o in p.opts}
    for word in words:
        # `run` has an option for each input of the workflow, which only the workflow knows.
        if word.startswith("--") and not (name == "run" and word == "--data"):
            assert word.partition("=")[0] in known, f"{page}: {line}"


def test_the_generated_parts_are_fresh() -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr


def classes(root: type[TidegateError]) -> list[type[TidegateError]]:
    own = [c for c in root.__subclasses__() if c.__module__ == root.__module__]
    return [root, *(each for child in own for each in classes(child))]


def test_every_error_code_is_documented_and_its_own() -> None:
    page = (ROOT / "docs" / "reference" / "errors.md").read_text()
    codes = [c.code for c in classes(TidegateError)]

    assert [code for code in codes if f"`{code}`" not in page] == []
    assert sorted(codes) == sorted(set(codes))


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text()
    names = tidegate.list_commands(click.Context(tidegate))

    assert names
    assert [name for name in names if f"### `tidegate {name}`" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    targets = [t for t in LINK.findall(page.read_text()) if "://" not in t]

    assert [t for t in targets if not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_paths_that_a_page_names_exist(page: str) -> None:
    named = NAMED_PATH.findall((ROOT / page).read_text())

    assert named
    missing = [
        p for p in named if not (ROOT / p).exists() and not (ROOT / "src" / "tidegate" / p).exists()
    ]
    assert missing == []
