"""The store is where it is said to be: on the command line, else in the environment, else where programs keep their data."""

from pathlib import Path

import pytest

from tidegate.errors import StoreError
from tidegate.home import find_home


def test_what_is_given_counts_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.setenv("TIDEGATE_HOME", str(tmp_path / "environment"))

    assert find_home(str(tmp_path / "given")) == tmp_path / "given"
    assert find_home() == find_home("") == tmp_path / "environment"


def test_without_either_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path):
    monkeypatch.delenv("TIDEGATE_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert find_home() == tmp_path / "tidegate"


def test_it_is_absolute_and_may_begin_with_the_users_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert find_home("~/store") == tmp_path / "store"
    assert find_home("store") == Path.cwd() / "store"


@pytest.mark.parametrize("home", ["", "not/absolute"])
def test_a_home_that_is_none_is_refused_unless_the_system_knows_another(
    monkeypatch: pytest.MonkeyPatch, home
):
    for name in ("TIDEGATE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", home)

    try:
        assert find_home().is_absolute()
    except StoreError as error:
        assert "--home DIR" in error.message

    with pytest.raises(StoreError, match="no such user"):
        find_home("~nobody-of-this-name/store")
