"""
What an attempt prints is in its own log, down to the last word, though the next attempt prints into the same file.

`PYTHONUNBUFFERED` would hide what these tests look for, so it is taken out of the environment first.
"""

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tests.contract.executor_contract import Crew, job, write_bundle

from tidegate.errors import CodeError
from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs
from tidegate.ports.executor import Hindered, Raised, Returned

PRINTERS = """
import argparse
import ctypes
import os
import subprocess
import sys

from tidegate import task


@task
def say(text: str) -> int:
    print(text, end="")
    return os.getppid()


@task
def say_twice(text: str) -> int:
    print(text, end="", file=sys.stderr)
    print(text, end="")
    return os.getppid()


@task
def say_and_raise(text: str) -> int:
    print(text, end="")
    raise ValueError("no more")


@task
def say_and_leave(text: str) -> int:
    print(text, end="")
    sys.exit(3)


@task
def say_and_turn_away(text: str) -> int:
    print(text, end="")
    sys.stdout = open(os.devnull, "w")
    return os.getppid()


@task
def say_bytes(text: str) -> int:
    sys.stdout.buffer.write(text.encode())
    return os.getppid()


@task
def say_by_c(text: str) -> int:
    ctypes.CDLL(None).printf(text.encode())
    return os.getppid()


@task
def parse(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tool")
    parser.add_argument("--size", type=int, required=True)
    return parser.parse_args(arguments).size


@task
def let_say(text: str) -> int:
    print(text, end="")
    subprocess.run(["echo", "from a program"], check=True)
    return os.getppid()
"""

NAMES = (
    "say",
    "say_twice",
    "say_and_raise",
    "say_and_leave",
    "say_and_turn_away",
    "say_bytes",
    "say_by_c",
    "let_say",
)


@pytest.fixture
def lone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """One worker, whose output is buffered as Python does it."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    write_bundle(tmp_path, printers=PRINTERS)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        yield Crew(executor)


PARSES_AT_IMPORT = """
import argparse
import sys

parser = argparse.ArgumentParser(prog="tool")
parser.add_argument("source")
parser.parse_args([])
"""


def said(home: Path, execution: str) -> str:
    return "".join(log.text for log in Logs(home).read(execution))


def check_last_words(crew: Crew, home: Path, name: str) -> None:
    one, other, last = (
        job(which, module="printers", text=text, ID=text)
        for which, text in (("say", "before"), (name, "meanwhile"), ("say", "after"))
    )

    # One after the other, as the log of an attempt is there when its end is told.
    outcomes = []
    for each in (one, other, last):
        crew.submit(each)
        outcomes.append(crew.outcome(each))

    assert outcomes[0] == outcomes[2], "they had one worker, or this proves nothing"
    assert said(home, "before") == "before"
    assert said(home, "after") == "after"
    assert "meanwhile" in said(home, "meanwhile")
    rest = said(home, "meanwhile").replace("meanwhile", "", 1)
    assert rest == {"say_twice": "meanwhile", "let_say": "from a program\n"}.get(name, "")


@pytest.mark.parametrize("name", NAMES)
def test_the_last_words_of_an_attempt_are_in_its_own_log(lone: Crew, tmp_path: Path, name: str):
    check_last_words(lone, tmp_path, name)


FORGETFUL = """
from tidegate.executors import worker

worker.flush_output = lambda: None
"""


@pytest.mark.parametrize("name", ["say", "say_and_raise"])
def test_a_worker_that_forgets_to_flush_is_seen(
    lone: Crew, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(FORGETFUL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    with pytest.raises(AssertionError, match="before"):
        check_last_words(lone, tmp_path, name)


def test_attempts_that_wait_in_one_worker_have_logs_of_their_own(lone: Crew, tmp_path: Path):
    jobs = [job("say", module="printers", text=f"words {n}", ID=f"e{n}") for n in range(30)]

    lone.submit(*jobs)

    assert len({outcome.outputs["o0"] for outcome in lone.outcomes(jobs)}) == 1
    assert [said(tmp_path, f"e{n}") for n in range(30)] == [f"words {n}" for n in range(30)]


# -- programs that end themselves --


def test_what_argparse_prints_is_in_the_message_of_the_failure(lone: Crew):
    outcome = lone.run("parse", module="printers", arguments=["--size", "x"])

    assert isinstance(outcome, Raised)
    assert outcome.failure.message == (
        "SystemExit: 2: tool: error: argument --size: invalid int value: 'x'"
    )


@pytest.mark.parametrize("leave", ["sys.exit(0)", "sys.exit(7)", "raise SystemExit"])
def test_a_module_that_ends_the_program_is_reported_with_what_it_has_printed(
    lone: Crew, tmp_path: Path, leave: str
):
    text = f"import sys\nprint('shut for the day', end='')\n{leave}\n"
    bundle = write_bundle(tmp_path, digest=sha256(text.encode()).hexdigest(), shut=text)

    with pytest.raises(CodeError) as caught:
        lone.executor.describe(bundle, "shut")
    outcome = lone.run("any", module="shut", bundle=bundle, ID="shut")

    assert caught.value.message.startswith("shut.py:3: SystemExit")
    assert caught.value.message.endswith(": shut for the day")
    assert outcome == Hindered("environment", caught.value.message)
    assert said(tmp_path, "shut") == "shut for the day"


def test_a_module_that_parses_arguments_is_reported_with_what_argparse_says(
    lone: Crew, tmp_path: Path
):
    bundle = write_bundle(tmp_path, digest="a" * 64, parses=PARSES_AT_IMPORT)

    with pytest.raises(CodeError, match="the following arguments are required: source"):
        lone.executor.describe(bundle, "parses")


# -- room --


def printed_bytes(home: Path) -> int:
    return sum(path.stat().st_size for path in (home / "scratch").glob("*.out"))


@pytest.mark.parametrize("name", ["fill", "fill_and_crash", "fill_and_overrun"])
def test_what_was_printed_is_freed_also_if_no_log_can_be_written(
    lone: Crew, tmp_path: Path, name: str
):
    (tmp_path / "logs").write_text("in the way")
    lone.run("say", module="printers", text="")

    outcome = lone.run(name, module="fillers", bundle=fillers(tmp_path), TIMEOUT=2_000_000)

    assert isinstance(outcome, Returned if name == "fill" else Raised)
    assert printed_bytes(tmp_path) == 0
    assert lone.run("say", module="printers", text="after").outputs["o0"]


FILLERS = """
import os
import time
from tidegate import task


@task
def fill() -> None:
    os.write(1, b"x" * 5_000_000)


@task
def fill_and_crash() -> None:
    os.write(1, b"x" * 5_000_000)
    os._exit(3)


@task
def fill_and_overrun() -> None:
    os.write(1, b"x" * 5_000_000)
    time.sleep(600)
"""


def fillers(home: Path) -> str:
    return write_bundle(home, digest="f" * 64, fillers=FILLERS)
