"""What a store holds is its owner's alone, at any umask; and tasks have the umask and the variables that are theirs."""

import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

FLOW = """
import json, os
from pathlib import Path
from tidegate import Deck, File, task, workflow

@task
def report() -> File:
    Deck("report", "<p>fine</p>")
    print("hello")
    Path("made.txt").write_text("x" * 100)
    return File("made.txt")

@task
def told() -> str:
    umask = os.umask(0)
    os.umask(umask)
    return json.dumps([f"{umask:03o}", {k: v for k, v in os.environ.items() if k != "TIDEGATE_MARK"}])

@workflow
def wf() -> tuple[File, str]:
    return report(), told()
"""


@contextmanager
def umask(value: int) -> Iterator[None]:
    before = os.umask(value)
    try:
        yield
    finally:
        os.umask(before)


def open_to_others(home: Path) -> list[str]:
    found = []
    for path in (home, *home.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode) and mode & 0o077:
            found.append(f"{path.relative_to(home)}: {stat.filemode(mode)}")
    return found


@pytest.mark.parametrize("value", [0o000, 0o002, 0o022, 0o077])
def test_every_file_and_directory_of_a_store_is_private_at_any_umask(tidegate: Any, value: int):
    tidegate.write("flow.py", FLOW)
    (tidegate.place / "out").mkdir()
    with umask(value):
        done = tidegate("run", "flow.py", "wf", "--json")
        assert done.code == 0, done.err
        assert tidegate("token", "create", "ada", "--role", "viewer").code == 0
        started = tidegate.start("serve", "--port", "0", "--workers", "1")
        started.says("tidegate serves")
        assert tidegate("run", "flow.py", "wf", "--detach", "--id", "again").code == 0
        assert open_to_others(tidegate.home) == []
        started.process.terminate()
        assert started.ends().code == 0
    assert open_to_others(tidegate.home) == []
    assert {"blobs", "bundles", "logs"} <= {each.name for each in tidegate.home.iterdir()}


def told_of(view: Any) -> Any:
    (said,) = [n["outputs"]["o0"] for n in view["nodes"] if n["name"] == "told"]
    return json.loads(said)


def test_tasks_of_a_server_get_the_umask_back_and_the_usual_variables(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    tidegate.environment |= {
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "here",
        "OMP_NUM_THREADS": "3",
        "LC_TIME": "C",
    }
    with umask(0o027):
        started = tidegate.start("serve", "--port", "0", "--workers", "1", "--pass-env", "AWS_R*")
        started.says("tidegate serves")
        assert tidegate("run", "flow.py", "wf", "--detach", "--id", "one").code == 0
        assert tidegate("show", "one", "--json").json["phase"] == "SUCCEEDED"
        mask, given = told_of(tidegate("show", "one", "--json").json)
        started.process.terminate()
        assert started.ends().code == 0

    assert mask == "027"
    assert given["AWS_REGION"] == "here"
    assert (given["OMP_NUM_THREADS"], given["LC_TIME"]) == ("3", "C")
    usual = (
        r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|PYTHON\w*|\w+_NUM_THREADS"
    )
    others = [name for name in given if not re.fullmatch(usual, name)]
    assert others == ["AWS_REGION"]


def test_tasks_of_a_terminal_have_its_environment_and_its_umask(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    tidegate.environment["API_KEY"] = "mine"
    with umask(0o027):
        done = tidegate("run", "flow.py", "wf", "--detach", "--id", "one")
    assert done.code == 0, done.err
    mask, given = told_of(tidegate("show", "one", "--json").json)
    assert (mask, given["API_KEY"]) == ("027", "mine")


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
@pytest.mark.parametrize("words", [("run", "flow.py", "wf"), ("list",), ("serve", "--port", "0")])
def test_a_directory_that_others_can_write_to_is_refused(tidegate: Any, mode: int, words: Any):
    tidegate.write("flow.py", FLOW)
    if words == ("list",):
        assert tidegate("run", "flow.py", "wf").code == 0
    tidegate.home.mkdir(exist_ok=True)
    tidegate.home.chmod(mode)

    done = tidegate(*words)
    assert done.code == 5, done.err
    assert "chmod go-w" in done.err
    assert len(done.err.strip().splitlines()) == 1
    tidegate.home.chmod(0o755)
    assert tidegate("list").code == 0


def test_what_an_earlier_version_left_open_is_closed(tidegate: Any):
    tidegate.write("flow.py", FLOW)
    assert tidegate("run", "flow.py", "wf").code == 0
    for name in ("blobs", "bundles", "logs"):
        (tidegate.home / name).chmod(0o777)
    assert tidegate("run", "flow.py", "wf").code == 0
    assert open_to_others(tidegate.home) == []
