"""
The power goes while a file is being kept: what was acknowledged is there, whole, and nothing is ever there in part.

Method: record what keeping something does to the file system; then, for each call before which the power may go, make directories as it may
leave them, and look into each through the public door. What is found is the old or the new, whole, and the new once the call had returned.
What failed works when it is done again. To prove that this can see a loss, the same runs must find one when a function is replaced by
another that syncs less, or later.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from tests.contract.bundles_contract import archive, member
from tests.crash.filesystem import Recorder

from tidegate import disk
from tidegate.blobs.directory import CHUNK, BlobDirectory
from tidegate.bundles import directory as bundle_directory
from tidegate.bundles.archive import Archive, unpack
from tidegate.bundles.directory import BundleDirectory
from tidegate.errors import StoreDamaged, UnknownBlob
from tidegate.ir.graph import Instant
from tidegate.service.tokens import Tokens
from tidegate.stores.folder import make_folder
from tidegate.stores.sqlite import SqliteStore
from tidegate.wire import RevokeToken

KEPT = (0.0, 1.0, *(0.5,) * 6)
"""How likely each part that is not safe is kept: none, all, and some of them in six different ways."""


class Story:
    """Something that is kept below a directory."""

    def begin(self, root: Path) -> None:
        """What is there before, and safe."""

    def keep(self, root: Path) -> None:
        """What is acknowledged when this returns."""
        raise NotImplementedError

    def find(self, root: Path) -> str:
        """Say what is there: `old`, `new`, or `damaged`. What is not new must be possible to keep again."""
        raise NotImplementedError


disk_sync = disk.sync


def nothing(*_: object, **__: object) -> None:
    """Sync nothing."""


class Blob(Story):
    """A blob, in a home that is not there yet."""

    def __init__(self, content: bytes = b"content", piece: int = CHUNK) -> None:
        self.content, self.piece = content, piece
        self.digest = sha256(content).hexdigest()

    def put(self, root: Path, content: bytes) -> None:
        pieces = (content[at : at + self.piece] for at in range(0, len(content), self.piece))
        BlobDirectory(root / "home" / "blobs").put(pieces)

    def keep(self, root: Path) -> None:
        self.put(root, self.content)

    def find(self, root: Path) -> str:
        blobs = BlobDirectory(root / "home" / "blobs")
        found = "new"
        try:
            assert b"".join(blobs.read(self.digest)) == self.content
        except UnknownBlob:
            found = "old"
        except StoreDamaged:
            found = "damaged"
        self.keep(root)
        assert b"".join(blobs.read(self.digest)) == self.content
        return found


class BlobOfAnother(Blob):
    """A blob that another process has put, but for its syncs of directories. The home is there."""

    def begin(self, root: Path) -> None:
        (root / "home").mkdir()

    def keep(self, root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(disk, "sync", nothing)
            super().keep(root)
        super().keep(root)


class SecondBlob(Blob):
    """A blob beside one whose digest begins alike, or does not."""

    def __init__(self, *, alike: bool) -> None:
        super().__init__()
        numbers = (str(n).encode() for n in range(10_000))
        self.first = next(
            c for c in numbers if (sha256(c).hexdigest()[:2] == self.digest[:2]) == alike
        )

    def begin(self, root: Path) -> None:
        self.put(root, self.first)

    def find(self, root: Path) -> str:
        first = BlobDirectory(root / "home" / "blobs").read(sha256(self.first).hexdigest())
        assert b"".join(first) == self.first
        return super().find(root)


class DamagedBlob(Blob):
    """A blob that is put again, since the one that is there has changed, though not in its length."""

    def begin(self, root: Path) -> None:
        super().keep(root)
        path = root / "home" / "blobs" / self.digest[:2] / self.digest[2:]
        path.write_bytes(bytes(len(self.content)))

    def find(self, root: Path) -> str:
        found = super().find(root)
        return "old" if found == "damaged" else found


class Bundle(Story):
    """A bundle, in a home that is not there yet."""

    archive = archive(member("wf.py"), member("deep/1.py"), member("deep/2.py"), body=b"x = 1\n")

    def bundles(self, root: Path) -> BundleDirectory:
        return BundleDirectory(root / "home" / "bundles")

    def keep(self, root: Path) -> None:
        self.bundles(root).put(self.archive)

    def find(self, root: Path) -> str:
        bundles = self.bundles(root)
        found = "new" if bundles.has(self.archive.digest) else "old"
        if bundles.damaged():
            found = "damaged"
        self.keep(root)
        assert (bundles.tree(self.archive.digest) / "wf.py").read_bytes() == b"x = 1\n"
        return found


class LargeBundle(Bundle):
    """A bundle of this many files that everything is synced at once."""

    def keep(self, root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bundle_directory, "MANY", 1)
            super().keep(root)


class BundleOfAnother(Bundle):
    """A bundle that another process has put, but for its last syncs. The home is there."""

    def begin(self, root: Path) -> None:
        (root / "home").mkdir()

    def keep(self, root: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            make_without_sync(patch)
            patch.setattr(BundleDirectory, "_settle", nothing)
            super().keep(root)
        super().keep(root)


class DamagedBundle(Bundle):
    """A bundle that is put back, since the one that is there was changed."""

    def begin(self, root: Path) -> None:
        super().keep(root)
        (self.bundles(root).tree(self.archive.digest) / "wf.py").write_text("x = 2\n")

    def find(self, root: Path) -> str:
        found = super().find(root)
        return "old" if found == "damaged" else found


class Clock:
    def now(self) -> Instant:
        return Instant(1_800_000_000_000_000)


class TokenFile(Story):
    """The token of the owner, in a home that is there."""

    def __init__(self) -> None:
        self.tokens = Tokens(SqliteStore.memory().access, Clock())
        self.old = self.new = ""

    def begin(self, root: Path) -> None:
        (root / "home").mkdir()

    def keep(self, root: Path) -> None:
        self.new = self.tokens.admin_token(root / "home" / "token")

    def find(self, root: Path) -> str:
        file = root / "home" / "token"
        text = file.read_text().rstrip("\n") if file.exists() else ""
        found = {self.new: "new", self.old: "old"}.get(text, "damaged")
        again = Tokens(SqliteStore.memory().access, Clock())
        assert again.holder(again.admin_token(file)) is not None
        return found


class NextTokenFile(TokenFile):
    """The token of the owner, in place of one that was revoked."""

    def begin(self, root: Path) -> None:
        super().begin(root)
        super().keep(root)
        self.old = self.new
        self.tokens.revoke(RevokeToken(token="admin"))


class Folder(Story):
    """The directory of a store, with the directories around it."""

    def keep(self, root: Path) -> None:
        make_folder(root / "of" / "somebody" / "home")

    def find(self, root: Path) -> str:
        return "new" if (root / "of" / "somebody" / "home").is_dir() else "old"


STORIES: dict[str, Callable[[], Story]] = {
    "the first blob": Blob,
    "an empty blob": lambda: Blob(b""),
    "a blob in pieces": lambda: Blob(b"content" * 10, piece=7),
    "a blob beside another": lambda: SecondBlob(alike=True),
    "a blob with a new prefix": lambda: SecondBlob(alike=False),
    "a blob of another process": BlobOfAnother,
    "a damaged blob": DamagedBlob,
    "the first bundle": Bundle,
    "a large bundle": LargeBundle,
    "a bundle of another process": BundleOfAnother,
    "a damaged bundle": DamagedBundle,
    "the first token": TokenFile,
    "the next token": NextTokenFile,
    "the directory of a store": Folder,
}


def cut_everywhere(
    story: Story, path: Path, change: Callable[[pytest.MonkeyPatch], None] = nothing
) -> Counter[str]:
    """Let the power go before each call; count what is found, and what was acknowledged and is not."""
    chance, found = random.Random(7), Counter[str]()
    with pytest.MonkeyPatch.context() as quick:
        # What is safe is said by the recorder, so the disk of this machine need not be waited for.
        quick.setattr(os, "fsync", nothing)
        quick.setattr(os, "sync", nothing)
        root = path / "root"
        root.mkdir()
        story.begin(root)
        recorder = Recorder(root)
        with recorder.watching(), pytest.MonkeyPatch.context() as patch:
            change(patch)
            story.keep(root)
        for moment in recorder.moments:
            for keep in KEPT:
                left = moment.leave(path / "left", chance, keep)
                what = story.find(left)
                found[what] += 1
                found["lost"] += moment.is_end and what != "new"
                shutil.rmtree(left)
    found["moments"] = len(recorder.moments)
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_old_or_the_new_is_there_whole_and_the_new_once_it_was_acknowledged(
    tmp_path: Path, name: str
):
    found = cut_everywhere(STORIES[name](), tmp_path)

    assert found["damaged"] == 0, found
    assert found["lost"] == 0, found
    # The runs were worth it: the power went before, while and after the new was made safe.
    assert found["moments"] > 3, found
    assert found["old"] > 0, found
    assert found["new"] >= len(KEPT), found


# ---- what syncs less, or later, would be found ----

put = BlobDirectory.put
make_directory = disk.make_directory


def sync_no_directory(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disk, "sync", lambda path: None if path.is_dir() else disk_sync(path))


def sync_no_content(patch: pytest.MonkeyPatch) -> None:
    recorded = os.fsync

    def fsync(file: int) -> None:
        if Path(f"/dev/fd/{file}").is_dir():
            recorded(file)

    patch.setattr(os, "fsync", fsync)


def make_without_sync(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(disk, "make_directory", lambda path, **_: make_directory(path, durable=False))


def sync_the_prefix_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BlobDirectory, "_settle", lambda _, path: disk.sync(path.parent))


def sync_no_parent_of_a_prefix(patch: pytest.MonkeyPatch) -> None:
    make_without_sync(patch)
    sync_the_prefix_alone(patch)


def sync_this_directory_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(BundleDirectory, "_settle", lambda bundles: disk.sync(bundles._root))


def take_a_name_for_a_blob(patch: pytest.MonkeyPatch) -> None:
    def known(blobs: BlobDirectory, chunks) -> str:
        content = b"".join(chunks)
        digest = sha256(content).hexdigest()
        return digest if blobs.path(digest).exists() else put(blobs, (content,))

    patch.setattr(BlobDirectory, "put", known)


def write_under_the_final_name(patch: pytest.MonkeyPatch) -> None:
    def write(blobs: BlobDirectory, pieces) -> str:
        content = b"".join(pieces)
        digest = sha256(content).hexdigest()
        disk.make_directory(blobs.path(digest).parent)
        with blobs.path(digest).open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        blobs._settle(blobs.path(digest))
        return digest

    patch.setattr(BlobDirectory, "_write", write)


def sync_the_content_after_its_name(patch: pytest.MonkeyPatch) -> None:
    def write(path: Path, content: bytes, drafts: Path | None = None) -> None:
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(path)
        disk.sync(path)
        disk.sync(path.parent)

    patch.setattr(disk, "write", write)


def write_in_place(patch: pytest.MonkeyPatch) -> None:
    def write(path: Path, content: bytes, drafts: Path | None = None) -> None:
        path.write_bytes(content)
        disk.sync(path)
        disk.sync(path.parent)

    patch.setattr(disk, "write", write)


def unpack_under_the_final_name(patch: pytest.MonkeyPatch) -> None:
    def install(bundles: BundleDirectory, made: Archive) -> None:
        disk.make_directory(bundles._root / made.digest)
        for path in unpack(made.body, bundles._root / made.digest):
            disk.sync(path)
        bundles._settle()

    patch.setattr(BundleDirectory, "_install", install)


def sync_no_file_of_a_bundle(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(bundle_directory, "_sync", nothing)


@pytest.mark.parametrize(
    ("name", "change", "finding"),
    [
        ("the first blob", sync_no_directory, "lost"),
        ("the first blob", sync_no_content, "damaged"),
        ("the first blob", make_without_sync, "lost"),
        ("the first blob", sync_no_parent_of_a_prefix, "lost"),
        ("the first blob", write_under_the_final_name, "damaged"),
        ("a blob in pieces", sync_no_content, "damaged"),
        ("a blob with a new prefix", sync_no_parent_of_a_prefix, "lost"),
        ("a blob beside another", sync_no_directory, "lost"),
        ("a blob of another process", sync_the_prefix_alone, "lost"),
        ("a blob of another process", take_a_name_for_a_blob, "lost"),
        ("a damaged blob", take_a_name_for_a_blob, "lost"),
        ("the first bundle", sync_no_directory, "lost"),
        ("the first bundle", sync_no_file_of_a_bundle, "damaged"),
        ("the first bundle", make_without_sync, "lost"),
        ("the first bundle", unpack_under_the_final_name, "damaged"),
        ("a large bundle", sync_no_file_of_a_bundle, "damaged"),
        ("a bundle of another process", sync_no_directory, "lost"),
        ("the first token", sync_no_directory, "lost"),
        ("the first token", sync_no_content, "damaged"),
        ("the next token", sync_no_directory, "lost"),
        ("the next token", write_in_place, "damaged"),
        ("the next token", sync_the_content_after_its_name, "damaged"),
        ("the directory of a store", sync_no_directory, "lost"),
        ("the directory of a store", make_without_sync, "lost"),
    ],
)
def test_syncing_less_or_later_would_be_found(tmp_path: Path, name: str, change, finding: str):
    assert cut_everywhere(STORIES[name](), tmp_path, change)[finding] > 0
