"""The blobs of a server keep the promises of the port, as a client sees them; what is damaged is the client's copy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.blobs_contract import BlobsContract, Change
from tests.e2e.http_world import World, at_work

from tidegate.blobs.directory import BlobDirectory
from tidegate.remote import Config
from tidegate.remote.blobs import RemoteBlobs
from tidegate.remote.transport import HttpTransport


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Iterator[World]:
    with at_work(tmp_path_factory.mktemp("blobs")) as world:
        yield world


@pytest.fixture
def transport(world: World) -> Iterator[HttpTransport]:
    made = HttpTransport(Config(f"http://127.0.0.1:{world.server.port}", world.server.token))
    yield made
    made.close()


class TestRemote(BlobsContract):
    @pytest.fixture
    def blobs(self, transport: HttpTransport, tmp_path: Path) -> RemoteBlobs:
        self.root = tmp_path / "copies"
        return RemoteBlobs(transport, self.root)

    def damage(self, digest: str, change: Change) -> None:
        path = self.root / digest[:2] / digest[2:]
        content = change(path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)


def test_what_one_client_puts_another_reads(world: World, transport: HttpTransport, tmp_path: Path):
    digest = RemoteBlobs(transport, tmp_path / "one").put((b"content",))

    other = RemoteBlobs(transport, tmp_path / "other")

    assert b"".join(other.read(digest)) == b"content"
    assert other.size(digest) == 7
    there = BlobDirectory(world.place / "home" / "blobs")
    assert b"".join(there.read(digest)) == b"content"
