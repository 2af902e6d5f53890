"""Room that is set aside, on a disk of its own whose filling up is played; the real thing is in `tests/e2e/test_full_disk.py`."""

from pathlib import Path

import pytest

from tidegate.errors import StoreFull
from tidegate.stores.folder import full
from tidegate.stores.reserve import PIECES, RESERVE_NAME, Reserve


@pytest.fixture
def reserve(tmp_path: Path) -> Reserve:
    made = Reserve(tmp_path)
    assert made.restore()
    return made


class Needy:
    """What needs this many pieces of what is set aside; `seen` is how much was, at each try."""

    def __init__(self, reserve: Reserve, pieces: int) -> None:
        self._reserve = reserve
        self._most = reserve.size - reserve.size // PIECES * pieces
        self.seen: list[int] = []

    def __call__(self) -> str:
        self.seen.append(self._reserve.size)
        if self._reserve.size > self._most:
            raise full("the disk")
        return "done"


def test_it_holds_real_blocks_and_not_just_a_length(reserve, tmp_path):
    found = (tmp_path / RESERVE_NAME).stat()
    assert found.st_blocks * 512 >= found.st_size > 0
    assert found.st_mode & 0o777 == 0o600


def test_no_more_is_lent_than_is_needed_and_what_is_left_is_taken_back(reserve):
    whole = reserve.size
    act = Needy(reserve, 3)
    assert reserve.lend(act) == "done"
    assert act.seen == [whole - whole // PIECES * n for n in (1, 2, 3)]
    assert reserve.size == whole


def test_if_all_of_it_is_too_little_that_is_said_and_all_of_it_is_taken_back(reserve):
    whole = reserve.size
    act = Needy(reserve, PIECES + 1)
    with pytest.raises(StoreFull, match="no room is left"):
        reserve.lend(act)
    assert len(act.seen) == PIECES
    assert reserve.size == whole


def test_another_error_goes_through_and_nothing_is_lost(reserve):
    whole = reserve.size
    with pytest.raises(ZeroDivisionError):
        reserve.lend(lambda: 1 // 0)
    assert reserve.size == whole


def test_without_the_file_a_store_is_as_full_as_its_disk(tmp_path):
    with pytest.raises(StoreFull):
        Reserve(tmp_path).lend(lambda: pytest.fail("there is nothing to do it with"))
