"""The command line where not everything is as at a backend: closed handles, readers that leave, terminals without room."""

import subprocess
import sys

import pytest

FLOW = """
from tidegate import wait_for_input, workflow

@workflow
def text() -> str:
    return wait_for_input("words", expected_type=str)
"""
TIDEGATE = f"{sys.executable} -m tidegate"


@pytest.fixture
def shell(tidegate):
    """Run a line of the shell, on a store in which an execution waits."""
    tidegate.write("wf.py", FLOW)
    assert tidegate("run", "wf.py", "text", "--id", "t", "--detach").code == 0

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-o", "pipefail", "-c", line.replace("tidegate", TIDEGATE)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tidegate.place,
            env=tidegate.environment,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    "line",
    [
        "tidegate list >&-",
        "tidegate list 2>&-",
        "tidegate show t <&- >&- 2>&-",
        "tidegate events t | true",
        "tidegate inbox --full | head -1",
    ],
)
def test_a_handle_that_is_closed_or_a_reader_that_leaves_is_not_an_error(shell, line):
    done = shell(line)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_output_for_which_there_is_no_room_is_one_line(shell):
    done = shell("tidegate show t --json > /dev/full")
    assert done.returncode == 5
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_without_colours_and_unicode_the_output_is_plain(shell):
    done = shell("TERM=dumb LC_ALL=C tidegate show t")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "WAITING    words (input)" in done.stdout


def test_commands_that_are_shown_can_be_typed_as_they_stand(shell, tidegate):
    where = shell("tidegate run wf.py text --id u --detach --home 'another place'").stderr
    shown = next(line for line in where.splitlines() if "answer with: " in line)
    typed = shown.partition("answer with: ")[2].replace("VALUE", "'a word'")
    assert "--home 'another place' u words" in typed
    assert shell(typed).returncode == 0
    going_on = next(line for line in where.splitlines() if "continue with: " in line)
    assert shell(going_on.partition("continue with: ")[2]).stdout == '"a word"\n'
