"""A future of the engine: what is told first counts, everybody who waits is told, and nobody harms the others."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tidegate.engine.futures import Future

LONGEST = 30.0
"""Seconds after which something that was promised has not happened."""


@pytest.fixture
def future():
    return Future()


def settle(future: Future, what: object) -> None:
    if isinstance(what, BaseException):
        future.set_exception(what)
    else:
        future.set_result(what)


def outcome(future: Future, timeout: float | None = None) -> object:
    return future.exception(timeout) or future.result(timeout)


WRONG, OTHER = ValueError("wrong"), KeyError("other")


@pytest.mark.parametrize("later", [2, OTHER, None])
@pytest.mark.parametrize("first", [1, WRONG, 0, ""])
def test_what_is_told_first_counts(future, first, later):
    told: list[Any] = []
    future.add_done_callback(lambda done: told.append(outcome(done)))

    settle(future, first)
    settle(future, later)

    assert future.done()
    assert outcome(future) == first
    assert told == [first], "everybody is told once"


def test_of_many_who_tell_at_once_one_counts_and_all_hear_the_same(future):
    told: list[object] = []
    future.add_done_callback(lambda done: told.append(done.result()))
    start = threading.Barrier(8)

    def tell(number: int) -> None:
        start.wait(LONGEST)
        future.set_result(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tell, range(8)))

    assert told == [future.result()]


def test_nothing_is_told_before_it_is_done(future):
    told: list[Any] = []
    future.add_done_callback(told.append)

    assert not future.done()
    assert told == []


def test_a_result_may_be_none(future):
    future.set_result(None)

    assert future.done()
    assert future.result(0) is None
    assert future.exception(0) is None


def test_an_error_is_raised_by_who_asks_for_the_result_and_returned_to_who_asks_for_it(future):
    future.set_exception(WRONG)

    for _ in range(2):
        with pytest.raises(ValueError) as caught:
            future.result()
        assert caught.value is WRONG
    assert future.exception() is WRONG


@pytest.mark.parametrize("what", [1, WRONG])
def test_callbacks_are_called_in_order_once_with_the_future_that_is_done(future, what):
    told: list[Any] = []
    for number in range(5):
        future.add_done_callback(lambda done, n=number: told.append((n, done, done.done())))

    settle(future, what)

    assert told == [(number, future, True) for number in range(5)]


@pytest.mark.parametrize("what", [1, WRONG])
def test_a_callback_that_comes_late_is_called_at_once_in_its_own_thread(future, what):
    threads: list[threading.Thread] = []
    teller = threading.Thread(target=settle, args=(future, what))
    future.add_done_callback(lambda _: threads.append(threading.current_thread()))
    teller.start()
    teller.join()

    future.add_done_callback(lambda _: threads.append(threading.current_thread()))

    assert threads == [teller, threading.current_thread()]


def test_a_callback_that_raises_harms_neither_the_others_nor_who_tells(future, caplog):
    told: list[Any] = []

    def broken(_: object) -> None:
        raise RuntimeError("the loop is closed")

    for call in (broken, told.append, broken, told.append):
        future.add_done_callback(call)
    future.set_result(1)
    future.add_done_callback(broken)

    assert told == [future, future]
    assert future.result() == 1
    assert [record.exc_info[0] for record in caplog.records] == [RuntimeError] * 3


def test_a_callback_may_use_the_future(future):
    told: list[Any] = []

    def call(done: Future) -> None:
        done.set_result(2)
        done.add_done_callback(lambda each: told.append(each.result(LONGEST)))

    future.add_done_callback(call)
    future.set_result(1)

    assert told == [1]


@pytest.mark.parametrize("timeout", [0, 0.001])
def test_who_waits_too_long_is_told_so_and_may_wait_again(future, timeout):
    for ask in (future.result, future.exception, future.result):
        with pytest.raises(TimeoutError):
            ask(timeout)
    assert not future.done()

    future.set_result(1)

    assert future.result(timeout) == 1
    assert future.exception(timeout) is None


def test_a_timeout_that_was_told_is_the_error_itself(future):
    error = TimeoutError("of a worker")
    future.set_exception(error)

    assert future.exception(0) is error
    with pytest.raises(TimeoutError) as caught:
        future.result(LONGEST)
    assert caught.value is error


class Noting(Future):
    """A future that says when this many have begun to wait."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.left = count
        self.awaited = threading.Event()

    def add_done_callback(self, call) -> None:
        super().add_done_callback(call)
        self.left -= 1
        if self.left <= 0:
            self.awaited.set()


@pytest.mark.parametrize("what", [1, WRONG])
@pytest.mark.parametrize("timeout", [None, LONGEST], ids=["without end", "at most"])
def test_everybody_who_waits_is_told_however_many_they_are(what, timeout):
    """Some wait already when it is told, some come just then, and some later."""
    with ThreadPoolExecutor(20) as pool:
        for count in range(1, 21):
            future = Noting(count)
            waiting = [pool.submit(outcome, future, timeout) for _ in range(20)]
            assert future.awaited.wait(LONGEST)
            settle(future, what)

            assert [each.result(LONGEST) for each in waiting] == [what] * 20


@pytest.mark.parametrize("timeout", [None, LONGEST], ids=["without end", "at most"])
@pytest.mark.parametrize("ask", [Future.result, Future.exception])
def test_one_who_blocks_goes_on_when_another_thread_tells_and_no_sooner(ask, timeout):
    future = Noting(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, future, timeout)
        assert future.awaited.wait(LONGEST)
        assert not waiting.done()
        future.set_result(None)

        assert waiting.result(LONGEST) is None
