"""A tree is compared with the list of what was unpacked there: what differs is named, what was added is let be."""

import shutil
from pathlib import Path

import pytest

from tidegate.bundles.whole import LIST, check_whole, list_of
from tidegate.errors import CodeError

FILES = {"wf.py": b"x = 1\n", "deep/part.py": b"", "ü.py": b"\xff"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(content)
    (tmp_path / "tree" / LIST).write_bytes(list_of(FILES))
    return tmp_path / "tree"


def test_what_is_as_it_was_unpacked_is_whole(tree: Path):
    check_whole(tree)
    (tree / "left_by_a_task.txt").write_text("x")
    (tree / "__pycache__").mkdir()
    check_whole(tree)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_another_or_gone_is_named(tree: Path, name: str):
    (tree / name).write_bytes(b"x = 2\n")
    with pytest.raises(
        CodeError, match=f"{name}: was changed after it was packed; register the same"
    ):
        check_whole(tree)

    (tree / name).unlink()
    with pytest.raises(CodeError, match=f"{name}: cannot be read: No such file"):
        check_whole(tree)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"wf.py": 1}', b"\xff"])
def test_a_list_that_cannot_be_read_is_named(tree: Path, text: bytes):
    (tree / LIST).write_bytes(text)

    with pytest.raises(CodeError, match=f"{LIST}: cannot be read: .*; register the same source"):
        check_whole(tree)


def test_a_tree_without_its_list_counts_as_changed(tree: Path):
    (tree / LIST).unlink()

    with pytest.raises(CodeError, match=f"{LIST}: is missing; register the same source again"):
        check_whole(tree)


def test_a_tree_that_is_gone_is_named(tree: Path):
    shutil.rmtree(tree)

    with pytest.raises(
        CodeError, match="the code of this workflow is missing: there is no directory"
    ):
        check_whole(tree)
