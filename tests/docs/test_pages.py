"""
The documents agree with the code: their examples run, their commands exist, their generated parts are fresh.

Method: take every fenced block and every link out of every page. `walk` carries the blocks out; commands are parsed by the command
line itself besides, so that an option that is gone is named.
"""

import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pytest
from tests.docs.walk import blocks, carry_out

from tidegate.cli.main import tidegate
from tidegate.errors import TidegateError

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMED_PATH = re.compile(r"`((?:[a-z_.]+/)[A-Za-z_./]*)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def commands() -> list[tuple[str, str]]:
    lines = [
        (page, line.removeprefix("$ "))
        for page in PAGES
        for block in blocks(page)
        if block.language in {"console", "sh"}
        for line in block.body.splitlines()
    ]
    return [(page.name, line) for page, line in lines if line.startswith("tidegate ")]


RUN = ("python", "console", "bash")
TO_RUN = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if any(each.language in RUN or each.title for each in blocks(page))
]
ELSEWHERE = {
    "README.md",
    "install.md",
    "objects.md",
    "postgres.md",
    "scaling.md",
    "ray.md",
    "systemd.md",
    "proxy.md",
    "backup.md",
    "cli.md",
    "access.md",
}
"""Pages with commands for a clone, for a server of the reader's own, or with nothing around them."""


@pytest.mark.parametrize("page", TO_RUN, ids=[p.name for p in TO_RUN])
def test_a_page_does_what_it_says_in_an_empty_directory(page: Path) -> None:
    if "curl" in page.read_text() and shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    # Not pytest's directory: the address of a store's socket has at most 100 bytes.
    with tempfile.TemporaryDirectory(prefix="page-") as place:
        carry_out(page, Path(place))


def test_only_pages_about_other_machines_have_commands_that_are_not_run() -> None:
    found = {page.name for page in PAGES if any(each.language == "sh" for each in blocks(page))}

    assert found <= ELSEWHERE | {"CONTRIBUTING.md"}


@pytest.mark.parametrize(("page", "line"), commands())
def test_a_command_of_a_page_exists(page: str, line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    context = click.Context(tidegate, info_name="tidegate")
    name = next((w for w in words if not w.startswith("-")), "")
    if not name:
        assert words == ["--version"]
        return

    command = tidegate.get_command(context, name)

    assert command is not None, f"{page}: {line}"
    if isinstance(command, click.Group):
        part = next(w for w in words[words.index(name) + 1 :] if not w.startswith("-"))
        command = command.get_command(context, part)
        assert command is not None, f"{page}: {line}"
    known = {o for p in (*command.params, *tidegate.params) for o in p.opts}
    for word in words:
        # These have an option for each input of the workflow, which only the workflow knows.
        if word.startswith("--") and name not in ("run", "relaunch"):
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
