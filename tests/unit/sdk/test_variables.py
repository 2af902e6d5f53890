"""A task's variables where tasks run in a process that goes on."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tidegate import dynamic, task, workflow
from tidegate.testing import Sandbox

NAME = "TIDE_TEST"


def shown() -> list[str]:
    """The variable as this process, a program that it starts, and the C library see it."""
    program = [sys.executable, "-c", f"import os; print(os.environ.get('{NAME}', 'none'))"]
    printed = subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()
    return [os.environ.get(NAME, "none"), printed, time.strftime("%Z", time.localtime(0))]


@task(environment={NAME: "from the task", "TZ": "XYZ-3"})
def look() -> list[str]:
    return shown()


@task(environment={NAME: "from the task", "TZ": "XYZ-3"})
async def look_later() -> list[str]:
    await asyncio.sleep(0)
    return shown()


@task(environment={NAME: "1"})
def fail() -> list[str]:
    os.environ[NAME] = "changed"
    raise LookupError("no")


@dynamic(environment={NAME: "from the task"})
def unfold() -> list[list[str]]:
    assert os.environ[NAME] == "from the task"
    return [look()]


@workflow
def wf() -> list[list[str]]:
    return unfold()


THERE = ["from the task", "from the task", "XYZ"]


@pytest.fixture(autouse=True)
def before(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(NAME, "as it was")
    was = shown()
    yield
    assert shown() == was


def test_a_task_that_is_called_by_itself_has_its_variables() -> None:
    assert look() == THERE


def test_an_asynchronous_task_has_them_as_long_as_it_runs() -> None:
    async def around() -> list[str]:
        coroutine = look_later()
        assert os.environ[NAME] == "as it was"
        return await coroutine  # type: ignore[misc]

    assert look_later() == THERE
    assert asyncio.run(around()) == THERE


def test_a_plain_call_of_a_workflow_sets_them_for_each_attempt() -> None:
    assert wf() == [THERE]


def test_a_sandbox_sets_them_for_each_attempt(tmp_path: Path) -> None:
    with Sandbox(home=tmp_path) as sandbox:
        assert sandbox.launch(wf).outputs == {"o0": [THERE]}


def test_what_was_there_is_put_back_also_after_a_failure() -> None:
    with pytest.raises(LookupError):
        fail()
    assert os.environ[NAME] == "as it was"
