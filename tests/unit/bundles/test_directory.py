"""What only a directory of bundles can get wrong: modes, leftovers, and files in the way. The rest is the port's contract."""

import os
import stat
from pathlib import Path

import pytest
from tests.contract.bundles_contract import archive, member

from tidegate.bundles.directory import MANY, BundleDirectory
from tidegate.errors import CodeError, StoreError


@pytest.fixture
def bundles(tmp_path: Path) -> BundleDirectory:
    return BundleDirectory(tmp_path / "home" / "bundles")


@pytest.mark.parametrize("files", [1, MANY + 1])
def test_nothing_stands_beside_a_bundle(bundles: BundleDirectory, files: int):
    made = archive(*(member(f"{n}.py") for n in range(files)), body=b"x = 1")
    bundles.put(made)
    tree = bundles.tree(made.digest)
    assert [path.name for path in tree.parent.iterdir()] == [made.digest]
    (tree / "0.py").write_text("x = 2")

    bundles.put(made)

    assert [path.name for path in tree.parent.iterdir()] == [made.digest]


def test_nothing_is_left_of_what_is_refused(tmp_path: Path, bundles: BundleDirectory):
    with pytest.raises(CodeError):
        bundles.put(archive(member("first.py"), member("../x"), body=b"x"))

    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bundles", "home"]


def test_nobody_else_may_write_or_read_there_whatever_the_umask(bundles: BundleDirectory):
    before = os.umask(0)
    try:
        made = archive(member("deep/wf.py"), body=b"x = 1")
        bundles.put(made)
    finally:
        os.umask(before)

    tree = bundles.tree(made.digest)
    for directory in (tree, tree.parent, tree.parent.parent):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@pytest.mark.parametrize("where", ["home", "home/bundles"])
def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path, where: str):
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).write_text("a file in the way")

    with pytest.raises(StoreError, match=f"{where} is not a directory: choose another"):
        BundleDirectory(tmp_path / "home" / "bundles").put(archive(member("x")))
