"""Archives of source code: they come from outside, and are not trusted."""

import hashlib
import os
import tarfile

import pytest
from tests.contract.bundles_contract import archive, member

from tidegate.bundles import archive as bundles
from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.directory import BundleDirectory
from tidegate.bundles.sources import Sources
from tidegate.bundles.whole import LIST
from tidegate.errors import CodeError


@pytest.fixture
def put(tmp_path):
    return BundleDirectory(tmp_path / "home" / "bundles").put


def left(tmp_path):
    return [path.name for path in tmp_path.rglob("*") if path.is_file()]


def test_no_archive_can_bring_its_own_list_of_files(tmp_path, put):
    with pytest.raises(CodeError, match="twice"):
        put(archive(member(LIST), body=b"{}"))
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./b",
        "a//b",
        "..",
        "c:x",
        "a\\..\\x",
        "\\\\host\\x",
        "n" * 1001,
        "n" * 256,
        "a/" + "\u00fc" * 128,
    ],
)
def test_a_name_that_leads_out_is_refused_and_nothing_is_left(tmp_path, put, name):
    with pytest.raises(CodeError, match="not a relative path"):
        put(archive(member("first.py"), member(name), body=b"x"))
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.DIRTYPE,
    ],
)
def test_links_devices_and_pipes_are_refused(put, kind):
    with pytest.raises(CodeError, match="not a regular file"):
        put(archive(member("x", kind, "/etc/passwd")))


@pytest.mark.parametrize("names", [("x", "x"), ("x", "x/y"), ("x", "x/y/z"), ("x/y", "x")])
def test_a_file_that_comes_twice_or_is_a_directory_too_is_refused(tmp_path, put, names):
    with pytest.raises(CodeError, match="twice"):
        put(archive(*map(member, names), body=b"y"))
    assert left(tmp_path) == []


def test_more_than_the_limits_is_refused(put, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_FILES", 3)
    with pytest.raises(CodeError, match="more than 3 files"):
        put(archive(*(member(f"{n}") for n in range(4))))
    monkeypatch.setattr(bundles, "MAX_BYTES", 10)
    with pytest.raises(CodeError, match="10 bytes"):
        put(archive(member("x"), body=b"y" * 11))


@pytest.mark.parametrize("body", [b"", b"\x1f\x8b no tar", b"cut"])
def test_what_is_not_an_archive_is_refused(tmp_path, put, body):
    if body == b"cut":
        body = archive(member("x"), body=b"y" * 600).body[:700]
    with pytest.raises(CodeError, match="damaged"):
        put(Archive(hashlib.sha256(body).hexdigest(), body))
    assert left(tmp_path) == []


def test_the_same_files_are_the_same_archive_whatever_their_times_and_owners(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "wf.py").write_text("x = 1")
    os.utime(tmp_path / "one" / "wf.py", (0, 0))
    (tmp_path / "two" / "wf.py").chmod(0o600)

    one, two = (pack(Sources(tmp_path / name, "wf", ("wf.py",))) for name in ("one", "two"))

    assert one == two


def test_a_file_that_is_gone_by_now_is_one_clear_error(tmp_path):
    with pytest.raises(CodeError, match=r"gone\.py: cannot be read: No such file"):
        pack(Sources(tmp_path, "gone", ("gone.py",)))


def test_the_limits_hold_for_what_is_there_after_unpacking(tmp_path, put, monkeypatch):
    deep = "/".join(["d"] * (bundles.MAX_DEPTH + 1))
    with pytest.raises(CodeError, match="levels deep"):
        put(archive(member("first.py"), member(deep), body=b"x"))
    with pytest.raises(CodeError, match="directories"):
        put(archive(*(member(f"{n}/{'/'.join('d' * 30)}/x") for n in range(200))))
    assert left(tmp_path) == []
    assert [path.name for path in tmp_path.rglob("*")] in ([], ["home", "bundles"])
    assert put(archive(member("/".join(["d"] * bundles.MAX_DEPTH)), body=b"x"))
