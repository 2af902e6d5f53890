"""Steps carried out in an event loop: what each yield is given, what is done together, and that everything ends when nobody waits."""

import asyncio
import sys
import threading
from queue import SimpleQueue
from typing import Any

import pytest
from tests.unit.api.carrying import (
    LONGEST,
    Gathered,
    failed,
    in_a_loop,
    pausing,
    told,
    turns,
    views,
    waiting,
)

from tidegate.api import carry as module
from tidegate.api.carry import Carried, Carrier, HungUp
from tidegate.api.route import encode
from tidegate.engine.futures import Future
from tidegate.service.steps import ASIDE, Pause, Steps, Together


@pytest.fixture
def carrier():
    return Carrier()


@pytest.fixture
def unhurried(monkeypatch):
    """Let what waits for the engine wait as long as that takes, however slow this machine is."""
    monkeypatch.setattr(module, "LINGER", 10 * LONGEST)


@pytest.fixture
def restless():
    """Let threads take turns after a few instructions already."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


class Line:
    """What a client does on its connection: it sends something, and hangs up when it is told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent = 2
        self.is_watched = False

    async def receive(self) -> dict[str, Any]:
        if self.sent:
            self.sent -= 1
            return {"type": "http.request", "body": b"", "more_body": False}
        self.is_watched = True
        try:
            await self.left.wait()
        finally:
            self.is_watched = False
        return {"type": "http.disconnect"}


class TestPauses:
    @in_a_loop
    async def test_each_pause_gives_the_result_of_its_future(self, carrier):
        later: Future[str] = Future()
        task = asyncio.create_task(carrier.carry(pausing(told(1), later, told(None))))
        await turns()
        assert not task.done()
        threading.Thread(target=later.set_result, args=("two",)).start()

        assert await task == Carried([1, "two", None])

    @pytest.mark.parametrize("seconds", [None, LONGEST])
    @in_a_loop
    async def test_the_error_of_a_future_is_raised_where_it_was_waited_for(self, carrier, seconds):
        error = ValueError("wrong")

        def handling() -> Steps[list]:
            found: list[Any] = []
            for future in (failed(error), failed(TimeoutError()), told("after")):
                try:
                    found += [(yield Pause(future, seconds))]
                except (ValueError, TimeoutError) as raised:
                    found += [raised]
            return found

        first, second, third = (await carrier.carry(handling())).view
        assert first is error
        assert type(second) is TimeoutError
        assert third == "after"

    @in_a_loop
    async def test_an_error_that_is_not_handled_is_raised_to_the_caller_and_ends_the_steps(
        self, carrier
    ):
        steps = pausing(failed(ValueError("wrong")), told(1))
        with pytest.raises(ValueError, match="wrong"):
            await carrier.carry(steps)
        assert steps.gi_frame is None

    @in_a_loop
    async def test_seconds_that_run_out_give_none_and_a_late_result_harms_nobody(self, carrier):
        late: Future[int] = Future()

        assert await carrier.carry(pausing(late, told(2), seconds=0)) == Carried([None, 2])
        late.set_result(1)
        await turns()
        assert await carrier.carry(pausing(late, seconds=LONGEST)) == Carried([1])

    @in_a_loop
    async def test_many_pauses_cost_no_thread(self, carrier):
        before = threading.active_count()
        futures: list[Future[int]] = [Future() for _ in range(500)]
        tasks = [
            asyncio.create_task(carrier.carry(pausing(each, seconds=seconds)))
            for each, seconds in zip(futures, [None, LONGEST] * 250, strict=True)
        ]
        await turns()
        assert threading.active_count() == before
        for number, future in enumerate(futures):
            future.set_result(number)

        assert await views(tasks) == [[number] for number in range(500)]

    @in_a_loop
    async def test_all_that_are_told_while_the_loop_is_busy_continue_with_one_wake(
        self, carrier, monkeypatch
    ):
        futures: list[Future[int]] = [Future() for _ in range(100)]
        tasks = [asyncio.create_task(carrier.carry(pausing(each))) for each in futures]
        await turns()
        loop, wakes = asyncio.get_running_loop(), []
        wake = loop.call_soon_threadsafe

        def counting(*call: Any) -> None:
            wakes.append(call)
            wake(*call)

        def tell() -> None:
            for future in futures:
                future.set_result(1)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counting)
        engine = threading.Thread(target=tell)
        engine.start()
        engine.join()

        assert await views(tasks) == [[1]] * 100
        assert len(wakes) == 1

    @in_a_loop
    async def test_no_wake_is_lost_whenever_it_comes(self, carrier, restless):
        """Several threads tell, while the loop continues with what was told before; nothing comes afterwards that would wake it once more."""

        def tell(asked: SimpleQueue) -> None:
            while (future := asked.get()) is not None:
                future.set_result(1)

        queues: list[SimpleQueue] = [SimpleQueue() for _ in range(4)]
        for each in queues:
            threading.Thread(target=tell, args=(each,)).start()
        try:
            for _ in range(500):
                futures: list[Future[int]] = [Future() for _ in queues]
                tasks = [asyncio.create_task(carrier.carry(pausing(each))) for each in futures]
                await turns(1)
                for asked, future in zip(queues, futures, strict=True):
                    asked.put(future)
                assert await views(tasks) == [[1]] * len(queues)
        finally:
            for each in queues:
                each.put(None)

    @in_a_loop
    async def test_one_that_has_left_does_not_keep_the_others_from_going_on(self, carrier):
        futures: list[Future[int]] = [Future() for _ in range(3)]
        tasks = [asyncio.create_task(carrier.carry(pausing(each))) for each in futures]
        await turns()
        tasks[0].cancel()
        await asyncio.wait({tasks[0]})
        for number, future in enumerate(futures):
            future.set_result(number)

        assert await views(tasks[1:]) == [[1], [2]]


class TestHangingUp:
    @in_a_loop
    async def test_a_client_that_hangs_up_while_it_waits_ends_the_steps(self, carrier):
        line, future = Line(), waiting()
        steps = pausing(future, seconds=LONGEST)
        task = asyncio.create_task(carrier.carry(steps, line.receive))
        await turns()
        assert not task.done()
        line.left.set()

        with pytest.raises(HungUp):
            await task
        assert steps.gi_frame is None

    @in_a_loop
    async def test_what_the_engine_was_asked_is_waited_for_even_if_nobody_listens(self, carrier):
        line, future = Line(), waiting()
        task = asyncio.create_task(carrier.carry(pausing(future), line.receive))
        await turns()
        line.left.set()
        await turns()
        assert not task.done()
        future.set_result("stored")

        assert await task == Carried(["stored"])

    @pytest.mark.parametrize("future", [told(1), failed(ValueError())], ids=["result", "error"])
    @in_a_loop
    async def test_nobody_listens_to_the_client_once_the_steps_have_ended(self, carrier, future):
        line, gate = Line(), waiting()
        task = asyncio.create_task(
            carrier.carry(pausing(gate, future, seconds=LONGEST), line.receive)
        )
        await turns()
        assert line.is_watched
        gate.set_result(0)
        await asyncio.wait({task})
        await turns()
        assert not line.is_watched
        assert (task.exception() is None) == (future.exception() is None)


def closing(step: Any, ends: list[str]) -> Steps[None]:
    try:
        yield step
    except GeneratorExit:
        ends.append("closed")
        raise
    ends.append("went on")


class TestCancelling:
    @pytest.mark.parametrize(
        "step",
        [Pause(Future()), Pause(Future(), LONGEST), Together(Gathered(), 1)],
        ids=["pause", "timed", "together"],
    )
    @in_a_loop
    async def test_a_task_that_is_cancelled_closes_its_steps(self, carrier, unhurried, step):
        ends: list[str] = []
        other = asyncio.create_task(carrier.carry(pausing(Future())))
        await turns()
        task = asyncio.create_task(carrier.carry(closing(step, ends)))
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        other.cancel()

        assert ends == ["closed"]

    @in_a_loop
    async def test_one_that_is_cancelled_in_a_thread_comes_to_its_next_pause_and_no_further(
        self, carrier
    ):
        entered, go_on, closed = threading.Event(), threading.Event(), threading.Event()
        came: list[str] = []

        def steps() -> Steps[None]:
            try:
                yield ASIDE
                entered.set()
                assert go_on.wait(LONGEST)
                came.append("to its pause")
                yield Pause(told(1))
                came.append("further")
            finally:
                closed.set()

        task = asyncio.create_task(carrier.carry(steps()))
        assert await asyncio.to_thread(entered.wait, LONGEST)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        assert not came
        go_on.set()
        assert await asyncio.to_thread(closed.wait, LONGEST)
        assert came == ["to its pause"]


class TestAside:
    @in_a_loop
    async def test_what_goes_aside_goes_on_in_a_thread_up_to_its_next_pause(self, carrier):
        def threads() -> Steps[list]:
            found = [threading.current_thread()]
            yield ASIDE
            found.append(threading.current_thread())
            yield Pause(told(1))
            found.append(threading.current_thread())
            yield ASIDE
            yield ASIDE
            found.append(threading.current_thread())
            yield Together(Gathered(), 1)
            found.append(threading.current_thread())
            return [each is threading.main_thread() for each in found]

        expected = [True, False, True, False, True]
        assert await carrier.carry(threads()) == Carried(expected)
        assert await carrier.carry(threads(), aside=True) == Carried([False, *expected[1:]])

    @in_a_loop
    async def test_what_ends_beside_the_loop_is_encoded_there(self, carrier):
        def ending(step: Any) -> Steps[dict]:
            yield step
            return {"a": 1}

        written = Carried({"a": 1}, encode({"a": 1}))
        assert await carrier.carry(ending(ASIDE)) == written
        assert await carrier.carry(ending(Pause(told(1)))) == Carried({"a": 1})
        assert await carrier.carry(ending(Pause(told(1))), aside=True) == Carried({"a": 1})
        assert (await carrier.carry(pausing(), aside=True)).body == b"[]"
        assert (await carrier.carry(pausing())).body is None

    @in_a_loop
    async def test_the_loop_goes_on_while_something_is_aside(self, carrier):
        entered, go_on = threading.Event(), threading.Event()

        def busy() -> Steps[str]:
            yield ASIDE
            entered.set()
            assert go_on.wait(LONGEST)
            return "done"

        task = asyncio.create_task(carrier.carry(busy()))
        assert await asyncio.to_thread(entered.wait, LONGEST)
        assert await carrier.carry(pausing(told(1))) == Carried([1])
        assert not task.done()
        go_on.set()
        assert (await task).view == "done"

    @pytest.mark.parametrize("aside", [True, False])
    @in_a_loop
    async def test_what_is_raised_aside_reaches_the_caller(self, carrier, aside):
        def wrong() -> Steps[None]:
            yield ASIDE
            raise ValueError("wrong")

        with pytest.raises(ValueError, match="wrong"):
            await carrier.carry(wrong(), aside=aside)
