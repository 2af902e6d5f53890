"""
What an attempt prints is in its own log, down to the last word, though the next attempt prints into the same file.

`PYTHONUNBUFFERED` would hide what these tests look for, so it is taken out of the environment first.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.executor_contract import Crew, job, write_bundle

from tidegate.executors.process import ProcessExecutor
from tidegate.logs import Logs

PRINTERS = """
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
    "let_say",
)


@pytest.fixture
def lone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crew]:
    """One worker, whose output is buffered as Python does it."""
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    write_bundle(tmp_path, printers=PRINTERS)
    with closing(ProcessExecutor(tmp_path, 1)) as executor:
        yield Crew(executor)


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
