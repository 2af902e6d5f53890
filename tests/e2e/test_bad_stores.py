"""Stores that cannot be used: whatever is wrong, and whatever the command, it is said in one line, and the store is left as it was."""

import ctypes
import os
import shutil
import sqlite3
import subprocess
import sys
from typing import NamedTuple

import pytest

TEXT = """
from tidegate import wait_for_input, workflow

@workflow
def text() -> str:
    return wait_for_input("words", expected_type=str)
"""

TASK = """
from tidegate import task, wait_for_input, workflow

@task
def upper(words: str) -> str:
    return words.upper()

@workflow
def wf() -> str:
    return upper(words=wait_for_input("words", expected_type=str))
"""

LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print(flush=True)
sys.stdin.read()
"""

FEW = ("answer", "list", "doctor")
"""A command that writes, one that looks, and the one that checks."""

COMMANDS = {
    "run": ("run", "wf.py", "text", "--detach"),
    "resume": ("resume", "t"),
    "answer": ("answer", "t", "words", "hello"),
    "list": ("list",),
    "show": ("show", "t"),
    "inbox": ("inbox",),
    "doctor": ("doctor",),
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A store in which an execution waits."""
    home = tmp_path_factory.mktemp("prepared")
    (home / "wf.py").write_text(TEXT)
    words = ("run", "wf.py", "text", "--id", "t", "--detach", "--home", str(home / "home"))
    subprocess.run([sys.executable, "-m", "tidegate", *words], cwd=home, check=True)
    return home / "home"


@pytest.fixture
def store(tidegate, prepared):
    """A copy of it."""
    tidegate.write("wf.py", TEXT)
    shutil.copytree(prepared, tidegate.home)
    return tidegate.home / "tidegate.db"


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


def complaint(done, *, code=5):
    assert done.code == code, done
    assert done.out == ""
    assert done.err.startswith("error: "), done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    assert "internal error" not in done.err
    return done.err


def change(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_store_of_a_newer_tidegate(tidegate, store, name):
    change(store, "PRAGMA user_version = 999")
    before = store.read_bytes()
    assert "newer Tidegate" in complaint(tidegate(*COMMANDS[name]))
    assert store.read_bytes() == before


@pytest.mark.parametrize("name", FEW)
def test_the_database_of_another_program(tidegate, store, name):
    store.unlink()
    change(store, "CREATE TABLE theirs (x)")
    before = store.read_bytes()
    assert "another program" in complaint(tidegate(*COMMANDS[name]))
    assert store.read_bytes() == before


@pytest.mark.parametrize("name", FEW)
def test_a_file_that_is_not_a_database(tidegate, store, name):
    store.write_bytes(b"# these are my notes\n" * 100)
    assert "not a Tidegate store" in complaint(tidegate(*COMMANDS[name]))
    assert store.read_bytes() == b"# these are my notes\n" * 100


@pytest.mark.parametrize("name", COMMANDS)
def test_an_empty_file_is_not_a_new_store(tidegate, store, name):
    store.write_bytes(b"")
    done = tidegate(*COMMANDS[name])
    if name == "doctor":
        assert (done.code, "is empty" in done.out) == (6, True)
    else:
        assert "is empty" in complaint(done)
    assert store.read_bytes() == b""


@pytest.mark.parametrize("part", ["", "tidegate.db", "bundles"])
def test_what_is_missing_of_a_store_is_found_and_named(tidegate, store, part):
    lost = store.parent / part
    lost.rename(tidegate.place / "lost")
    done = tidegate("doctor")
    assert done.code == 6
    assert "is missing" in done.out
    assert done.out.count("\n") == 1
    (tidegate.place / "lost").rename(lost)
    assert tidegate("doctor").code == 0


def test_an_execution_whose_code_is_missing_is_held_and_goes_on_when_it_is_put_back(
    tidegate, store
):
    bundles = store.parent / "bundles"
    bundles.rename(tidegate.place / "lost")
    assert tidegate("answer", "t", "words", "hello").code == 0
    # A gate and nothing else: it ends without its code.
    assert tidegate("resume", "t").out == '"hello"\n'
    (tidegate.place / "lost").rename(bundles)

    tidegate.write("task.py", TASK)
    assert tidegate("run", "task.py", "wf", "--id", "held", "--detach").code == 0
    assert tidegate("answer", "held", "words", "hello").code == 0
    bundles.rename(tidegate.place / "lost")
    for words in (("held",), ("held", "--detach"), ()):
        done = tidegate("resume", *words)
        assert done.code == (5 if words else 1)
        assert "is missing: register the same source again" in done.err
    assert tidegate("show", "held", "--json").json["phase"] == "QUEUED"
    (tidegate.place / "lost").rename(bundles)
    assert tidegate("resume", "held").out == '"HELLO"\n'


@pytest.mark.parametrize("name", FEW)
def test_a_directory_where_the_file_should_be(tidegate, store, name):
    store.unlink()
    store.mkdir()
    assert "directory" in complaint(tidegate(*COMMANDS[name]))


@pytest.mark.parametrize("name", FEW)
def test_a_truncated_file(tidegate, store, name):
    store.write_bytes(store.read_bytes()[:6000])
    done = tidegate(*COMMANDS[name])
    if name == "doctor" and done.code == 1:
        assert "damaged" in done.out  # to find that out is what it is for
    else:
        assert "damaged" in complaint(done)


def test_one_changed_letter_of_an_answer_is_never_served_as_right(tidegate, store):
    assert tidegate("answer", "t", "words", "hello").code == 0
    whole = store.read_bytes()
    assert b"hello" in whole
    store.write_bytes(whole.replace(b"hello", b"jello"))

    for name in ("answer", "resume"):
        assert "not what was written" in complaint(tidegate(*COMMANDS[name]))
    shown = tidegate("show", "t")
    assert (shown.code, "jello" in shown.out) == (5, False)
    assert "not what was written" in shown.err
    checked = tidegate("doctor")
    assert checked.code == 1
    assert "not what was written" in checked.out


def test_damaged_pages_are_found_and_never_served_as_right(tidegate, store):
    whole = store.read_bytes()
    for page in range(1, len(whole) // 4096):
        store.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        for name in ("list", "show", "answer", "doctor"):
            if page % 4 != ("list", "show", "answer", "doctor").index(name):
                continue  # each page with one of the commands keeps this quick
            done = tidegate(*COMMANDS[name])
            if done.code == 0:
                assert name != "doctor", f"page {page} is broken, and doctor finds nothing"
                continue
            assert "Traceback" not in done.err
            assert "internal error" not in done.err
            assert done.err.count("\n") == 1


def test_a_store_that_another_program_keeps_locked(tidegate, store, monkeypatch):
    locker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            LOCKER,
            str(store),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert locker.stdout is not None
    locker.stdout.readline()
    try:
        assert "locked" in complaint(tidegate(*COMMANDS["answer"]))
        assert tidegate("list").code == 0  # looking is allowed
    finally:
        locker.communicate()
    assert tidegate(*COMMANDS["answer"]).code == 0


def without_privileges():
    """Let the modes of files count for this process even if it is root's (Linux)."""
    for capability in (1, 2):  # to pass over modes when writing, and when reading
        ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # drop it from what programs may get


@pytest.fixture
def nobody(tidegate):
    """Run commands as a user who has no way around the modes of files."""
    if os.getuid() == 0 and not sys.platform.startswith("linux"):
        pytest.skip("root may do everything on this system")

    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "tidegate", *words],
            capture_output=True,
            text=True,
            cwd=tidegate.place,
            env={**os.environ, "TIDEGATE_HOME": str(tidegate.home)},
            preexec_fn=without_privileges if os.getuid() == 0 else None,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.mark.parametrize("name", ["run", "answer", "resume"])
def test_a_directory_in_which_one_may_not_write(tidegate, store, nobody, name):
    tidegate.home.chmod(0o555)
    store.chmod(0o444)
    for path in tidegate.home.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        assert str(tidegate.home) in complaint(nobody(*COMMANDS[name]))
    finally:
        tidegate.home.chmod(0o755)


@pytest.fixture
def read_only(tidegate):
    """Make the store's file system one that nobody can write to."""
    mounted = []

    def mount(*words: str) -> None:
        done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")

    def freeze() -> None:
        if shutil.which("mount") is None:
            pytest.skip("this system has no mount command")
        mount("--bind", str(tidegate.home), str(tidegate.home))
        mounted.append(tidegate.home)
        mount("-o", "remount,bind,ro", str(tidegate.home))

    yield freeze
    for each in mounted:
        subprocess.run(["umount", "-l", str(each)], check=True)


def test_a_snapshot_of_a_store_can_be_looked_at_though_nobody_can_write_there(
    tidegate, store, read_only
):
    before = store.read_bytes()
    read_only()

    assert tidegate("show", "t", "--json").json["phase"] == "WAITING"
    for words in (("list",), ("inbox",), ("events", "t"), ("token", "list"), ("doctor",)):
        assert tidegate(*words).code == 0, words
    for name in ("run", "answer", "resume"):
        assert "read-only file system" in complaint(tidegate(*COMMANDS[name]))
    assert store.read_bytes() == before
    assert [path.name for path in store.parent.glob("tidegate.db*")] == ["tidegate.db"]


def test_a_snapshot_in_which_the_last_writes_are_in_the_log_is_not_read_without_them(
    tidegate, store, read_only
):
    owner = tidegate.start("run", "wf.py", "text", "--id", "new", stdin=subprocess.DEVNULL)
    owner.says("tidegate answer new words VALUE")
    owner.kill()
    (tidegate.home / "tidegate.db-shm").unlink()
    assert (tidegate.home / "tidegate.db-wal").stat().st_size
    read_only()

    for name in ("list", "doctor"):
        assert "copy the directory" in complaint(tidegate(*COMMANDS[name]))


@pytest.mark.parametrize("name", FEW)
def test_a_directory_into_which_one_may_not_look(tidegate, store, nobody, name):
    tidegate.home.chmod(0o000)
    try:
        assert str(tidegate.home) in complaint(nobody(*COMMANDS[name]))
    finally:
        tidegate.home.chmod(0o755)


def test_a_home_that_cannot_be_made(tidegate):
    tidegate.write("wf.py", TEXT)
    tidegate.write("home", "this is a file")
    assert "home" in complaint(tidegate(*COMMANDS["run"]))
