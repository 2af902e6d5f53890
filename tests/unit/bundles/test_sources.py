"""Which files travel with a workflow."""

import os
import subprocess
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


def git(root: Path, *words: str) -> None:
    for each in (("init", "-q"), words):
        subprocess.run(["git", *each], cwd=root, check=True)


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
    git(project, "add", "--force", ".")
    files = find_sources(project / "wf.py").files
    assert files == ("c.txt", "helper_module.py", "wf.py", "words.txt")


def test_in_a_repository_it_is_what_git_tracks_without_what_is_hidden_or_made(project):
    for name in (
        ".env",
        "__pycache__/wf.cpython-311.pyc",
        "node_modules/x/index.js",
        "build/out.txt",
        "deep/kept.log",
        "deep/lost.log",
        "sub/mod.py",
        "sub/ä b.txt",
        "gone.txt",
    ):
        write(project, name)
    write(project, ".gitignore", "*.log\nbuild/\n")
    write(project, "deep/.gitignore", "!kept.log\n")
    git(project, "add", ".")
    git(project, "add", "--force", ".env", "node_modules", "__pycache__")
    (project / "gone.txt").unlink()
    write(project, "ada.tok", "secret")
    write(project, "registry.json")
    kept = ("deep/kept.log", "helper_module.py", "sub/mod.py", "sub/ä b.txt", "wf.py", "words.txt")

    found = find_sources(project / "wf.py")

    assert (found.files, found.note) == (kept, "")
    # Only what is below the directory from which the file is imported.
    write(project, "flows/wf.py")
    git(project, "add", "flows")
    assert find_sources(project / "flows/wf.py").files == ("wf.py",)


@pytest.mark.parametrize("how", ["no repository", "broken", "no git"])
def test_elsewhere_it_is_the_file_and_what_it_imports_and_nothing_that_lies_beside(
    project, how, monkeypatch
):
    for name in ("ada.tok", "models/m1.pt", "tidegate.log", "registry.json", "other.py"):
        write(project, name)
    if how == "broken":
        write(project, ".git/HEAD", "nothing")
    if how == "no git":
        git(project, "add", ".")
        monkeypatch.setenv("PATH", str(project))
    write(project, "wf.py", "import importlib, pkg.sub\nimportlib.import_module('late')\n")
    write(project, "pkg/sub.py", "from . import beside\n")
    write(project, "pkg/beside.py")
    write(project, "pkg/unused.py")
    write(project, "late.py")

    first = find_sources(project / "wf.py")
    assert first.files == ("late.py", "pkg/beside.py", "pkg/sub.py", "wf.py")
    write(project, "models/m2.pt")
    write(project, "other.py", "x = 2")
    assert pack(find_sources(project / "wf.py")).digest == pack(first).digest


def test_what_the_file_imports_belongs_to_it_though_git_does_not_track_it(project):
    write(project, ".gitignore", "helper_module.py\nwf.py\n")
    git(project, "add", ".")
    assert find_sources(project / "wf.py").files == ("helper_module.py", "wf.py", "words.txt")


def test_what_is_named_is_taken_as_well(project):
    write(project, "data/a.csv")
    write(project, "data/.hidden")
    write(project, ".env")
    found = find_sources(project / "wf.py", include=[project / "data", project / ".env"])
    assert found.files == (".env", "data/a.csv", "helper_module.py", "wf.py")
    for wrong in (project.parent, project / "missing.csv"):
        with pytest.raises(CodeError, match="--include"):
            find_sources(project / "wf.py", include=[wrong])


def test_a_directory_is_not_named_for_nothing(project):
    write(project, "hidden/.a.csv")
    write(project, "ignored/b.csv")
    (project / "empty").mkdir()
    write(project, ".gitignore", "ignored/\n")
    git(project, "add", "-A")
    wf = project / "wf.py"
    for wrong in (project / "hidden", project / "ignored"):
        said = f"{wrong.name}: nothing in it is packed"
        with pytest.raises(CodeError, match=f"--only .*{said}"):
            find_sources(wf, [wrong])
        with pytest.raises(CodeError, match=f"--include .*{said}"):
            find_sources(wf, include=[wrong])
    named = [project / "ignored/b.csv", project / "empty"]
    assert "ignored/b.csv" in find_sources(wf, include=named).files
    write(project, "pyproject.toml", "[tool.tidegate]\ninclude = ['*']\n")
    assert "words.txt" in find_sources(wf).files


def test_a_project_file_names_what_is_taken_as_well(project):
    write(project, "flows/wf.py")
    write(project, "flows/data/a.csv")
    write(project, "flows/data/b.txt")
    write(project, "pyproject.toml", "[tool.tidegate]\ninclude = ['flows/data/*.csv']\n")
    assert find_sources(project / "flows/wf.py").files == ("data/a.csv", "wf.py")
    write(project, "pyproject.toml", "[tool.tidegate]\ninclude = ['flows/*.parquet']\n")
    with pytest.raises(CodeError, match="parquet"):
        find_sources(project / "flows/wf.py")
    write(project, "pyproject.toml", "[tool.other\n")
    assert find_sources(project / "flows/wf.py").files == ("wf.py",)


def test_a_file_that_the_source_names_and_that_is_not_packed_is_said_with_what_packs_it(project):
    write(project, "wf.py", "open('words.txt')\nopen('other.txt')\n")
    assert "--include words.txt" in find_sources(project / "wf.py").note
    assert find_sources(project / "wf.py", include=[project / "words.txt"]).note == ""


def test_of_a_tree_that_is_too_large_only_the_imports_are_taken_and_it_says_so(project):
    write(project, "pkg/__init__.py")
    write(project, "pkg/one.py", "from . import two\nfrom .deep import x\n")
    write(project, "pkg/two.py")
    write(project, "pkg/deep/__init__.py", "from ..three import y")
    write(project, "pkg/three.py", "y = 1")
    write(project, "wf.py", "def f():\n    from pkg.one import two\n")
    for n in range(30):
        write(project, f"junk/{n}.txt")
    git(project, "add", ".")
    found = find_sources(project / "wf.py", max_files=20)
    assert found.files == (
        "pkg/__init__.py",
        "pkg/deep/__init__.py",
        "pkg/one.py",
        "pkg/three.py",
        "pkg/two.py",
        "wf.py",
    )
    assert "--include" in found.note
    assert "\n" not in found.note


def test_a_home_directory_is_not_packed_whole(project, monkeypatch):
    git(project, "add", ".")
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
    git(project, "add", ".")
    assert find_sources(project / "wf.py").files == ("helper_module.py", "wf.py", "words.txt")


def test_the_same_tree_has_the_same_digest_whenever_it_is_packed(project, tmp_path):
    git(project, "add", ".")
    first = pack(find_sources(project / "wf.py"))
    for path in project.iterdir():
        os.utime(path, (1, 1))
    copy = tmp_path / "elsewhere"
    project.rename(copy)
    assert pack(find_sources(copy / "wf.py")) == first
    write(copy, "words.txt", "other words")
    assert pack(find_sources(copy / "wf.py")).digest != first.digest
