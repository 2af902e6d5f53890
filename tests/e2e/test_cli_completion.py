"""Completion in real shells: commands, options, workflows and inputs of a file, ids, gates, nodes and files; never an error on the prompt."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serving import program, slowed

FLOW = '''
"""Loading this file is a mistake."""
raise_if_run = open("loaded", "w") if __name__ != "never" else None

from typing import Literal
from tidegate import Workflow, approve, task, wait_for_input, workflow

@task
def double(x: int) -> int:
    print("doubled")
    return 2 * x

@workflow
def report(rows: list[int], title: str = "t", fast: bool = False) -> int:
    """Make the report."""
    return double(x=rows[0])

@workflow
def asks(x: int = 1) -> int:
    ok = approve(double(x=x), "is it right")
    return wait_for_input("number", expected_type=int)

made = Workflow(name="made")
'''

BASH = """
eval "$(tidegate completion bash)"
COMP_WORDBREAKS=$' \\t\\n"\\'@><=;|&(:'
COMP_LINE=$1 COMP_POINT=${#1}
COMP_WORDS=(tidegate) COMP_CWORD=1
compopt() { :; }
_tidegate_completion tidegate
printf '%s\\n' "${COMPREPLY[@]}"
"""


PATIENT = """
import os
if "_TIDEGATE_COMPLETE" in os.environ:
    from tidegate.cli import completing
    completing.PATIENCE = 40.0
"""
"""A command that takes as long as a busy machine needs to find what can be typed."""


def install(place: Path, planted: str = "") -> Path:
    """Make the command `tidegate`; return where it is."""
    command = place / "bin" / "tidegate"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec {shlex.join(program(planted))} "$@"\n')
    command.chmod(0o755)
    return command


@pytest.fixture
def shells(tidegate: Any, tmp_path: Path) -> Any:
    """The environment in which `tidegate` is a command, in a directory with a file of workflows and two executions."""
    tidegate.write("flow.py", FLOW)
    tidegate.write("notes.txt", "")
    (tidegate.place / "folder").mkdir()
    tidegate("run", "flow.py", "asks", "--detach", "--id", "waits-here")
    tidegate("run", "flow.py", "report", "--rows", "[1]", "--id", "is-done")
    (tidegate.place / "loaded").unlink(missing_ok=True)
    command = install(tmp_path, PATIENT)
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    tidegate.environment |= {"PATH": path, "HOME": str(tmp_path / "user"), "TIDEGATE_TEST": "1"}
    (tmp_path / "user").mkdir()
    return tidegate


def in_bash(shells: Any, typed: str) -> list[str]:
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH, "bash", typed],
        capture_output=True,
        text=True,
        cwd=shells.place,
        env=shells.environment,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.split("\n") if line]


TYPED = [
    ("tidegate appr", ["approve "]),
    ("tidegate show --js", ["--json "]),
    ("tidegate run fl", ["flow.py "]),
    ("tidegate run fo", ["folder/"]),
    ("tidegate run flow.py ", ["report ", "asks ", "made "]),
    ("tidegate run flow.py rep", ["report "]),
    ("tidegate run flow.py report --ro", ["--rows "]),
    ("tidegate run flow.py report --rows @no", ["notes.txt "]),
    ("tidegate show ", ["is-done ", "waits-here "]),
    ("tidegate show wa", ["waits-here "]),
    ("tidegate abort ", ["waits-here "]),
    ("tidegate relaunch ", ["is-done "]),
    ("tidegate approve waits-here ", ["is\\ it\\ right "]),
    ("tidegate approve waits-here is\\ it", ["is\\ it\\ right "]),
    ("tidegate approve waits-here 'is i", ["is it right"]),
    ("tidegate answer wait ", ["number "]),
    ("tidegate answer waits-here number @n", ["notes.txt "]),
    ("tidegate logs waits-here d", ["double "]),
    ("tidegate list --phase=wa", ["waiting "]),
    ("tidegate list --phase wa", ["waiting "]),
    ("tidegate list --workflow rep", ["report "]),
    ("tidegate completion z", ["zsh "]),
]  # fmt: skip


def test_bash_completes_what_can_be_typed(shells: Any):
    found = {typed: in_bash(shells, typed) for typed, _ in TYPED}

    assert found == dict(TYPED)
    assert not (shells.place / "loaded").exists(), "the file was run"


@pytest.mark.parametrize(
    "typed",
    ["tidegate nosuch x", "tidegate show nosuch", "tidegate run missing.py ", "tidegate approve nosuch ",
     "tidegate run broken.py ", "tidegate --home /nonexistent show ", "tidegate show 'open",
     "tidegate show --server http://127.0.0.1:9 ", "tidegate run /dev/zero "],
)  # fmt: skip
def test_what_goes_wrong_is_nothing_to_complete(shells: Any, typed: str):
    shells.write("broken.py", "def (:")

    assert in_bash(shells, typed) == []


def test_looking_for_ids_makes_no_store(shells: Any):
    shells.environment["TIDEGATE_HOME"] = str(shells.place / "elsewhere")

    assert in_bash(shells, "tidegate show ") == []
    assert not (shells.place / "elsewhere").exists()


def test_an_owner_that_is_stopped_holds_no_prompt_up(shells: Any):
    install(shells.place)
    held = shells.start("run", "flow.py", "asks", "--id", "held")
    held.says("no timeout")
    held.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()

    assert in_bash(shells, "tidegate show ") == []
    assert time.monotonic() - began < slowed(20)
    held.process.send_signal(signal.SIGCONT)


def test_a_running_owner_is_asked(shells: Any):
    held = shells.start("run", "flow.py", "asks", "--id", "held")
    held.says("no timeout")

    assert "held " in in_bash(shells, "tidegate show ")
    assert in_bash(shells, "tidegate answer held ") == ["number "]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish_completes_what_can_be_typed(shells: Any):
    script = 'tidegate completion fish | source; complete -C "$argv[1]"'
    for typed, wanted in [
        ("tidegate appr", "approve"),
        ("tidegate run flow.py rep", "report"),
        ("tidegate show wa", "waits-here"),
        ("tidegate approve waits-here ", "is it right"),
        ("tidegate run fo", "folder/"),
    ]:
        done = subprocess.run(
            ["fish", "--no-config", "-c", script, typed],
            capture_output=True, text=True, cwd=shells.place, env=shells.environment, timeout=60, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        assert [line.split("\t")[0].replace("\\", "") for line in done.stdout.splitlines()] == [
            wanted
        ]


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_completes_what_can_be_typed(shells: Any):
    for typed, wanted in [
        ("tidegate appr\t", "ove "),
        ("tidegate run flow.py rep\t", "ort "),
        ("tidegate show wa\t", "its-here "),
        ("tidegate approve waits-here \t", "is\\ it\\ right"),
    ]:
        screen = shells.screen(argv=["zsh", "-f", "-i"], PS1="% ", TERM="dumb")
        screen.type(
            "autoload -U compinit; compinit -D -u; eval \"$(tidegate completion zsh)\"; echo re''ady\n"
        )
        screen.says("ready")
        screen.type(typed)
        screen.says(wanted)
        screen.close()
