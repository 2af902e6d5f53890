"""Backups: taken while a server runs, whole or refused, without secrets; and what is restored acts only when somebody says so."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.serving import Server

FLOW = """
from tidegate import File, task, wait_for_input, workflow

@task
def train(words: str) -> File:
    with open("model.bin", "w") as file:
        file.write(words * 1000)
    print("trained")
    return File("model.bin")

@task
def size(model: File, word: str) -> str:
    with open(model) as file:
        return f"{len(file.read())} {word}"

@workflow
def wf(words: str) -> str:
    model = train(words=words)
    return size(model=model, word=wait_for_input("word", expected_type=str))
"""


@contextmanager
def serving(home: Path, *words: str) -> Iterator[Server]:
    server = Server(home, *words)
    try:
        yield server.ready()
        server.stop()
    finally:
        server.close()


def tidegate(*words: str | Path, code: int = 0, cwd: Path | None = None) -> str:
    """Run a command; return what it printed, and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", *map(str, words)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A store in which an execution waits, with a file in it."""
    place = tmp_path_factory.mktemp("origin")
    (place / "flow.py").write_text(FLOW)
    home = place / "home"
    words = ("run", "flow.py", "wf", "--words", "abc", "--id", "e", "--detach", "--home", home)
    tidegate(*words, cwd=place)
    tidegate("token", "create", "ada", "--role", "admin", "--home", home)
    return home


@pytest.fixture(scope="module")
def backup(origin, tmp_path_factory):
    """A backup of it, taken while it is served."""
    target = tmp_path_factory.mktemp("backups") / "monday"
    with serving(origin):
        assert "copied to" in tidegate("backup", target, "--home", origin)
        # What comes later is not in it.
        tidegate("answer", "e", "word", "late", "--home", origin)
    return target


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_restored_store_goes_on_from_where_the_copy_was_taken(backup, tmp_path):
    home = tmp_path / "new"

    assert "1 executions restored" in tidegate("restore", backup, "--home", home)

    assert json.loads(tidegate("inbox", "--json", "--home", home))[0]["execution"] == "e"
    assert "adopted" in tidegate("resume", "e", "--detach", "--home", home)
    tidegate("answer", "e", "word", "early", "--home", home)
    tidegate("resume", "e", "--home", home)
    shown = json.loads(tidegate("show", "e", "--json", "--home", home))
    assert shown["outputs"] == {"o0": "3000 early"}
    assert "trained" in tidegate("logs", "e", "--home", home)
    assert "0 problems" in tidegate("doctor", "--home", home)


@pytest.mark.parametrize(
    "words",
    [
        ("answer", "e", "word", "x"),
        ("abort", "e"),
        ("serve", "--port", "0"),
        ("run", "flow.py", "wf", "--words", "x", "--detach"),
    ],
)
def test_a_restored_store_holds_everything_until_it_is_adopted(backup, tmp_path, words):
    (tmp_path / "flow.py").write_text(FLOW)
    home = tmp_path / "new"
    tidegate("restore", backup, "--home", home)

    said = tidegate(*words, "--home", home, code=5, cwd=tmp_path)

    assert "was restored from a backup" in said
    assert "--adopt" in said
    assert json.loads(tidegate("show", "e", "--json", "--home", home))["phase"] == "WAITING"


def test_a_server_adopts_when_it_is_told_to_and_once_is_enough(backup, tmp_path):
    home = tmp_path / "new"
    tidegate("restore", backup, "--home", home)

    for words in (("--adopt",), ()):
        with serving(home, *words) as server:
            assert server.connect()("GET", "executions/e").body["phase"] == "WAITING"


def test_a_backup_lets_nobody_in_unless_it_is_asked_for(origin, backup, tmp_path):
    known = tidegate("token", "list", "--json", "--home", origin)
    assert "ada" in known
    with_access, home, other = tmp_path / "with", tmp_path / "new", tmp_path / "other"

    tidegate("backup", with_access, "--with-access", "--home", origin)
    tidegate("restore", with_access, "--home", home)
    tidegate("restore", backup, "--home", other)

    assert tidegate("token", "list", "--json", "--home", home) == known
    assert "ada" not in tidegate("token", "list", "--json", "--home", other)
    assert not (other / "token").exists()
    hashes = sqlite3.connect(origin / "tidegate.db").execute("SELECT hash FROM tokens").fetchall()
    kept = (backup / "tidegate.db").read_bytes()
    assert hashes
    assert not any(hash_ in kept for (hash_,) in hashes)
    assert b"token_made" in kept, "the audit log is of what happened, and stays"


def test_what_is_changed_missing_or_not_finished_is_refused_and_nothing_is_written(
    backup, tmp_path
):
    good = contents(backup)
    assert {Path(name).parts[0] for name in good} >= {"blobs", "bundles", "logs", "tidegate.db"}
    home = tmp_path / "new"
    for name, content in good.items():
        path = backup / name
        for wrong in (None, content[:-1] + bytes([content[-1] ^ 1]) if content else b"x"):
            if wrong is None:
                path.unlink()
            else:
                path.write_bytes(wrong)
            said = tidegate("restore", backup, "--home", home, code=5)
            assert name in said
            assert not home.exists()
            path.write_bytes(content)
    assert contents(backup) == good


def test_no_file_of_a_backup_lies_outside_the_store(backup, tmp_path):
    path = backup / "backup.json"
    good = path.read_bytes()
    for name in ("../outside", str(tmp_path / "outside")):
        manifest = json.loads(good)
        manifest["entries"][0]["path"] = name
        path.write_text(json.dumps(manifest))
        assert "outside the store" in tidegate(
            "restore", backup, "--home", tmp_path / "new", code=5
        )
    path.write_bytes(good)
    assert not (tmp_path / "new").exists()


def test_both_go_into_an_empty_directory_only(origin, backup, tmp_path):
    before = contents(origin)

    assert "not empty" in tidegate("restore", backup, "--home", origin, code=5)
    assert "not empty" in tidegate("backup", backup, "--home", origin, code=5)
    assert "no store" in tidegate("backup", tmp_path / "b", "--home", tmp_path / "none", code=5)

    assert contents(origin) == before
    assert not (tmp_path / "b").exists()


def test_a_restore_that_was_interrupted_is_held_and_can_be_made_again(backup, tmp_path):
    home = tmp_path / "new"
    tidegate("restore", backup, "--home", home)
    # As it is before the last step, for the database comes last.
    (home / "tidegate.db").unlink()

    assert "was restored" in tidegate("answer", "e", "word", "x", "--home", home, code=5)
    assert "1 executions restored" in tidegate("restore", backup, "--home", home)
