"""
What every adapter of the port `Bundles` promises, wherever it keeps them.

Method: an adapter's test file makes a subclass of `BundlesContract` and gives it a fixture `bundles`, empty. Damage is done to the tree that
`tree` returns, as that is what is imported; `lose` takes away a bundle behind the adapter's back.
"""

import hashlib
import io
import shutil
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.bundles.archive import Archive, pack
from tidegate.bundles.sources import Sources
from tidegate.errors import CodeError
from tidegate.ports.bundles import Bundles


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


SOURCE = archive(member("wf.py"), member("deep/part.py"), body=b"x = 1")


def empty_out(tree: Path) -> None:
    shutil.rmtree(tree)
    tree.mkdir()


def turn_into_a_file(tree: Path) -> None:
    shutil.rmtree(tree)
    tree.write_text("x")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a changed file": lambda tree: (tree / "wf.py").write_bytes(b"x = 2"),
    "an empty file": lambda tree: (tree / "wf.py").write_bytes(b""),
    "a missing file": lambda tree: (tree / "deep" / "part.py").unlink(),
    "a missing directory": lambda tree: shutil.rmtree(tree / "deep"),
    "a missing list of files": lambda tree: (tree / ".tidegate-files").unlink(),
    "an empty list of files": lambda tree: (tree / ".tidegate-files").write_bytes(b""),
    "nothing but the directory": empty_out,
    "a file in place of the directory": turn_into_a_file,
}


class BundlesContract:
    """The promises. `bundles` is a fixture of the subclass."""

    def lose(self, bundles: Bundles, digest: str) -> None:
        raise NotImplementedError

    def test_what_is_packed_is_what_is_in_the_tree(self, bundles: Bundles, tmp_path: Path):
        source = tmp_path / "source"
        (source / "deep").mkdir(parents=True)
        (source / "deep" / "wf.py").write_bytes(b"x = 1\r\n")
        (source / "run.sh").write_text("#!/bin/sh\n")
        (source / "run.sh").chmod(0o700)
        made = pack(Sources(source, "deep.wf", ("deep/wf.py", "run.sh")))

        assert bundles.put(made)

        tree = bundles.tree(made.digest)
        assert (tree / "deep" / "wf.py").read_bytes() == b"x = 1\r\n"
        assert (tree / "run.sh").stat().st_mode & 0o777 == 0o700
        assert (tree / "deep" / "wf.py").stat().st_mode & 0o777 == 0o600

    def test_a_bundle_that_is_there_is_said_to_be_there(self, bundles: Bundles):
        assert not bundles.has(SOURCE.digest)
        assert not bundles.is_there(SOURCE.digest)
        assert bundles.put(SOURCE)
        assert bundles.has(SOURCE.digest)
        assert bundles.is_there(SOURCE.digest)
        assert not bundles.put(SOURCE)
        assert bundles.damaged() == []

    def test_what_a_task_leaves_in_the_tree_is_not_damage_and_stays(self, bundles: Bundles):
        bundles.put(SOURCE)
        (bundles.tree(SOURCE.digest) / "__pycache__").mkdir()

        assert not bundles.put(SOURCE)
        assert (bundles.tree(SOURCE.digest) / "__pycache__").is_dir()
        assert bundles.damaged() == []

    @pytest.mark.parametrize("how", DAMAGES)
    def test_a_damaged_bundle_is_refused_named_and_put_back(self, bundles: Bundles, how):
        other = archive(member("other.py"), body=b"y = 1")
        bundles.put(SOURCE)
        bundles.put(other)
        DAMAGES[how](bundles.tree(SOURCE.digest))

        assert not bundles.has(SOURCE.digest)
        with pytest.raises(
            CodeError, match=r"register the same source again.* then continue by themselves"
        ):
            bundles.tree(SOURCE.digest)
        (problem,) = bundles.damaged()
        assert SOURCE.digest in problem
        assert bundles.has(other.digest)

        assert bundles.put(SOURCE)
        assert (bundles.tree(SOURCE.digest) / "wf.py").read_bytes() == b"x = 1"
        assert bundles.damaged() == []

    def test_a_lost_bundle_is_refused_and_put_back(self, bundles: Bundles):
        bundles.put(SOURCE)
        self.lose(bundles, SOURCE.digest)

        assert not bundles.has(SOURCE.digest)
        assert not bundles.is_there(SOURCE.digest)
        with pytest.raises(CodeError, match="the code of this workflow is missing"):
            bundles.tree(SOURCE.digest)

        assert bundles.put(SOURCE)
        assert bundles.has(SOURCE.digest)

    @pytest.mark.parametrize("digest", ["..", "../../x", "A" * 64, "", "b" * 63, "\u0660" * 64])
    def test_what_is_not_a_digest_is_refused(self, bundles: Bundles, digest):
        assert not bundles.is_there(digest)
        with pytest.raises(CodeError, match="is not the digest of a bundle"):
            bundles.has(digest)
        with pytest.raises(CodeError, match="is not the digest of a bundle"):
            bundles.tree(digest)
        with pytest.raises(CodeError, match="is not the digest of a bundle"):
            bundles.put(Archive(digest, SOURCE.body))

    def test_an_archive_under_another_digest_is_refused(self, bundles: Bundles):
        with pytest.raises(CodeError, match="another digest"):
            bundles.put(Archive(SOURCE.digest, SOURCE.body + b"!"))

        assert not bundles.has(SOURCE.digest)

    def test_many_may_put_the_same_bundle_at_once(self, bundles: Bundles):
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(bundles.put, [SOURCE] * 24))

        assert bundles.has(SOURCE.digest)
        assert bundles.damaged() == []
