"""Whose machine it is: the server as a service user and the operator as root, users without a name or a home, stores of other people."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest
from tests.e2e.users import (
    NAMELESS,
    SERVICE,
    as_user,
    bare,
    command,
    owned_by,
    python,
    serving,
)
from tests.e2e.watched import until

FLOW = """
from pathlib import Path
from tidegate import File, current_context, task, wait_for_input, workflow

@task
def wrap(n: int) -> File:
    print("wrapping")
    made = Path(current_context().working_directory, "n.txt")
    made.write_text(str(n))
    return File(made)

@workflow
def wf() -> File:
    return wrap(n=wait_for_input("n", expected_type=int))
"""

EVERY = [
    ("run", "f.py", "wf", "--detach"),
    ("list",),
    ("inbox",),
    ("show", "some"),
    ("answer", "some", "n", "1"),
    ("approve", "some", "n"),
    ("abort", "some"),
    ("resume",),
    ("logs", "some"),
    ("events", "some"),
    ("deck", "some", "wrap"),
    ("register", "f.py"),
    ("token", "list"),
    ("token", "create", "ada", "--role", "viewer"),
    ("doctor",),
]

FEW = [EVERY[each] for each in (0, 1, 4, 7, 11, 12, 14)]
"""One that runs, looks, answers, resumes, registers, asks for tokens, checks."""


@pytest.fixture
def place():
    """A directory that every user may enter (pytest's own is closed to others), with a workflow in it."""
    python()
    found = Path(tempfile.mkdtemp(dir="/var/tmp"))
    found.chmod(0o755)
    (found / "f.py").write_text(FLOW)
    yield found
    shutil.rmtree(found)


@pytest.fixture
def home(place):
    """The home of a service user's store."""
    (place / "h").mkdir(mode=0o700)
    os.chown(place / "h", SERVICE, SERVICE)
    return place / "h"


def ended(ask):
    """Run a workflow from its launch to its end, by commands of one user."""
    assert ask("run", "f.py", "wf", "--id", "one", "--detach").returncode == 0
    assert ask("answer", "one", "n", "7").returncode == 0
    # Where nobody serves, somebody has to run it.
    assert ask("resume", "one").returncode == 0
    return ask("show", "one").stdout


def test_root_is_served_by_the_server_of_a_service_user(place, home):
    def root(*words):
        return as_user(0, *words, "--home", str(home), cwd=place)

    with serving(SERVICE, home):
        assert "SUCCEEDED" in ended(root)
        for words in (("list",), ("inbox",), ("token", "list"), ("logs", "one"), ("doctor",)):
            done = root(*words)
            assert done.returncode == 0, (words, done.stderr)
        assert owned_by(0, home) == []
    assert as_user(SERVICE, "doctor", "--home", str(home), cwd=place).returncode == 0


def test_what_root_makes_in_the_store_of_a_service_user_is_that_users(place, home):
    def root(*words):
        return as_user(0, *words, "--home", str(home), cwd=place)

    assert "SUCCEEDED" in ended(root)
    assert root("token", "create", "ada", "--role", "viewer").returncode == 0
    with serving(0, home):
        assert owned_by(0, home / "decks") == owned_by(0, home / "bundles") == []
        # The owner of the store comes in, though the process is root's.
        assert as_user(SERVICE, "list", "--home", str(home), cwd=place).returncode == 0
        assert (home / "door.sock").stat().st_uid == SERVICE
        assert (home / "token").stat().st_uid == SERVICE
    kinds = {path.relative_to(home).parts[0] for path in owned_by(SERVICE, home)}

    assert owned_by(0, home) == []
    assert {"bundles", "blobs", "logs", "scratch", "tidegate.db", "engine.lock"} <= kinds
    with serving(SERVICE, home):
        assert "SUCCEEDED" in as_user(SERVICE, "list", "--home", str(home), cwd=place).stdout


DIG = """
import os, time
from tidegate import task, workflow

@task
def dig(sign: str, deep: str) -> None:
    os.makedirs(deep or ".", exist_ok=True)
    open(os.path.join(deep, "file"), "w").close()
    open(sign, "w").close()
    time.sleep(600)

@workflow
def wf(sign: str, deep: str) -> None:
    dig(sign=sign, deep=deep)
"""


@pytest.mark.parametrize("deep", ["", "deep"])
def test_what_a_killed_command_of_roots_has_left_is_removed_by_the_service_user_or_named(
    place, home, deep
):
    (place / "f.py").write_text(DIG)
    sign = place / "sign"
    words = ("run", "f.py", "wf", "--id", "one", "--sign", str(sign), "--deep", deep)
    process = subprocess.Popen(
        command(0, *words, "--home", str(home)), cwd=place, env=bare(), stdin=subprocess.DEVNULL
    )
    try:
        until(sign.exists)
    finally:
        process.kill()
        process.wait()
    until(lambda: not left_running(home))
    assert list((home / "scratch").iterdir())

    done = as_user(SERVICE, "abort", "one", "--home", str(home), cwd=place)
    served = as_user(SERVICE, "resume", "--home", str(home), cwd=place)

    left = list((home / "scratch").iterdir())
    assert (done.returncode, served.returncode) == (0, 0), served.stderr
    for path in left:
        assert f"{path} was left by an owner of this store that was killed" in served.stderr
        assert "belongs to user 0: remove it" in served.stderr
    assert bool(left) == bool(deep)


def left_running(home: Path) -> bool:
    return any(
        str(home) in " ".join(each.info["cmdline"] or ())
        for each in psutil.process_iter(["cmdline"])
    )


def test_a_stranger_is_refused_at_once_whether_or_not_somebody_serves(place, home):
    with serving(SERVICE, home):
        for words in EVERY:
            done = as_user(NAMELESS, *words, "--home", str(home), cwd=place)
            assert done.returncode == 5, (words, done.stderr)
            assert "belongs to" in done.stderr or "denied" in done.stderr, words


@pytest.mark.parametrize("home", [None, "", "/proc"], ids=["none", "empty", "read-only"])
def test_a_user_without_a_name_and_a_home_works_in_the_store_that_is_given(place, home):
    (place / "h").mkdir()
    os.chown(place / "h", NAMELESS, NAMELESS)
    given = {} if home is None else {"HOME": home}

    def ask(*words):
        return as_user(NAMELESS, *words, cwd=place, TIDEGATE_HOME=str(place / "h"), **given)

    assert "SUCCEEDED" in ended(ask)
    for words in EVERY:
        done = ask(*words) if words != ("resume",) else ask("resume", "one")
        assert done.returncode in (0, 4), (words, done.stderr)


@pytest.mark.parametrize("home", [None, "", "/proc"], ids=["none", "empty", "read-only"])
def test_without_a_store_that_is_given_each_command_says_what_is_missing(place, home):
    given = {} if home is None else {"HOME": home}
    for words in FEW:
        done = as_user(NAMELESS, *words, cwd=place, **given)
        if home is None or home == "":
            assert done.returncode == 5, (words, done.stderr)
            assert "give --home DIR, or set TIDEGATE_HOME" in done.stderr, words
        else:
            # Those that look find an empty store, those that write cannot make one.
            assert done.returncode in (0, 4, 5, 6), (words, done.stderr)
    away = as_user(NAMELESS, "list", "--server", "http://127.0.0.1:9", cwd=place, **given)
    assert "no server replies" in away.stderr
