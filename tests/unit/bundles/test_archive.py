"""Archives of source code: they come from outside, and are not trusted."""

import hashlib
import io
import shutil
import tarfile

import pytest

from tidegate.bundles import archive as bundles
from tidegate.bundles.archive import Archive, install, pack
from tidegate.bundles.sources import Sources
from tidegate.bundles.whole import LIST, check_whole
from tidegate.errors import CodeError, StoreError


def archive(*members: tarfile.TarInfo, body: bytes = b"") -> Archive:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            member.size = len(body) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(body))
    content = buffer.getvalue()
    return Archive(hashlib.sha256(content).hexdigest(), content)


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def test_what_is_packed_is_what_is_unpacked(tmp_path):
    source = tmp_path / "source"
    (source / "deep").mkdir(parents=True)
    (source / "deep" / "wf.py").write_bytes(b"x = 1\r\n")
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o700)
    made = pack(Sources(source, "deep.wf", ("deep/wf.py", "run.sh")))
    place = install(made, tmp_path / "home")
    assert place == tmp_path / "home" / "bundles" / made.digest
    assert (place / "deep" / "wf.py").read_bytes() == b"x = 1\r\n"
    assert (place / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (place / "deep" / "wf.py").stat().st_mode & 0o777 == 0o644


def test_a_bundle_that_is_there_is_not_unpacked_again(tmp_path):
    made = archive(member("wf.py"), body=b"x = 1")
    place = install(made, tmp_path)
    (place / "__pycache__").mkdir()
    assert install(made, tmp_path) == place
    assert (place / "__pycache__").is_dir()
    assert [path.name for path in place.parent.iterdir()] == [made.digest]


def test_a_bundle_that_was_changed_is_noticed_and_put_back(tmp_path):
    made = archive(member("wf.py"), body=b"x = 1")
    place = install(made, tmp_path)
    (place / "left_by_a_task").write_text("")
    check_whole(place)
    for change in "x = 2", None:
        if change is None:
            (place / "wf.py").unlink()
        else:
            (place / "wf.py").write_text(change)
        with pytest.raises(CodeError, match=r"wf\.py: .* same source again"):
            check_whole(place)
        assert install(made, tmp_path) == place
        check_whole(place)
        assert (place / "wf.py").read_bytes() == b"x = 1"
        assert [path.name for path in place.parent.iterdir()] == [made.digest]


def test_a_bundle_that_is_gone_is_noticed(tmp_path):
    place = install(archive(member("wf.py"), body=b"x = 1"), tmp_path)
    shutil.rmtree(place)
    with pytest.raises(CodeError, match="the code this was launched with is gone"):
        check_whole(place)


def test_no_archive_can_bring_its_own_list_of_files(tmp_path):
    with pytest.raises(CodeError, match="twice"):
        install(archive(member(LIST), body=b"{}"), tmp_path)
    assert list((tmp_path / "bundles").iterdir()) == []


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
def test_a_name_that_leads_out_is_refused_and_nothing_is_left(tmp_path, name):
    home = tmp_path / "home"
    with pytest.raises(CodeError, match="no relative path"):
        install(archive(member("first.py"), member(name), body=b"x"), home)
    assert [path.name for path in tmp_path.rglob("*")] == ["home", "bundles"]


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
def test_links_devices_and_pipes_are_refused(tmp_path, kind):
    with pytest.raises(CodeError, match="not a plain file"):
        install(archive(member("x", kind, "/etc/passwd")), tmp_path)


@pytest.mark.parametrize("names", [("x", "x"), ("x", "x/y"), ("x", "x/y/z"), ("x/y", "x")])
def test_a_file_that_comes_twice_or_is_a_directory_too_is_refused(tmp_path, names):
    with pytest.raises(CodeError, match="twice"):
        install(archive(*map(member, names), body=b"y"), tmp_path)
    assert list((tmp_path / "bundles").iterdir()) == []


def test_more_than_the_limits_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bundles, "MAX_FILES", 3)
    with pytest.raises(CodeError, match="more than 3 files"):
        install(archive(*(member(f"{n}") for n in range(4))), tmp_path)
    monkeypatch.setattr(bundles, "MAX_BYTES", 10)
    with pytest.raises(CodeError, match="10 bytes"):
        install(archive(member("x"), body=b"y" * 11), tmp_path)


def test_a_damaged_archive_and_a_wrong_digest_are_refused(tmp_path):
    good = archive(member("x"), body=b"y" * 600)
    with pytest.raises(CodeError, match="another digest"):
        install(Archive(good.digest, good.body + b"!"), tmp_path)
    for body in (b"", b"\x1f\x8b no tar", good.body[:700]):
        with pytest.raises(CodeError, match="damaged"):
            install(Archive(hashlib.sha256(body).hexdigest(), body), tmp_path)
    for digest in ("..", "../../x", "A" * 64, ""):
        with pytest.raises(CodeError, match="not the digest"):
            install(Archive(digest, good.body), tmp_path)
    assert list(tmp_path.rglob("x")) == []


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "bundles").write_text("a file in the way")
    with pytest.raises(StoreError, match="bundles is not a directory"):
        install(archive(member("x")), tmp_path)
