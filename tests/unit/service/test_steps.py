"""Steps carried out in a thread: each yield is given what it waits for, as an event loop would give it."""

import threading
from typing import Any, NamedTuple

import pytest

from tidegate.engine.futures import Future
from tidegate.service.steps import ASIDE, Pause, Step, Steps, Together, carry_out, outcome

LONGEST = 30.0


def told(result: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(result)
    return future


def failed(error: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(error)
    return future


class Raised(NamedTuple):
    """An error that was raised at a `yield`."""

    error: Exception


def through(*steps: Step) -> Steps[list[Any]]:
    """Go through these steps, and return what came of each: a result, or what was raised."""
    found: list[Any] = []
    for step in steps:
        try:
            found += [(yield step)]
        except Exception as error:  # noqa: BLE001 - a use case may handle any
            found += [Raised(error)]
    return found


def doubled(wanted: Any) -> list[Any]:
    return [2 * each for each in wanted]


def refusing(wanted: Any) -> list[Any]:
    return [ValueError(each) for each in wanted]


def broken(wanted: Any) -> list[Any]:
    raise TimeoutError(f"no disk for {wanted}")


def test_steps_that_wait_for_nothing_return_at_once():
    assert carry_out(through()) == []


def test_a_pause_gives_the_result_of_its_future():
    assert carry_out(through(Pause(told(None)), Pause(told(2), LONGEST))) == [None, 2]


class Awaited(Future[str]):
    """A future that another thread tells once somebody waits for it; it keeps for how long that would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def result(self, timeout: float | None = None) -> str:
        self.seconds.append(timeout)
        threading.Thread(target=self.set_result, args=("told",)).start()
        return super().result(timeout)


@pytest.mark.parametrize("seconds", [None, LONGEST], ids=["without end", "at most"])
def test_a_pause_lasts_until_its_future_is_done_or_its_seconds_are_over(seconds: float | None):
    future = Awaited()

    assert carry_out(through(Pause(future, seconds))) == ["told"]
    assert future.seconds == [seconds]


def test_what_goes_aside_just_goes_on_in_this_thread():
    def steps() -> Steps[list[Any]]:
        first = yield ASIDE
        second = yield ASIDE
        return [first, second, threading.current_thread()]

    assert carry_out(steps()) == [None, None, threading.current_thread()]


def test_what_is_done_together_is_done_for_one():
    calls: list[Any] = []

    def call(wanted: Any) -> list[Any]:
        calls.append(list(wanted))
        return doubled(wanted)

    assert carry_out(through(Together(call, 4), Together(call, "a"))) == [8, "aa"]
    assert calls == [[4], ["a"]]


def test_every_error_is_raised_where_it_was_waited_for():
    own = KeyError("own")

    found = carry_out(
        through(
            Pause(failed(own)),
            Pause(failed(own), LONGEST),
            Together(refusing, 3),
            Together(broken, 3),
            Pause(told("after")),
        )
    )

    assert found[:2] == [Raised(own), Raised(own)]
    assert [repr(each.error) for each in found[2:4]] == [
        "ValueError(3)",
        "TimeoutError('no disk for [3]')",
    ]
    assert found[4] == "after"


def test_seconds_that_run_out_give_none_and_a_timeout_of_the_future_itself_is_an_error():
    own = TimeoutError("of the worker")

    pauses = [Pause(Future(), 0), Pause(Future(), 0.001), Pause(failed(own), 0), Pause(told(1), 0)]
    found = carry_out(through(*pauses))

    assert found == [None, None, Raised(own), 1]


def test_a_result_that_comes_just_as_the_seconds_are_over_is_not_a_timeout_of_the_future():
    class Late(Future[int]):
        """A future that is told between the end of the wait and the look at what came of it."""

        def result(self, timeout: float | None = None) -> int:
            try:
                return super().result(timeout)
            finally:
                self.set_result(1)

    assert carry_out(through(Pause(Late(), 0))) == [None]


def test_an_error_that_is_not_handled_is_raised_and_the_steps_are_closed():
    ends: list[str] = []

    def steps() -> Steps[None]:
        try:
            yield Pause(failed(ValueError("wrong")))
        finally:
            ends.append("closed")

    with pytest.raises(ValueError, match="wrong"):
        carry_out(steps())
    assert ends == ["closed"]


def test_steps_are_closed_whatever_interrupts_the_thread():
    class Interrupting(Future[int]):
        """A future that is waited for when somebody presses Ctrl-C."""

        def result(self, timeout: float | None = None) -> int:
            raise KeyboardInterrupt

    steps = through(Pause(Interrupting()))

    with pytest.raises(KeyboardInterrupt):
        carry_out(steps)
    assert steps.gi_frame is None


def test_an_outcome_that_is_an_exception_is_raised():
    error = ValueError("wrong")

    assert outcome([error]) == [error]
    with pytest.raises(ValueError) as caught:
        outcome(error)
    assert caught.value is error
