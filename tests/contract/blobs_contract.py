"""
What every adapter of the port `Blobs` promises, wherever it keeps them.

Method: an adapter's test file makes a subclass of `BlobsContract`, gives it a fixture `blobs`, empty, and says in `damage` how the stored
bytes of a blob change behind the adapter's back.
That a blob survives a power cut once `put` has returned is tested in `tests/crash`, for adapters that write to this machine.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tidegate.blobs.directory import CHUNK
from tidegate.errors import InvalidValue, StoreDamaged, UnknownBlob
from tidegate.ports.blobs import Blobs

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK]
UNKNOWN = ["0" * 64, "", "../../etc/passwd", "A" * 64, "0" * 63 + "/", "0" * 65, "\u0660" * 64]

Change = Callable[[bytes], bytes | None]
"""What becomes of the stored bytes; None: they are gone."""


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


DAMAGES: dict[str, Change] = {
    "a flipped bit": flipped,
    "a changed end": lambda content: content[:-1] + bytes([content[-1] ^ 255]),
    "cut": lambda content: content[:-1],
    "empty": lambda _: b"",
    "longer": lambda content: content + b"!",
    "zeros": lambda content: bytes(len(content)),
}


class BlobsContract:
    """The promises. `blobs` is a fixture of the subclass."""

    def damage(self, digest: str, change: Change) -> None:
        raise NotImplementedError

    @pytest.mark.parametrize("size", SIZES)
    @pytest.mark.parametrize("pieces", [1, 2, 7])
    def test_a_blob_is_named_by_its_content_however_it_came(self, blobs: Blobs, size, pieces):
        content = os.urandom(size)
        step = max(1, size // pieces)

        digest = blobs.put(content[at : at + step] for at in range(0, size, step))

        assert digest == hashlib.sha256(content).hexdigest()
        assert b"".join(blobs.read(digest)) == content
        assert blobs.size(digest) == size

    def test_nothing_at_all_and_empty_pieces_are_contents_too(self, blobs: Blobs):
        assert blobs.put(()) == blobs.put((b"", b"")) == hashlib.sha256(b"").hexdigest()
        assert blobs.put((b"", b"ab", b"", b"c")) == blobs.put((b"abc",))

    @pytest.mark.parametrize("size", SIZES)
    def test_a_blob_can_be_told_by_its_beginning(self, blobs: Blobs, size):
        content = os.urandom(size)
        digest = blobs.put((content,))

        assert blobs.beginning(digest, 100) == content[:100]
        with pytest.raises(UnknownBlob):
            blobs.beginning("0" * 64, 100)

    def test_the_same_content_again_is_the_same_blob(self, blobs: Blobs):
        digest = blobs.put((b"content",))

        assert blobs.put((b"con", b"tent")) == digest
        assert b"".join(blobs.read(digest)) == b"content"

    @pytest.mark.parametrize("digest", UNKNOWN)
    def test_what_is_not_stored_is_refused_by_its_size_and_before_its_first_piece(
        self, blobs: Blobs, digest
    ):
        blobs.put((b"another",))

        with pytest.raises(UnknownBlob):
            blobs.size(digest)
        with pytest.raises(UnknownBlob):
            next(blobs.read(digest))

    @pytest.mark.parametrize("how", DAMAGES)
    @pytest.mark.parametrize("size", [9, CHUNK, CHUNK + 9])
    def test_a_damaged_blob_is_never_handed_out_whole(self, blobs: Blobs, how, size):
        content = b"\1" * size
        digest = blobs.put((content,))
        self.damage(digest, DAMAGES[how])

        got: list[bytes] = []
        with pytest.raises(StoreDamaged, match="is damaged"):
            got.extend(blobs.read(digest))
        assert sum(map(len, got)) < size or how == "longer"

    def test_a_part_is_the_bytes_asked_for_as_far_as_there_are_any(self, blobs: Blobs):
        content = os.urandom(2 * CHUNK + 7)
        digest = blobs.put((content,))

        for start, stop in [
            (0, 1),
            (5, 5),
            (CHUNK - 1, CHUNK + 1),
            (3, len(content)),
            (9, len(content) + 9),
        ]:
            assert b"".join(blobs.part(digest, start, stop)) == content[start:stop]
        with pytest.raises(UnknownBlob):
            next(blobs.part("0" * 64, 0, 1))

    @pytest.mark.parametrize("how", DAMAGES)
    @pytest.mark.parametrize("was_read", [False, True])
    def test_no_part_of_a_damaged_blob_is_handed_out(self, blobs: Blobs, how, was_read):
        digest = blobs.put((b"\1" * 99,))
        if was_read:
            next(blobs.part(digest, 0, 1))
        self.damage(digest, DAMAGES[how])

        with pytest.raises(StoreDamaged, match="is damaged"):
            next(blobs.part(digest, 0, 1), None)

    @pytest.mark.parametrize("how", [*DAMAGES, "gone"])
    @pytest.mark.parametrize("pieces", [1, 2])
    def test_a_damaged_or_lost_blob_is_whole_again_once_it_is_put_again(
        self, blobs: Blobs, how, pieces
    ):
        content = [b"\1" * 9] * pieces
        digest = blobs.put(content)
        self.damage(digest, DAMAGES.get(how, lambda _: None))

        assert blobs.put(content) == digest

        assert b"".join(blobs.read(digest)) == b"".join(content)

    def test_one_damaged_blob_is_one_damaged_blob(self, blobs: Blobs):
        one, other = blobs.put((b"one",)), blobs.put((b"other",))
        self.damage(one, flipped)

        assert b"".join(blobs.read(other)) == b"other"

    def test_what_breaks_off_is_not_kept(self, blobs: Blobs):
        def pieces():
            yield b"first"
            yield b"second"
            raise InvalidValue("the client hung up", [])

        with pytest.raises(InvalidValue, match="hung up"):
            blobs.put(pieces())

        for kept in (b"first", b"firstsecond"):
            with pytest.raises(UnknownBlob):
                blobs.size(hashlib.sha256(kept).hexdigest())

    def test_many_may_put_and_read_at_once(self, blobs: Blobs):
        contents = [bytes([n % 5]) * (n % 5 + 1) * 1000 for n in range(40)]

        def use(content: bytes) -> str:
            digest = blobs.put((content,))
            assert b"".join(blobs.read(digest)) == content
            return digest

        with ThreadPoolExecutor(16) as threads:
            digests = set(threads.map(use, contents))

        assert len(digests) == 5

    def test_a_blob_that_is_being_read_may_be_put_again(self, blobs: Blobs):
        content = os.urandom(CHUNK) + b"end"
        digest = blobs.put((content[:7], content[7:]))
        pieces = blobs.read(digest)
        first = next(pieces)

        blobs.put((content[:9], content[9:]))

        assert first + b"".join(pieces) == content
