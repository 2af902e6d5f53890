"""One-time codes: good for a minute and for one sign-in, of the user whom the system says."""

import pytest
from tests.unit.service.test_tokens import SECOND, Hands

from tidegate.errors import Refused, Unauthenticated
from tidegate.service import codes as module
from tidegate.service.access import owner
from tidegate.service.codes import OneTimeCodes
from tidegate.wire import MakeCode


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def codes(clock):
    codes = OneTimeCodes(clock)
    codes.page = "http://127.0.0.1:8433"
    return codes


def code(codes, uid=0):
    return codes.make(MakeCode(), owner(uid)).link.partition("#code=")[2]


def test_a_code_signs_in_once_the_user_who_asked(codes):
    made = code(codes)
    assert codes.whose(made).name == "root"
    assert codes.whose(made).name == "root", "to ask whose it is does not use it up"

    assert codes.take(made) == owner(0)
    for again in (codes.take, codes.whose):
        with pytest.raises(Unauthenticated, match="tidegate open"):
            again(made)


def test_a_code_is_good_for_a_minute(codes, clock):
    first, second = code(codes), code(codes)
    clock.instant += 60 * SECOND - 1
    assert codes.take(first) == owner(0)
    clock.instant += 1
    for late in (codes.whose, codes.take):
        with pytest.raises(Unauthenticated):
            late(second)


def test_what_is_not_a_code_is_refused(codes):
    code(codes)
    for wrong in ("", "x", "\ud800", "ü" * 40):
        with pytest.raises(Unauthenticated):
            codes.take(wrong)


def test_without_a_page_there_is_nothing_to_open(clock):
    with pytest.raises(Refused, match="tidegate serve"):
        OneTimeCodes(clock).make(MakeCode(), owner(0))


def test_of_too_many_codes_the_oldest_is_forgotten(codes, monkeypatch):
    monkeypatch.setattr(module, "MAX_CODES", 2)
    first, *others = (code(codes) for _ in range(3))
    with pytest.raises(Unauthenticated):
        codes.take(first)
    assert [codes.take(each) for each in others] == [owner(0)] * 2
