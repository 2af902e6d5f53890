"""Attempts that run in this process: each has a working directory of its own, and leaves the caller's as it was."""

import importlib
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tidegate import ExecutionFailed, Workflow
from tidegate.sdk import workplace
from tidegate.testing import Sandbox

FLOW = """
import os
from pathlib import Path
from tidegate import File, current_context, task, workflow

@task
def report(word: str) -> File:
    assert not os.path.exists("report.csv"), "something of another attempt is here"
    Path("report.csv").write_text(word)
    return File("report.csv")

@task
def both(one: File, two: File) -> str:
    return f"{Path(one).read_text()} {Path(two).read_text()} {os.path.exists('report.csv')}"

@workflow
def reports() -> str:
    return both(one=report(word="one"), two=report(word="two"))

@task
def where(after: str = "") -> str:
    os.mkdir("sub")
    os.chdir("sub")
    here = current_context().working_directory
    assert os.path.samefile("..", here)
    return here

@workflow
def places() -> str:
    return where(after=where())

@task
def spoil() -> str:
    seen = Path("data.csv").read_text() + Path("more", "deep.txt").read_text()
    for path in ("data.csv", "more/deep.txt", "more/new.txt"):
        Path(path).write_text("spoiled")
    return seen

@task
def list_all(after: str) -> str:
    return after + " " + " ".join(sorted(str(p) for p in Path().rglob("*")) + sorted(os.listdir("more")))

@workflow
def spoiling() -> str:
    return list_all(after=spoil())

@task
def stray() -> str:
    Path("left").touch()
    os.makedirs("a/b")
    os.chmod("a", 0)
    raise SystemExit(3)

@workflow
def straying() -> str:
    return stray()

@task
def look(path: str) -> str:
    return open(path).read()

@workflow
def looking(path: str) -> str:
    return look(path=path)

@task
def nested() -> str:
    here = os.getcwd()
    Path("mine").touch()
    inner = places()
    assert os.getcwd() == here and Path("mine").exists()
    return f"{here} {inner}"

@workflow
def nesting() -> str:
    return nested()
"""

Way = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workflow in a git repository, with files that it has and one that it has not; the tests are called in another directory."""
    top = tmp_path / "project"
    (top / "more").mkdir(parents=True)
    (top / "flow_at_work.py").write_text(FLOW)
    (top / "data.csv").write_text("data")
    (top / "more" / "deep.txt").write_text("deep")
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=top, check=True)
    here = tmp_path / "here"
    here.mkdir()
    (here / "beside.txt").write_text("beside")
    monkeypatch.chdir(here)
    monkeypatch.syspath_prepend(str(top))
    yield top
    sys.modules.pop("flow_at_work", None)
    assert Path.cwd() == here
    assert [path.name for path in here.iterdir()] == ["beside.txt"]


@pytest.fixture
def flow(project: Path) -> ModuleType:
    return importlib.import_module("flow_at_work")


def plainly(wf: Workflow, **inputs: Any) -> str:
    return wf(**inputs)


def in_a_sandbox(wf: Workflow, **inputs: Any) -> str:
    with Sandbox() as sandbox:
        run = sandbox.launch(wf, **inputs)
        if run.outputs is None:
            raise ExecutionFailed(run.view.error.message, node="", code="", failure=None)
        return run.outputs["o0"]


@pytest.fixture(params=[plainly, in_a_sandbox])
def run(request: pytest.FixtureRequest) -> Way:
    return request.param


def test_two_tasks_that_write_one_name_return_two_files(run: Way, flow: Any):
    assert run(flow.reports) == "one two False"


def test_the_directory_goes_with_the_attempt_wherever_that_has_gone(run: Way, flow: Any):
    place = run(flow.places)
    assert not Path(place).exists()


def test_packed_files_are_there_and_what_is_written_over_them_is_the_attempts_alone(
    run: Way, flow: Any, project: Path
):
    fresh = "data.csv more deep.txt"
    for _ in range(2):
        assert run(flow.spoiling) == f"datadeep {fresh}"
    assert (project / "data.csv").read_text() == "data"
    assert [path.name for path in (project / "more").iterdir()] == ["deep.txt"]

    (project / "data.csv").write_text("newer")
    assert run(flow.spoiling) == f"newerdeep {fresh}"


def test_what_lies_where_it_was_called_is_not_there_and_the_message_says_what_to_do(
    run: Way, flow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("beside.txt", "it's here.txt", "../outside.txt"):
        (elsewhere / name).touch()

    def said(path: str) -> str:
        with monkeypatch.context() as there, pytest.raises(ExecutionFailed) as caught:
            there.chdir(elsewhere)
            run(flow.looking, path=path)
        return caught.value.message

    assert f"there is one in {elsewhere}, " in said("./beside.txt")
    assert "--include beside.txt" in said("./beside.txt")
    (typed,) = shlex.split(said("it's here.txt").partition("--include ")[2].partition(", or")[0])
    assert typed == "it's here.txt"
    # What no --include can pack is not said to be packed by one.
    outside = said("../outside.txt")
    assert ("--include" in outside, "current_context().launched_from" in outside) == (False, True)
    assert "launched" not in said("absent.txt") + said(str(elsewhere / "absent.txt"))


def test_an_attempt_that_fails_leaves_nothing_either(run: Way, flow: Any):
    before = {path.name for path in workplace.scratch().glob("work-*")}
    with pytest.raises(ExecutionFailed):
        run(flow.straying)
    assert {path.name for path in workplace.scratch().glob("work-*")} == before


def test_a_workflow_that_a_task_calls_has_directories_of_its_own(run: Way, flow: Any):
    outer, inner = run(flow.nesting).split()
    assert outer != inner
    assert not Path(outer).exists()


class Meeting:
    """Threads whose attempts are under way at once; each says where it is, and the caller where that is."""

    def __init__(self, *, alone: bool | None) -> None:
        self._alone = alone
        self._all_there = threading.Barrier(3, timeout=30)
        self.places: list[tuple[str, str]] = []

    def hold(self) -> str:
        threads = [threading.Thread(target=self._attempt) for _ in range(2)]
        for each in threads:
            each.start()
        self._all_there.wait()
        outside = str(Path.cwd())
        self._all_there.wait()
        for each in threads:
            each.join()
        return outside

    def _attempt(self) -> None:
        workplace._mine.alone = self._alone
        with workplace.workplace("nowhere") as place:
            self._all_there.wait()
            self.places.append((place, str(Path.cwd())))
            self._all_there.wait()


def test_attempts_in_two_threads_at_once_have_each_their_own_and_the_caller_keeps_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    meeting = Meeting(alone=None)
    outside = meeting.hold()
    if outside != str(tmp_path):
        pytest.skip("this system gives no thread a working directory of its own")
    assert [place for place, _ in meeting.places] == [here for _, here in meeting.places]
    assert len({place for place, _ in meeting.places}) == 2


def test_where_threads_share_a_directory_the_first_has_its_own_and_nobody_takes_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    meeting = Meeting(alone=False)
    meeting.hold()
    own = [place == here for place, here in meeting.places]
    assert sorted(own) == [False, True]
    assert Path.cwd() == tmp_path


def test_modules_beside_a_program_from_a_prompt_are_found_in_a_task(tmp_path: Path):
    (tmp_path / "late.py").write_text("WORD = 'late'\n")
    (tmp_path / "flow_at_prompt.py").write_text(
        "from tidegate import task, workflow\n"
        "@task\ndef t() -> str:\n    import late\n    return late.WORD\n"
        "@workflow\ndef wf() -> str:\n    return t()\n"
    )
    program = "import sys, flow_at_prompt; print(flow_at_prompt.wf(), sys.path[0] == '')"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "late True\n"
