"""
What an attempt prints is in its own log, down to the last word, though the next attempt prints into the same file.

`PYTHONUNBUFFERED` would hide what these tests look for, so it is taken out of the environment first.
"""

from collections.abc import Callable, Iterator
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
import time

from tidegate import task


@task
def say(text: str) -> int:
    print(text, end="")
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def say_twice(text: str) -> int:
    print(text, end="", file=sys.stderr)
    print(text, end="")
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


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
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def say_bytes(text: str) -> int:
    sys.stdout.buffer.write(text.encode())
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def say_by_c(text: str) -> int:
    ctypes.CDLL(None).printf(text.encode())
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def parse(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tool")
    parser.add_argument("--size", type=int, required=True)
    return parser.parse_args(arguments).size


@task
def let_say(text: str) -> int:
    print(text, end="")
    subprocess.run(["echo", "from a program"], check=True)
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template


@task
def leave(sign: str) -> None:
    speak = f"until test -e {sign}; do sleep 0.01; done; echo late; touch {sign}.done"
    program = subprocess.Popen(["sh", "-c", speak], start_new_session=True)
    with open(f"{sign}.pid", "w") as file:
        file.write(str(program.pid))


@task
def await_end(sign: str, text: str) -> None:
    print(text, end="")
    open(sign, "w").close()
    with open(f"{sign}.pid") as file:
        process = file.read()
    while os.path.exists(f"/proc/{process}") and not os.path.exists(f"{sign}.done"):
        time.sleep(0.01)
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


def check_lingerer(crew: Crew, home: Path) -> None:
    """A program that an attempt has left is told to speak while the next attempt runs; if it is gone it says nothing."""
    sign = home / "speak"
    one = job("leave", module="printers", sign=str(sign), ID="one")
    other = job("await_end", module="printers", sign=str(sign), text="other", ID="other")
    for each in (one, other):
        crew.submit(each)
        crew.outcome(each)
    assert said(home, "other") == "other"


def check_attempts(crew: Crew, home: Path) -> None:
    """Two attempts of one node, and the same node of another execution."""
    for execution, number in (("e", 1), ("e", 2), ("f", 1)):
        one = job(
            "say", module="printers", text=f"{execution}{number}", ID=execution, ATTEMPT=number
        )
        crew.submit(one)
        crew.outcome(one)
    found = {(ex, log.attempt): log.text for ex in ("e", "f") for log in Logs(home).read(ex)}
    assert found == {("e", 1): "e1", ("e", 2): "e2", ("f", 1): "f1"}


def test_what_an_attempt_has_left_running_writes_into_no_other_log(lone: Crew, tmp_path: Path):
    check_lingerer(lone, tmp_path)


def test_each_attempt_of_a_node_has_its_own_log(lone: Crew, tmp_path: Path):
    check_attempts(lone, tmp_path)


KEEPS = """
def keep(printed, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(os.pread(printed, 1 << 20, 0))
worker.keep_log = keep
"""
ADDS = """
right = worker.keep_log
worker.keep_log = lambda printed, path: (right(printed, path), os.write(printed, b"."))
"""
MIXES = """
right = worker.Logs.path
worker.Logs.path = lambda self, execution, node, attempt: right(self, {}, node, {})
"""


def words(name: str) -> Callable[[Crew, Path], None]:
    return lambda crew, home: check_last_words(crew, home, name)


BUGS: dict[str, tuple[str, Callable[[Crew, Path], None]]] = {
    "nothing is flushed": ("worker.flush_output = lambda: None", words("say")),
    "nothing is flushed of what fails": (
        "worker.flush_output = lambda: None",
        words("say_and_raise"),
    ),
    "standard error is not flushed": ("worker.flush_output = sys.stdout.flush", words("say_twice")),
    "what C has printed is not flushed": ("attempt._libc = None", words("say_by_c")),
    "a stream in its place hides the real one": (
        "worker.flush_output = lambda: (sys.stdout.flush(), sys.stderr.flush())",
        words("say_and_turn_away"),
    ),
    "what was printed stays for the next": (KEEPS, words("say")),
    "something stays for the next": (ADDS, words("say")),
    "what is left goes on": ("worker.trees.end_children = lambda: True", check_lingerer),
    "attempts are not told apart": (MIXES.format("execution", "1"), check_attempts),
    "executions are not told apart": (MIXES.format("'e'", "attempt"), check_attempts),
}
"""What is wrong -> what is planted into the process from which workers are forked, and what must see it."""


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def plant(what: str) -> None:
        (tmp_path / "site").mkdir()
        text = f"import os, sys\nfrom tidegate.executors import attempt, worker\n{what}\n"
        (tmp_path / "site" / "sitecustomize.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))

    return plant


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_seen(lone: Crew, tmp_path: Path, bug: str, plant: Callable[[str], None]):
    planted, check = BUGS[bug]
    plant(planted)
    with pytest.raises(AssertionError):
        check(lone, tmp_path)


def test_where_nothing_is_planted_nothing_is_seen(
    lone: Crew, tmp_path: Path, plant: Callable[[str], None]
):
    plant("worker.planted = True")
    check_last_words(lone, tmp_path, "say")
    check_lingerer(lone, tmp_path)
    check_attempts(lone, tmp_path)


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
