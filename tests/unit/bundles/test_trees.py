"""What `tidegate register PATH...` takes: which modules, under which names, in how many archives."""

from pathlib import Path

import pytest

from tidegate.bundles.trees import find_trees
from tidegate.errors import CodeError

FLOW = "from tidegate import workflow\n\n@workflow\ndef wf() -> None: ...\n"


def write(root: Path, *names: str, text: str = FLOW) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def test_a_directory_is_where_names_begin(tmp_path: Path):
    write(tmp_path, "core/control_flow/waiting.py", "top.py")
    write(tmp_path, "core/plain.py", text="x = 1\n")

    (tree,) = find_trees([tmp_path])

    assert tree.modules == ("core.control_flow.waiting", "top")
    assert tree.sources.root == tmp_path
    assert tree.sources.files == ("core/control_flow/waiting.py", "top.py")


def test_a_package_is_named_from_above_it(tmp_path: Path):
    write(tmp_path, "pkg/__init__.py", "pkg/sub/__init__.py", text="")
    write(tmp_path, "pkg/sub/flow.py", text=f"import pkg.other\n{FLOW}")
    write(tmp_path, "pkg/other.py")

    (tree,) = find_trees([tmp_path / "pkg" / "sub"])

    assert tree.modules == ("pkg.sub.flow",)
    assert tree.sources.root == tmp_path
    assert "pkg/other.py" in tree.sources.files


def test_a_package_that_makes_workflows_itself_is_a_module(tmp_path: Path):
    write(tmp_path, "pkg/__init__.py")

    (tree,) = find_trees([tmp_path / "pkg"])

    assert tree.modules == ("pkg",)


def test_files_of_one_tree_travel_together_and_others_alone(tmp_path: Path):
    write(tmp_path, "one/a.py", "one/b.py", "two/c.py")

    trees = find_trees([tmp_path / "one" / "a.py", tmp_path / "two", tmp_path / "one" / "b.py"])

    assert [tree.modules for tree in trees] == [("a", "b"), ("c",)]


def test_every_way_to_make_a_workflow_counts(tmp_path: Path):
    write(tmp_path, "a.py", text="import tidegate as t\n@t.workflow(name='x')\ndef f(): ...\n")
    write(tmp_path, "b.py", text="from tidegate import Workflow\nwf = Workflow('b')\n")
    write(tmp_path, "c.py", text="# about workflows\nworkflow = 1\n")
    write(tmp_path, "d.py", text="@workflow\ndef broken(:\n")

    (tree,) = find_trees([tmp_path])

    assert tree.modules == ("a", "b", "d")


def test_a_directory_without_a_workflow_is_refused(tmp_path: Path):
    write(tmp_path, "plain.py", text="x = 1\n")

    with pytest.raises(CodeError, match="no file below it makes a workflow"):
        find_trees([tmp_path])


def test_ignored_and_hidden_files_are_not_registered(tmp_path: Path):
    write(tmp_path, "a.py", "build/b.py", ".hidden/c.py", "venv/lib/d.py")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("")
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / ".git").mkdir()

    (tree,) = find_trees([tmp_path])

    assert tree.modules == ("a",)
