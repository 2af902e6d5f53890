"""`import tidegate` is light, and exports what the documentation names."""

import subprocess
import sys

import pytest

import tidegate

HEAVY = {
    "apsw",
    "asyncio",
    "click",
    "httpx",
    "jsonschema_rs",
    "litestar",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "rich",
}


def test_importing_the_package_loads_nothing_heavy():
    code = "import tidegate, sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    loaded = set(result.stdout.split())
    assert "tidegate" in loaded
    assert not loaded & HEAVY


def test_defining_a_workflow_loads_nothing_heavy():
    code = """
import sys
from tidegate import task, workflow

@task
def f(x: int) -> int:
    return x

@workflow
def wf(x: int) -> int:
    return f(x=x)

print(*sorted({m.split('.')[0] for m in sys.modules}))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert not set(result.stdout.split()) & HEAVY


def test_everything_that_is_exported_is_there():
    assert sorted(tidegate.__all__) == tidegate.__all__
    for name in tidegate.__all__:
        assert getattr(tidegate, name) is not None


def test_the_names_of_the_guide_are_exported():
    names = {
        "task",
        "workflow",
        "dynamic",
        "Workflow",
        "conditional",
        "sleep",
        "wait_for_input",
        "approve",
    }

    assert names <= set(tidegate.__all__)


@pytest.mark.parametrize(
    ("name", "instead"), [("map_task", "@dynamic"), ("CronSchedule", "tidegate run --detach")]
)
def test_a_name_of_flyte_s_that_is_not_here_says_what_to_use_instead(name, instead):
    with pytest.raises(ImportError, match=f"tidegate has no {name}: .*{instead}"):
        exec(f"from tidegate import {name}")
    with pytest.raises(ImportError, match="cannot import name 'no_such'"):
        exec("from tidegate import no_such")
    assert not hasattr(tidegate, "no_such")
