"""What every command has in common: its help, its exit codes, its one line when something is wrong."""

from typing import Any

import click
import pytest

from tidegate.cli.main import COMMANDS, EPILOG, exit_code
from tidegate.cli.main import tidegate as group
from tidegate.errors import AlreadyAnswered, Forbidden, InvalidValue, Unauthenticated

FLOW = """
from tidegate import task, wait_for_input, workflow

@task
def double(x: int) -> int:
    return 2 * x

@workflow
def wf(x: int, fast: bool = False) -> int:
    return double(x=x)

@workflow
def asks() -> int:
    return wait_for_input("number", expected_type=int)
"""


def commands() -> dict[str, click.Command]:
    ctx = click.Context(group)
    found = {name: group.get_command(ctx, name) for name in COMMANDS}
    parts = {
        f"{name} {part}": one
        for name, each in found.items()
        if isinstance(each, click.Group)
        for part, one in each.commands.items()
    }
    return {name: each for name, each in (found | parts).items() if each is not None}


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_help_of_every_command_lists_the_exit_codes_in_80_columns(name: str):
    command = commands()[name]
    shown = command.get_help(click.Context(command, info_name=name, terminal_width=80))

    codes = [line.strip() for line in EPILOG.splitlines()[2:] if line.strip()]
    assert codes
    assert [
        each for each in codes if each not in [line.strip() for line in shown.splitlines()]
    ] == []
    assert max(map(len, shown[shown.index("Exit codes:") :].splitlines())) <= 80


def test_terminate_is_abort(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    tidegate("run", "flow.py", "asks", "--detach", "--id", "doomed")

    done = tidegate("terminate", "doomed", "--reason", "not needed")

    assert (done.code, done.err) == (0, "aborted doomed\n")
    assert "not needed" in tidegate("show", "doomed").out
    assert "terminate" in tidegate("--help").out


def test_a_command_that_is_not_there_is_said_once_and_the_close_one_is_named(tidegate: Any):
    for word, said in [
        ("foo", "no such command 'foo'; see tidegate --help"),
        ("recoer", "no such command 'recoer'; did you mean 'recover'?"),
        ("terminat", "no such command 'terminat'; did you mean 'terminate'?"),
    ]:
        done = tidegate(word)
        assert (done.code, done.err) == (2, f"error: {said}\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Forbidden("no"), 3),
        (Unauthenticated("who?"), 3),
        (AlreadyAnswered("yes"), 3),
        (InvalidValue("bad"), 2),
    ],
    ids=lambda each: type(each).__name__,
)
def test_who_may_not_is_told_apart_from_a_wrong_command_line(error: Any, code: int):
    assert exit_code(error) == code


def test_an_input_that_is_given_twice_is_refused(tidegate: Any):
    tidegate.write("flow.py", FLOW)

    for words in (
        ["--x", "1", "--x", "2"],
        ["--x=1", "--x=2"],
        ["--x", "1", "--fast", "--no-fast"],
    ):
        done = tidegate("run", "flow.py", "wf", *words)
        assert done.code == 2
        assert "is given twice" in done.err


def test_an_input_comes_from_standard_input_by_either_sign(tidegate: Any):
    tidegate.write("flow.py", FLOW)

    for sign in ("-", "@-"):
        assert tidegate("run", "flow.py", "wf", "--x", sign, stdin="21\n").json == 42


def test_a_count_of_one_is_singular(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    tidegate("run", "flow.py", "wf", "--x", "1")

    assert "1 execution checked, 0 problems found" in tidegate("doctor").err


def test_a_store_that_is_in_use_is_said_with_what_to_do(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    held = tidegate.start("run", "flow.py", "asks", "--id", "first")
    held.says("Answer 'number'")

    done = tidegate("serve", "--port", "0")

    assert done.code == 5
    assert f"process {held.process.pid} already runs the store" in done.err
    assert "stop it first, or use another store with --home" in done.err


def test_a_terminal_that_hangs_up_leaves_the_execution_and_counts_as_interrupted(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    screen = tidegate.screen("run", "flow.py", "asks", "--id", "left")
    screen.says("Answer 'number'")

    assert screen.hang_up() == 130
    assert "number" in tidegate("inbox").out
