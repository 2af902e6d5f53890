"""Which files travel with a workflow."""

import os
from pathlib import Path

import pytest

from tidegate.bundles.archive import pack
from tidegate.bundles.sources import find_root, find_sources
from tidegate.errors import CodeError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "wf.py").write_text("import helper_module\n")
    (root / "helper_module.py").write_text("")
    (root / "words.txt").write_text("words")
    return root


def write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_file_in_a_package_is_imported_from_above_the_package(tmp_path):
    for name in ("a/__init__.py", "a/b/__init__.py", "a/b/wf.py"):
        write(tmp_path, name)
    assert find_root(tmp_path / "a/b/wf.py") == (tmp_path, "a.b.wf")
    assert find_root(tmp_path / "a/b/__init__.py") == (tmp_path, "a.b")


@pytest.mark.parametrize("name", ["missing.py", "folder.py", "words.txt", "a.b.py"])
def test_what_cannot_be_imported_is_refused_by_name(tmp_path, name):
    (tmp_path / "folder.py").mkdir()
    write(tmp_path, "words.txt")
    write(tmp_path, "a.b.py")
    with pytest.raises(CodeError, match=name.replace(".", r"\.")):
        find_sources(tmp_path / name)


def test_a_syntax_error_says_the_line(tmp_path):
    write(tmp_path, "wf.py", "x = 1\ndef f(:\n")
    with pytest.raises(CodeError, match=r"wf\.py, line 2: SyntaxError"):
        find_sources(tmp_path / "wf.py")


def test_a_link_to_a_hidden_file_is_left_out_and_another_link_is_followed(project, tmp_path):
    write(project, ".env", "PASSWORD=1")
    write(tmp_path, ".keys/id", "key")
    write(tmp_path, "shared.txt", "words")
    for name, target in ("a", ".env"), ("b", "../.keys/id"), ("c.txt", "../shared.txt"):
        (project / name).symlink_to(target)
    files = find_sources(project / "wf.py").files
    assert files == ("c.txt", "helper_module.py", "wf.py", "words.txt")


def test_source_is_what_git_would_keep_without_what_is_hidden_or_made(project):
    for name in (
        ".git/HEAD",
        ".env",
        "venv/pyvenv.cfg",
        "venv/lib/x.py",
        "__pycache__/wf.cpython-311.pyc",
        "node_modules/x/index.js",
        "build/out.txt",
        "deep/kept.log",
        "deep/lost.log",
        "store/tidegate.db",
        "sub/mod.py",
    ):
        write(project, name)
    write(project, ".gitignore", "*.log\nbuild/\n")
    write(project, "deep/.gitignore", "!kept.log\n")
    found = find_sources(project / "wf.py")
    assert found.files == ("deep/kept.log", "helper_module.py", "sub/mod.py", "wf.py", "words.txt")
    assert found.note == ""


def test_a_gitignore_above_the_root_counts_up_to_the_top_of_the_repository(tmp_path):
    write(tmp_path, ".gitignore", "*.py\n")
    write(tmp_path, "repository/.git/HEAD")
    write(tmp_path, "repository/.gitignore", "data/\n")
    write(tmp_path, "repository/flows/wf.py")
    write(tmp_path, "repository/flows/other.py")
    write(tmp_path, "repository/flows/data/big.csv")
    assert find_sources(tmp_path / "repository/flows/wf.py").files == ("other.py", "wf.py")


def test_what_the_file_imports_belongs_to_it_though_git_ignores_it(project):
    write(project, ".gitignore", "helper_module.py\nwf.py\n")
    assert {"wf.py", "helper_module.py"} <= set(find_sources(project / "wf.py").files)


def test_of_a_tree_that_is_too_large_only_the_imports_are_taken_and_it_says_so(project):
    write(project, "pkg/__init__.py")
    write(project, "pkg/one.py", "from . import two\nfrom .deep import x\n")
    write(project, "pkg/two.py")
    write(project, "pkg/deep/__init__.py", "from ..three import y")
    write(project, "pkg/three.py", "y = 1")
    write(project, "wf.py", "def f():\n    from pkg.one import two\n")
    for n in range(30):
        write(project, f"junk/{n}.txt")
    found = find_sources(project / "wf.py", max_files=20)
    assert found.files == (
        "pkg/__init__.py",
        "pkg/deep/__init__.py",
        "pkg/one.py",
        "pkg/three.py",
        "pkg/two.py",
        "wf.py",
    )
    assert "--only" in found.note
    assert "\n" not in found.note


def test_a_home_directory_is_not_packed_whole(project, monkeypatch):
    monkeypatch.setenv("HOME", str(project))
    found = find_sources(project / "wf.py")
    assert found.files == ("helper_module.py", "wf.py")
    assert "not the directory of one project" in found.note


def test_only_what_is_named_is_taken_beside_the_imports(project):
    write(project, "data/a.csv")
    write(project, "other.py")
    found = find_sources(project / "wf.py", [project / "data"])
    assert found.files == ("data/a.csv", "helper_module.py", "wf.py")
    with pytest.raises(CodeError, match="outside"):
        find_sources(project / "wf.py", [project.parent])


def test_the_least_that_must_travel_has_a_limit_too(project):
    write(project, "wf.py", "# " + "x" * 5000)
    with pytest.raises(CodeError, match="too large"):
        find_sources(project / "wf.py", max_bytes=1000)


def test_names_that_other_systems_read_otherwise_are_left_out(project):
    write(project, "back\\slash.txt")
    write(project, "c:drive.txt")
    (project / os.fsdecode(b"\xff.txt")).write_text("")
    assert find_sources(project / "wf.py").files == ("helper_module.py", "wf.py", "words.txt")


def test_the_same_tree_has_the_same_digest_whenever_it_is_packed(project, tmp_path):
    first = pack(find_sources(project / "wf.py"))
    for path in project.iterdir():
        os.utime(path, (1, 1))
    copy = tmp_path / "elsewhere"
    project.rename(copy)
    assert pack(find_sources(copy / "wf.py")) == first
    write(copy, "words.txt", "other words")
    assert pack(find_sources(copy / "wf.py")).digest != first.digest
