"""Where attempts work: a directory for each, with the files of the bundle, which nobody can change for another."""

import hashlib
import os
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.executor_contract import BUNDLE, Crew, job, write_bundle
from tests.contract.yard import until

from tidegate.blobs.directory import BlobDirectory
from tidegate.bundles.whole import LIST, list_of
from tidegate.disk import remove_tree
from tidegate.executors.directory import Directories
from tidegate.executors.process import ProcessExecutor

WRITERS = """
import os
import shutil
import time
from pathlib import Path

from tidegate import File, current_context, task

AT_IMPORT = Path("data/in/deep.csv").read_text()


@task
def read() -> dict[str, str]:
    there = {str(path): path.read_text() for path in Path("data").rglob("*") if path.is_file()}
    return there | {path.name: path.read_text() for path in Path().iterdir() if path.is_file()}


@task
def at_import() -> str:
    return AT_IMPORT


@task
def where() -> str:
    assert Path(current_context().working_directory).samefile(".")
    return os.getcwd()


@task
def do(what: str) -> str:
    here = os.getcwd()
    exec(what)
    return here


@task
def write_report(text: str, others: str) -> File:
    Path("report.csv").write_text(text)
    Path(others, text).touch()
    while len(os.listdir(others)) < 2:
        time.sleep(0.001)
    return File("report.csv")


@task
def worker() -> int:
    return int(open(f"/proc/{os.getppid()}/stat").read().split()[3])  # below the template
"""

DATA = {"data.csv": "1,2", "data/in/deep.csv": "3,4", "data/other.csv": "5"}

DEEDS = {
    "every file is overwritten": "[p.write_text('x') for p in [*Path().iterdir(), *Path('data').rglob('*')] if p.is_file()]",
    "with the same size and time": "p = Path('data.csv'); s = p.stat(); p.write_text('9,9'); os.utime(p, ns=(s.st_atime_ns, s.st_mtime_ns))",
    "beside the module": "[p.write_text('x') for p in Path(__file__).parent.rglob('*') if p.is_file()]",
    "a file is removed": "os.unlink('data/other.csv'); os.unlink('data.csv')",
    "a file is added": "Path('data/new.csv').write_text('x'); Path('new.csv').write_text('x')",
    "a file is replaced": "Path('n').write_text('9,9'); os.rename('n', 'data.csv')",
    "a mode": "os.chmod('data.csv', 0o777); os.chmod('data', 0)",
    "all is removed": "shutil.rmtree(Path('data').resolve()); shutil.rmtree(os.getcwd())",
    "a link in the place of the directory": "os.chdir('/'); shutil.rmtree(here); os.symlink('/etc', here); open('/etc/hostname').read()",
    "what nobody may enter": "os.makedirs('a/b/c'); os.chmod('a/b', 0); os.chmod('a', 0)",
    "a link out": "os.symlink('/', 'root'); os.symlink('/', 'data/root')",
    "a deep tree": "for n in range(2000): os.mkdir('d'); os.chdir('d')",
    "odd names": "Path('\\udcff').touch(); Path('new\\nline').touch(); os.mkfifo('fifo')",
}


def write_data(home: Path) -> None:
    tree = home / "bundles" / BUNDLE
    for name, text in DATA.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    bodies = {str(p.relative_to(tree)): p.read_bytes() for p in tree.rglob("*") if p.is_file()}
    bodies.pop(LIST)
    (tree / LIST).write_bytes(list_of(bodies))


def digests(top: Path) -> dict[str, str]:
    files = [path for path in sorted(top.rglob("*")) if path.is_file()]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("directories")
    write_bundle(home, writers=WRITERS)
    write_data(home)
    return home


@pytest.fixture(scope="module")
def lone(home: Path):
    with closing(ProcessExecutor(home, 1)) as executor:
        yield Crew(executor)


def run(crew: Crew, name: str, **columns):
    return crew.run(name, module="writers", **columns).outputs["o0"]


def test_the_files_of_the_bundle_are_read_by_relative_path_also_at_import(lone: Crew):
    assert run(lone, "read") == DATA | {"writers.py": WRITERS}
    assert run(lone, "at_import") == "3,4"


@pytest.mark.parametrize("deed", DEEDS)
def test_what_an_attempt_does_to_its_files_is_seen_by_nobody_else(
    home: Path, lone: Crew, deed: str
):
    before = digests(home / "bundles")

    place = run(lone, "do", what=DEEDS[deed])

    assert not os.path.lexists(place) or deed in {
        "beside the module",
        "with the same size and time",
        "every file is overwritten",
        "a mode",
        "a link in the place of the directory",
    }
    assert run(lone, "read") == DATA | {"writers.py": WRITERS}
    assert digests(home / "bundles") == before


def test_a_directory_goes_with_its_attempt_and_costs_no_worker(lone: Crew):
    worker = run(lone, "worker")

    first = run(lone, "do", what="Path('left').write_text('x')")

    assert not os.path.lexists(first)
    assert run(lone, "where") != first
    assert run(lone, "worker") == worker


def test_parallel_attempts_write_files_of_one_name(home: Path, tmp_path: Path):
    with closing(ProcessExecutor(home, 2)) as executor:
        crew = Crew(executor)
        jobs = [
            job("write_report", module="writers", text=text, others=str(tmp_path))
            for text in ("one", "two")
        ]
        crew.submit(*jobs)
        blobs = BlobDirectory(home / "blobs")

        found = [
            b"".join(blobs.read(outcome.outputs["o0"]["$blob"])) for outcome in crew.outcomes(jobs)
        ]

    assert found == [b"one", b"two"]


def test_nothing_is_left_in_the_home_when_the_executor_is_closed(home: Path):
    with closing(ProcessExecutor(home, 1)) as executor:
        crew = Crew(executor)
        for deed in ("a deep tree", "what nobody may enter"):
            run(crew, "do", what=DEEDS[deed])
        endless = job("do", module="writers", what="Path('on').touch(); time.sleep(600)")
        crew.submit(endless)
        scratch = home / "scratch"
        until(lambda: list(scratch.rglob("on")))
        mine = {path for path in scratch.iterdir() if list(path.rglob("on"))}
        assert mine

    assert not any(path.exists() for path in mine)


def test_removing_takes_whatever_is_there_and_no_more(tmp_path: Path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/b/file").touch()
    (top / "link").symlink_to(outside)
    (top / "a/b").chmod(0)
    (top / "a").chmod(0)

    remove_tree(str(top))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (outside / "kept").exists()


def test_a_copy_that_was_not_touched_is_kept(tmp_path: Path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.py").write_text("x")
    (tree / LIST).write_bytes(list_of({"a.py": b"x"}))
    directories = Directories(str(tmp_path / "place"))
    directories.copy(tree)
    directories.prepare()
    places = [Path(directories.next), Path(directories.source, "a.py")]
    before = [path.stat() for path in places]

    for _ in range(3):
        directories.retire()
        directories.tidy()

    assert [path.stat() for path in places] == before
    assert Path(directories.next) == places[0]
