"""Bundles in a directory keep the promises of the port."""

import shutil
from pathlib import Path

import pytest
from tests.contract.bundles_contract import BundlesContract

from tidegate.bundles.directory import BundleDirectory
from tidegate.ports.bundles import Bundles


class TestDirectory(BundlesContract):
    @pytest.fixture
    def bundles(self, tmp_path: Path) -> Bundles:
        return BundleDirectory(tmp_path / "home" / "bundles")

    def lose(self, bundles: Bundles, digest: str) -> None:
        shutil.rmtree(bundles.tree(digest))
