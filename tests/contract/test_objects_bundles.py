"""Bundles in an object store keep the promises of the port; what is imported is a local copy, which is made again if it was changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.contract.bundles_contract import DAMAGES, SOURCE, BundlesContract, archive, member
from tests.objects import running

from tidegate.errors import CodeError
from tidegate.objects.bucket import Bucket
from tidegate.objects.bundles import ObjectBundles
from tidegate.objects.cache import Copies

NAME = f"bundles/{SOURCE.digest[:2]}/{SOURCE.digest[2:]}"


@pytest.fixture(scope="module")
def server():
    with running() as server:
        yield server


class TestObjects(BundlesContract):
    @pytest.fixture
    def bundles(self, server, tmp_path: Path, monkeypatch) -> ObjectBundles:
        for name, text in server.variables.items():
            monkeypatch.setenv(name, text)
        self.bucket, self.copies = Bucket(server.bucket()), tmp_path / "cache"
        return ObjectBundles(self.bucket, Copies(self.copies))

    def elsewhere(self, tmp_path: Path) -> ObjectBundles:
        """Another machine, which has no copies."""
        return ObjectBundles(Bucket(self.bucket.address), Copies(tmp_path / "other"))

    def lose(self, bundles: Any, digest: str) -> None:
        self.bucket.remove(NAME)
        shutil.rmtree(self.copies)
        bundles._contents._known.clear()  # as five minutes later

    @pytest.mark.parametrize("how", DAMAGES)
    def test_a_damaged_bundle_is_refused_named_and_put_back(self, bundles, how):
        """A changed copy does no harm: it is made again before it is imported."""
        bundles.put(SOURCE)
        DAMAGES[how](bundles.tree(SOURCE.digest))

        assert bundles.has(SOURCE.digest)
        assert (bundles.tree(SOURCE.digest) / "wf.py").read_bytes() == b"x = 1"
        assert (bundles.tree(SOURCE.digest) / "deep" / "part.py").is_file()
        assert bundles.damaged() == []

    @pytest.mark.parametrize("body", [SOURCE.body[:-1] + b"!", SOURCE.body[:-512], b""])
    def test_what_was_changed_in_the_store_is_refused_named_and_put_back(
        self, bundles, tmp_path: Path, body
    ):
        other = archive(member("other.py"), body=b"y = 1")
        bundles.put(SOURCE)
        bundles.put(other)
        self.bucket.put(NAME, body)
        elsewhere = self.elsewhere(tmp_path)

        assert not elsewhere.has(SOURCE.digest)
        assert elsewhere.has(other.digest)
        with pytest.raises(CodeError, match=r"register the same source again"):
            elsewhere.tree(SOURCE.digest)
        (problem,) = elsewhere.damaged()
        assert SOURCE.digest in problem

        assert elsewhere.put(SOURCE)
        assert elsewhere.damaged() == []
        assert (elsewhere.tree(SOURCE.digest) / "wf.py").read_bytes() == b"x = 1"
